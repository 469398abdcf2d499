"""Scores of all architectures at once, and what became of them: for structural proxies and for aggregates."""

import numpy as np


def numbers(values, count):
    """What a proxy returned for `count` architectures, as real numbers. TypeError, ValueError: it is not that."""
    return np.broadcast_to(np.asarray(values).astype(float, casting="same_kind"), count)


def with_status(compute):
    """Score and status of each architecture, from what `compute()` returns; one of both for all where it raises."""
    try:
        with np.errstate(divide="ignore", invalid="ignore"):
            score = compute()
    except (Exception, SystemExit) as error:
        reason = str(error).partition("\n")[0]
        return np.nan, f"error: {type(error).__name__}: {reason}"
    status = np.select([np.isnan(score), np.isinf(score)], ["nan", "inf"], "ok")
    return np.where(status == "ok", score, np.nan), status

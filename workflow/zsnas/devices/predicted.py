"""Latencies of networks that were not measured, from those of a sample that was: `predicted-{model}-{measured device}`.

`additive` is a cost per operation, added up over the operations of the canonical network, and one for what all networks
have in common; none is negative. `quadratic` also knows pairs of operations: ridge regression on counts and their
products, its penalty chosen by leaving each network out in turn.
"""

import numpy as np
import pandas as pd
from scipy.optimize import nnls
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from zsnas.errors import StudyError

MODELS = ("additive", "quadratic")
FOLDS = 10
PENALTIES = np.logspace(-6, 3, 28)  # of standardised features


def additive(counts, latency_ms):
    """A function from counts (n, operations) to ms, fitted by least squares relative to the latency."""
    costs, _ = nnls(with_one(counts) / latency_ms[:, None], np.ones(len(latency_ms)))
    return lambda counts: with_one(counts) @ costs


def with_one(counts):
    return np.column_stack([np.ones(len(counts)), counts])


def quadratic(counts, latency_ms):
    """A function from counts (n, operations) to ms, never below the fastest network of the sample."""
    pairs = PolynomialFeatures(degree=2, include_bias=False)
    model = make_pipeline(pairs, StandardScaler(), RidgeCV(PENALTIES)).fit(counts, latency_ms)
    return lambda counts: np.maximum(model.predict(counts), latency_ms.min())


FITS = {"additive": additive, "quadratic": quadratic}


def held_out(model, counts, latency_ms):
    """What the model says of each network (n,) when fitted on the other nine tenths of the sample, as it is ordered."""
    fold = np.arange(len(latency_ms)) % FOLDS
    said = np.empty(len(latency_ms))
    for left_out in range(FOLDS):
        test = fold == left_out
        said[test] = FITS[model](counts[~test], latency_ms[~test])(counts[test])
    return said


def predict(model, counts, measured):
    """Latencies of all networks, and those of the sample when it is held out, from a sample.

    counts: how often each network (its index) has each operation. measured: frame of `canonical` and `latency_ms`.
    Returns frames: `canonical`, `latency_ms`, `energy_mj` (NaN), `kind`; and `canonical`, `latency_ms`, `predicted_ms`.
    StudyError for a sample that is too small.
    """
    sample = measured.dropna(subset="latency_ms")[["canonical", "latency_ms"]].reset_index(drop=True)
    if len(sample) < 2 * FOLDS:
        raise StudyError(
            f"{len(sample)} measured networks are too few to predict others: measure at least {2 * FOLDS} "
            "(the config's 'architectures')"
        )
    known, latency_ms = counts.loc[sample.canonical].to_numpy(float), sample.latency_ms.to_numpy()
    everything = FITS[model](known, latency_ms)(counts.to_numpy(float))
    frame = pd.DataFrame({"canonical": counts.index, "latency_ms": everything, "energy_mj": np.nan})
    return frame.assign(kind="predicted"), sample.assign(predicted_ms=held_out(model, known, latency_ms))

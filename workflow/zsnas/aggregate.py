"""Combine scores into aggregates: `python -m zsnas.aggregate`. One row per architecture, seed and aggregate.

An aggregate is a proxy whose parameters are other proxies, its members. It is computed for each seed over all
architectures that have scores of every member, for it may rank them; so its score is that of an architecture among
these. Where a member failed, the architecture is left out and its status says which. Members come turned so that larger
is better. `seconds` is what the members cost, each computed alone; `seconds_shared` what they cost in their bundles.
"""

import argparse

import numpy as np
import pandas as pd

from zsnas import errors, registry
from zsnas.files import write_parquet
from zsnas.provenance import environment
from zsnas.whole_space import numbers, with_status

SPENT = ("seconds", "seconds_shared", "peak_mb")


def aggregate(proxy, architectures, scores):
    """Rows of one aggregate.

    architectures: `arch`, `canonical` and `seed` of all that could have a score. scores: long frames by `arch`
    (structural) or by `canonical` and `seed`.
    """
    architectures = architectures.reset_index(drop=True)
    members = {name: rows_of(name, architectures, scores) for name in proxy.members}
    scored = np.logical_and.reduce([rows.status.notna() for rows in members.values()])
    members = {name: rows[scored] for name, rows in members.items()}
    result = architectures.loc[scored, ["arch", "canonical", "seed"]].assign(
        proxy=proxy.name, score=np.nan, status="ok"
    )
    for name, rows in reversed(members.items()):
        result["status"] = result.status.where(rows.status == "ok", f"error: {name}: " + rows.status)
    complete = result.status == "ok"
    for _, rows in result[complete].groupby("seed"):
        of_seed = {name: member.score[rows.index] for name, member in members.items()}
        result.loc[rows.index, "score"], result.loc[rows.index, "status"] = combined(proxy, of_seed)
    for cost in SPENT:
        of_members = np.array([rows[cost] for rows in members.values()])
        result[cost] = of_members.max(0) if cost == "peak_mb" else of_members.sum(0)
    return result


def rows_of(name, architectures, scores):
    """Score, status and costs of one proxy, row by row of `architectures`; NaN where there are none."""
    columns = ["score", "status", *SPENT]
    for long in scores:
        rows = long[long.proxy == name]
        if len(rows):
            keys = [key for key in ("arch", "canonical", "seed") if key in long]
            return architectures.merge(rows[[*keys, *columns]], on=keys, how="left", validate="m:1")[columns]
    return pd.DataFrame(index=architectures.index, columns=columns)


def combined(proxy, scores):
    """Score and status of each architecture, from the members' scores, none of which failed."""
    signs = {name: 1 if registry.proxies()[name].larger_is_better else -1 for name in scores}
    turned = {name: signs[name] * it.to_numpy(float) for name, it in scores.items()}
    count = len(next(iter(turned.values())))
    return with_status(lambda: numbers(proxy.function(**turned), count))


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas.aggregate", description="Combine scores into aggregates.")
    parser.add_argument("--space", required=True)
    parser.add_argument("--task", required=True)
    parser.add_argument("--proxies", required=True, nargs="+", help="the aggregates")
    parser.add_argument("--architectures", required=True, help="the space's architectures.parquet")
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--scores", required=True, nargs="+", help="files of their members' scores")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()
    proxies = [registry.look_up("proxy", name, registry.proxies()) for name in arguments.proxies]
    architectures = pd.read_parquet(arguments.architectures, columns=["arch", "canonical"])
    architectures = architectures.merge(pd.DataFrame({"seed": arguments.seeds}), how="cross")
    members = {name for proxy in proxies for name in proxy.members}
    scores = [pd.read_parquet(path, filters=[("proxy", "in", members)]) for path in arguments.scores]
    rows = pd.concat([aggregate(proxy, architectures, scores) for proxy in proxies], ignore_index=True)
    write_parquet(rows.assign(space=arguments.space, task=arguments.task), arguments.output, **environment())


if __name__ == "__main__":
    errors.run(main)

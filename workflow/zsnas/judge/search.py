"""The search table: how good the networks are that a search finds with a proxy, and after how many evaluations."""

import numpy as np
import pandas as pd

from .statistics import interval

BY = ["space", "task", "truth", "device", "proxy", "budgets", "algorithm", "evaluations"]
MEASURES = ("regret", "hypervolume_ratio")
COLUMNS = [
    *BY,
    *["scored", "seconds"],
    "budget_ms",
    "n",
    "seeds",
    *(f"{one}{end}" for one in MEASURES for end in ("", "_low", "_high")),
]


def search_table(cost, *runs, replicates=1000, seed=0):
    """Means over seeds of the runs of `zsnas.search`, frames of one task each, with 95 % intervals.

    Intervals are percentiles of a bootstrap over seeds. ``scored`` is how many of the ``evaluations`` were used, in the
    mean, and ``seconds`` the time for as many, from the median seconds of ``cost``, the cost table; the oracle, which
    takes training, has none.
    """
    seconds = cost.set_index(["space", "task", "proxy"])["seconds_per_arch"]
    rng = np.random.default_rng(seed)
    draws = {}
    rows = []
    for run in runs:
        for values, seeds in run.groupby(BY, sort=False):
            key = dict(zip(BY, values))
            count = len(seeds)
            if count not in draws:
                draws[count] = np.vstack([np.arange(count), rng.integers(0, count, (replicates, count))])
            alone = seconds.get((key["space"], key["task"], key["proxy"]), np.nan)
            scored = seeds.scored.mean()
            facts = {"scored": scored, "seconds": scored * alone}
            facts |= {"budget_ms": seeds.budget_ms.iloc[0], "n": seeds.n.iloc[0]}
            bounds = {
                f"{measure}{end}": value
                for measure in MEASURES
                for end, value in zip(("", "_low", "_high"), interval(seeds[measure].to_numpy()[draws[count]].mean(1)))
            }
            rows.append(key | facts | {"seeds": count} | bounds)
    return pd.DataFrame(rows, columns=COLUMNS)

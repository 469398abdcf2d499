"""The trust table: which proxy may be relied on under which device's budget. The page to read first."""

import numpy as np
import pandas as pd

KEY = ["space", "device", "cost", "proxy"]
ENOUGH = 0.5
COLUMNS = [
    *KEY,
    *["trust", "tight_gain", "tight_low", "loose_gain", "loose_low"],
    *["partial_spearman", "partial_low", "hypervolume_ratio", "n", "worst_of"],
]


def trust_table(regret, hardware, pareto):
    """One row per space, device, kind of cost and proxy: the worst over tasks and truths of the tables given.

    ``trust`` tells for which budgets the proxy certainly goes more than half the way from a blind choice to the best:
    the lower end of its gain is above ``ENOUGH`` in every one of the ``worst_of`` pairs of task and truth, and none is
    undefined. It is `all` (tight and loose ones), `tight`, `loose` or `none`. Beside it stand the smallest gains with
    their lower ends, the smallest partial correlation with truth given cost and its lower end, the smallest hypervolume
    ratio, and the fewest architectures with a score: all of these are over the `candidates`, but that without a sample
    the partial correlation is over all architectures. Regrets have the unit of their truth and are not compared.
    """
    hardware = hardware[hardware.truth != ""]  # a task without a truth has correlations with cost alone
    # Of the sets `all` and `sampled` the second, where it is there.
    hardware = hardware.sort_values("set", kind="stable").drop_duplicates([*KEY, "task", "truth"], keep="last")
    worst = regret.groupby([*KEY, "budgets"])[["gain", "gain_low"]].min(skipna=False).unstack("budgets")
    frame = pd.DataFrame(
        {
            f"{budgets}_{short}": worst[column, budgets]
            for budgets in ("tight", "loose")
            for short, column in (("gain", "gain"), ("low", "gain_low"))
        }
    )
    frame["worst_of"] = regret.groupby(KEY).size() // regret["budgets"].nunique()
    frame = frame.join(hardware.groupby(KEY)[["partial_spearman", "partial_low"]].min(skipna=False))
    frame = frame.join(pareto.groupby(KEY)[["hypervolume_ratio", "n"]].min(skipna=False))
    tight, loose = frame.tight_low > ENOUGH, frame.loose_low > ENOUGH
    frame["trust"] = np.select([tight & loose, tight, loose], ["all", "tight", "loose"], "none")
    return frame.reset_index()[COLUMNS]

"""The repeatability table: how well a second measurement of the same networks agrees with the first."""

from itertools import chain

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from .statistics import bootstrapped

MEASURES = ("spearman", "raw_spearman", "apart")
COLUMNS = ["space", "task", "device", "n", *(f"{name}{end}" for name in MEASURES for end in ("", "_low", "_high"))]
COLUMNS += ["slowdown"]


def repeatability_table(*repeated, replicates=1000, seed=0):
    """Agreement of two sessions, each in an order of its own, over the ``n`` networks measured in both.

    ``spearman`` is the rank correlation of latencies corrected for drift, ``raw_spearman`` of those that are not,
    ``apart`` the median difference of the corrected ones in percent of their mean; 95 % percentile intervals of a
    bootstrap over networks. ``slowdown`` is the median ratio of the second session to the first, raw: how much slower
    the whole machine had become.
    """
    rows = []
    for (space, task, device), networks in pd.concat(repeated).groupby(["space", "task", "device"]):
        sessions = networks[["latency_ms", "again_latency_ms", "latency_raw_ms", "again_latency_raw_ms"]].to_numpy().T
        bounds = bootstrapped(agreement, sessions, networks["canonical"].to_numpy(str), replicates, seed)
        slowdown = np.median(sessions[3] / sessions[2])
        rows.append((space, task, device, len(networks), *chain(*bounds), slowdown))
    return pd.DataFrame(rows, columns=COLUMNS)


def agreement(first, second, first_raw, second_raw):
    """The three of `MEASURES`."""
    apart = 200 * np.median(np.abs(second - first) / (second + first))
    return spearmanr(first, second).statistic, spearmanr(first_raw, second_raw).statistic, apart

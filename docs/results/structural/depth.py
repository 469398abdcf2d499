"""Does size rank because depths are alike? `python docs/results/structural/depth.py STUDY.parquet`, of study.yaml.

The survey explains that the number of parameters ranks by architectures of nearly equal depth. Prints a Markdown table,
per space, task and truth of FEWEST architectures or more: Kendall's tau-b of `params` over all pairs of architectures
and over pairs of equal depth (of each depth, averaged by how many pairs it has), the difference, and that of `depth`,
with 95 % bootstrap intervals over canonical networks; and which share of all pairs are of equal depth.
"""

import sys

import numpy as np
import pandas as pd

from zsnas.judge.statistics import interval, rank_correlations, sample_weights

METRICS = ("accuracy_", "negloss_", "ssim_")
FEWEST, REPLICATES, SEED = 100, 1000, 0


def pairs(weights):
    """How many pairs of architectures each replicate has; weights [replicates, n]."""
    return (weights.sum(1) ** 2 - (weights.astype(np.int64) ** 2).sum(1)) / 2


def tau(table, proxy, weights):
    """Tau-b in each replicate, NaN where it has no order."""
    return rank_correlations(table[[proxy]].to_numpy(float).T, table.accuracy.to_numpy(float), weights)[0][0, 0]


def at_equal_depth(table, weights):
    """Tau of `params` over pairs of equal depth, and their share of all pairs, in each replicate."""
    groups = [np.flatnonzero(table.depth == depth) for depth in table.depth.unique()]
    taus = np.array([tau(table.iloc[group], "params", weights[:, group]) for group in groups])
    counts = np.array([pairs(weights[:, group]) for group in groups])
    ranked = np.where(np.isnan(taus), 0, counts)
    return np.nansum(taus * ranked, 0) / ranked.sum(0), counts.sum(0) / pairs(weights)


def main():
    study = pd.read_parquet(sys.argv[1])
    print("| space, task (truth) | n | `params` | at equal depth | difference | pairs of equal depth | `depth` |")
    print(f"|{'---|' * 7}")
    truths = [column for column in study if column.startswith(METRICS)]
    for (space, task), rows in study.dropna(subset="depth").groupby(["space", "task"]):
        for truth in truths:
            table = rows[rows[truth].notna()].rename(columns={truth: "accuracy"})
            if len(table) < FEWEST:
                continue
            weights = sample_weights(table.canonical.to_numpy(str), REPLICATES, SEED)
            equal, share = at_equal_depth(table, weights)
            size = tau(table, "params", weights)
            found = size, equal, equal - size, tau(table, "depth", weights)
            cells = ["{:.2f} [{:.2f}, {:.2f}]".format(*interval(values)) for values in found]
            cells.insert(3, f"{share[0]:.0%}")
            print(f"| {space}, {task} ({truth.partition('_')[2]}) | {len(table):,} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()

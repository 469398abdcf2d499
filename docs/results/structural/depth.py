"""Does size rank because depths are alike? `python docs/results/structural/depth.py STUDY.parquet`, of study.yaml.

Prints a Markdown table, per space, task and truth of FEWEST architectures or more. In how many pairs of architectures
the larger one is the better, less in how many it is the worse, as a share of all: of pairs of any depth, of pairs of
equal depth, and, as a control, of pairs of unequal depth that differ as much in size as those of equal depth do; the
difference of the last two; and the depths from least to most, by quantiles. Pairs are drawn at random, those of one
size left out; intervals are 95 % bootstrap intervals over canonical networks.
"""

import sys

import numpy as np
import pandas as pd

from zsnas.judge.statistics import interval, sample_weights

METRICS = ("accuracy_", "negloss_", "ssim_")
FEWEST, PAIRS, GAPS, REPLICATES, SEED = 100, 200_000, 20, 1000, 0


def drawn(size, accuracy, depth):
    """Random pairs of architectures of unequal size: their places [2, pairs], and of each pair whether size agrees with
    accuracy (1, 0, -1), the class of its size gap (log, by quantiles of those at equal depth), whether depths agree."""
    first, second = pairs = np.random.default_rng(SEED).integers(len(size), size=(2, PAIRS))
    larger = np.log(size[first] / size[second])
    kept = larger != 0
    pairs, larger = pairs[:, kept], larger[kept]
    first, second = pairs
    equal = depth[first] == depth[second]
    # Gaps that no pair of equal depth has are a class of their own, the last.
    gap = np.searchsorted(np.quantile(abs(larger[equal]), np.arange(1, GAPS + 1) / GAPS), abs(larger))
    return pairs, np.sign(larger) * np.sign(accuracy[first] - accuracy[second]), gap, equal


def concordance(pairs, agree, gap, equal, weight):
    """Of pairs of any depth, of equal depth, and of unequal depth with the size gaps of the latter.

    weight [n]: how often each architecture counts.
    """
    counted = weight[pairs[0]] * weight[pairs[1]]
    by_gap = [
        np.bincount(gap[these], counted[these] * sign, GAPS + 1)
        for these in (equal, ~equal)
        for sign in (agree[these], 1)
    ]
    alike, alike_pairs, other, other_pairs = by_gap
    share = np.where(other_pairs > 0, alike_pairs, 0) / alike_pairs[other_pairs > 0].sum()
    same_gaps = (share * other / np.maximum(other_pairs, 1)).sum()
    return (alike + other).sum() / (alike_pairs + other_pairs).sum(), alike.sum() / alike_pairs.sum(), same_gaps


def main():
    study = pd.read_parquet(sys.argv[1])
    print("| space, task (truth) | n | any depth | equal depth | unequal depth, same gaps | difference | depths |")
    print(f"|{'---|' * 7}")
    truths = [column for column in study if column.startswith(METRICS)]
    for (space, task), rows in study.dropna(subset="depth").groupby(["space", "task"]):
        for truth in truths:
            table = rows[rows[truth].notna()]
            if len(table) < FEWEST:
                continue
            given = drawn(*table[["params", truth, "depth"]].to_numpy(float).T)
            weights = sample_weights(table.canonical.to_numpy(str), REPLICATES, SEED).astype(float)
            found = np.array([concordance(*given, weight) for weight in weights]).T
            cells = ["{:.2f} [{:.2f}, {:.2f}]".format(*interval(it)) for it in (*found, found[1] - found[2])]
            depths = ", ".join(f"{it:.0f}" for it in table.depth.quantile([0, 0.05, 0.5, 0.95, 1]))
            name = f"{space}, {task} ({truth.partition('_')[2]})"
            print(f"| {name} | {len(table):,} | {' | '.join(cells)} | {depths} |", flush=True)


if __name__ == "__main__":
    main()

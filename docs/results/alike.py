"""Do two studies rank alike? `python docs/results/alike.py images=STUDY.parquet noise=STUDY.parquet`.

Takes the study.parquet of two studies of one space and task, with the truth `nats_test`, each with a word for what is
particular to it, such as what they were scored on. Prints a Markdown table: for the architectures that both scored, how
alike a proxy ranks them in either (Spearman), Kendall's tau-b with the truth in each, and the difference, with 95 %
bootstrap intervals over canonical networks. Of several seeds the first counts.
"""

import argparse

import numpy as np
import pandas as pd

from zsnas import registry
from zsnas.judge.statistics import interval, rank_correlations, sample_weights

REPLICATES, SEED = 1000, 0


def aligned(paths):
    """The sampled architectures that both studies have, in the same order."""
    frames = [pd.read_parquet(path).query("sampled and seed == seed.min()").set_index("arch") for path in paths]
    shared = frames[0].index.intersection(frames[1].index)
    return [frame.loc[shared] for frame in frames]


def beside(first, second, proxy, truth, weights):
    """One line of the table, over the architectures that have both scores."""
    scored = (first[proxy].notna() & second[proxy].notna()).to_numpy()
    sign = 1 if registry.proxies()[proxy].larger_is_better else -1
    scores = sign * np.stack([frame[proxy].to_numpy(float)[scored] for frame in (first, second)])
    weights = weights[:, scored]
    _, alike = rank_correlations(scores[:1], scores[1], weights)[:, 0, 0]
    taus, _ = rank_correlations(scores, first[truth].to_numpy(float)[scored], weights)[:, :, 0]
    cells = ["{:.2f} [{:.2f}, {:.2f}]".format(*interval(values)) for values in (alike, *taus)]
    difference = "{:+.2f} [{:+.2f}, {:+.2f}]".format(*interval(taus[1] - taus[0]))
    return f"| `{proxy}` | {' | '.join(cells)} | {difference} | {scored.sum()} |"


def main():
    parser = argparse.ArgumentParser(description="Do two studies rank alike?")
    parser.add_argument("studies", nargs=2, metavar="WORD=STUDY.parquet")
    words, paths = zip(*(study.split("=", 1) for study in parser.parse_args().studies))
    first, second = aligned(paths)
    truth = next(column for column in first if column.endswith("_nats_test"))
    weights = sample_weights(first.canonical.to_numpy(), REPLICATES, SEED)
    shared = first.columns.intersection(second.columns)
    data_driven = [name for name, it in registry.proxies().items() if name in shared and not it.structural]
    print(f"| proxy | alike, Spearman | tau, {words[0]} | tau, {words[1]} | difference | architectures |")
    print("|---|---|---|---|---|---|")
    for proxy in data_driven:
        print(beside(first, second, proxy, truth, weights))


if __name__ == "__main__":
    main()

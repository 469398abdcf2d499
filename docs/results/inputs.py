"""Does the data matter? Proxies on noise beside the same on images: `python docs/results/inputs.py IMAGES NOISE`.

IMAGES and NOISE are the study.parquet of two studies of one space, task and seed. Prints a Markdown table: for the
architectures that both scored, how alike a proxy ranks them on either (Spearman), Kendall's tau-b with the truth on
images and on noise, and the difference, with 95 % bootstrap intervals over canonical networks.
"""

import sys

import numpy as np
import pandas as pd

from zsnas import registry
from zsnas.judge.statistics import interval, rank_correlations, sample_weights

REPLICATES, SEED = 1000, 0


def aligned(paths):
    """The sampled architectures that both studies have, in the same order."""
    frames = [pd.read_parquet(path).query("sampled").set_index("arch") for path in paths]
    shared = frames[0].index.intersection(frames[1].index)
    return [frame.loc[shared] for frame in frames]


def beside(images, noise, proxy, truth, weights):
    """One line of the table, over the architectures that have both scores."""
    scored = (images[proxy].notna() & noise[proxy].notna()).to_numpy()
    sign = 1 if registry.proxies()[proxy].larger_is_better else -1
    scores = sign * np.stack([frame[proxy].to_numpy(float)[scored] for frame in (images, noise)])
    weights = weights[:, scored]
    _, alike = rank_correlations(scores[:1], scores[1], weights)[:, 0, 0]
    taus, _ = rank_correlations(scores, images[truth].to_numpy(float)[scored], weights)[:, :, 0]
    cells = ["{:.2f} [{:.2f}, {:.2f}]".format(*interval(values)) for values in (alike, *taus)]
    difference = "{:+.2f} [{:+.2f}, {:+.2f}]".format(*interval(taus[1] - taus[0]))
    return f"| `{proxy}` | {' | '.join(cells)} | {difference} | {scored.sum()} |"


def main():
    images, noise = aligned(sys.argv[1:])
    truth = next(column for column in images if column.endswith("_nats_test"))
    weights = sample_weights(images.canonical.to_numpy(), REPLICATES, SEED)
    data_driven = [name for name, it in registry.proxies().items() if name in images and not it.structural]
    print("| proxy | alike, Spearman | tau on images | tau on noise | difference | architectures |")
    print("|---|---|---|---|---|---|")
    for proxy in data_driven:
        print(beside(images, noise, proxy, truth, weights))


if __name__ == "__main__":
    main()

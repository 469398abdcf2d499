"""What NASLib's DARTS networks change in a score: `python docs/results/pools.py TRUTH IMAGES`.

TRUTH is the table of nb301_surrogate that darts/sample.yaml makes, IMAGES an .npz of CIFAR-10. NASLib, whose networks
NAS-Bench-Suite-Zero scored, puts a BatchNorm without scale after each pooling, as DARTS does while it searches and not
in networks that it trains, and scores on images. Prints a Markdown table of 300 cells of darts/sample: Spearman's
correlation with the truth as published there and scored as NASLib does, with 95 % bootstrap intervals, and how alike
the two rank.
"""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
from torch import nn

from zsnas import engine, registry
from zsnas.inputs import minibatches
from zsnas.judge.statistics import interval, rank_correlations, sample_weights
from zsnas.score import Subject, compute_exactly
from zsnas.spaces import darts

PROXIES = ("fisher", "grad_norm", "nwot", "plain", "snip")
NETWORKS, BATCH, REPLICATES, SEED = 300, 64, 1000, 0


def build(arch, task):
    """The network of `darts.build`, with a BatchNorm after each pooling."""
    net = darts.build(arch, task)
    for cell in net.cells:
        for at, operation in enumerate(cell.operations):
            if isinstance(operation, (nn.AvgPool2d, nn.MaxPool2d)):
                norm = nn.BatchNorm2d(cell.last[1].out_channels, affine=False)
                cell.operations[at] = nn.Sequential(operation, norm)
    return net


def scored(archs, images):
    """Scores as NASLib computes them, one row per architecture."""
    compute_exactly()
    batches = minibatches(images, "cifar10", darts.TASKS["cifar10"], BATCH, SEED)
    proxies = [registry.proxies()[name] for name in PROXIES]
    space = SimpleNamespace(build=build)
    rows = []
    for arch in archs:
        subject = Subject(space, arch, "cifar10", SEED, "float32", batches, "cpu")
        rows.append([found.score for found in engine.score(proxies, {"float32": subject})])
    return pd.DataFrame(rows, index=archs, columns=PROXIES)


def main():
    truth = pd.read_parquet(sys.argv[1]).set_index("arch").accuracy
    published = pd.read_parquet(Path(__file__).parent / "darts" / "sample" / "scores.parquet")
    archs = [arch for arch in published.canonical.unique() if arch in truth.index][:NETWORKS]
    published = published.pivot(index="canonical", columns="proxy", values="score").loc[archs]
    changed = scored(archs, sys.argv[2])
    weights = sample_weights(np.array(archs), REPLICATES, SEED)
    print("| proxy | as published here | as NASLib | difference | alike |")
    print("|---|---|---|---|---|")
    for name in PROXIES:
        both = np.stack([published[name], changed[name]])
        _, (here, there) = rank_correlations(both, truth[archs].to_numpy(), weights)[:, :, 0]
        _, alike = rank_correlations(both[:1], both[1], weights)[:, 0, 0]
        cells = ["{:.2f} [{:.2f}, {:.2f}]".format(*interval(values)) for values in (here, there, there - here, alike)]
        print(f"| `{name}` | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()

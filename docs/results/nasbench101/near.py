"""NEAR on NAS-Bench-101 with other weights and modes: `python docs/results/nasbench101/near.py SCORES INDEX TRUTH`.

SCORES is the scores.parquet of nasbench101/dearer, whose networks are taken, INDEX and TRUTH are
results/spaces/nasbench101/architectures.parquet and results/truth/nasbench101/cifar10/nb101_valid.parquet. Prints a
Markdown table of NEAR with the space's initial weights and with torch's, where BatchNorm takes its statistics from the
minibatch (train) or leaves values as they are (eval); how alike each ranks to the score as shipped; and its correlation
with validation accuracy.
"""

import itertools
import sys

import pandas as pd
import torch

from zsnas.inputs import minibatches
from zsnas.judge.statistics import interval, rank_correlations, sample_weights
from zsnas.proxies.near import near
from zsnas.randomness import derive_seed
from zsnas.score import Subject
from zsnas.spaces import nasbench101

TASK, SEED, BATCH = "cifar10", 0, 16


def with_torchs_weights(net, canonical):
    """The network, its weights drawn anew as torch's modules do by themselves."""
    torch.manual_seed(derive_seed(SEED, canonical, "weights"))
    for module in net.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    return net


def variants(subject):
    """The score by (initial weights, mode)."""
    inputs, _ = subject.batches()[0]
    found = {}
    for weights, mode in itertools.product(("space's", "torch's"), ("train", "eval")):
        net = subject.net() if weights == "space's" else with_torchs_weights(subject.net(), subject.canonical)
        found[weights, mode] = sum(near(net.train(mode == "train"), inputs, subject.rng("near"))).item()
    return found


def main():
    scores, index, truth = map(pd.read_parquet, sys.argv[1:])
    shipped = scores.query("proxy == 'near'").set_index("canonical").score
    designs = index.set_index("arch").design[shipped.index]
    accuracy = truth.set_index("arch").accuracy[shipped.index].to_numpy()
    batches = minibatches("noise", TASK, nasbench101.TASKS[TASK], BATCH, SEED)
    rows = [
        variants(Subject(nasbench101, canonical, TASK, SEED, "float32", batches, "cpu", design))
        for canonical, design in designs.items()
    ]
    frame = pd.DataFrame(rows, index=shipped.index)
    weights = sample_weights(frame.index.to_numpy(), 1000, 0)
    taus, rhos = rank_correlations(frame.T.to_numpy(), accuracy, weights)[:, :, 0]
    print("| initial weights | mode | alike, Spearman | Kendall | Spearman |\n|---|---|---|---|---|")
    for (drawn, mode), *found in zip(frame, taus, rhos):
        cells = ["{:.2f} [{:.2f}, {:.2f}]".format(*interval(values)) for values in found]
        print(f"| {drawn} | {mode} | {frame[drawn, mode].corr(shipped, 'spearman'):.2f} | {' | '.join(cells)} |")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()

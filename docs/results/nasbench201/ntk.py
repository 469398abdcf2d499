"""What more samples do to `ntk_cond` on NAS-Bench-201: `python docs/results/nasbench201/ntk.py STUDY IMAGES`.

STUDY is the study.parquet of nasbench201/sample.yaml, IMAGES the images it prepared. The proxy reads 16 samples, as its
authors do; others read more. Prints a Markdown table of its correlations with accuracy by numbers of samples,
which pass the network together, for 100 networks of the sample, each with its mean accuracy, and how the change of
tau against the first row is spread over bootstrap draws of networks.
"""

import sys

import numpy as np
import pandas as pd

from zsnas.inputs import minibatches
from zsnas.judge.statistics import interval, rank_correlations, sample_weights
from zsnas.proxies import ntk_cond
from zsnas.score import Subject
from zsnas.spaces import nasbench201

NETWORKS, TASK = 100, "cifar10"
SAMPLES = (16, 64)


def conditions(canonical, batches):
    """The condition number of one network's kernel for each of SAMPLES, each with the same initial weights."""
    found = []
    for samples in SAMPLES:
        ntk_cond.SAMPLES = samples
        subject = Subject(nasbench201, canonical, TASK, 0, "float32", batches, "cpu")
        found.append(float(ntk_cond.ntk_cond(subject.net(), subject.batches()[0][0])))
    return found


def main():
    study = pd.read_parquet(sys.argv[1]).query("sampled and connected")
    accuracy = study.groupby("canonical").accuracy_nats_test.mean().sample(NETWORKS, random_state=0)
    batches = minibatches(sys.argv[2], TASK, nasbench201.TASKS[TASK], max(SAMPLES), 0)
    values = np.array([conditions(canonical, batches) for canonical in accuracy.index])
    weights = sample_weights(accuracy.index.to_numpy(str), 1000, 0)
    kendalls, spearmans = rank_correlations(-values.T, accuracy.to_numpy(), weights)[:, :, 0]
    print("| samples | median condition | Kendall | change | Spearman |\n|---|---|---|---|---|")
    for samples, median, kendall, spearman in zip(SAMPLES, np.median(values, axis=0), kendalls, spearmans):
        texts = ["{:.2f} [{:.2f}, {:.2f}]".format(*interval(it)) for it in (kendall, kendall - kendalls[0], spearman)]
        print(f"| {samples} | {median:.3g} | " + " | ".join(texts) + " |")


if __name__ == "__main__":
    main()

"""NAS-Bench-201 with its large classes: `python docs/results/nasbench201/classes.py SCORES INDEX IMAGES TRUTH...`.

Some networks stand for hundreds of architectures, and a sample of a thousand has them or has not. SCORES is the
scores.parquet of nasbench201/sample; INDEX, IMAGES and TRUTHs are results/spaces/nasbench201/architectures.parquet,
results/images/nasbench201/cifar10.npz and files such as results/truth/nasbench201/cifar10/nats_test.parquet. Scores
GraSP and the condition number of the NTK on every connected network that stands for LARGE architectures or more, lets
the sample's smaller ones, drawn as often as there are such networks, stand for the rest, and prints correlations with
accuracy as a Markdown table: of the estimate, and of that with disconnected networks at 0 (GraSP's score of them) or
last.
"""

import itertools
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from zsnas import registry
from zsnas.inputs import minibatches
from zsnas.judge.statistics import rank_correlations
from zsnas.score import score_network
from zsnas.spaces import nasbench201

LAST = {"grasp": 0.0, "ntk_cond": -np.inf}  # what a disconnected network is worth, larger is better
LARGE, TASK, SEED, BATCH, REPLICATES = 12, "cifar10", 0, 64, 200


def scored(networks, images):
    """A row per network and proxy."""
    batches = minibatches(images, TASK, nasbench201.TASKS[TASK], BATCH, SEED)
    return pd.DataFrame(
        row
        for name in networks
        for row in score_network(name, True, "nasbench201", TASK, SEED, list(LAST), batches, "cpu")
    )


def drawn(networks, times, generator):
    """How often each network is drawn."""
    return pd.Series(generator.choice(networks, times)).value_counts()


def estimates(table, large, small, generator):
    """Kendall and Spearman of each replicate: large networks drawn from the scored ones, and `small` of the others."""
    among = table.canonical.isin(large)
    few, many = (table.canonical[rows].unique() for rows in (table.connected & ~among, among))
    counts = [pd.concat([drawn(many, len(large), generator), drawn(few, small, generator)]) for _ in range(REPLICATES)]
    weights = np.array([table.canonical.map(count).fillna(0) for count in counts]).astype(np.int16)
    weights[:, ~table.connected] = 1
    return rank_correlations(table[["score"]].to_numpy().T, table.accuracy.to_numpy(), weights)[:, 0, 0]


def main():
    rows, index = map(pd.read_parquet, sys.argv[1:3])
    sizes = index[index.connected].canonical.value_counts()
    large = sizes.index[sizes >= LARGE]
    rows = pd.concat([rows[~rows.canonical.isin(large)], scored(large, sys.argv[3])])
    print("| proxy | truth | architectures | Kendall | Spearman |\n|---|---|---|---|---|")
    for (proxy, last), truth in itertools.product(LAST.items(), sys.argv[4:]):
        sign = 1 if registry.proxies()[proxy].larger_is_better else -1
        scores = rows[(rows.proxy == proxy) & (rows.status == "ok")].set_index("canonical").score * sign
        judged = index.merge(pd.read_parquet(truth)[["arch", "accuracy"]], on="arch")
        connected = judged.assign(score=judged.canonical.map(scores)).query("connected").dropna(subset="score")
        disconnected = judged[~judged.connected].assign(score=max(last, scores.min() - 1))
        for words, table in {"connected": connected, "all": pd.concat([connected, disconnected])}.items():
            found = estimates(table, large, len(sizes) - len(large), np.random.default_rng(SEED))
            cells = ["{1:.2f} [{0:.2f}, {2:.2f}]".format(*np.percentile(it, [2.5, 50, 97.5])) for it in found]
            print(f"| `{proxy}` | {Path(truth).stem} | {words} | {' | '.join(cells)} |")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()

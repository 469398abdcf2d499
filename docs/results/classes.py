"""Correlations over all architectures from few networks: `python docs/results/classes.py SPACE TASK --index ...`.

Some networks stand for hundreds of architectures, and a random sample has them or has not. This scores every connected
network that stands for LEAST architectures or more, lets the smaller ones of published scores, drawn as often as there
are such networks, stand for the rest, and prints correlations with accuracy as a Markdown table: of the estimate, and
of that with disconnected networks at a score of 0 (GraSP's of them) or last. What it scores is kept in a file beside,
and read from there the next time.
"""

import argparse
import itertools
from pathlib import Path

import numpy as np
import pandas as pd

from zsnas import registry
from zsnas.files import write_parquet
from zsnas.inputs import minibatches
from zsnas.judge.statistics import rank_correlations
from zsnas.provenance import environment
from zsnas.score import score_shard

LAST = {"grasp": 0.0, "ntk_cond": -np.inf}  # what a disconnected network is worth, larger is better
SEED, REPLICATES = 0, 200


def scored(given, networks, proxies):
    """A row per network and proxy; read where they are kept, else computed and kept."""
    if not given.kept.exists():
        batches = minibatches(
            given.inputs, given.task, registry.spaces()[given.space].tasks[given.task], given.batch, SEED
        )
        rows = score_shard(networks, given.space, given.task, SEED, proxies, batches, given.workers, "cpu")
        frame = pd.DataFrame(rows)[["canonical", "proxy", "seed", "score", "status", "seconds", "seconds_shared"]]
        write_parquet(frame, given.kept, inputs=given.inputs, batch=given.batch, **environment())
    return pd.read_parquet(given.kept)


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
    return rank_correlations(table[["score"]].to_numpy().T, table.accuracy.to_numpy(float), weights)[:, 0, 0]


def arguments():
    parser = argparse.ArgumentParser(description="Estimate correlations over all architectures.")
    parser.add_argument("space")
    parser.add_argument("task")
    parser.add_argument("--index", required=True, help="results/spaces/{space}/architectures.parquet")
    parser.add_argument("--scores", required=True, nargs="+", help="scores.parquet of random samples of the space")
    parser.add_argument("--kept", required=True, type=Path, help="where scores of the large networks are, or will be")
    parser.add_argument(
        "--truths", required=True, nargs="+", help="such as results/truth/{space}/{task}/nats_test.parquet"
    )
    parser.add_argument("--proxies", required=True, nargs="+")
    parser.add_argument("--least", required=True, type=int, help="architectures that a large network stands for")
    parser.add_argument("--inputs", default="noise", help="or results/images/{space}/{task}.npz")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


def main():
    given = arguments()
    index = pd.read_parquet(given.index)
    sizes = index[index.connected].canonical.value_counts()
    large = sizes.index[sizes >= given.least]
    further = scored(given, index[index.arch.isin(large)], given.proxies)
    samples = [pd.read_parquet(path) for path in given.scores]
    rows = pd.concat([further, *(sample[sample.task == given.task] for sample in samples)])
    rows = rows.drop_duplicates(["canonical", "proxy"])
    print("| proxy | truth | architectures | Kendall | Spearman |\n|---|---|---|---|---|")
    for proxy, truth in itertools.product(given.proxies, given.truths):
        sign = 1 if registry.proxies()[proxy].larger_is_better else -1
        scores = rows[(rows.proxy == proxy) & (rows.status == "ok")].set_index("canonical").score * sign
        accuracy = pd.read_parquet(truth).iloc[:, :2].set_axis(["arch", "accuracy"], axis=1)  # whatever the metric
        judged = (
            index[["arch", "canonical", "connected"]]
            .assign(score=index.canonical.map(scores))
            .merge(accuracy, on="arch")
        )
        tables = {"connected": judged[judged.connected].dropna(subset="score")}
        if proxy in LAST:
            disconnected = judged[~judged.connected].assign(score=max(LAST[proxy], scores.min() - 1))
            tables["all"] = pd.concat([tables["connected"], disconnected])
        for words, table in tables.items():
            found = estimates(table, large, len(sizes) - len(large), np.random.default_rng(SEED))
            cells = ["{1:.2f} [{0:.2f}, {2:.2f}]".format(*np.nanpercentile(it, [2.5, 50, 97.5])) for it in found]
            print(f"| `{proxy}` | {Path(truth).stem} | {words} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()

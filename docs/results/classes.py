"""Correlations over all architectures from few networks: `python docs/results/classes.py FOLDER SPACE TASK ...`.

Some networks stand for hundreds of architectures, and a random sample has them or has not. This scores every connected
network that stands for LEAST architectures or more and is not in the sample, lets the smaller ones of the sample stand
for the rest, in the proportion in which there are such networks, and writes FOLDER/correlation.csv, as the studies'
tables. Intervals draw networks anew, of either kind as many as are scored. Its set `all` is of connected architectures;
in `all cells` disconnected ones count too, with the score that others give them. What is scored is kept in
FOLDER/scores.parquet, and read from there the next time, which must be of the same images and batch.
"""

import argparse
import itertools
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from zsnas import errors, registry
from zsnas.errors import StudyError
from zsnas.files import read_provenance
from zsnas.judge.statistics import interval, rank_correlations

SEED, REPLICATES = 0, 1000


def scored(given, networks):
    """A row per network and proxy; read where they are kept, else computed and kept."""
    kept = given.folder / "scores.parquet"
    if not kept.exists() and len(networks):
        with tempfile.TemporaryDirectory() as aside:
            index = Path(aside, "architectures.parquet")
            networks.to_parquet(index)
            command = [sys.executable, "-m", "zsnas.score", "--space", given.space, "--task", given.task]
            command += ["--proxies", *given.proxies, "--seed", SEED, "--inputs", given.inputs, "--batch", given.batch]
            command += ["--architectures", index, "--shard", 0, "--shard-size", len(networks)]
            command += ["--workers", given.workers, "--output", kept]
            subprocess.run(list(map(str, command)), check=True)
    rows = pd.read_parquet(kept) if kept.exists() else pd.DataFrame(columns=["canonical", "proxy", "task"])
    rows = rows[rows.task == given.task]
    there = rows.groupby("canonical").proxy.agg(set)
    if not all(set(given.proxies) <= there.get(network, set()) for network in networks.arch):
        raise StudyError(f"{kept} is of another task, of fewer proxies or networks: move it away to score anew")
    return rows


def counts(table, large, small, generator):
    """How often each architecture counts [1 + REPLICATES, n]: as it is, and with networks drawn anew.

    large: the names of all large networks; small: how many others there are. Of either kind those that are scored stand
    for all.
    """
    codes, names = pd.factorize(table.canonical)
    unconnected = np.isin(names, table.canonical[~table.connected])
    among = np.isin(names, large)
    many, few = np.flatnonzero(among), np.flatnonzero(~among & ~unconnected)
    if not (len(many) and len(few)):
        raise StudyError(f"{len(many)} large networks and {len(few)} others have a score, and some of both must")
    # In thousandths, for correlations take whole numbers, which must not become too large.
    worth = np.rint(1000 * np.array([len(large) / len(many), small / len(few), 1])).astype(int)
    heavy, light, other = worth // np.gcd.reduce(worth)
    times = np.zeros((1 + REPLICATES, len(names)), np.int32)
    times[0, many], times[0, few] = heavy, light
    for row in times[1:]:
        np.add.at(row, generator.choice(many, len(many)), heavy)
        np.add.at(row, generator.choice(few, len(few)), light)
    times[:, unconnected] = other
    return times[:, codes]


def correlations(table, weights):
    """Columns of correlation.csv."""
    found = rank_correlations(table[["score"]].to_numpy().T, table.accuracy.to_numpy(float), weights)
    columns = {}
    for name, values in zip(("kendall", "spearman"), found):
        columns |= zip((name, f"{name}_low", f"{name}_high"), interval(values[0, 0]))
    return columns


def judged(index, truth):
    """Architectures of the index with the values in the file `truth`, whatever their metric, larger is better."""
    accuracy = pd.read_parquet(truth).iloc[:, :2].set_axis(["arch", "accuracy"], axis=1)
    accuracy["accuracy"] *= 1 if read_provenance(truth)["larger_is_better"] else -1
    return index[["arch", "canonical", "connected"]].merge(accuracy, on="arch")


def tables(truth, rows, proxy, worth):
    """Architectures with score and accuracy, by the set's name.

    truth: as `judged` has it. worth: what a disconnected network scores, larger is better, or None where none counts.
    """
    sign = 1 if registry.proxies()[proxy].larger_is_better else -1
    scores = rows[rows.status == "ok"].set_index("canonical").score * sign
    connected = truth[truth.connected].assign(score=truth.canonical.map(scores)).dropna(subset="score")
    yield "all", connected
    if worth is not None:
        others = truth[~truth.connected].assign(score=np.clip(worth, scores.min() - 1, scores.max() + 1))
        yield "all cells", pd.concat([connected, others])


def worth_of(text, proxies):
    """Proxy and score that a part of --disconnected tells."""
    name, _, score = text.partition("=")
    registry.check_known("proxy", name, proxies, "--disconnected")
    try:
        return name, float(score)
    except ValueError as error:
        raise StudyError(f"--disconnected {text}: write PROXY=SCORE") from error


def arguments():
    parser = argparse.ArgumentParser(description="Estimate correlations over all architectures.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("space")
    parser.add_argument("task")
    parser.add_argument("--index", required=True, help="results/spaces/SPACE/architectures.parquet")
    parser.add_argument("--scores", required=True, help="scores.parquet of a random sample of the space")
    parser.add_argument("--truths", required=True, nargs="+", help="files in results/truth/SPACE/TASK")
    parser.add_argument("--proxies", required=True, nargs="+")
    parser.add_argument("--least", required=True, type=int, help="architectures that a large network stands for")
    parser.add_argument("--inputs", default="noise", help="or results/images/SPACE/TASK.npz")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    worth = "PROXY=SCORE of disconnected networks, larger is better, such as grasp=0 or ntk_cond=-inf: below all"
    parser.add_argument("--disconnected", nargs="*", default=[], help=worth)
    return parser.parse_args()


def main():
    given = arguments()
    for proxy in given.proxies:
        registry.look_up("proxy", proxy, registry.proxies(), "--proxies")
    registry.check_known("task", given.task, registry.look_up("space", given.space, registry.spaces()).tasks, "TASK")
    worth = dict(worth_of(text, given.proxies) for text in given.disconnected)
    given.folder.mkdir(parents=True, exist_ok=True)
    index = pd.read_parquet(given.index)
    sizes = index[index.connected].canonical.value_counts()
    large = sizes.index[sizes >= given.least]
    sample = pd.read_parquet(given.scores).query("task == @given.task")
    missing = index[index.arch.isin(large.difference(sample.canonical))]
    rows = pd.concat([scored(given, missing), sample]).drop_duplicates(["canonical", "proxy"])
    truths = {Path(path).stem: judged(index, path) for path in given.truths}
    found = []
    for proxy, truth in itertools.product(given.proxies, truths):
        of_proxy = rows[rows.proxy == proxy]
        failures = of_proxy.canonical[of_proxy.status != "ok"]
        failed = int((truths[truth].connected & truths[truth].canonical.isin(failures)).sum())
        facts = {"space": given.space, "task": given.task, "truth": truth, "proxy": proxy}
        for name, table in tables(truths[truth], of_proxy, proxy, worth.get(proxy)):
            weights = counts(table, large, len(sizes) - len(large), np.random.default_rng(SEED))
            size = {"set": name, "top": 1.0, "n": len(table), "classes": table.canonical.nunique()}
            found.append(facts | size | correlations(table, weights) | {"seeds": 1, "failed": failed})
    pd.DataFrame(found).to_csv(given.folder / "correlation.csv", index=False)


if __name__ == "__main__":
    errors.run(main)

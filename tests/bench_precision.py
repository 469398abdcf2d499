"""Does single precision rank networks as double precision does? Run as ``python tests/bench_precision.py``.

Scores the same networks by every proxy that declares float32, in both precisions, and prints a table of Spearman's rank
correlation between the two and of the largest relative difference, as docs/precision.md shows it. DSS needs
transformers: ``--space autoformer --task cifar100 --data-dir FOLDER --proxies dss``.
"""

import argparse
import dataclasses
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pandas as pd
from scipy.stats import spearmanr
from tqdm import tqdm

from zsnas import engine, registry, sources
from zsnas.inputs import minibatches
from zsnas.score import MALLOC, Subject, compute_exactly
from zsnas.shards import shard_of


def in_both(space, task, canonical, names, batches):
    """One row per proxy: its score in either precision."""
    rows = {name: {"proxy": name} for name in names}
    for precision in ("float32", "float64"):
        proxies = [dataclasses.replace(registry.proxies()[name], precision=precision) for name in names]
        subject = Subject(registry.load_space(space), canonical, task, 0, precision, batches, "cpu")
        for score in engine.score(proxies, {precision: subject}):
            rows[score.proxy][precision] = score.score
    return list(rows.values())


def agreement(scores):
    """Of the scores of one proxy: networks finite in both precisions, Spearman, largest relative difference."""
    both = scores.dropna()
    difference = ((both.float32 - both.float64) / both.float64).abs().max()
    return pd.Series(
        {
            "networks": len(both),
            "Spearman": f"{spearmanr(both.float32, both.float64).statistic:.5f}",
            "largest difference": f"{difference:.0e}",
        }
    )


def main():
    declared = [name for name, it in registry.proxies().items() if it.of_networks and it.precision == "float32"]
    parser = argparse.ArgumentParser(description="Compare single with double precision.")
    parser.add_argument("--space", default="nasbench201")
    parser.add_argument("--task", default="cifar10")
    parser.add_argument("--data-dir", type=Path, help="where the files are that list the space")
    parser.add_argument("--networks", type=int, default=200)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--proxies", nargs="+", default=declared)
    parser.add_argument("--scores", help="a .csv to keep the scores in")
    arguments = parser.parse_args()
    os.environ |= MALLOC | {"OMP_NUM_THREADS": "1"}  # read by the workers, which start afresh
    space = registry.spaces()[arguments.space]
    index = registry.load_space(space.name).architectures(*sources.lists(space, arguments.data_dir))
    networks = shard_of(index[index.connected], 0, arguments.networks).canonical
    batches = minibatches("noise", arguments.task, space.tasks[arguments.task], arguments.batch, 0)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(arguments.workers, context, compute_exactly) as pool:
        given = arguments.proxies, batches
        jobs = [pool.submit(in_both, space.name, arguments.task, network, *given) for network in networks]
        scores = pd.DataFrame([row for job in tqdm(jobs, unit="network") for row in job.result()])
    if arguments.scores:
        scores.to_csv(arguments.scores, index=False)
    print(
        scores.groupby("proxy")
        .apply(agreement, include_groups=False)
        .reset_index()
        .to_markdown(index=False, disable_numparse=True)
    )


if __name__ == "__main__":
    main()

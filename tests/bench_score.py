"""The engine against one proxy at a time: run as ``python tests/bench_score.py [--networks 6] [--batch 64]``.

Both score the same networks of NAS-Bench-201 by the eight classic proxies, in turns, in single precision. Each runs in
one process of its own with one thread and the memory settings of a score job, so that each has its own peak; the first
network is scored twice beforehand to warm up. What is timed is all a network costs, its construction included. The
straightforward side has torch's own memory layout, which suits it better. Seconds are of the processor: those of the
clock on an idle machine, and steadier on a busy one.
"""

import argparse
import functools
import multiprocessing
import os
import resource
from concurrent.futures import ProcessPoolExecutor
from time import process_time

import naive
import torch

from zsnas import engine, registry
from zsnas.inputs import minibatches
from zsnas.randomness import derive_seed
from zsnas.score import MALLOC, Subject
from zsnas.shards import shard_of
from zsnas.spaces import nasbench201

CLASSIC = ("grad_norm", "snip", "plain", "fisher", "grasp", "jacob_cov", "synflow", "nwot")


def subject(arch, precision, batches):
    return Subject(nasbench201, arch, "cifar10", 0, precision, batches, "cpu")


def build(arch):
    torch.manual_seed(derive_seed(0, arch, "weights"))
    return nasbench201.build(arch, "cifar10").train()


def with_engine(arch, batches, names):
    """Seconds in total and per proxy (its share of the shared passes), scores."""
    engine.Evaluation.now = staticmethod(process_time)
    start = process_time()
    proxies = [registry.proxies()[name] for name in names]
    scores = engine.score(
        proxies, {precision: subject(arch, precision, batches) for precision in ("float32", "float64")}
    )
    seconds = process_time() - start
    return seconds, {score.proxy: score.seconds_shared for score in scores}, {s.proxy: s.score for s in scores}


def one_at_a_time(arch, batches, names):
    """The same of the straightforward implementations."""
    spent, scores = {}, {}
    for name in names:
        start = process_time()
        given = subject(arch, "float32", batches)
        scores[name] = naive.naive_of(name)(functools.partial(build, arch), batches, given.rng(name))
        spent[name] = process_time() - start
    return sum(spent.values()), spent, scores


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main():
    parser = argparse.ArgumentParser(description="Time the engine against one proxy at a time.")
    parser.add_argument("--networks", type=int, default=6)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--proxies", nargs="+", default=CLASSIC)
    arguments = parser.parse_args()
    os.environ |= MALLOC | {"OMP_NUM_THREADS": "1"}  # read by the workers, which start afresh
    cells = nasbench201.architectures()
    archs = shard_of(cells[cells.connected], 0, arguments.networks).arch
    batches = minibatches("noise", "cifar10", nasbench201.TASKS["cifar10"], arguments.batch, 0)
    context = multiprocessing.get_context("spawn")
    sides = {
        side: ProcessPoolExecutor(1, context, torch.set_num_threads, (1,)) for side in (with_engine, one_at_a_time)
    }
    for side, worker in sides.items():
        base = worker.submit(peak_mb).result()
        for _ in range(2):
            worker.submit(side, archs.iloc[0], batches, arguments.proxies).result()
        print(f"{side.__name__:<14} {base:6.0f} MB before the first network")
    seconds, totals = {side: dict.fromkeys(arguments.proxies, 0.0) for side in sides}, dict.fromkeys(sides, 0.0)
    for arch in archs:
        for side, worker in sides.items():
            total, spent, _ = worker.submit(side, arch, batches, arguments.proxies).result()
            totals[side] += total / len(archs)
            for name in spent:
                seconds[side][name] += spent[name] / len(archs)
        print(f"{arch} done", flush=True)

    shared, alone = seconds.values()
    print(f"\n{'seconds per network':<20} {'engine, its share':>18} {'one at a time':>14} {'ratio':>7}")
    for name in arguments.proxies:
        print(f"{name:<20} {shared[name]:18.3f} {alone[name]:14.3f} {alone[name] / shared[name]:6.1f}x")
    ours, theirs = totals.values()
    print(f"{'all':<20} {ours:18.3f} {theirs:14.3f} {theirs / ours:6.1f}x")
    peaks = [worker.submit(peak_mb).result() for worker in sides.values()]
    print(f"{'peak memory, MB':<20} {peaks[0]:18.0f} {peaks[1]:14.0f}")
    title = "eight classic proxies" if tuple(arguments.proxies) == CLASSIC else ", ".join(arguments.proxies)
    print(f"{title}: {theirs / ours:.1f}x")


if __name__ == "__main__":
    main()

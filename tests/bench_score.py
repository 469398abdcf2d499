"""The engine against one proxy at a time: run as ``python tests/bench_score.py [--networks 6] [--batch 64]``.

Both score the same networks of NAS-Bench-201 by the eight classic proxies, in turns, in single precision. Each runs in
one process of its own with one thread and the memory settings of a score job, so that each has its own peak; the first
network is scored twice beforehand to warm up. What is timed is all a network costs, its construction included. The
straightforward side has torch's own memory layout, which suits it better. Seconds are of the processor: those of the
clock on an idle machine, and steadier on a busy one.

Then: where the engine's seconds go, and what would be left if everything but its convolutions, which run at the
processor's peak, took no time at all; what the ratio becomes over the whole space, where one side scores every
architecture and the other every network once; what a second process adds, by the clock; and how long structural
proxies take for all cells.
"""

import argparse
import functools
import multiprocessing
import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from time import process_time

import naive
import torch
from torch.profiler import ProfilerActivity, profile

from zsnas import engine, registry
from zsnas.inputs import minibatches
from zsnas.randomness import derive_seed
from zsnas.score import MALLOC, Subject, peak_mb, score_shard
from zsnas.shards import shard_of
from zsnas.spaces import nasbench201
from zsnas.structural import score_structural

CLASSIC = ("grad_norm", "snip", "plain", "fisher", "grasp", "jacob_cov", "synflow", "nwot")


def subject(arch, precision, batches):
    return Subject(nasbench201, arch, "cifar10", 0, precision, batches, "cpu")


def subjects(arch, batches):
    return {precision: subject(arch, precision, batches) for precision in ("float32", "float64")}


def build(arch):
    torch.manual_seed(derive_seed(0, arch, "weights"))
    return nasbench201.build(arch, "cifar10").train()


def with_engine(arch, batches, names):
    """Seconds in total, and per proxy: its share of the shared passes."""
    engine.Evaluation.now = staticmethod(process_time)
    start = process_time()
    scores = engine.score([registry.proxies()[name] for name in names], subjects(arch, batches))
    return process_time() - start, {score.proxy: score.seconds_shared for score in scores}


def one_at_a_time(arch, batches, names):
    """The same of the straightforward implementations."""
    spent = {}
    for name in names:
        start = process_time()
        given = subject(arch, "float32", batches)
        naive.naive_of(name)(functools.partial(build, arch), batches, given.rng(name))
        spent[name] = process_time() - start
    return sum(spent.values()), spent


def step_by_step(arch, batches, names):
    """The engine's seconds per pass and per proxy's own work."""
    evaluations = {precision: engine.Evaluation(it) for precision, it in subjects(arch, batches).items()}
    for name in names:
        proxy = registry.proxies()[name]
        engine.score_one(proxy, evaluations[proxy.precision])
    return sum((Counter(evaluation.seconds) for evaluation in evaluations.values()), Counter())


def convolutions(arch, batches, names):
    """The engine's seconds within torch's convolutions, their gradients included."""
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        engine.score([registry.proxies()[name] for name in names], subjects(arch, batches))
    return sum(it.self_cpu_time_total for it in profiled.key_averages() if "conv" in it.key) / 1e6


def rate(networks, batches, names, workers):
    """Networks per second by the clock once a score job is running: what eight more rounds add to one round."""
    seconds = []
    for rounds in (1, 9):
        start = time.perf_counter()
        repeated = networks.loc[networks.index.repeat(rounds), ["canonical", "connected"]]
        score_shard(repeated, "nasbench201", "cifar10", 0, names, batches, workers, "cpu")
        seconds.append(time.perf_counter() - start)
    return 8 * len(networks) / (seconds[1] - seconds[0])


def structural_ms(cells):
    """Milliseconds per structural proxy for all cells, the better of two runs."""
    proxies = [
        it
        for it in registry.proxies().values()
        if it.structural and not registry.reason_against(it.name, "nasbench201")
    ]
    runs = [
        {it.name: score_structural(it, "nasbench201", cells).seconds.sum() * 1e3 for it in proxies} for _ in range(2)
    ]
    return {name: min(run[name] for run in runs) for name in runs[0]}


def main():
    parser = argparse.ArgumentParser(description="Time the engine against one proxy at a time.")
    parser.add_argument("--networks", type=int, default=6)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--proxies", nargs="+", default=CLASSIC)
    arguments = parser.parse_args()
    names, count = arguments.proxies, arguments.networks
    os.environ |= MALLOC | {"OMP_NUM_THREADS": "1"}  # read by the workers, which start afresh
    cells = nasbench201.architectures()
    networks = shard_of(cells[cells.connected], 0, count)
    batches = minibatches("noise", "cifar10", nasbench201.TASKS["cifar10"], arguments.batch, 0)
    context = multiprocessing.get_context("spawn")
    sides = {
        side: ProcessPoolExecutor(1, context, torch.set_num_threads, (1,)) for side in (with_engine, one_at_a_time)
    }
    for side, worker in sides.items():
        base = worker.submit(peak_mb, "cpu").result()
        for _ in range(2):
            worker.submit(side, networks.arch.iloc[0], batches, names).result()
        print(f"{side.__name__:<14} {base:6.0f} MB before the first network")
    seconds, totals = {side: Counter() for side in sides}, Counter()
    for arch in networks.arch:
        for side, worker in sides.items():
            total, spent = worker.submit(side, arch, batches, names).result()
            totals[side] += total / count
            seconds[side].update({name: spent[name] / count for name in spent})
        print(f"{arch} done", flush=True)
    peaks = [worker.submit(peak_mb, "cpu").result() for worker in sides.values()]
    steps, convolved = Counter(), 0.0
    for arch in networks.arch:
        convolved += sides[with_engine].submit(convolutions, arch, batches, names).result() / count
        steps.update(sides[with_engine].submit(step_by_step, arch, batches, names).result())
    for worker in sides.values():
        worker.shutdown()

    shared, alone = seconds.values()
    ours, theirs = totals.values()
    print(f"\n{'seconds per network':<20} {'engine, its share':>18} {'one at a time':>14} {'ratio':>7}")
    for name in names:
        print(f"{name:<20} {shared[name]:18.3f} {alone[name]:14.3f} {alone[name] / shared[name]:6.1f}x")
    print(f"{'all':<20} {ours:18.3f} {theirs:14.3f} {theirs / ours:6.1f}x")
    print(f"{'peak memory, MB':<20} {peaks[0]:18.0f} {peaks[1]:14.0f}")
    print("\nwhere the engine's seconds go")
    for name, spent in steps.most_common(8):
        print(f"{name:<20} {spent / count:18.3f}")
    print(f"{'its convolutions':<20} {convolved:18.3f}, and with nothing else {theirs / convolved:.1f}x")
    print("\nthe whole space, from these seconds")
    print(f"{'one at a time':<20} {len(cells):8,} architectures {theirs * len(cells) / 3600:8.1f} h")
    print(f"{'engine':<20} {nasbench201.CANONICAL:8,} networks      {ours * nasbench201.CANONICAL / 3600:8.1f} h")
    print(f"ratio {theirs * len(cells) / (ours * nasbench201.CANONICAL):.1f}x")
    one, two = (rate(networks, batches, names, workers) for workers in (1, 2))
    print(f"\na second process: {two / one:.2f}x")
    print("\nstructural proxies of all cells, milliseconds")
    for name, spent in sorted(structural_ms(cells).items(), key=lambda it: -it[1])[:8]:
        print(f"{name:<20} {spent:18.1f}")
    title = "eight classic proxies" if tuple(names) == CLASSIC else ", ".join(names)
    print(f"\n{title}: {theirs / ours:.1f}x")


if __name__ == "__main__":
    main()

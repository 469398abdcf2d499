"""Is memory flat over a shard? Run as ``python tests/bench_memory.py [--networks 500] [--batch 8]``.

One process with the settings of a score job scores networks of NAS-Bench-201 by the eight classic proxies. Printed are
the memory it holds and the most it has held so far, at every tenth of the way.
"""

import argparse
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

from zsnas.inputs import minibatches
from zsnas.score import MALLOC, compute_exactly, score_network
from zsnas.shards import shard_of
from zsnas.spaces import nasbench201

CLASSIC = ["grad_norm", "snip", "plain", "fisher", "grasp", "jacob_cov", "synflow", "nwot"]


def held_mb():
    """What this process holds in memory now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main():
    parser = argparse.ArgumentParser(description="Watch the memory of a shard.")
    parser.add_argument("--networks", type=int, default=500)
    parser.add_argument("--batch", type=int, default=8)
    arguments = parser.parse_args()
    os.environ |= MALLOC | {"OMP_NUM_THREADS": "1"}  # read by the worker, which starts afresh
    networks = shard_of(nasbench201.architectures(), 0, arguments.networks)
    batches = minibatches("noise", "cifar10", nasbench201.TASKS["cifar10"], arguments.batch, 0)
    tenth = max(len(networks) // 10, 1)
    print(f"{'networks':>8} {'held, MB':>9} {'peak, MB':>9}")
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), compute_exactly) as pool:
        for number, network in enumerate(networks.itertuples(), 1):
            given = network.canonical, network.connected, "nasbench201", "cifar10", 0, CLASSIC, batches, "cpu"
            rows = pool.submit(score_network, *given).result()
            if number % tenth == 0:
                print(f"{number:>8} {pool.submit(held_mb).result():9.0f} {rows[0]['peak_mb']:9.0f}", flush=True)


if __name__ == "__main__":
    main()

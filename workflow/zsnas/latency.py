"""Measure one shard's latencies on a device: `python -m zsnas.latency`. One row per canonical network.

A network is warmed up, then run until the 95 % interval of its median is narrower than INTERVAL of the median, or
MOST_REPEATS is reached. Networks come in random order, and a reference network is measured before, after and between
them: where its median drifts over time, the machine does, and `latency_ms` is corrected by it while `latency_raw_ms` is
not.
"""

import argparse
import os
import sys
import time

import numpy as np
import pandas as pd
import torch
from scipy.stats import binom
from tqdm import tqdm

from zsnas import devices, errors, registry
from zsnas.files import write_parquet
from zsnas.provenance import environment
from zsnas.randomness import derive_seed
from zsnas.shards import shard_of

INTERVAL = 0.02
WARM_UP = 5
FEWEST_REPEATS, MOST_REPEATS = 20, 400
REFERENCE_EVERY = 8  # networks between two measurements of the reference


def measure(infer):
    """Latencies in ms of one network after warm-up, as many as the protocol asks for. infer: runs it once."""
    for _ in range(WARM_UP):
        infer()
    latencies = []
    while len(latencies) < FEWEST_REPEATS or (len(latencies) < MOST_REPEATS and median_interval(latencies) > INTERVAL):
        for _ in range(10):
            start = time.perf_counter()
            infer()
            latencies.append(1e3 * (time.perf_counter() - start))
    return np.array(latencies)


def median_bounds(count):
    """Places in an ordered sample between which the true median lies with 95 % probability, for any distribution."""
    low, high = binom.ppf((0.025, 0.975), count, 0.5)
    return int(low) - 1, int(high)  # from 0


def median_interval(latencies):
    """Width of the median's 95 % interval as a fraction of the median."""
    ordered = np.sort(latencies)
    low, high = median_bounds(len(ordered))
    return (ordered[high] - ordered[low]) / np.median(ordered)


def drift(moments, reference_moments, reference_ms):
    """How slow the machine was at each moment, relative to its middle: the reference's medians, interpolated."""
    return np.interp(moments, reference_moments, np.array(reference_ms) / np.median(reference_ms))


def pin(threads):
    """Keep this process on as many processors as it has threads, where the system allows.

    torch gets no more threads either, even where it only exports: on fewer processors its threads wait for each other.
    """
    if hasattr(os, "sched_setaffinity"):
        processors = sorted(os.sched_getaffinity(0))
        if len(processors) < threads:
            raise errors.StudyError(
                f"a device of {threads} threads needs as many processors, this job has {len(processors)}: "
                "name a device of fewer threads, or give the job more"
            )
        os.sched_setaffinity(0, processors[:threads])
    torch.set_num_threads(threads)


def measure_shard(canonicals, reference, prepare, seed):
    """Rows of the networks, in their order.

    reference: the name of the network that tells drift. prepare: makes the function that runs a network once, given its
    name.
    """
    reference = prepare(reference)
    order = np.random.default_rng(seed).permutation(len(canonicals))
    rows, moments, reference_moments, reference_ms = [], [], [], []
    for step, place in enumerate(tqdm(order, unit="network", file=sys.stdout, disable=None)):
        if step % REFERENCE_EVERY == 0:
            reference_ms.append(np.median(measure(reference)))
            reference_moments.append(time.monotonic())
        latencies = measure(prepare(canonicals[place]))
        moments.append(time.monotonic())
        rows.append(
            {
                "canonical": canonicals[place],
                "latency_raw_ms": np.median(latencies),
                "p05_ms": np.quantile(latencies, 0.05),
                "p95_ms": np.quantile(latencies, 0.95),
                "energy_mj": np.nan,
                "repeats": len(latencies),
                "median_interval": median_interval(latencies),
                "kind": "measured",
            }
        )
    reference_ms.append(np.median(measure(reference)))
    reference_moments.append(time.monotonic())
    frame = pd.DataFrame(rows)
    frame.insert(1, "latency_ms", frame.latency_raw_ms / drift(moments, reference_moments, reference_ms))
    return frame.iloc[np.argsort(order)].assign(reference_ms=np.median(reference_ms))


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas.latency", description="Measure one shard's latencies.")
    parser.add_argument("--space", required=True)
    parser.add_argument("--task", required=True)
    parser.add_argument("--device", required=True, help="see zsnas.devices for how a device is named")
    parser.add_argument("--architectures", required=True, help="the space's architectures.parquet")
    parser.add_argument("--shard", type=int, required=True)
    parser.add_argument("--shard-size", type=int, required=True)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    device = devices.parse(arguments.device)
    plugin = registry.load_device(device.plugin)
    space = registry.load_space(arguments.space)
    architectures = pd.read_parquet(arguments.architectures)
    networks = shard_of(architectures, arguments.shard, arguments.shard_size)
    (reference,) = shard_of(architectures[architectures.connected], 0, 1).canonical  # the same in every shard
    side = space.TASKS[arguments.task]["resolution"]
    inputs = torch.randn(device.batch, 3, side, side, generator=torch.Generator().manual_seed(0))
    pin(device.threads)
    designs = dict(zip(architectures.arch, architectures.get("design", architectures.arch)))

    def prepare(canonical):
        return plugin.prepare(space.build(designs[canonical], arguments.task).eval(), inputs, device)

    seed = derive_seed("measuring order", arguments.device, arguments.shard)
    measured = measure_shard(networks.canonical[networks.connected].tolist(), reference, prepare, seed)
    rows = networks[["canonical"]].merge(measured, how="left")  # a disconnected network cannot be built: no latency
    write_parquet(
        rows.fillna({"repeats": 0, "kind": "measured"}), arguments.output, device=arguments.device, **environment()
    )


if __name__ == "__main__":
    errors.run(main)

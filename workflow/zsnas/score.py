"""Score one shard of a space: `python -m zsnas.score`. One row per canonical network and proxy.

A shard is a slice of the space's canonical networks in a fixed pseudo-random order that does not depend on how many are
asked for. Scores depend on neither the shard nor the number of workers: weights come from (seed, network), minibatches
from (seed, task), and each worker process computes with one thread, which keeps scores equal to the last bit.
"""

import argparse
import contextlib
import functools
import itertools
import math
import multiprocessing
import os
import resource
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pandas as pd
import torch
from torch import nn
from tqdm import tqdm

from zsnas import engine, errors, registry
from zsnas.files import write_parquet
from zsnas.inputs import images_sha256, minibatches
from zsnas.provenance import environment
from zsnas.randomness import derive_seed
from zsnas.shards import shard_of

DTYPES = {"float32": torch.float32, "float64": torch.float64}

# glibc gives freed memory back at once, while networks free and ask for the same hundreds of megabytes again and
# again; the page faults take a third of the time. The values are bytes.
MALLOC = {f"MALLOC_{knob}_": "1000000000" for knob in ("TRIM_THRESHOLD", "MMAP_THRESHOLD", "TOP_PAD")}


class Subject:
    """One canonical network in one precision, as `engine.Evaluation` wants it.

    Everything random is drawn on the CPU, so that it is the same wherever the network is placed.
    """

    def __init__(self, space, canonical, task, seed, precision, batches, place, design=None):
        self.space, self.canonical, self.task, self.seed = space, canonical, task, seed
        self.design = design or canonical
        self.dtype, self.minibatches, self.place = DTYPES[precision], batches, place
        self.batch = len(batches[0][0])  # told when memory runs out, where moving them again would fail

    def net(self):
        return self.built().to(self.place, self.dtype, memory_format=self.layout).train()

    def built(self):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive_seed(self.seed, self.canonical, "weights"))
            return self.space.build(self.design, self.task)

    @functools.cached_property
    def layout(self):
        """Channels last, but for depthwise convolutions in double precision, which torch has much slower so."""
        if self.dtype == torch.float64 and any(is_depthwise(module) for module in self.built().modules()):
            return torch.contiguous_format
        return torch.channels_last

    def batches(self):
        return [
            (inputs.to(self.place, self.dtype, memory_format=self.layout), labels.to(self.place))
            for inputs, labels in self.minibatches
        ]

    def rng(self, purpose):
        return torch.Generator().manual_seed(derive_seed(self.seed, self.canonical, purpose))


def is_depthwise(module):
    return isinstance(module, nn.Conv2d) and module.groups == module.in_channels > 1


def score_network(canonical, connected, space, task, seed, proxies, batches, place, design=None):
    """Rows of one network, one per proxy. design: what to build, where the name does not say it."""
    reasons = {name: registry.reason_against(name, space, task) for name in proxies}
    found = [registry.proxies()[name] for name in proxies if not reasons[name]]
    if connected:
        module = registry.load_space(space)
        subjects = {
            precision: Subject(module, canonical, task, seed, precision, batches, place, design)
            for precision in {proxy.precision for proxy in found}
        }
        scores = engine.score(found, subjects)
    else:
        scores = [engine.Score(proxy.name, status="error: disconnected network") for proxy in found]
    scores += [engine.Score(name, status=f"error: does not apply: {why}") for name, why in reasons.items() if why]
    return as_rows(canonical, seed, scores, peak_mb(place))


def as_rows(canonical, seed, scores, memory):
    """Rows of one network's scores; memory: in MB."""
    return [{"canonical": canonical, "seed": seed, "peak_mb": memory, **vars(score)} for score in scores]


def peak_mb(place):
    """Most memory this process has held so far, on the GPU if that is where it computes, in MB."""
    if place == "cuda":
        return torch.cuda.max_memory_allocated() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1.024e-3  # told in KiB


def compute_exactly():
    """One thread, and on a GPU full single precision and no atomic additions: what makes scores repeatable."""
    torch.set_num_threads(1)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic = True


def start_worker():
    """Compute exactly, and end with the process that asks: killed, it cannot end its workers, which hold gigabytes."""
    compute_exactly()
    asks = multiprocessing.parent_process()
    threading.Thread(target=lambda: (asks.join(), os._exit(1)), daemon=True).start()


def score_shard(networks, space, task, seed, proxies, batches, workers, place):
    """Rows of all networks, which are rows of an index, in their order, computed by `workers` processes.

    A system whose memory runs out kills a process. Which network it scored is found by scoring those in question alone;
    one that does not survive that has failed rows.
    """
    os.environ |= MALLOC | {"OMP_NUM_THREADS": "1"}  # read by the workers, which start afresh
    shared = [space, task, seed, proxies, batches, place]
    columns = networks.canonical, networks.connected, networks.get("design", networks.canonical)
    waiting = [(canonical, connected, *shared, design) for canonical, connected, design in zip(*columns)]
    rows = []
    with tqdm(total=len(waiting), unit="network", file=sys.stdout, disable=None) as progress:
        while waiting:
            scored = score_together(waiting, workers, progress)
            for suspect in waiting[len(scored) :][:workers]:
                alone = score_together([suspect], 1, progress)
                scored += alone or [killed(suspect[0], seed, proxies)]
                progress.update(not alone)
            rows += scored
            waiting = waiting[len(scored) :]
    return list(itertools.chain.from_iterable(rows))


def killed(canonical, seed, proxies):
    """Rows of a network whose process was killed."""
    scores = [engine.Score(name, status="error: killed, as happens where memory runs out") for name in proxies]
    return as_rows(canonical, seed, scores, math.nan)


def score_together(jobs, workers, progress):
    """Rows of one network after the other, up to the first that are missing because a process was killed.

    Raises BrokenProcessPool where no process can be started at all, which is no network's fault.
    """
    scored = []
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), start_worker)
    pool.submit(os.getpid).result()
    with contextlib.suppress(BrokenProcessPool), pool:
        for job in [pool.submit(score_network, *given) for given in jobs]:
            scored.append(job.result())
            progress.update()
    return scored


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas.score", description="Score one shard of a space.")
    parser.add_argument("--space", required=True)
    parser.add_argument("--task", required=True)
    parser.add_argument("--proxies", required=True, nargs="+")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--inputs", required=True, help="'noise', or an .npz of images and labels")
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--architectures", required=True, help="the index of networks, of all or of a sample")
    parser.add_argument("--shard", type=int, required=True)
    parser.add_argument("--shard-size", type=int, required=True)
    parser.add_argument("--workers", type=int, default=1, help="processes of one thread each")
    parser.add_argument("--keep-layers", action="store_true", help="write one value per layer where a proxy gives them")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()

    for name in arguments.proxies:
        registry.check_known("proxy", name, registry.proxies())
    space = registry.look_up("space", arguments.space, registry.spaces())
    facts = registry.look_up("task", arguments.task, space.tasks)
    networks = shard_of(pd.read_parquet(arguments.architectures), arguments.shard, arguments.shard_size)
    batches = minibatches(arguments.inputs, arguments.task, facts, arguments.batch, arguments.seed)
    place = "cuda" if torch.cuda.is_available() else "cpu"
    rows = score_shard(
        networks,
        space.name,
        arguments.task,
        arguments.seed,
        arguments.proxies,
        batches,
        arguments.workers,
        place,
    )
    columns = ["canonical", "proxy", "seed", "score", "status", "seconds", "seconds_shared", "peak_mb"]
    frame = pd.DataFrame(rows)[columns + ["layers"] * arguments.keep_layers]
    frame = frame.assign(space=space.name, task=arguments.task)
    digest = None if arguments.inputs == "noise" else images_sha256(arguments.inputs)
    inputs = {"inputs": arguments.inputs, "batch": arguments.batch, "inputs_sha256": digest}
    gpu = torch.cuda.get_device_name() if place == "cuda" else None
    write_parquet(frame, arguments.output, gpu=gpu, workers=arguments.workers, **inputs, **environment())


if __name__ == "__main__":
    errors.run(main)

"""Measure one shard's latencies on a device: `python -m zsnas.latency`. One row per canonical network.

The protocol of one network is that of `zsnas.runner`. Networks come in random order, and a reference network is
measured before, after and between them: where its median drifts over time, the machine does, and `latency_ms` is
corrected by it while `latency_raw_ms` is not. What is measured on another machine is noted beside the output at once,
so that after an interruption only what is missing is measured.
"""

import argparse
import hashlib
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from zsnas import devices, errors, registry, runner
from zsnas.files import read_provenance, write_parquet
from zsnas.provenance import environment, sha256
from zsnas.randomness import derive_seed
from zsnas.runner import median_interval
from zsnas.shards import shard_of

REFERENCE_EVERY = 8  # networks between two measurements of the reference


def pin(threads):
    """`runner.pin`, and no more threads for torch either.

    Even where torch only exports: on fewer processors its threads wait for each other.
    """
    try:
        runner.pin(threads)
    except ValueError as error:
        raise errors.StudyError(str(error)) from error
    torch.set_num_threads(threads)


def in_order(names, reference, seed):
    """Pairs of a name and whether it is measured as the reference: names at random, the reference all along."""
    for step, place in enumerate(np.random.default_rng(seed).permutation(len(names))):
        if step % REFERENCE_EVERY == 0:
            yield reference, True
        yield names[place], False
    yield reference, True


def record(name, is_reference, measure_one):
    """What is kept of one measurement, in words of JSON: no number of a network that the device cannot run.

    measure_one: what `runner.measure` says of a network, given its name. StudyError where that is no latency, and where
    the reference cannot be run.
    """
    try:
        measured = measure_one(name)
    except errors.Unmeasurable as error:
        if is_reference:
            raise
        print(f"no latency of {name}: {error}", file=sys.stderr)
        measured = None
    kept = {"canonical": name, "is_reference": is_reference, "moment": time.monotonic()}
    if not measured:
        return kept | {"latency_raw_ms": math.nan, "repeats": 0}
    latencies = measured["latencies"]
    if not (np.isfinite(latencies).all() and min(latencies) > 0):
        raise errors.StudyError(
            f"the device says that {name} took {min(latencies)} to {max(latencies)} ms: a latency is finite and above "
            "0; mend its plug-in in workflow/zsnas/devices"
        )
    return kept | {
        "latency_raw_ms": float(np.median(latencies)),
        "p05_ms": float(np.quantile(latencies, 0.05)),
        "p95_ms": float(np.quantile(latencies, 0.95)),
        "repeats": len(latencies),
        "median_interval": float(median_interval(latencies)),
        "peak_mb": measured["peak_mb"],
        "energy_mj": measured["energy_mj"],
    }


def measure_shard(canonicals, reference, measure_one, seed):
    """Rows of the networks, in their order.

    reference: the name of the network that tells drift. measure_one: as in `record`.
    """
    order = list(in_order(canonicals, reference, seed))
    records = [
        record(name, is_reference, measure_one)
        for name, is_reference in tqdm(order, unit="network", file=sys.stdout, disable=None)
    ]
    return rows([records], canonicals)


def rows(sittings, canonicals):
    """Rows of the networks, in their order, from lists of records, one per uninterrupted sitting.

    Within a sitting the machine's drift is taken out; then all sittings are brought to the reference's median of all.
    """
    frames = []
    for records in sittings:
        sitting = pd.DataFrame(records)
        reference = sitting[sitting.is_reference]
        networks = sitting[~sitting.is_reference]
        slowness = np.interp(networks.moment, reference.moment, reference.latency_raw_ms)
        frames.append(networks.assign(reference_ms=slowness))
    usual = np.median([one["latency_raw_ms"] for records in sittings for one in records if one["is_reference"]])
    frame = pd.concat(frames).drop_duplicates("canonical").set_index("canonical").loc[canonicals].reset_index()
    frame.insert(1, "latency_ms", frame.latency_raw_ms * usual / frame.reference_ms)
    frame = frame.drop(columns=["is_reference", "moment"])
    return frame.assign(kind="measured", reference_ms=usual).astype({"peak_mb": float, "energy_mj": float})


def measure_remotely(canonicals, reference, measure_one, seed, journal, facts):
    """`rows` of the networks, measured as in `measure_shard` but on another machine.

    journal: the file where each record is noted at once and that of an earlier, interrupted sitting is read, if it was
    measured by the same code beside the same reference. facts: what is to be noted of the machine and, as `code` and
    `reference`, what it is measured with.
    """
    sittings = [sitting for sitting in read_journal(journal) if all_alike(facts, [sitting["facts"]])]
    done = {one["canonical"] for sitting in sittings for one in sitting["records"] if not one["is_reference"]}
    missing = [name for name in canonicals if name not in done]
    if missing or not sittings:  # where no network is connected the reference is measured nevertheless
        sittings.append({"facts": facts, "records": []})
        cut_off = journal.exists() and not journal.read_text().endswith("\n")
        with open(journal, "a") as file:
            print("\n" * cut_off + json.dumps({"facts": facts}), file=file, flush=True)
            order = list(in_order(missing, reference, seed))
            for name, is_reference in tqdm(order, unit="network", file=sys.stdout, disable=None):
                sittings[-1]["records"].append(record(name, is_reference, measure_one))
                print(json.dumps(sittings[-1]["records"][-1]), file=file, flush=True)
    return rows([sitting["records"] for sitting in sittings], canonicals), [sitting["facts"] for sitting in sittings]


def all_alike(facts, noted):
    """Whether all sittings, by what was noted of each, were measured with the code and the reference of `facts`."""
    return all(one.get(name) == facts[name] for one in noted for name in ("code", "reference"))


def code_of(space, plugin):
    """One sha256 of all code that a latency depends on."""
    of_device = registry.imported_files(registry.devices()[plugin].file, Path(__file__))
    files = sorted(registry.network_files(space) | of_device)
    return hashlib.sha256("".join(map(sha256, files)).encode()).hexdigest()


def read_journal(path):
    """Sittings of a journal but those in which no network was measured; a line that a crash cut off is left out."""
    sittings = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if "facts" in entry:
            sittings.append(entry | {"records": []})
        else:
            sittings[-1]["records"].append(entry)
    return [sitting for sitting in sittings if any(not one["is_reference"] for one in sitting["records"])]


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas.latency", description="Measure one shard's latencies.")
    parser.add_argument("--space", required=True)
    parser.add_argument("--task", required=True)
    parser.add_argument("--device", required=True, help="see zsnas.devices for how a device is named")
    parser.add_argument("--architectures", required=True, help="the index of networks, of all or of a sample")
    parser.add_argument("--shard", type=int, required=True)
    parser.add_argument("--shard-size", type=int, required=True)
    parser.add_argument(
        "--session", required=True, help="of sessions that measure the same networks, each in its order"
    )
    parser.add_argument("--output", required=True)
    parser.add_argument(
        "--remote-python", default="python3", help="what starts Python on the machine of a remote device"
    )
    arguments = parser.parse_args()

    device = devices.parse(arguments.device)
    plugin = registry.load_device(device.plugin)
    space = registry.load_space(arguments.space)
    architectures = pd.read_parquet(arguments.architectures)
    networks = shard_of(architectures, arguments.shard, arguments.shard_size)
    (reference,) = shard_of(architectures[architectures.connected], 0, 1).canonical  # the same in every shard
    side = space.TASKS[arguments.task]["resolution"]
    inputs = torch.randn(device.batch, 3, side, side, generator=torch.Generator().manual_seed(0))
    canonicals = networks.canonical[networks.connected].tolist()
    designs = dict(zip(architectures.arch, architectures.get("design", architectures.arch)))
    seed = derive_seed("measuring order", arguments.device, arguments.shard, arguments.session)

    def net(canonical):
        return space.build(designs[canonical], arguments.task).eval()

    if registry.devices()[device.plugin].remote:
        journal = Path(arguments.output).with_suffix(".measured")
        journal.parent.mkdir(parents=True, exist_ok=True)
        with plugin.connect(device, arguments.remote_python) as board:
            facts = board.facts | {"code": code_of(arguments.space, device.plugin), "reference": reference}
            # By a measurement that outlived its run, while this one waited for it.
            if Path(arguments.output).exists() and all_alike(facts, read_provenance(arguments.output)["boards"]):
                return
            measured, boards = measure_remotely(
                canonicals, reference, lambda name: board.measure(net(name), inputs), seed, journal, facts
            )
    else:
        pin(device.threads)

        def measure_one(name):
            try:
                return runner.measure(lambda: plugin.prepare(net(name), inputs, device))
            except Exception as error:  # whatever the runtime cannot do
                raise errors.Unmeasurable(f"{type(error).__name__}: {error}") from error

        with runner.claim(
            lambda: print("this machine is measuring already: waiting until it is done", file=sys.stderr)
        ):
            measured = measure_shard(canonicals, reference, measure_one, seed)
        journal, boards = None, []
    every = networks[["canonical"]].merge(measured, how="left")  # a disconnected network cannot be built: no latency
    write_parquet(
        every.fillna({"repeats": 0, "kind": "measured"}),
        arguments.output,
        device=arguments.device,
        boards=boards,
        **getattr(plugin, "facts", dict)(),
        **environment(),
    )
    if journal:
        journal.unlink(missing_ok=True)


if __name__ == "__main__":
    errors.run(main)

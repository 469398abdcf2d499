"""Devices with a latency, one plug-in per file, found by file name.

A device is named by its plug-in and by whatever changes its latencies:

* `local-{runtime}-{precision}-batch{batch}-threads{threads}`, for instance
  `local-onnxruntime-float32-batch1-threads1`: measured on this machine; likewise for every plug-in that measures.
* `ssh-{host}-{runtime}-…`, for instance `ssh-pi-onnxruntime-float32-batch1-threads4`: measured on another machine.
* `predicted-{model}-{measured device}`: measured on a sample there, predicted for all other networks.
* `lookup-{name}`, for instance `lookup-hwnasbench_raspi4`: published, and found through config/sources.csv.

A plug-in that measures is a module with

* `RUNTIMES`, `PRECISIONS`: what it can be asked for, as literals,
* `prepare(net, inputs, device)`: a function without arguments that runs the network (in eval mode) once on `inputs`
  and returns when it is done: nothing, or the ms it took where the device has a clock of its own. torch already has
  the device's number of threads; another runtime must be told,
* if it is not the processor that measures, `facts()`: a dict of what is to be noted of the machine, a card as `gpu`.

One that measures on another machine says `REMOTE = True` and has, instead of `prepare`,

* `connect(device, python)`: a context with `measure(net, inputs)`, what `zsnas.runner.measure` says of it there, and
  `facts`, what is known of the machine.
"""

import re
from dataclasses import dataclass

MEASURED = re.compile(
    r"(?P<plugin>\w+)-(?:(?P<host>[\w.@-]+)-)?(?P<runtime>\w+)-(?P<precision>\w+)-batch(?P<batch>[1-9]\d*)-threads(?P<threads>[1-9]\d*)"
)
PREDICTED = re.compile(r"predicted-(?P<model>\w+)-(?P<measured>.+)")
LOOKED_UP = re.compile(r"lookup-(?P<source>\w+)")
COSTS = ("latency_ms", "energy_mj")  # what an architecture costs on a device


@dataclass(frozen=True)
class Device:
    """A device that is measured, as its name tells it; `batch` in images, `threads` of the processor.

    `host` is None where it is this machine.
    """

    plugin: str
    host: str | None
    runtime: str
    precision: str
    batch: int
    threads: int


def parse(name):
    """The Device of a measured device's name, or None if it does not follow the pattern above."""
    match = None if prediction(name) else MEASURED.fullmatch(name)
    return match and Device(**match.groupdict() | {"batch": int(match["batch"]), "threads": int(match["threads"])})


def looked_up(name):
    """What sources.csv calls a looked-up device, or None for a device of another kind."""
    match = LOOKED_UP.fullmatch(name)
    return match and match["source"]


def prediction(name):
    """The model and the measured device of a predicted device, or None for a device of another kind."""
    match = PREDICTED.fullmatch(name)
    return match and (match["model"], match["measured"])

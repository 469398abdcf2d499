"""Devices with a latency, one plug-in per file, found by file name.

A device is named `{plug-in}-{runtime}-{precision}-batch{batch}-threads{threads}`, for instance
`local-onnxruntime-float32-batch1-threads1`: whatever changes its latencies is part of its name. A plug-in is a module
with

* `RUNTIMES`, `PRECISIONS`: what it can be asked for, as literals,
* `prepare(net, inputs, device)`: a function without arguments that runs the network (in eval mode) once on `inputs`
  and returns when it is done. torch already has the device's number of threads; another runtime must be told.
"""

import re
from dataclasses import dataclass

NAME = re.compile(
    r"(?P<plugin>\w+)-(?P<runtime>\w+)-(?P<precision>\w+)-batch(?P<batch>[1-9]\d*)-threads(?P<threads>[1-9]\d*)"
)


@dataclass(frozen=True)
class Device:
    """A device as its name tells it; `batch` in images, `threads` of the processor."""

    plugin: str
    runtime: str
    precision: str
    batch: int
    threads: int


def parse(name):
    """The Device of a name, or None if it does not follow the pattern above."""
    match = NAME.fullmatch(name)
    return match and Device(**match.groupdict() | {"batch": int(match["batch"]), "threads": int(match["threads"])})

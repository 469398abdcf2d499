"""AnalogNAS-Bench (arXiv:2506.18495): NAS-Bench-201 retrained on CIFAR-10, also as simulated analog hardware runs it.

`data.anb` is one pickle: {6-tuple of operations: record}. The columns are the record's fields, such as
`baseline_accuracy` (digital) and `analog_accuracy`, in percent. The package itself is not imported: its loader needs
pkg_resources, which setuptools no longer ships.
"""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd

from zsnas.errors import StudyError
from zsnas.readers import _pickles

ADMITTED = {("analognasbench.data", name): SimpleNamespace for name in ("Architecture", "DriftMeasurement")}
OPERATIONS = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")


def arch_string(codes):
    """NATS-Bench's string for the operation codes of the edges (1<-0, 2<-0, 3<-0, 2<-1, 3<-1, 3<-2)."""
    a, b, d, c, e, f = (OPERATIONS[code] for code in codes)
    return f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|"


def read(path, column):
    records = _pickles.load(Path(path).read_bytes(), ADMITTED, path)
    try:
        return pd.DataFrame(
            {
                "arch": [arch_string(codes) for codes in records],
                "value": [float(getattr(record, column)) for record in records.values()],
            }
        )
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise StudyError(
            f"{path} does not give {column!r} for every cell ({error}): "
            "name a field of its records, or install analog-nasbench again"
        ) from error


def check(path, column):
    read(path, column)  # a third of a second

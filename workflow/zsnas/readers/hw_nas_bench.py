"""HW-NAS-Bench (Li et al., ICLR 2021): latency and energy of all NAS-Bench-201 cells on six devices, `HW-NAS-Bench-…`.

One pickle: {'nasbench201': {data set: {metric: numbers by index, 'config': settings by index}}}, where a setting names
its cell in `arch_str`; the space FBNet beside it is not read. A column is `{data set}/{metric}`, such as
`cifar10/edgegpu_latency` (ms) or `ImageNet16-120/fpga_energy` (mJ). -1 marks a network that the device cannot run; it
is left out.
"""

import functools
from pathlib import Path

import pandas as pd

from zsnas.errors import StudyError
from zsnas.readers import _pickles

CANNOT_RUN = -1


@functools.lru_cache(maxsize=1)  # all devices and tasks of a study are in one file
def _contents(path, modified):
    return _pickles.load(path.read_bytes(), _pickles.NUMPY, path)


def read(path, column):
    path = Path(path)
    cells = _contents(path, path.stat().st_mtime_ns)
    try:
        dataset, metric = column.split("/")
        cells = cells["nasbench201"][dataset]
        values, settings = cells[metric], cells["config"]
        places = settings if isinstance(settings, dict) else range(len(settings))
        frame = pd.DataFrame(
            {
                "arch": [settings[place]["arch_str"] for place in places],
                "value": [float(values[place]) for place in places],
            }
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise StudyError(
            f"{path} does not give {column!r} for every cell ({error!r}): "
            "name dataset/metric, such as cifar10/edgegpu_latency, or fetch the file again"
        ) from error
    return frame[frame["value"] != CANNOT_RUN].reset_index(drop=True)


def check(path, column):
    read(path, column)

"""HELP's latencies of FBNets (Lee et al., 2021): its folder `data/fbnet` as published.

`metainfo.pt` is a dictionary by torch.save, whose `arch` lists the networks, each with 22 choices in `op_idx_list`;
`latency/{device}.pt` lists a number of milliseconds for each, in that order. A column is a device.
"""

from pathlib import Path

import pandas as pd

from zsnas.errors import StudyError
from zsnas.readers import _pickles, table


def contents(columns):
    """The files of the folder that have these columns."""
    return ["metainfo.pt", *(f"latency/{column}.pt" for column in dict.fromkeys(columns))]


def names(path):
    """Each network, as the space `fbnet` names it."""
    file = Path(path, "metainfo.pt")
    try:
        return ["_".join(map(str, network["op_idx_list"])) for network in _load(path, file)["arch"]]
    except (KeyError, TypeError) as error:
        raise StudyError(f"{file} lists no networks with 'op_idx_list': fetch it again") from error


def _load(path, file):
    if not file.is_file():
        there = sorted(other.stem for other in Path(path, "latency").glob("*.pt"))
        devices = f" (of devices there are {', '.join(there)})" if there else ""
        raise StudyError(
            f"{file} is not there{devices}: put all of the published folder into {path}, or name another column"
        )
    return _pickles.load_torch(file, _pickles.NUMPY)


def read(path, column):
    archs, file = names(path), Path(path, "latency", f"{column}.pt")
    latencies = _load(path, file)
    if not isinstance(latencies, list) or len(latencies) != len(archs):
        raise StudyError(f"{file} has no number for each of {len(archs)} networks: fetch it again")
    return pd.DataFrame({"arch": archs, "value": table.numbers(file, pd.Series(latencies, name=column))})


def check(path, column):
    read(path, column)

"""Accel-NASBench's records: `anb_dataset_jsons.tar.gz` as published, or a table of them.

In the archive each JSON holds one: `architecture`, whose `block0_e` to `block6_se` are each block's expansion, kernel,
layers and squeeze, and `metrics`. In a table `expansion`, `kernel`, `layers` and `se` hold seven numbers each. A column
is a metric, such as `val_top1`. An architecture that was trained more than once has the mean of its numbers.
"""

import json
import tarfile
import zlib

import pandas as pd

from zsnas.errors import StudyError
from zsnas.readers import table

BLOCKS = {"e": "expansion", "k": "kernel", "l": "layers", "s": "se"}
KEYS = {"expansion": "e", "kernel": "k", "layers": "l", "se": "se"}  # what the archive calls them
DIGITS = {"True": "1", "False": "0"}


def names(path):
    """Each record's architecture, as the space `mnasnet` names it."""
    return _names(_columns(path))


def _names(frame):
    parts = [letter + frame[column].str.replace(",", "") for letter, column in BLOCKS.items()]
    return parts[0].str.cat(parts[1:], sep="-")


def _is_archive(path):
    return str(path).endswith(".tar.gz")


def _records(path):
    """What each JSON of the archive holds."""
    try:
        with tarfile.open(path, "r|gz") as archive:
            for member in archive:
                if member.isreg() and member.name.endswith(".json"):
                    yield json.load(archive.extractfile(member))
    except (tarfile.TarError, zlib.error, OSError, EOFError, ValueError) as error:
        raise StudyError(f"{path} is not a whole archive of JSONs ({error}): fetch it again") from error


def _row(path, record, metrics):
    try:
        architecture = record["architecture"]
        blocks = {
            column: ",".join(DIGITS.get(text := str(architecture[f"block{block}_{key}"]), text) for block in range(7))
            for column, key in KEYS.items()
        }
        return blocks | {metric: record["metrics"][metric] for metric in metrics}
    except (KeyError, TypeError) as error:
        raise StudyError(
            f"{path} has a record without {error}: name a metric that it has, such as val_top1, or fetch it again"
        ) from error


def _columns(path, *metrics):
    if not _is_archive(path):
        frame = table.columns(path, [*BLOCKS.values(), *metrics], also_text=BLOCKS.values())
        for column in BLOCKS.values():
            if not frame[column].map(lambda cell: isinstance(cell, str)).all():
                raise StudyError(f"{path}: {column!r} must be texts of seven numbers, as 1,4,4,6,4,6,6: write it again")
        return frame
    rows = [_row(path, record, metrics) for record in _records(path)]
    return pd.DataFrame(rows, columns=[*BLOCKS.values(), *metrics])


def read(path, column):
    frame = _columns(path, column)
    values = pd.DataFrame({"arch": _names(frame), "value": table.numbers(path, frame[column])})
    return values.groupby("arch").value.agg(value="mean", train_seeds="count").reset_index()  # of what is not NaN


def check(path, column):
    """All of an archive, which would else pass though it is cut off; the columns of a table."""
    if not _is_archive(path):
        table.check_columns(path, [*BLOCKS.values(), column])
    elif _columns(path, column).empty:
        raise StudyError(f"{path} holds no JSON: fetch it again")

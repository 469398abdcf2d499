"""NDS's records of trained networks (Radosavovic et al., 2019): `data.zip` as published, or its folder `nds_data`.

A sweep, such as DARTS, is a JSON: a list of records, or two of them, `top` and `mid`. A record is an architecture and
named by its sweep and its place, from 0: `DARTS/17`. A column is a sweep and a number that its records have for every
epoch, such as `DARTS/test_ep_top1`. These are errors in percent: the value is the accuracy after the last epoch.
"""

import itertools
import json
import zipfile
import zlib
from pathlib import Path

import pandas as pd

from zsnas.errors import StudyError
from zsnas.readers import table

FOLDER = "nds_data"
START = 1 << 20  # bytes of a sweep that show what its records have
UNREADABLE = (OSError, RuntimeError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError)


def designs(path, sweep):
    """What tells the network of each record, by its name: a JSON of `width`, `depth` and the genotype's parts."""
    try:
        nets = [record["net"] for record in _records(path, sweep)]
        texts = [json.dumps({"width": it["width"], "depth": it["depth"], **it["genotype"]}) for it in nets]
    except (KeyError, TypeError) as error:
        raise StudyError(
            f"{path}: {sweep} has a record that tells no network of cells ({error}): fetch it again"
        ) from error
    return pd.Series(texts, _names(sweep, nets))


def _names(sweep, records):
    return [f"{sweep}/{place}" for place in range(len(records))]


def _open(path, sweep):
    """The file of a sweep."""
    if Path(path).is_dir():
        return open(Path(path, f"{sweep}.json"), "rb")
    return zipfile.Path(path, f"{FOLDER}/{sweep}.json").open("rb")


def _content(path, sweep, size=-1):
    """The first bytes, or all, of a sweep's file."""
    try:
        with _open(path, sweep) as file:
            return file.read(size)
    except UNREADABLE as error:
        raise _unreadable(path, sweep, error) from error


def _records(path, sweep):
    try:
        loaded = json.loads(_content(path, sweep))
    except ValueError as error:
        raise _unreadable(path, sweep, error) from error
    parts = [loaded.get("top"), loaded.get("mid")] if isinstance(loaded, dict) else [loaded]
    if not all(isinstance(part, list) for part in parts):
        raise StudyError(f"{path}: {sweep} is neither a list of records nor two, top and mid: fetch it again")
    return list(itertools.chain(*parts))


def _unreadable(path, sweep, error):
    return StudyError(f"{path} has no readable {FOLDER}/{sweep}.json ({error}): fetch it again")


def _parts(path, column):
    sweep, _, number = column.partition("/")
    if not number:
        raise StudyError(f"column {column!r} wanted from {path}: name a sweep and a number, such as DARTS/test_ep_top1")
    return sweep, number


def read(path, column):
    sweep, number = _parts(path, column)
    try:
        errors = [record[number][-1] for record in _records(path, sweep)]
    except (KeyError, TypeError, IndexError) as error:
        raise StudyError(f"{path}: {sweep} has a record without a last {number!r} ({error}): fetch it again") from error
    values = 100 - table.numbers(path, pd.Series(errors, name=number))
    return pd.DataFrame({"arch": _names(sweep, errors), "value": values})


def check(path, column):
    """That the sweep is there and its first records have the number. A zip that was cut off has no list of files."""
    sweep, number = _parts(path, column)
    if f'"{number}"'.encode() not in _content(path, sweep, START):
        raise StudyError(f"{path}: the records of {sweep} have no {number!r}: fetch it again, or name another number")

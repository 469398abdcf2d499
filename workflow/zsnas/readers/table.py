"""A table, Parquet, CSV or JSON: a row per architecture, its name in a column of ARCH, the wanted number in another.

A JSON is a list of objects, one per architecture, or an object with an architecture for each key: the column `arch` has
its keys, and its values are either numbers, the column `value`, or objects with a number for each column. The column of
what is nested is a path, such as `cifar10/test`.
An empty or NaN cell means that the architecture was not measured. Where a table gives accuracies as fractions, the
column is written `100 * column`; where it has several rows per architecture, `column where other=text` reads those rows
whose cell in the column `other` is that text.
"""

import csv
import json
from pathlib import Path
from textwrap import shorten

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from zsnas.errors import StudyError, suggestion

ARCH = ("arch", "arch_str", "genotype", "module_hash")
UNREADABLE = (ValueError, OSError, csv.Error, pa.ArrowException)
PERCENT = "100 * "
# Of numbers; pandas' own list would take an architecture called NA for none, too.
NOT_MEASURED = ["", "nan", "NaN", "NA", "N/A", "n/a", "#N/A", "<NA>", "null", "NULL", "None"]


def _is_csv(path):
    return Path(path).suffix.lower() == ".csv"


def _is_json(path):
    return Path(path).suffix.lower() == ".json"


class _Pairs(list):
    """A JSON object's pairs of key and value, in which a key that is named twice is not lost."""


def _of_json(path):
    rows = json.loads(Path(path).read_text(), object_pairs_hook=_Pairs)
    if isinstance(rows, _Pairs):
        records = [(_plain(row) if isinstance(row, _Pairs) else {"value": row}) | {"arch": arch} for arch, row in rows]
    elif isinstance(rows, list) and all(isinstance(row, _Pairs) for row in rows):
        records = [_plain(row) for row in rows]
    else:
        raise ValueError("it is neither an object with a key per architecture nor a list of objects")
    return pd.json_normalize(records, sep="/")


def _plain(value):
    if not isinstance(value, _Pairs):
        return value
    keys = [key for key, _ in value]
    if twice := {key for key in keys if keys.count(key) > 1}:
        raise ValueError(f"{min(twice)!r} is there twice in one object")
    return {key: _plain(inner) for key, inner in value}


def _names(path):
    if _is_json(path):
        return list(_of_json(path))
    return list(pd.read_csv(path, nrows=0)) if _is_csv(path) else pq.read_schema(path).names


def _parts(path, column):
    """The wanted column, what to multiply it by, and the column and text its rows must have (empty for all rows)."""
    wanted, where, condition = column.partition(" where ")
    other, equals, text = condition.partition("=")
    if where and not (other and equals):
        raise StudyError(f"column {column!r} wanted from {path}: write its condition as other=text")
    return wanted.removeprefix(PERCENT), 100 if wanted.startswith(PERCENT) else 1, other, text


def check_columns(path, wanted):
    """All the table's columns, once it is certain that the wanted ones are among them."""
    try:
        names = _names(path)
    except UNREADABLE as error:
        raise StudyError(f"{path} is not a readable table ({error}): fetch or write it again") from error
    for column in wanted:
        if column not in names:
            if _is_csv(path) and len(names) == 1:
                raise StudyError(f"{path} has one column, {names[0]!r}: separate its columns by commas")
            there = f"{suggestion(column, names)} (it has {shorten(', '.join(names), 200)})"
            raise StudyError(f"{path} has no column {column!r}{there}: fetch it again, or name another in sources.csv")
    return names


def columns(path, wanted, also_text=()):
    """Columns of a table; the first, and those named in `also_text`, stay text."""
    check_columns(path, wanted)
    try:
        if _is_json(path):
            return _of_json(path)[wanted]
        if _is_csv(path):
            _check_rows(path)
            texts = dict.fromkeys([wanted[0], *also_text], str)  # among which NA is a name like others
            numbers = {name: NOT_MEASURED for name in wanted if name not in texts}
            return pd.read_csv(path, usecols=wanted, dtype=texts, keep_default_na=False, na_values=numbers)[wanted]
        return pq.read_table(path, columns=wanted).to_pandas(ignore_metadata=True)  # which may take one for the index
    except UNREADABLE as error:
        raise StudyError(f"{path} cannot be read ({error}): fetch or write it again") from error


def _check_rows(path):
    """That each row of a CSV has as many cells as its header, whose names differ: pandas cuts off what is too much."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(file)
        header = next(rows)
        if twice := {name for name in header if header.count(name) > 1}:
            raise ValueError(f"column {min(twice)!r} is there twice")
        for row in rows:
            if row and len(row) != len(header):
                cells = f"line {rows.line_num} has {len(row)} cells, its header {len(header)}"
                raise ValueError(f"{cells}; decimals have a point, and names with commas are quoted")


def numbers(path, column):
    """A column as numbers."""
    if column.map(lambda cell: isinstance(cell, bool | np.bool_)).any():
        raise StudyError(f"{path} cannot be read as numbers in {column.name!r} (true or false is none): write numbers")
    try:
        return pd.to_numeric(column).astype("float64")
    except (ValueError, TypeError, OverflowError) as error:
        raise StudyError(
            f"{path} cannot be read as numbers in {column.name!r} ({error}): fetch or write it again"
        ) from error


def _arch_column(path, column):
    """Which column names the architectures, once it is certain that the table has it and those of `column`."""
    wanted, _, other, _ = _parts(path, column)
    names = check_columns(path, [wanted, *filter(None, [other])])
    for arch in ARCH:
        if arch in names:
            return arch
    either = f"{', '.join(map(repr, ARCH[:-1]))} or {ARCH[-1]!r}"
    raise StudyError(
        f"{path} has no column {either} naming the architectures (it has {shorten(', '.join(names), 200)}): rename it"
    )


def read(path, column):
    arch = _arch_column(path, column)
    wanted, factor, other, text = _parts(path, column)
    conditions = [other] if other else []
    frame = columns(path, [*dict.fromkeys([arch, wanted, *conditions])], conditions)  # a condition may be of either
    if other:
        texts = frame[other].astype(str)
        if text not in texts.values:
            there = shorten(", ".join(map(str, texts.unique())), 200)
            raise StudyError(f"{path} has no row where {other} is {text!r} (it has {there}): name one in sources.csv")
        frame = frame[texts == text]
    value = factor * numbers(path, frame[wanted])
    return pd.DataFrame({"arch": frame[arch], "value": value}).reset_index(drop=True)


def check(path, column):
    _arch_column(path, column)

"""A table, Parquet or CSV: the architecture in `arch` or `arch_str`, one row each, and the wanted number in a column.

An empty or NaN cell means that the architecture was not measured; it is left out. Where a table has several rows per
architecture, `{column} where {other}={text}` reads those rows whose cell in the column `other` is that text.
"""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from zsnas.errors import StudyError, suggestion

UNREADABLE = (ValueError, OSError, pa.ArrowException)


def _is_csv(path):
    return Path(path).suffix == ".csv"


def _parts(column):
    """The wanted column, and the column and text that its rows must have (empty for all rows)."""
    wanted, _, condition = column.partition(" where ")
    other, _, text = condition.partition("=")
    return wanted, other, text


def _arch_column(path, column):
    """Which column names the architectures, once it is certain that the file has it and those of `column`."""
    try:
        names = list(pd.read_csv(path, nrows=0)) if _is_csv(path) else pq.read_schema(path).names
    except UNREADABLE as error:
        raise StudyError(f"{path} is not a readable table ({error}): fetch or write it again") from error
    wanted, other, _ = _parts(column)
    for name in (wanted, other):
        if name and name not in names:
            raise StudyError(f"{path} has no column {name!r}{suggestion(name, names)} (it has {', '.join(names)})")
    for arch in ("arch", "arch_str"):
        if arch in names:
            return arch
    raise StudyError(f"{path} has no column 'arch' or 'arch_str' naming the architectures (it has {', '.join(names)})")


def read(path, column):
    arch = _arch_column(path, column)
    wanted, other, text = _parts(column)
    columns = [arch, wanted, *filter(None, [other])]
    try:
        if _is_csv(path):
            frame = pd.read_csv(path, usecols=columns, dtype={arch: str, other: str})
        else:
            frame = pq.read_table(path, columns=columns).to_pandas()
        if other:
            frame = frame[frame[other].astype(str) == text]
        value = pd.to_numeric(frame[wanted]).astype("float64")
    except UNREADABLE as error:
        raise StudyError(
            f"{path} cannot be read as numbers in {wanted!r} ({error}): fetch or write it again"
        ) from error
    return pd.DataFrame({"arch": frame[arch], "value": value}).dropna(subset="value", ignore_index=True)


def check(path, column):
    _arch_column(path, column)

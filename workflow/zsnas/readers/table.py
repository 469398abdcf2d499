"""A table, Parquet or CSV: a row per architecture, its name in a column of ARCHITECTURE, the wanted number in another.

An empty or NaN cell means that the architecture was not measured; it is left out. Where a table gives accuracies as
fractions, the column is written `100 * column`.
"""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from zsnas.errors import StudyError, suggestion

UNREADABLE = (ValueError, OSError, pa.ArrowException)
ARCHITECTURE = ("arch", "arch_str", "module_hash")
PERCENT = "100 * "


def _is_csv(path):
    return Path(path).suffix == ".csv"


def _arch_column(path, column):
    """Which column names the architectures, once it is certain that the file has it and `column`."""
    try:
        names = list(pd.read_csv(path, nrows=0)) if _is_csv(path) else pq.read_schema(path).names
    except UNREADABLE as error:
        raise StudyError(f"{path} is not a readable table ({error}): fetch or write it again") from error
    if column not in names:
        raise StudyError(f"{path} has no column {column!r}{suggestion(column, names)} (it has {', '.join(names)})")
    for arch in ARCHITECTURE:
        if arch in names:
            return arch
    known = " or ".join(map(repr, ARCHITECTURE))
    raise StudyError(f"{path} has no column {known} naming the architectures (it has {', '.join(names)})")


def read(path, column):
    factor, column = _factor_and_column(column)
    arch = _arch_column(path, column)
    try:
        if _is_csv(path):
            frame = pd.read_csv(path, usecols=[arch, column], dtype={arch: str})
        else:
            frame = pq.read_table(path, columns=[arch, column]).to_pandas()
        value = pd.to_numeric(frame[column]).astype("float64") * factor
    except UNREADABLE as error:
        raise StudyError(
            f"{path} cannot be read as numbers in {column!r} ({error}): fetch or write it again"
        ) from error
    return pd.DataFrame({"arch": frame[arch], "value": value}).dropna(subset="value", ignore_index=True)


def _factor_and_column(column):
    return (100, column.removeprefix(PERCENT)) if column.startswith(PERCENT) else (1, column)


def check(path, column):
    _arch_column(path, _factor_and_column(column)[1])

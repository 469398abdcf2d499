"""A table, Parquet or CSV: the architecture in `arch` or `arch_str`, one row each, and the wanted number in a column.

An empty or NaN cell means that the architecture was not measured; it is left out.
"""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from zsnas.errors import StudyError, suggestion

UNREADABLE = (ValueError, OSError, pa.ArrowException)


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
    for arch in ("arch", "arch_str"):
        if arch in names:
            return arch
    raise StudyError(f"{path} has no column 'arch' or 'arch_str' naming the architectures (it has {', '.join(names)})")


def read(path, column):
    arch = _arch_column(path, column)
    try:
        if _is_csv(path):
            frame = pd.read_csv(path, usecols=[arch, column], dtype={arch: str})
        else:
            frame = pq.read_table(path, columns=[arch, column]).to_pandas()
        value = pd.to_numeric(frame[column]).astype("float64")
    except UNREADABLE as error:
        raise StudyError(
            f"{path} cannot be read as numbers in {column!r} ({error}): fetch or write it again"
        ) from error
    return pd.DataFrame({"arch": frame[arch], "value": value}).dropna(subset="value", ignore_index=True)


def check(path, column):
    _arch_column(path, column)

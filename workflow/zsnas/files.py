"""Files of the study, written whole or not at all; Parquet as zstd, each carrying where its numbers come from."""

import errno
import json
import os
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from zsnas.errors import StudyError

PROVENANCE = b"zsnas"
DISK_FULL = errno.ENOSPC, errno.EDQUOT


def write_parquet(frame, path, **provenance):
    """Write `frame` to `path` without its index; `provenance`, anything JSON can hold, goes into its metadata."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    with parquet_writer(path, table.schema, provenance) as writer:
        writer.write_table(table)


@contextmanager
def parquet_writer(path, schema, provenance):
    """A `pyarrow.parquet.ParquetWriter` of a file that takes the place of `path` once all is written."""
    note = json.dumps(provenance, sort_keys=True).encode()
    schema = schema.with_metadata({**(schema.metadata or {}), PROVENANCE: note})
    with written_aside(path) as aside, pq.ParquetWriter(aside, schema, compression="zstd") as writer:
        yield writer


@contextmanager
def written_aside(path):
    """Where to write a file that takes the place of `path` once all is written.

    That is beside `path`, to be renamed, so that a killed job leaves either the old file or the new one.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield aside
        os.replace(aside, path)
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise StudyError(f"{path} cannot be written, for the disk is full: free some space and run again") from error
    finally:
        aside.unlink(missing_ok=True)


def read_columns(path, columns):
    """Those of `columns` that a file has, as a frame; texts as categories, for there they repeat themselves."""
    there = [name for name in pq.read_schema(path).names if name in columns]
    return pq.read_table(path, columns=there, read_dictionary=there).to_pandas()


def read_provenance(path):
    """The provenance `write_parquet` stored in `path`; empty for a table that came from elsewhere."""
    return provenance_of(pq.read_schema(path))


def provenance_of(schema):
    """The provenance in a file's Arrow schema."""
    return json.loads((schema.metadata or {}).get(PROVENANCE, b"{}"))

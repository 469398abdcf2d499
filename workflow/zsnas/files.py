"""Parquet files of the study: zstd, written whole or not at all, each carrying where its numbers come from."""

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

PROVENANCE = b"zsnas"


def write_parquet(frame, path, **provenance):
    """Write `frame` to `path` without its index; `provenance` (anything JSON can hold) goes into the file's metadata.

    The file is written beside `path` and renamed, so that a killed job leaves either the old file or the new one.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    note = json.dumps(provenance, sort_keys=True).encode()
    table = table.replace_schema_metadata({**table.schema.metadata, PROVENANCE: note})
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        pq.write_table(table, aside, compression="zstd")
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def read_provenance(path):
    """The provenance `write_parquet` stored in `path`; empty for a table that came from elsewhere."""
    return json.loads((pq.read_schema(path).metadata or {}).get(PROVENANCE, b"{}"))

"""Put shards together and keep the first networks: `python -m zsnas.gather --first N --output OUT SHARD...`.

Shards are read one by one, so that memory does not grow with their number.
"""

import argparse
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from zsnas import errors
from zsnas.files import parquet_writer, provenance_of

ROW_GROUP = 200_000  # at least so many rows, for small ones make a file large and slow to read


@contextmanager
def naming(path):
    """StudyError for a file that turns out to be damaged while it is read."""
    try:
        yield
    except (OSError, ValueError, pa.ArrowException) as error:
        raise errors.StudyError(f"{path} is damaged ({error}): delete it and run again") from error


def read_schema(path):
    with naming(path):
        return pq.read_schema(path)


def first_networks(paths, count):
    """Tables of the rows of the first `count` canonical networks. paths: Parquet files in shard order.

    Raises StudyError at the end where there are not as many.
    """
    first = set()
    for path in paths:
        with naming(path):
            rows = pq.read_table(path)
        keep = []
        for canonical in rows["canonical"].to_pylist():
            if len(first) < count:
                first.add(canonical)
            keep.append(canonical in first)
        yield rows.filter(pa.array(keep, pa.bool_()))
    if len(first) < count:
        raise errors.StudyError(
            f"{Path(paths[0]).parent}: {count} networks are asked for, but there are {len(first)}: ask for at most as "
            "many, by key 'architectures' of the space, or delete the shards if there should be more"
        )


def row_groups(tables, schema):
    """The rows of all tables as fewer, larger ones of one schema; a column that a table lacks is null there."""
    held, rows = [schema.empty_table()], 0
    for table in tables:
        held.append(table)
        rows += len(table)
        if rows >= ROW_GROUP:
            yield pa.concat_tables(held, promote_options="permissive")
            held, rows = held[:1], 0
    yield pa.concat_tables(held, promote_options="permissive")


def distinct(notes):
    """The notes without repetitions, in order."""
    found = []
    for note in notes:
        if note not in found:
            found.append(note)
    return found


def check_processors(notes):
    """StudyError where shards of latencies were measured on different processors or cards, which are no one device."""
    boards = [board for note in notes for board in note.get("boards") or [note]]
    processors = distinct(board.get("gpu") or board.get("processor") for board in boards)
    if len(processors) > 1:
        several = " and on ".join(map(str, processors))
        raise errors.StudyError(
            f"{notes[0].get('device')} was measured on {several}: delete the shards of all but one, and let all "
            "be measured on a machine of that kind"
        )


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas.gather", description="Put shards together.")
    parser.add_argument("shards", nargs="+", help="Parquet files in shard order; several bundles and seeds may follow")
    parser.add_argument("--first", type=int, required=True, help="how many canonical networks to keep")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()
    # A file's schema and notes are written first, so those of all shards are read before their rows.
    schemas = [read_schema(path) for path in arguments.shards]
    schema = pa.unify_schemas(schemas, promote_options="permissive")
    notes = distinct(map(provenance_of, schemas))
    if "latency_ms" in schema.names:
        check_processors(notes)
    with parquet_writer(arguments.output, schema, {"shards": notes}) as writer:
        for rows in row_groups(first_networks(arguments.shards, arguments.first), schema):
            writer.write_table(rows)


if __name__ == "__main__":
    errors.run(main)

"""Keep a finished study: `python docs/results/publish.py FOLDER`, the reverse of restore.py.

Copies all tables of results/ to FOLDER, such as docs/results/darts/sample, in place of what tables it has, with the
manifest, which does not keep where the data lay, and the scores of all tasks in one file.
"""

import argparse
import json
import shutil
from pathlib import Path

import pandas as pd

from zsnas.files import write_parquet


def publish(folder):
    """Keep what is in results/, which must be of one study alone."""
    manifest = json.loads(Path("results/manifest.json").read_text())
    folder.mkdir(parents=True, exist_ok=True)
    for table in folder.glob("*.csv"):  # of an earlier study, which the manifest would not be of
        table.unlink()
    for table in Path("results/tables").glob("*.csv"):
        shutil.copy(table, folder)
    manifest["config"]["data_dir"] = "data"
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    gathered = [path for path in manifest["scores"] if path.endswith("/scores.parquet")]  # others are structural
    if gathered:
        write_parquet(pd.concat(map(pd.read_parquet, gathered)), folder / "scores.parquet")


def main():
    parser = argparse.ArgumentParser(description="Keep the tables, scores and manifest of the study in results/.")
    parser.add_argument("folder", type=Path)
    publish(parser.parse_args().folder)


if __name__ == "__main__":
    main()

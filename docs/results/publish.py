"""Keep a finished study: `python docs/results/publish.py FOLDER`, the reverse of restore.py.

Copies all tables of results/ to FOLDER, such as docs/results/darts/sample, in place of what tables it has, with the
manifest, which does not keep where the data lay, and the scores of all tasks in one file.
"""

import argparse
import json
import shutil
from pathlib import Path

import pandas as pd

from zsnas import errors
from zsnas.errors import StudyError
from zsnas.files import write_parquet


def publish(folder):
    """Keep the study that results/manifest.json is of, its tables and scores in place of those of an earlier one."""
    if not Path("results/manifest.json").is_file():
        raise StudyError("no file results/manifest.json: run the study first, where this is run")
    if folder.exists() and not (folder / "manifest.json").is_file() and any(folder.iterdir()):
        raise StudyError(f"{folder} is no folder of a study, for it has files and no manifest.json: name a new one")
    manifest = json.loads(Path("results/manifest.json").read_text())
    manifest["config"]["data_dir"] = "data"
    tables = [table for name in manifest["analyses"] if (table := Path(f"results/tables/{name}.csv")).is_file()]
    gathered = [path for path in manifest["scores"] if path.endswith("/scores.parquet")]  # others are structural
    scores = pd.concat(map(pd.read_parquet, gathered)) if gathered else None
    folder.mkdir(parents=True, exist_ok=True)
    for earlier in [*folder.glob("*.csv"), *folder.glob("scores.parquet")]:
        earlier.unlink()
    for table in tables:
        shutil.copy(table, folder)
    if gathered:
        write_parquet(scores, folder / "scores.parquet")
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")


def main():
    parser = argparse.ArgumentParser(description="Keep the tables, scores and manifest of the study in results/.")
    parser.add_argument("folder", type=Path)
    publish(parser.parse_args().folder)


if __name__ == "__main__":
    errors.run(main)

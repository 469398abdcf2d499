"""Judge a published study anew: `python docs/results/rejudge.py FOLDER... --data-dir DIRECTORY`.

FOLDER, such as docs/results/darts/sample, has a study's manifest. The checkout's last commit runs its config again, in
a clone of its own. Scores are those of FOLDER or of the study it took them from, see restore.py; where no folder keeps
them, networks are scored anew. The tables and figures that FOLDER has are replaced, and its manifest; scores stay.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from zsnas import errors
from zsnas.errors import StudyError

CHECKOUT = Path(__file__).resolve().parents[2]
COLORS = 128  # of a figure, which makes it a third as large


def scored_in(folder, manifest):
    """The folder that keeps a study's scores, from the checkout; None where none does."""
    if (folder / "scores.parquet").is_file():
        return folder.relative_to(CHECKOUT)
    notes = [note for of_file in manifest["scores"].values() for note in of_file.get("shards", [])]
    return next((note["restored_from"] for note in notes if "restored_from" in note), None)


def needed_first(config):
    """Targets that have to be there before scores are restored."""
    for space, study in config["spaces"].items():
        yield f"results/spaces/{space}/architectures.parquet"
        for task in study["tasks"]:
            if truth := study.get("sampled_from"):
                yield f"results/spaces/{space}/{task}/{truth}.parquet"
            if config["inputs"] == "images":
                yield f"results/images/{space}/{task}.npz"


def rejudge(folder, data_dir, cores):
    """Replace the tables, the figures and the manifest of the study in `folder` by what the last commit makes of it."""
    if not (folder / "manifest.json").is_file() or not folder.is_relative_to(CHECKOUT):
        raise StudyError(f"{folder} is no folder of this checkout with manifest.json: name that of a published study")
    manifest = json.loads((folder / "manifest.json").read_text())
    tables, figures = ([path.name for path in sorted(folder.glob(kind))] for kind in ("*.csv", "*.png"))
    with tempfile.TemporaryDirectory() as clone:
        subprocess.run(["git", "clone", "--quiet", CHECKOUT, clone], check=True)
        Path(clone, "study.json").write_text(json.dumps(manifest["config"] | {"data_dir": str(data_dir)}))

        def run(*words):
            command, environment = [sys.executable, *map(str, words)], os.environ | {"PYTHONPATH": "workflow"}
            if subprocess.run(command, cwd=clone, env=environment).returncode:
                raise StudyError(f"{folder} is as it was: see above what failed")

        def snakemake(*targets):
            run("-m", "snakemake", "--cores", cores, *targets, "--configfile", "study.json")

        if kept := scored_in(folder, manifest):
            snakemake(*needed_first(manifest["config"]))
            run("docs/results/restore.py", kept)
        targets = [f"results/tables/{name}" for name in tables] + [f"results/figures/{name}" for name in figures]
        snakemake("results/manifest.json", *targets)
        run("docs/results/publish.py", "kept")
        if lacking := [name for name in tables if not Path(clone, "kept", name).is_file()]:
            raise StudyError(f"{folder} is as it was: {', '.join(lacking)} is no table of its config any more")
        for name in [*tables, "manifest.json"]:
            shutil.copy(Path(clone, "kept", name), folder)
        for name in figures:
            drawn = Image.open(Path(clone, "results/figures", name)).convert("RGB")
            drawn.quantize(COLORS).save(folder / name)


def main():
    parser = argparse.ArgumentParser(description="Judge published studies anew, by the checkout's last commit.")
    parser.add_argument("folders", type=Path, nargs="+", help="of published studies")
    parser.add_argument("--data-dir", type=Path, required=True, help="where the official files are")
    parser.add_argument("--cores", type=int, default=2)
    arguments = parser.parse_args()
    for folder in arguments.folders:
        rejudge(folder.resolve(), arguments.data_dir.resolve(), arguments.cores)


if __name__ == "__main__":
    errors.run(main)

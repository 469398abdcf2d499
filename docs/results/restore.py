"""Put published scores where a study looks for its own: `python docs/results/restore.py FOLDER`.

FOLDER, such as docs/results/nasbench201/full, has scores.parquet, the scores as they were gathered, and manifest.json.
They become shards below results/ again, so that a study with the same inputs, seeds and bundles finds them there: it
judges them by other truths or devices without scoring anew, or goes on with more networks. Index and images have to be
there before, for a shard older than what it was computed from would not count. What the study scored itself stays.
"""

import argparse
import json
from pathlib import Path

import pandas as pd

from zsnas import errors
from zsnas.errors import StudyError
from zsnas.files import read_provenance, write_parquet
from zsnas.inputs import images_sha256
from zsnas.shards import shard_of

# As the rules have it: workflow/rules/scores.smk.
SHARD = (
    "results/scores/{space}/{task}/{bundle}/seed{seed}/{inputs}-batch{batch}/"
    "{sampled_from}size{size}/{shard:04d}.parquet"
)


def built(path):
    """A file of the study; StudyError where it was not made yet."""
    if not path.is_file():
        raise StudyError(f"no file {path}: run snakemake with {path} as its target and the study's --configfile first")
    return path


def restore(folder):
    """Write the shards of the published study in `folder`, which has one space; returns their paths."""
    if not all((folder / name).is_file() for name in ("manifest.json", "scores.parquet")):
        raise StudyError(f"{folder} lacks manifest.json or scores.parquet: name the folder of a study that has both")
    manifest = json.loads((folder / "manifest.json").read_text())
    config = manifest["config"]
    if len(config["spaces"]) > 1:
        raise StudyError(f"{folder} is of several spaces: scores of one are restored")
    ((space, study),) = config["spaces"].items()
    scores = pd.read_parquet(folder / "scores.parquet")
    bundle_of = {name: bundle for bundle, members in config.get("bundles", {}).items() for name in members}
    scores["bundle"] = scores.proxy.map(lambda name: bundle_of.get(name, name))
    truth = study.get("sampled_from")
    size = study.get("shard_size", config["shard_size"])
    place = {"space": space, "inputs": config["inputs"], "batch": config["batch"], "size": size}
    place["sampled_from"] = f"{truth}-" if truth else ""
    written = []
    for task in study["tasks"]:
        notes = manifest["scores"][f"results/scores/{space}/{task}/scores.parquet"]["shards"]
        computed = [origin for note in notes for origin in note.get("computed", [note])]  # restored ones tell theirs
        for images, known in {(origin["inputs"], origin["inputs_sha256"]) for origin in computed}:
            if known and images_sha256(built(Path(images))) != known:
                raise StudyError(f"{images} are other images than those of {folder}: its scores do not apply")
        index = f"{task}/{truth}" if truth else "architectures"
        architectures = pd.read_parquet(built(Path(f"results/spaces/{space}/{index}.parquet")))
        shards = [shard_of(architectures, shard, size).canonical for shard in range(-(-study["architectures"] // size))]
        for (bundle, seed), rows in scores[scores.task == task].groupby(["bundle", "seed"]):
            for shard, networks in enumerate(shards):
                kept = rows[rows.canonical.isin(networks)].drop(columns="bundle")
                if networks.isin(kept.canonical).all():  # the last one may have been cut short
                    path = Path(SHARD.format(**place, task=task, bundle=bundle, seed=seed, shard=shard))
                    if path.is_file() and "restored_from" not in read_provenance(path):
                        continue  # the study's own
                    write_parquet(kept, path, restored_from=str(folder), computed=computed)
                    written.append(path)
    return written


def main():
    parser = argparse.ArgumentParser(description="Put published scores where a study looks for its own.")
    parser.add_argument("folder", type=Path, help="of a published study")
    print(f"restored {len(restore(parser.parse_args().folder))} shards")


if __name__ == "__main__":
    errors.run(main)

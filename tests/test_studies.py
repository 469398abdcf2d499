"""The studies in docs/results: sound as they stand, and all their jobs follow."""

import json
import re
import shutil
import subprocess
import sys

import pandas as pd
import pytest
import yaml
from runs import CHECKOUT, copy_checkout, counted, snakemake
from test_docs import DOCUMENTED

from zsnas import registry, sources
from zsnas.config import check
from zsnas.errors import StudyError
from zsnas.files import write_parquet

STUDIES = sorted((CHECKOUT / "docs" / "results").glob("*/*.yaml"))
TRANSNAS = registry.spaces()["transnas_micro"].tasks
# The first that has a proxy counts.
COMPARED = (
    *("nasbench201/full", "nasbench201/classes", "nasbench201/sample"),
    *("nasbench201/validation/full", "nasbench201/validation/sample"),
    *("darts/sample", "darts/dearer", "nasbench101/sample", "nasbench101/dearer"),
    *(f"transnas_micro/{study}/{task}" for study in ("classes", "grasp/classes") for task in TRANSNAS),
    *(f"transnas_micro/gradients/classes/{task}" for task in ("class_scene", "jigsaw")),
    *(f"transnas_micro/gradsign/classes/{task}" for task in ("normal", "autoencoder")),
    *(f"transnas_micro/zico/classes/{task}" for task in ("normal", "autoencoder")),
    "structural",
)


def test_every_documented_space_has_a_study():
    assert {path.parent.name for path in STUDIES if path.name == "sample.yaml"} == set(DOCUMENTED)


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_studies_are_sound(path, data_of, tmp_path):
    config = yaml.safe_load(path.read_text())
    for file in data_of(path.parent.name).iterdir():
        (tmp_path / file.name).symlink_to(file)
    for script in path.parent.glob(f"{path.stem}.py"):  # it makes the study's images
        (tmp_path / script.with_suffix(".npz").name).touch()
    check(config, path.name, CHECKOUT / "config" / "sources.csv", str(tmp_path))
    if path.parent.name != "structural":  # which is one study of many spaces, of which not all have every structure
        assert list(config["spaces"]) == [path.parent.name]
        assert not any(registry.reason_against(name, path.parent.name) for name in config["proxies"])


@pytest.mark.parametrize(("space", "truth"), [("nats_size", "nats_test"), ("transnas_macro", "transnas_valid")])
def test_a_truth_that_only_its_official_file_has_is_asked_for(space, truth, shared):
    path = CHECKOUT / "docs" / "results" / space / "sample.yaml"
    config = yaml.safe_load(path.read_text())
    config["spaces"][space]["tasks"] = {task: [truth] for task in config["spaces"][space]["tasks"]}
    with pytest.raises(sources.Missing, match=r"put it into data_dir: .* from https://drive\.google"):
        check(config, path.name, CHECKOUT / "config" / "sources.csv", str(shared))


def test_no_more_networks_are_sampled_than_a_truth_has(shared):
    config = yaml.safe_load((CHECKOUT / "docs/results/nasbench101/sample.yaml").read_text())
    config["spaces"]["nasbench101"]["architectures"] = 30_002
    with pytest.raises(StudyError, match=r"nasbench101\.architectures': 30002 asked for, but .*parquet has 30001; ask"):
        check(config, "sample.yaml", CHECKOUT / "config" / "sources.csv", str(shared))


@pytest.mark.parametrize("space", ["fbnet", "transnas_micro"])
def test_all_jobs_of_a_study_follow(tmp_path, space, shared):
    directory = copy_checkout(tmp_path / "checkout")
    study = CHECKOUT / "docs" / "results" / space / "sample.yaml"
    planned = snakemake(directory, "-n", "--configfile", study, "--config", f"data_dir={shared}")
    shards = 10 * len(registry.spaces()[space].tasks)
    assert counted(planned)["score"] == shards  # all its proxies are one bundle
    assert ("correlation_figure" in planned) == (space != "fbnet")


def test_published_scores_spare_another_study_its_scoring(tmp_path, shared):
    """The hardware study, given the scores of the full one, has everything to do but to score."""
    directory, results = copy_checkout(tmp_path / "checkout"), CHECKOUT / "docs" / "results"
    configs = results / "nasbench201/full.yaml", results / "nasbench201/hardware/devices.yaml"
    study = "--configfile", *configs, "--config", f"data_dir={shared}"
    restore = [sys.executable, results / "restore.py", results / "nasbench201/full"]
    early = subprocess.run(restore, cwd=directory, capture_output=True, text=True)
    assert early.returncode == 1 and "run snakemake with results/images/nasbench201/cifar10.npz as its" in early.stderr
    needed = "results/images/nasbench201/cifar10.npz", "results/spaces/nasbench201/architectures.parquet"
    snakemake(directory, "-c2", *needed, *study)
    restored = subprocess.run(restore, cwd=directory, capture_output=True, text=True, check=True)
    assert restored.stdout == "restored 25 shards\n"
    jobs = counted(snakemake(directory, "-n", *study))
    assert "score" not in jobs and jobs["scores"] == 1 and jobs["trust_figure"] == 1


def test_a_published_study_comes_back(tmp_path, shared):
    """Of two tasks here: what publish.py keeps is what restore.py needs."""
    directory, results = copy_checkout(tmp_path / "checkout"), CHECKOUT / "docs" / "results"
    tasks = {"cifar10": ["nats_test"], "cifar100": ["nats_test"]}
    config = {"spaces": {"nasbench201": {"architectures": 4, "sampled_from": "nats_test", "tasks": tasks}}}
    config |= {"proxies": ["params", "l2_norm", "swap"], "bundles": {"both": ["l2_norm", "swap"]}}
    config |= {"seeds": [0], "inputs": "noise", "batch": 4, "shard_size": 2, "replicates": 20}
    (directory / "study.yaml").write_text(yaml.safe_dump(config))
    study = "--configfile", "study.yaml", "--config", f"data_dir={shared}"
    kept = "results/manifest.json", "results/tables/cost.csv"
    assert counted(snakemake(directory, "-c2", *kept, "--set-threads", "score=1", *study))["score"] == 4
    shard = "both/seed0/noise-batch4/nats_test-size2/0001.parquet"
    assert (directory / "results/scores/nasbench201/cifar100" / shard).is_file()
    subprocess.run([sys.executable, results / "publish.py", "kept"], cwd=directory, check=True)
    shutil.rmtree(directory / "results" / "scores")
    restore = [sys.executable, results / "restore.py"]
    subprocess.run([*restore, "kept"], cwd=directory, check=True)
    jobs = counted(snakemake(directory, "-n", *study))
    assert "score" not in jobs and jobs["scores"] == 2
    own = directory / "results/scores/nasbench201/cifar100" / shard
    write_parquet(pd.read_parquet(own).assign(score=7.0), own)
    again = subprocess.run([*restore, "kept"], cwd=directory, capture_output=True, text=True)
    assert again.stdout == "restored 3 shards\n" and (pd.read_parquet(own).score == 7).all()
    unfit = subprocess.run([*restore, results / "structural"], cwd=directory, capture_output=True, text=True)
    assert unfit.returncode == 1 and unfit.stderr.endswith("name the folder of a study that has both\n")
    assert (directory / "kept" / "cost.csv").is_file()
    assert str(shared) not in (directory / "kept" / "manifest.json").read_text()


def test_a_published_study_is_judged_anew(tmp_path, shared):
    """By the last commit, from the scores that are kept: what is wrong in a table or the manifest is right again."""
    directory, results = copy_checkout(tmp_path / "checkout"), "docs/results"
    config = {"spaces": {"pit": {"architectures": 2, "tasks": {"cifar100": ["auto_prox"]}}}, "proxies": ["l2_norm"]}
    config |= {"seeds": [0], "inputs": "noise", "batch": 4, "shard_size": 2, "replicates": 20}
    (directory / "study.yaml").write_text(yaml.safe_dump(config))
    study = "--configfile", "study.yaml", "--config", f"data_dir={shared}"
    snakemake(directory, "-c2", "results/manifest.json", "results/tables/selection.csv", *study)
    subprocess.run([sys.executable, f"{results}/publish.py", f"{results}/kept"], cwd=directory, check=True)
    shutil.rmtree(directory / "results")
    table, manifest, scores = (
        directory / results / "kept" / name for name in ("selection.csv", "manifest.json", "scores.parquet")
    )
    right, known, scored = table.read_text(), json.loads(manifest.read_text()), scores.read_bytes()
    table.write_text("wrong")
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=b", "commit", "-qm", "all"]):
        subprocess.run(["git", *words], cwd=directory, check=True)
    rejudge = [sys.executable, f"{results}/rejudge.py", f"{results}/kept", "--data-dir", shared]
    anew = subprocess.run(rejudge, cwd=directory, capture_output=True, text=True)
    assert anew.returncode == 0 and "rule score:" not in anew.stderr, anew.stderr
    assert table.read_text() == right and scores.read_bytes() == scored
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=directory, capture_output=True, text=True).stdout.strip()
    judged = json.loads(manifest.read_text())
    assert judged["judged"]["commit"] == commit and judged["config"] == known["config"]
    lacking = subprocess.run([*rejudge[:2], results, *rejudge[3:]], cwd=directory, capture_output=True, text=True)
    assert lacking.returncode == 1 and lacking.stderr.endswith("name that of a published study\n")


def test_published_values_stand_beside_ours():
    results = CHECKOUT / "docs" / "results"
    tables = [results / name / "correlation.csv" for name in COMPARED]
    command = [sys.executable, results / "compare.py", *tables]
    written = subprocess.run(command, capture_output=True, text=True, check=True)
    assert written.stdout in (results / "compared.md").read_text()
    for row in pd.read_csv(results / "reasons.csv").itertuples():
        assert re.search(rf"{row.space} \|.*`{row.proxy}`.*{re.escape(row.why)}", written.stdout), row

"""The survey: nothing is left out, and it stays few jobs at full size."""

import json
import zipfile
from collections import defaultdict

import pandas as pd
import pytest
import torch
import yaml
from runs import CHECKOUT, counted, snakemake
from test_docs import DOCUMENTED

from zsnas import registry
from zsnas.devices import COSTS
from zsnas.sources import read_sources

SURVEY = CHECKOUT / "config" / "survey.yaml"
CONFIG = yaml.safe_load(SURVEY.read_text())
SOURCES = read_sources(CHECKOUT / "config" / "sources.csv")
# What readers want beside the column of a source.
COLUMNS = {"arch", "space", "arch_json", "expansion", "kernel", "layers", "se", "model", "img_size", "top1"}


def stand_ins(directory):
    """A data_dir that stands in for all of sources.csv: enough for what is checked before any job.

    Its tables are empty; TransNAS-Bench-101's file, which has no table for the macro space, has one architecture, and
    NDS's sweeps have one record each.
    """
    directory.mkdir(exist_ok=True)
    official = [source for source in SOURCES if source.reader == "transnas_bench"]
    arch = defaultdict(lambda: {"metrics": {}})
    for source in official:
        _, task, metric = source.column.split("/")
        arch[task]["metrics"][metric] = [0.0]
    spaces = {source.column.partition("/")[0] for source in official}
    torch.save({"data": {space: {"64-1234-basic": dict(arch)} for space in spaces}}, directory / official[0].file)
    nds = [source for source in SOURCES if source.reader == "nds"]
    with zipfile.ZipFile(directory / nds[0].file, "w") as archive:
        for sweep, number in {tuple(source.column.split("/")) for source in nds}:
            archive.writestr(f"nds_data/{sweep}.json", json.dumps([{number: [0.0]}]))
    tables = defaultdict(lambda: set(COLUMNS))
    for source in SOURCES:
        if source.reader == "table" or source.file.endswith(".parquet"):
            column, _, condition = source.column.removeprefix("100 * ").partition(" where ")
            tables[source.file] |= {column.rpartition("/")[2], condition.partition("=")[0]}
    for file, columns in tables.items():
        names = sorted(filter(None, columns))
        if file.endswith(".json"):
            (directory / file).write_text(json.dumps([dict.fromkeys(names)]))
        else:
            pd.DataFrame(columns=names).to_parquet(directory / file)
    return directory


def dry_run(directory):
    """What a dry run of the whole survey says, nothing being computed yet."""
    data = stand_ins(directory / "data")
    study = ["--configfile", SURVEY, "--config", f"data_dir={data}", "--directory", directory]
    return snakemake(CHECKOUT, "-n", "--quiet", "rules", *study)


def test_every_space_and_task_with_a_truth_is_surveyed():
    expected = defaultdict(set)
    for source in SOURCES:
        if source.metric not in COSTS and source.space in DOCUMENTED:
            expected[source.space].add(source.task)
    assert {space: set(study["tasks"]) for space, study in CONFIG["spaces"].items()} == expected
    networks = {space: study["architectures"] for space, study in CONFIG["spaces"].items()}
    assert networks == {space: registry.spaces()[space].canonical for space in expected}
    assert sum(networks.values()) > 400_000


@pytest.mark.parametrize("name", registry.proxies())
def test_every_proxy_that_applies_somewhere_is_surveyed(name):
    tasks = [(space, task) for space, study in CONFIG["spaces"].items() for task in study["tasks"]]
    applies = any(not registry.reason_against(name, space, task) for space, task in tasks)
    assert (name in CONFIG["proxies"]) == applies


def test_jobs_at_full_size(tmp_path):
    spaces, seeds = CONFIG["spaces"].values(), len(CONFIG["seeds"])
    networks = {name for name in CONFIG["proxies"] if registry.proxies()[name].of_networks}
    loose = networks.difference(*CONFIG["bundles"].values())
    bundles = len(CONFIG["bundles"]) + len(loose)
    tasks = sum(len(study["tasks"]) for study in spaces)
    truths = sum(len(truths) for study in spaces for truths in study["tasks"].values())
    shards = sum(
        -(-study["architectures"] // study.get("shard_size", CONFIG["shard_size"])) * len(study["tasks"])
        for study in spaces
    )
    figures = ["correlation_figure", "proxy_correlation_figure", "scores_figure", "cost_figure"]
    several = sum(len(truths) > 1 for study in spaces for truths in study["tasks"].values())
    assert counted(dry_run(tmp_path)) == {
        "score": shards * bundles * seeds,
        **dict.fromkeys(["architectures", "structural"], len(spaces)),
        **dict.fromkeys(["scores", "aggregates", "join"], tasks),
        **dict.fromkeys(["truth", *figures], truths),
        **dict.fromkeys(["analysis", "table"], 4),
        "robustness_figure": several,
        **dict.fromkeys(["study", "manifest"], 1),
    }
    assert shards * bundles * seeds < 5000

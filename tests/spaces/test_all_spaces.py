"""A study over every space, from its list of architectures to the tables."""

import itertools

import numpy as np
import pandas as pd
import pytest
import yaml
from runs import CHECKOUT, copy_checkout, snakemake
from test_docs import DOCUMENTED

from zsnas import registry, sources
from zsnas.devices import COSTS

SOURCES = CHECKOUT / "config" / "sources.csv"


def every_space(data):
    """Two networks of every space, its first and its last task, and the first truth of each that the folder has."""
    found = {}
    for name, space in registry.spaces().items():
        first, *others = space.tasks
        tasks = {}
        for task in (first, *others[-1:]):
            rows = [it for it in sources.read_sources(SOURCES) if (it.space, it.task) == (name, task)]
            truths = dict.fromkeys(it.truth for it in rows if it.metric not in COSTS)
            there = (truth for truth in truths if has(name, task, truth, data))
            tasks[task] = list(itertools.islice(there, 1))
        found[name] = {"architectures": 2, "tasks": tasks}
    return found


def has(space, task, truth, data):
    """Whether a truth's file is there; one that is there and cannot be used is a mistake."""
    try:
        sources.verify(*sources.locate(space, task, truth, SOURCES, data))
    except sources.Missing:
        return False
    return True


@pytest.fixture(scope="module")
def study(tmp_path_factory, shared, nds, index_of):
    directory = copy_checkout(tmp_path_factory.mktemp("spaces"))
    data = directory / "data"
    data.mkdir()
    for file in shared.glob("*.parquet"):
        (data / file.name).symlink_to(file)
    (data / "data.zip").symlink_to(nds / "data.zip")
    # No accuracies of the whole size space can be had here: numbers that grow with the network stand in for them.
    sizes = index_of("nats_size")
    accuracy = 80 + np.log(sizes.params / sizes.params.min())
    columns = {f"{task}_test_acc": accuracy for task in ("cifar10", "imagenet16_120")}
    pd.DataFrame({"arch": sizes.arch, **columns}).to_parquet(data / "nats_sss.parquet")
    config = yaml.safe_load((CHECKOUT / "tests" / "spaces" / "study.yaml").read_text()) | {"spaces": every_space(data)}
    (directory / "config" / "spaces.yaml").write_text(yaml.safe_dump(config))
    snakemake(directory, "-c2", "results/tables/correlation.csv", "--configfile", "config/spaces.yaml")
    return directory, config["spaces"]


def test_every_space_reaches_the_study(study):
    directory, config = study
    frame = pd.read_parquet(directory / "results" / "study.parquet")
    assert set(frame.space) == set(registry.spaces())
    for space, part in frame.groupby("space", observed=True):
        assert set(part.task) == set(config[space]["tasks"])
        for _, rows in part.groupby("task", observed=True):
            assert len(rows) == registry.spaces()[space].architectures
            scored = rows[rows.sampled]
            assert scored[scored.arch == scored.canonical].arch.nunique() == 2
            assert scored[scored.connected][["snip", "nwot"]].notna().any(axis=None)
            assert rows[["params", "random"]].notna().all(axis=None)


def test_a_proxy_that_does_not_apply_to_a_task_says_why(study):
    scores = pd.read_parquet(study[0] / "results/scores/transnas_micro/autoencoder/scores.parquet")
    assert set(scores[scores.proxy == "epe_nas"].status) == {
        "error: does not apply: it needs one class for each image, which autoencoder does not have"
    }


def test_the_correlation_table_has_every_space_with_a_truth(study):
    directory, config = study
    table = pd.read_csv(directory / "results" / "tables" / "correlation.csv")
    judged = {name for name, space in config.items() if any(space["tasks"].values())}
    assert set(table.space) == judged
    assert set(DOCUMENTED) - judged == {"fbnet", "transnas_macro"}  # no accuracies here
    assert table[(table.space == "nats_size") & (table.proxy == "params") & (table.top == 1)].kendall.eq(1).all()

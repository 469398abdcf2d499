"""A study over every space, from its list of architectures to the tables."""

import numpy as np
import pandas as pd
import pytest
import yaml
from runs import CHECKOUT, copy_checkout, snakemake

from zsnas import registry

CONFIG = CHECKOUT / "config" / "spaces.yaml"


def test_every_space_is_in_the_config():
    assert set(yaml.safe_load(CONFIG.read_text())["spaces"]) == set(registry.spaces())


@pytest.fixture(scope="module")
def study(tmp_path_factory, shared, index_of):
    directory = copy_checkout(tmp_path_factory.mktemp("spaces"))
    data = directory / "data"
    data.mkdir()
    for file in shared.glob("*.parquet"):
        (data / file.name).symlink_to(file)
    # No accuracies of the whole size space can be had here: numbers that grow with the network stand in for them.
    sizes = index_of("nats_size")
    accuracy = 80 + np.log(sizes.params / sizes.params.min())
    pd.DataFrame({"arch": sizes.arch, "cifar10_test_acc": accuracy}).to_parquet(data / "nats_sss.parquet")
    snakemake(directory, "-c2", "results/tables/correlation.csv", "--configfile", "config/spaces.yaml")
    return directory


def test_every_space_reaches_the_study(study):
    frame = pd.read_parquet(study / "results" / "study.parquet")
    config = yaml.safe_load(CONFIG.read_text())["spaces"]
    for space, part in frame.groupby("space", observed=True):
        assert set(part.task) == set(config[space]["tasks"])
        for _, rows in part.groupby("task", observed=True):
            assert len(rows) == registry.spaces()[space].architectures
            scored = rows[rows.sampled]
            assert scored.canonical.nunique() == 2
            connected = scored[scored.connected]
            assert connected[["snip", "nwot"]].notna().all(None)
            assert rows[["params", "macs", "conv_count", "depth", "sed", "random"]].notna().all(None)
    assert set(frame.space) == set(config)


def test_a_proxy_that_does_not_apply_to_a_task_says_why(study):
    scores = pd.read_parquet(study / "results/scores/transnas_micro/normal/scores.parquet")
    assert set(scores[scores.proxy == "epe_nas"].status) == {
        "error: does not apply: it needs one class for each image, which normal does not have"
    }


def test_the_correlation_table_has_every_space(study):
    table = pd.read_csv(study / "results" / "tables" / "correlation.csv")
    assert set(table.space) == set(registry.spaces())
    assert table[(table.space == "nats_size") & (table.proxy == "params") & (table.top == 1)].kendall.eq(1).all()

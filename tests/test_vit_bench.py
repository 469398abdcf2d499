"""Auto-Prox's truths: the published folder and a table give the same transformers and the same numbers."""

import json
import re

import pandas as pd
import pytest
import torch
from runs import CHECKOUT

from zsnas import registry, sources, truth
from zsnas.errors import StudyError
from zsnas.readers import vit_bench

SOURCES = CHECKOUT / "config" / "sources.csv"
AUTO_PROX = [source for source in sources.read_sources(SOURCES) if source.reader == "vit_bench"]
# What the published files call the numbers of the table.
KEYS = {
    "c100_base_acc": "cifar100_acc",
    "c100_kd_acc": "cifar100_kd_acc",
    "flower_base_acc": "flowers_acc",
    "flower_kd_acc": "flowers_kd_acc",
    "chaoyang_base_acc": "chaoyang_acc",
    "chaoyang_kd_acc": "chaoyang_kd_acc",
    "imagenet_super_acc": "imagenet_supernet_acc",
}


def autoformer(number, heads):
    choice = {"hidden_dim": 192, "mlp_ratio": [3.5, 4.0] * 6, "num_heads": [heads, 4] * 6, "depth": 12}
    return {"arch": choice} | {key: 50.25 + place + number for place, key in enumerate(KEYS)}


def pit(number, width):
    choice = {"base_dim": width, "mlp_ratio": 6, "num_heads": [2, 4, 4], "depth": [2, 8, 4]}
    return {"arch": choice} | {key: 40.5 + place + number for place, key in enumerate(list(KEYS)[:6])}


ONLY_DISTILLED = autoformer(2, 4) | dict.fromkeys(["c100_base_acc", "flower_base_acc", "chaoyang_base_acc"])
PUBLISHED = {
    "gt_autoformer.pth": [autoformer(0, 3)],
    "gt_autoformer_2.pth": [ONLY_DISTILLED],
    "gt_pit.pth": [pit(0, 16), pit(1, 24)],
}


@pytest.fixture(params=[True, False], ids=["zip", "before torch 1.6"])
def folder(tmp_path, request):
    """The published folder, cut to two transformers of each space."""
    folder = tmp_path / "gt_results"
    folder.mkdir()
    for name, records in PUBLISHED.items():
        torch.save(records, folder / name, _use_new_zipfile_serialization=request.param)
    return folder


@pytest.fixture
def table(tmp_path):
    rows = [
        {"space": "pit" if "pit" in file else "autoformer", "arch_json": json.dumps(record["arch"], sort_keys=True)}
        | {column: record.get(key) for key, column in KEYS.items()}
        for file, records in PUBLISHED.items()
        for record in records
    ]
    pd.DataFrame(rows).to_parquet(tmp_path / "vit_bench_101.parquet")
    return tmp_path / "vit_bench_101.parquet"


def test_every_truth_can_come_from_the_folder_or_from_a_table():
    rows = [(it.space, it.task, it.truth, it.file) for it in AUTO_PROX]
    assert len(rows) == len(set(rows)) == 26
    assert {file for *_, file in rows} == {"gt_results", "vit_bench_101.parquet"}


@pytest.mark.parametrize(("published", "tabled"), list(zip(AUTO_PROX[::2], AUTO_PROX[1::2])), ids=str)
def test_folder_and_table_give_the_same_numbers(folder, table, published, tabled):
    space, key = published.column.split("/")
    assert tabled.column == f"{space}/{KEYS[key]}"
    ours, theirs = vit_bench.read(folder, published.column), vit_bench.read(table, tabled.column)
    assert ours.value.notna().sum() == (1 if space == "autoformer" and "base" in key else 2)
    pd.testing.assert_frame_equal(ours, theirs)


@pytest.mark.parametrize("name", ["autoformer", "pit"])
def test_folder_and_table_list_the_same_transformers(folder, table, name):
    space = registry.load_space(name)
    index = space.architectures(folder)
    pd.testing.assert_frame_equal(index, space.architectures(table))
    assert sources.lists(registry.spaces()[name], folder.parent) == [folder]
    (source, *_) = [it for it in AUTO_PROX if (it.space, it.truth) == (name, "auto_prox_kd")]
    whole = sources.Source(**{**vars(source), "architectures": 2})
    sources.verify(whole, folder)
    assert list(truth.truth_table(whole, folder, list(index.arch)).accuracy) == list(
        vit_bench.read(folder, source.column).set_index("arch").value[index.arch]
    )


@pytest.mark.parametrize(
    ("damage", "parts"),
    [
        (lambda file: file.unlink(), ("gt_pit.pth is not there", "gt_results")),
        (lambda file: file.write_bytes(file.read_bytes()[:-300]), ("gt_pit.pth", "again")),
        (lambda file: torch.save({"arch": 1}, file), ("gt_pit.pth is no list of dictionaries",)),
        (lambda file: torch.save([{"arch": torch.zeros(1)}], file), ("gt_pit.pth", "do not trust")),
    ],
)
def test_a_folder_of_other_files_is_refused(folder, damage, parts):
    damage(folder / "gt_pit.pth")
    with pytest.raises(StudyError, match="".join(f"(?=.*{re.escape(part)})" for part in parts)):
        vit_bench.check(folder, "pit/c100_kd_acc")
    vit_bench.check(folder, "autoformer/c100_kd_acc")


@pytest.mark.parametrize("column", ["pit/imagenet_super_acc", "pit/cifar100_kd_acc"])
def test_a_number_that_no_transformer_has_is_refused(folder, column):
    with pytest.raises(StudyError, match=f"has no '{column[4:]}' of pit"):
        vit_bench.check(folder, column)


@pytest.mark.parametrize("column", ["c100_kd_acc", "pit", "deit/c100_kd_acc"])
def test_a_column_without_its_space_is_refused(table, column):
    with pytest.raises(StudyError, match="write it as space/column"):
        vit_bench.check(table, column)

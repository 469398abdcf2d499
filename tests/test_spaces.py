"""Every space: counts, canonical networks, builders; NAS-Bench-201 against its own published numbers."""

import bz2
import dataclasses
import io
import itertools
import json
import random
import re
import tarfile
import zipfile
from types import SimpleNamespace

import nds_records
import numpy as np
import pandas as pd
import pytest
import timm
import torch
from counting import multiply_accumulates
from torch import nn

from zsnas import registry
from zsnas.errors import StudyError
from zsnas.index import COLUMNS, listed
from zsnas.inputs import minibatches
from zsnas.readers import _pickles, accel_nasbench, help_fbnet, naslib_darts, swap, timm_results
from zsnas.readers import nds as nds_reader
from zsnas.readers import table as table_reader
from zsnas.score import score_network
from zsnas.spaces import _darts, _nds, darts, fbnet, imagenet_cnn, mnasnet, nasbench201, nds_darts, nds_enas
from zsnas.structural import score_structural

CELL = "|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
DEAD = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"


@pytest.fixture
def table(name, data_of, index_of):
    """The index of the space `name`; skipped where the files that list it are absent."""
    return index_of(name, data_of(name)) if registry.spaces()[name].listed else index_of(name)


@pytest.mark.parametrize("name", registry.spaces())
def test_index_has_the_columns_and_counts_the_space_declares(name, table):
    space = registry.spaces()[name]
    assert list(table) == [*COLUMNS, *space.columns]
    assert set(space.counts) <= set(space.columns)
    assert (len(table), table.canonical.nunique()) == (space.architectures, space.canonical)
    # In a listed space the same network without dead operations may be no member, as with 25 cells of SWAP's.
    alone = {"darts": 25, "nds_darts": (~table.reachable).sum()}
    assert (~table[table.arch == table.canonical].reachable).sum() == alone.get(name, 0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"architectures": 9}, r"nasbench201\.py, .*: 15625 instead of 9, .* declares as ARCHITECTURES; correct it"),
        ({"canonical": 9}, r"nasbench201\.py, .*: 5425 instead of 9, .* declares as CANONICAL; correct it"),
        ({"columns": ("width",)}, r"nasbench201\.py: architectures\(\) has columns arch, .*; they must be .*, width"),
    ],
)
def test_an_index_that_is_not_as_declared_is_refused(changed, message):
    with pytest.raises(StudyError, match=message):
        listed(dataclasses.replace(registry.spaces()["nasbench201"], **changed), [])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda names: names[1:], "4999 instead of 5000, which fbnet declares as ARCHITECTURES"),
        (lambda names: [*names[1:], names[1]], "is there more than once"),
        (lambda names: [*names[1:], "garbage"], "'garbage' is not the name of an FBNet network"),
        (lambda names: [*names[1:], None], "does not list architectures of fbnet"),
        (lambda names: [], "does not list architectures of fbnet"),
    ],
)
def test_a_file_that_does_not_list_a_space_is_named(tmp_path, shared, change, message):
    names = pd.read_parquet(shared / "fbnet_latency.parquet").arch.tolist()
    path = tmp_path / "list.parquet"
    pd.DataFrame({"arch": change(names)}, dtype="str").to_parquet(path)
    with pytest.raises(StudyError, match=re.escape(message)) as refused:
        listed(registry.spaces()["fbnet"], [path])
    assert str(refused.value).startswith(str(path)) and str(refused.value).endswith("restore that file")


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("arch", ["a", "a"], "'a' is there more than once; correct it"),
        ("canonical", ["a", "c"], "'c' is canonical, but not a row whose canonical network is itself; correct it"),
        ("canonical", ["b", "b"], ""),
        ("canonical", ["b", "a"], "'b' is canonical, but not a row"),
        ("params", [1, None], "'b' has an empty cell; correct it"),
        ("reachable", ["no", "yes"], r"architectures\(\) has 'no' in reachable; write booleans"),
    ],
)
def test_a_space_whose_index_is_none_is_named(monkeypatch, column, values, message):
    facts = dict.fromkeys(COLUMNS[2:], 1) | {"reachable": True, "connected": True}
    index = pd.DataFrame({"arch": ["a", "b"], "canonical": ["a", "b"], **facts, column: values})
    monkeypatch.setattr(registry, "load_space", lambda name: SimpleNamespace(architectures=lambda: index))
    space = dataclasses.replace(
        registry.spaces()["nasbench201"], architectures=2, canonical=index.canonical.nunique(), columns=()
    )
    if message:
        with pytest.raises(StudyError, match=message):
            listed(space, [])
    else:
        assert listed(space, []) is index


SPACE = '''"""Doc."""
ARCHITECTURES = 1
CANONICAL = 1
TASKS = {}
def architectures(): pass
def build(arch, task): pass
'''


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"odd\.py has no ARCHITECTURES, CANONICAL, TASKS, architectures, build; see docs/add-a-space\.md"),
        (SPACE.replace("build", "built"), r"odd\.py has no build; see"),
        (
            SPACE + "NETWORKS = 'transfomer'",
            r"unknown networks of space 'odd' 'transfomer' in .*; did you mean 'transformer'",
        ),
        (SPACE.replace("{}", "['cifar10']"), r"odd\.py: TASKS is no dict of tasks, each with its resolution; see docs"),
        (
            SPACE.replace("{}", "{'a': {'resolution': 8}}"),
            r"odd\.py: task 'a' has neither classes nor values; see docs",
        ),
        (SPACE.replace("{}", "dict()"), r"odd\.py: write TASKS out, for it is read without running the file"),
        (
            SPACE.replace("pass", "pass pass"),
            r"odd\.py cannot be read as Python \(.*line 5\)\): correct it or take it away",
        ),
    ],
)
def test_a_broken_file_of_a_space_is_named(tmp_path, monkeypatch, text, message):
    (tmp_path / "spaces").mkdir()
    (tmp_path / "spaces" / "odd.py").write_text(text)
    monkeypatch.setattr(registry, "PACKAGE", tmp_path)
    with pytest.raises(StudyError, match=message):
        registry.spaces.__wrapped__()


@pytest.mark.parametrize("name", registry.spaces())
def test_structural_proxies_give_numbers_or_the_reason_why_not(name, table):
    some = table[table.connected].head(20)
    for proxy in registry.proxies().values():
        if proxy.structural and proxy.needs == ("table",):
            rows = score_structural(proxy, name, some)
            reason = registry.reason_against(proxy.name, name)
            assert set(rows.status) == {f"error: does not apply: {reason}" if reason else "ok"}


@torch.inference_mode()
@pytest.mark.parametrize("name", registry.spaces())
def test_networks_are_what_the_contract_says(name, table):
    space = registry.load_space(name)
    last = table[table.connected & (table.arch == table.canonical)].iloc[-1]
    arch = last.get("design", last.arch)
    executed = []
    for task, shape in space.TASKS.items():
        net, images = space.build(arch, task).eval(), torch.randn(2, 3, shape["resolution"], shape["resolution"])
        executed.clear()
        for block in net.blocks:
            block.register_forward_hook(lambda block, _, output: executed.append(block))
        outputs = net(images)
        assert (
            outputs.shape == (2, shape.get("classes") or shape["values"], *[shape.get("pixels")] * 2)[: outputs.dim()]
        )
        assert outputs.dim() == (4 if "pixels" in shape else 2)
        assert len(executed) > 1 and executed == net.blocks
        assert net.forward_features(images).dim() == 4


@pytest.mark.parametrize("name", [name for name, space in registry.spaces().items() if "cells" in space.structures])
def test_cells_are_graphs_of_the_index_s_architectures(name, table):
    kinds = registry.load_space(name).cells(table)
    live, there = [], []
    for cells in kinds:
        assert cells.chosen.shape == (len(table), len(cells.edges))
        assert all(source < target for source, target in cells.edges)
        assert list(cells.edges) == sorted(cells.edges, key=lambda edge: edge[1])
        live.append(cells.live())
        there.append(~cells.carry("none"))
    assert np.array_equal(np.all([it.any(1) for it in live], 0), table.connected)
    dead = np.any([(it != of).any(1) for it, of in zip(live, there)], 0)
    assert np.array_equal(~dead, table.reachable)


def test_counts_of_nasbench201(index):
    assert index.iso_class.nunique() == 6466
    assert index.reachable.sum() == 9445
    assert (~index.connected).sum() == 341
    assert index[~index.connected].canonical.nunique() == 1


def test_classes_and_sizes_equal_the_published_ones(index, shared):
    published = pd.read_parquet(shared / "nats_tss.parquet")
    both = index.merge(published, left_on="arch", right_on="arch_str", validate="1:1")
    assert len(both) == 15625
    pairs = both[["iso_class", "iso_group"]].drop_duplicates()
    assert pairs.iso_class.is_unique and pairs.iso_group.is_unique
    assert (both.params / 1e6 == both.params_m).all()
    assert (both.macs / 1e6 - both.flops_m).abs().max() < 1e-9


def test_sizes_equal_those_in_the_benchmarks_own_records(index, shared):
    """Of architectures 0, 11 and 284 on all data sets; nats_tss.parquet has sizes by closed forms."""
    tasks = {"cifar10-valid": "cifar10", "ImageNet16-120": "imagenet16-120"}
    files = sorted((shared / "nats_format_samples" / "NATS-tss-v1_0-3ffb9-simple").glob("0*.pbz2"))
    assert len(files) == 3
    for file in files:
        record = _pickles.load(bz2.decompress(file.read_bytes()), _pickles.NUMPY_AND_DICTS, file)["200"]
        row = index.set_index("arch").loc[record["arch_str"]]
        for (dataset, _), run in record["all_results"].items():
            task = tasks.get(dataset, dataset)
            facts, net = nasbench201.TASKS[task], nasbench201.build_as_published(record["arch_str"], task)
            # The benchmark counts the classifier's bias, too.
            macs = multiply_accumulates(net, facts["resolution"]) + facts["classes"]
            assert (sum(it.numel() for it in net.parameters()) / 1e6, macs / 1e6) == (run["params"], run["flop"])
            if task == "cifar10":
                assert (row.params / 1e6, row.macs / 1e6) == (run["params"], run["flop"])


def test_names_round_trip_and_others_are_refused():
    assert nasbench201.cell_name(nasbench201.parse(CELL)) == CELL
    for wrong in ("", CELL[:-1], CELL.replace("none~1", "none~2"), CELL.replace("3x3", "5x5")):
        with pytest.raises(ValueError, match="not the name"):
            nasbench201.parse(wrong)


def test_canonical_networks_of_hand_made_cells(index):
    canonical = index.set_index("arch").canonical
    conv, skip, none = "nor_conv_3x3", "skip_connect", "none"

    def network(*operations):
        return canonical[nasbench201.cell_name(operations)]

    one_convolution = network(none, none, none, conv, none, none)
    assert network(skip, none, skip, none, none, conv) == one_convolution  # contracted skips
    assert network(conv, conv, none, conv, none, none) == one_convolution  # dead operations
    used_twice = network(conv, none, skip, none, skip, skip)
    two_alike = network(conv, conv, none, none, skip, skip)
    assert used_twice != two_alike
    assert canonical[DEAD] == nasbench201.cell_name((none, none, none, skip, none, none))


@pytest.mark.parametrize("arch", [CELL, DEAD])
@pytest.mark.parametrize("task", nasbench201.TASKS)
def test_published_builder_has_the_benchmarks_parameters(index, arch, task):
    row = index.set_index("arch").loc[arch]
    net = nasbench201.build_as_published(arch, task)
    classes = nasbench201.TASKS[task]["classes"]
    assert sum(parameter.numel() for parameter in net.parameters()) == row.params + 65 * (classes - 10)


def test_multiply_accumulates_of_the_published_network(index):
    # The benchmark counts the classifier's bias too, one addition for each of ten classes.
    net = nasbench201.build_as_published(CELL, "cifar10")
    assert multiply_accumulates(net, 32) + 10 == index.set_index("arch").macs[CELL]


def test_only_live_operations_are_built_and_the_function_stays_the_same():
    torch.manual_seed(0)
    arch = "|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|avg_pool_3x3~0|none~1|skip_connect~2|"
    published = nasbench201.build_as_published(arch, "cifar10").train()
    live = nasbench201.build(arch, "cifar10").train()
    kept = [edge for edge, (_, target, _) in enumerate(published.cells[0].edges) if target != 1]
    state = published.state_dict()
    renamed = {}
    for key, value in state.items():
        parts = key.split(".")
        if parts[0] == "cells" and parts[2] == "operations":
            if int(parts[3]) not in kept:
                continue
            parts[3] = str(kept.index(int(parts[3])))
        renamed[".".join(parts)] = value
    live.load_state_dict(renamed)
    images = torch.randn(4, 3, 32, 32)
    assert torch.equal(live(images), published(images))
    assert sum(p.numel() for p in live.parameters()) < sum(p.numel() for p in published.parameters())


def test_a_disconnected_cell_is_not_built():
    with pytest.raises(ValueError, match="disconnected"):
        nasbench201.build(nasbench201.cell_name(("none",) * 6), "cifar10")


def test_cells_of_one_canonical_network_have_the_same_live_operations(index):
    def live(arch):
        return sorted(o for _, _, o in nasbench201.live_edges(nasbench201.parse(arch)) if o != "skip_connect")

    some = index.sample(500, random_state=0)
    assert [live(arch) for arch in some.arch] == [live(arch) for arch in some.canonical]


def test_depth_and_paths_by_enumeration(index):
    for row in index.sample(200, random_state=1).itertuples():
        live = {(s, t): o for s, t, o in nasbench201.live_edges(nasbench201.parse(row.canonical))}
        routes = [
            [live[step] for step in itertools.pairwise(nodes)]
            for inner in ((), (1,), (2,), (1, 2))
            for nodes in [(0, *inner, 3)]
            if all(step in live for step in itertools.pairwise(nodes))
        ]
        depth = max((sum("conv" in o for o in route) for route in routes), default=0)
        assert (row.paths, row.depth) == (len(routes), depth)


# Accel-NASBench


def test_sizes_of_mnasnet_equal_the_published_ones(shared, index_of):
    published = pd.read_parquet(shared / "accel_nasbench_imagenet.parquet")
    published["arch"] = accel_nasbench.names(shared / "accel_nasbench_imagenet.parquet")
    both = index_of("mnasnet", shared).merge(published, on="arch")
    assert len(both) == 5138
    assert (both.params / 1e6 - both.params_m).abs().max() < 1e-6
    assert (both.macs / 1e6 - both.macs_m).abs().max() < 1e-4


def archive_of(records, path):
    """An archive of JSONs as the benchmark publishes it, of rows of the table."""
    with tarfile.open(path, "w:gz") as archive:
        for number, row in enumerate(records.to_dict("records")):
            blocks = {
                f"block{at}_{key}": digit if key != "se" else str(digit == "1")
                for column, key in accel_nasbench.KEYS.items()
                for at, digit in enumerate(row[column].split(","))
            }
            text = json.dumps({"architecture": blocks, "metrics": {"val_top1": row["val_top1"]}}).encode()
            member = tarfile.TarInfo(f"anb_dataset_jsons/result_{number}.json")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))


def test_the_archive_of_accel_nasbench_reads_as_its_table(shared, tmp_path):
    listing = shared / "accel_nasbench_imagenet.parquet"
    some = pd.read_parquet(listing).head(200)
    path = tmp_path / "anb_dataset_jsons.tar.gz"
    archive_of(some, path)
    accel_nasbench.check(path, "val_top1")
    assert accel_nasbench.names(path).tolist() == accel_nasbench.names(listing).head(200).tolist()
    ours = accel_nasbench.read(path, "val_top1").set_index("arch").value
    theirs = some.val_top1.set_axis(accel_nasbench.names(path))
    assert theirs.index.is_unique and np.allclose(ours, theirs[ours.index])
    assert list(mnasnet.architectures(path).arch) == sorted(ours.index)
    with pytest.raises(StudyError, match=r"without 'val_top9'.*such as val_top1"):
        accel_nasbench.check(path, "val_top9")
    path.write_bytes(path.read_bytes()[:3000])
    for look in (accel_nasbench.read, accel_nasbench.check):
        with pytest.raises(StudyError, match=r"not a whole archive.*fetch it again"):
            look(path, "val_top1")
    path.write_bytes(b"<html>rate limit</html>")
    with pytest.raises(StudyError, match="not a whole archive"):
        accel_nasbench.check(path, "val_top1")


@pytest.mark.parametrize("arch", ["e6464611-k3535533-l1233222-s0000000", "e6464666-k5555355-l1211243-s1010011"])
def test_mnasnet_networks_have_those_sizes(arch):
    """The benchmark counts four for each value that is normalised and one for each that a mean is of, and the mean."""
    net = mnasnet.build(arch, "imagenet").eval()
    normalised, averaged = [], []
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_hook(lambda module, given, output: normalised.append(output.numel()))
        if isinstance(module, mnasnet.SqueezeExcitation) or module is net.head:
            module.register_forward_hook(lambda module, given, maps: averaged.append(maps.numel() + maps.shape[1]))
    macs = multiply_accumulates(net, 224) + 4 * sum(normalised) + sum(averaged)
    assert (sum(parameter.numel() for parameter in net.parameters()), macs) == mnasnet.size(mnasnet.parse(arch))


def test_mnasnets_that_squeeze_can_be_differentiated_twice():
    batches = minibatches("noise", "imagenet", {"classes": 1000, "resolution": 32}, 2, 0)
    arch = "e1111111-k3333333-l1111111-s1111111"
    (row,) = score_network(arch, True, "mnasnet", "imagenet", 0, ["grasp"], batches, "cpu")
    assert row["status"] == "ok"


# FBNet


def test_fbnet_networks_have_the_sizes_of_the_index(shared, index_of):
    table = index_of("fbnet", shared)
    for row in table.sample(3, random_state=0).itertuples():
        net = fbnet.build(row.arch, "cifar100")
        assert sum(parameter.numel() for parameter in net.parameters()) == row.params
        assert multiply_accumulates(net, 32) == row.macs
        assert sum(isinstance(module, nn.Conv2d) for module in net.modules()) == row.depth
    with pytest.raises(ValueError, match="not the name"):
        fbnet.parse("_".join("9" * 22))


@pytest.mark.parametrize(("device", "published"), [("fpga", 0.98), ("eyeriss", 0.97), ("raspi4", 0.93)])
def test_multiply_accumulates_of_fbnet_go_with_latency_as_published(shared, index_of, device, published):
    latency = pd.read_parquet(shared / "fbnet_latency.parquet").set_index("arch")[f"{device}_ms"]
    macs = index_of("fbnet", shared).set_index("arch").macs
    assert macs.corr(latency, method="spearman") == pytest.approx(published, abs=5e-3)


def test_skips_of_fbnet_that_change_no_shape_are_contracted(shared, index_of):
    def computed(arch):
        return tuple(layer[0] for layer in fbnet.layers(fbnet.parse(arch)) if fbnet.convolutions(*layer))

    assert index_of("fbnet", shared).arch.map(computed).is_unique


def test_helps_published_folder_equals_the_table(tmp_path, shared, index_of):
    whole = pd.read_parquet(shared / "fbnet_latency.parquet")
    networks = [{"op_idx_list": list(map(int, arch.split("_")))} for arch in whole.arch]
    (tmp_path / "latency").mkdir()
    torch.save({"arch": networks}, tmp_path / "metainfo.pt")
    torch.save(whole.raspi4_ms.tolist(), tmp_path / "latency" / "raspi4.pt")
    torch.save(whole.fpga_ms.tolist()[1:], tmp_path / "latency" / "fpga.pt")
    pd.testing.assert_frame_equal(fbnet.architectures(tmp_path), index_of("fbnet", shared))
    by_table = table_reader.read(shared / "fbnet_latency.parquet", "raspi4_ms")
    pd.testing.assert_frame_equal(help_fbnet.read(tmp_path, "raspi4"), by_table)
    with pytest.raises(StudyError, match=r"fpga\.pt has no number for each of 5000 networks: fetch it again"):
        help_fbnet.check(tmp_path, "fpga")
    missing = r"eyeriss\.pt is not there \(of devices there are fpga, raspi4\): put all of the published folder into"
    with pytest.raises(StudyError, match=missing):
        help_fbnet.check(tmp_path, "eyeriss")
    torch.save(["fast"] * len(networks), tmp_path / "latency" / "eyeriss.pt")
    with pytest.raises(StudyError, match=r"eyeriss\.pt cannot be read as numbers in 'eyeriss' .*: fetch"):
        help_fbnet.check(tmp_path, "eyeriss")
    torch.save([1, 2], tmp_path / "metainfo.pt")
    with pytest.raises(StudyError, match=r"metainfo\.pt lists no networks with 'op_idx_list'"):
        help_fbnet.check(tmp_path, "raspi4")


# DARTS


GENOTYPE = darts.genotype_name(
    *(
        [
            (("sep_conv_5x5", 0), ("skip_connect", 1)),
            (("none", 0), ("none", 1)),
            (("dil_conv_3x3", 3), ("max_pool_3x3", 0)),
            (("avg_pool_3x3", 2), ("avg_pool_3x3", 2)),
        ]
        for _ in range(2)
    )
)


def test_sizes_of_darts_equal_the_published_ones(shared, index_of):
    published = pd.read_parquet(shared / "nb301_surrogate_sample.parquet")
    both = index_of("darts", shared).merge(published, left_on="arch", right_on="genotype")
    assert len(both) == 725
    assert (both.params / 1e6 - both.params_m).abs().max() < 1e-6
    assert (both.macs / 1e6 - both.flops_m).abs().max() < 2e-5


def test_naslibs_published_file_equals_the_table(tmp_path, shared, index_of):
    trained, predicted = shared / "darts_cifar10_swap.parquet", shared / "nb301_surrogate_sample.parquet"
    cells = pd.read_parquet(predicted)
    known = {row.compact: {"val_accuracy": row.surrogate_val_acc, "arch": row.compact} for row in cells.itertuples()}
    published = tmp_path / naslib_darts.FILE
    published.write_text(json.dumps({"cifar10": known}))
    ours, column = naslib_darts.read(published, "cifar10/val_accuracy"), "surrogate_val_acc"
    pd.testing.assert_frame_equal(
        ours, table_reader.read(predicted, column).astype({"value": float}), check_dtype=False
    )
    pd.testing.assert_frame_equal(darts.architectures(published, trained), index_of("darts", shared))
    for column in ("cifar10/loss", "cifar100/val_accuracy", "val_accuracy"):
        with pytest.raises(StudyError, match=r"has no '.*': name a data set and a number"):
            naslib_darts.check(published, column)
    negative, unknown = (json.dumps({"cifar10": {f"[[(0, {kind})], []]": {"val_accuracy": 1}}}) for kind in (-1, 9))
    for text in ("", "[]", '{"cifar10": []}', '{"cifar10": {"x": 5}}', negative, unknown, "<html>"):
        published.write_text(text)
        with pytest.raises(StudyError, match=r"zc_nasbench301\.json .*: fetch it again"):
            naslib_darts.names(published)


def test_swaps_published_file_equals_the_table(tmp_path, shared, index_of):
    trained, predicted = shared / "darts_cifar10_swap.parquet", shared / "nb301_surrogate_sample.parquet"
    published = tmp_path / swap.FILE
    pd.read_parquet(trained, columns=["genotype", "cifar10_val_acc"]).to_csv(published, header=False, index=False)
    pd.testing.assert_frame_equal(swap.read(published, "accuracy"), table_reader.read(trained, "cifar10_val_acc"))
    pd.testing.assert_frame_equal(darts.architectures(predicted, published), index_of("darts", shared))
    with pytest.raises(StudyError, match="no column 'loss': name accuracy"):
        swap.check(published, "loss")
    for text in ("genotype,accuracy\nGenotype(),1\n", "Genotype()\n", ""):
        published.write_text(text)
        with pytest.raises(StudyError, match=r"DARTS_archs_CIFAR10\.csv .*: fetch it again"):
            swap.check(published, "accuracy")


def test_operations_of_darts_are_counted_as_in_its_cells(shared, index_of):
    table = index_of("darts", shared)
    for column, kind in {"skip": "skip", "conv1x1": "conv", "pool": "pool"}.items():
        counted = [cells.carry(kind)[:, : -darts.NODES].sum(1) for cells in darts.cells(table)]  # no output's edges
        assert (sum(counted) == table[column]).all()
    assert table.conv3x3.eq(0).all()
    assert not registry.reason_against("conv_count", "darts")


def test_darts_networks_have_those_sizes(shared, index_of):
    for arch in index_of("darts", shared).query("reachable").arch.sample(3, random_state=0):
        net = darts.build(arch, "cifar10")
        params, macs = darts.size(darts.parse(arch))
        assert sum(parameter.numel() for parameter in net.parameters()) == params
        assert multiply_accumulates(net, 32) + values_counted(net) + darts.REST == macs


def values_counted(net):
    """Values of ReLUs, of BatchNorms (twice with scale) and of poolings (nine times) of one CIFAR-10 image."""
    times = {
        nn.ReLU: lambda layer: 1,
        nn.BatchNorm2d: lambda layer: 1 + layer.affine,
        nn.AvgPool2d: lambda layer: layer.kernel_size**2,
        nn.MaxPool2d: lambda layer: layer.kernel_size**2,
    }
    counts = []
    for layer in net.modules():
        if type(layer) in times:
            layer.register_forward_hook(lambda layer, _, y: counts.append(times[type(layer)](layer) * y.numel()))
    net.eval()(torch.zeros(1, 3, 32, 32))
    return sum(counts)


def test_operations_of_darts_without_input_are_neither_built_nor_live():
    normal, _ = darts.parse(GENOTYPE)
    assert [len(node) for node in _darts.live(normal).nodes] == [2, 0, 1, 2]
    net = darts.build(GENOTYPE, "cifar10")
    assert all(len(cell.operations) == 5 for cell in net.cells)
    for kind in darts.cells(pd.DataFrame({"arch": [GENOTYPE]})):
        inner = kind.live()[:, [target != 6 for _, target in kind.edges]]
        assert inner.sum() == 5
    nothing = ((("none", 0), ("none", 1)),) * 4
    with pytest.raises(ValueError, match="disconnected"):
        darts.build(darts.genotype_name(normal.nodes, nothing), "cifar10")


def test_other_genotypes_are_refused():
    empty = darts.genotype_name([], [])
    for wrong in ("", "Genotype()", empty, GENOTYPE[:-1], GENOTYPE.replace("skip_connect", "sep_conv_7x7"), "1 +"):
        with pytest.raises(ValueError, match="not a DARTS genotype"):
            darts.parse(wrong)


# NDS


NDS = [name for name in registry.spaces() if name.startswith("nds_")]


@pytest.mark.parametrize("name", NDS)
def test_closed_form_of_nds_sizes_equals_what_is_built(nds, index_of, name):
    space = registry.load_space(name)
    for row in index_of(name, nds).query("reachable").sample(5, random_state=0).itertuples():
        net = space.build(row.design, "cifar10")
        assert sum(parameter.numel() for parameter in net.parameters()) == row.params
        assert multiply_accumulates(net, 32) == row.macs


def design(normal, concat, width=8, depth=3):
    """A network of NDS's whose cells are alike."""
    cell = {"normal": normal, "normal_concat": concat, "reduce": normal, "reduce_concat": concat}
    return json.dumps({"width": width, "depth": depth, **cell})


@pytest.mark.parametrize("operation", _darts.OPERATIONS)
def test_every_operation_of_nds_is_sized_as_it_is_built(operation):
    text = design([[operation, 0], ["skip_connect", 1]], [2])
    net = nds_darts.build(text, "cifar10")
    channels, depth, cells = _nds.parse(text)
    params, macs = _nds.size(cells, channels, depth)
    assert sum(parameter.numel() for parameter in net.parameters()) == params
    assert multiply_accumulates(net, 32) == macs
    assert net.forward_features(torch.zeros(2, 3, 32, 32)).shape == (2, 32, 8, 8)


def test_kernels_that_are_not_square_have_no_determinant():
    batches = minibatches("noise", "cifar10", _nds.TASKS["cifar10"], 2, 0)
    crossed = design([["conv_7x1_1x7", 0], ["skip_connect", 1]], [2])
    (row,) = score_network("name", True, "nds_pnas", "cifar10", 0, ["eznas_a"], batches, "cpu", crossed)
    assert row["status"] == "error: ValueError: a kernel is not square and has no determinant"


def test_of_nds_cells_only_what_the_output_depends_on_is_built():
    edges = [["conv_3x3", 0], ["none", 1], ["conv_1x1", 2], ["conv_1x1", 0], ["skip_connect", 1], ["none", 3]]
    ends = nds_enas.build(design(edges, [4]), "cifar10").cells[0]
    assert [len(node) for node in ends.cell.nodes] == [0, 0, 1]  # the third node alone is joined, and reads an input
    assert ends(torch.ones(1, 24, 8, 8), torch.ones(1, 24, 8, 8)).shape == (1, 8, 8, 8)
    both = nds_enas.build(design(edges, [3, 4]), "cifar10").cells[0]
    assert [len(node) for node in both.cell.nodes] == [1, 2, 1]
    dead = [["none", 0], ["none", 1], ["conv_1x1", 2], ["conv_1x1", 2]]
    with pytest.raises(ValueError, match="disconnected"):
        nds_enas.build(design(dead, [3]), "cifar10")
    zero = nds_enas.build(design([*dead, ["conv_1x1", 0], ["none", 1]], [3, 4]), "cifar10").cells[0]
    assert zero(torch.randn(1, 24, 8, 8), torch.randn(1, 24, 8, 8))[:, :8].eq(0).all()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        design([["conv_3x3", 2], ["conv_3x3", 0]], [2]),  # it reads itself
        design([["conv_9x9", 1], ["conv_3x3", 0]], [2]),
        design([["conv_3x3", 1]], [2]),
        design([["conv_3x3", 1], ["conv_3x3", 0]], [3]),
        *(design([["conv_3x3", 1], ["conv_3x3", 0]], [2], width=width) for width in ("wide", None, 8.5, 7, 0, -2)),
        *(design([["conv_3x3", 1], ["conv_3x3", 0]], [2], depth=depth) for depth in ("deep", 0, -1, 2.5)),
    ],
)
def test_what_is_no_network_of_nds_is_refused(text):
    with pytest.raises(ValueError, match="is no network of NDS's"):
        nds_darts.build(text, "cifar10")


def test_records_of_nds_become_truth_packed_or_unpacked(tmp_path, nds, index_of):
    packed = nds_reader.read(nds / "data.zip", "DARTS_fix-w-d/test_ep_top1")
    assert packed.arch.isin(index_of("nds_darts", nds).arch).all() and len(packed) == 5000
    with zipfile.ZipFile(nds / "data.zip") as archive:
        archive.extractall(tmp_path)
    records = json.loads((tmp_path / "nds_data" / "DARTS_fix-w-d.json").read_text())
    assert packed.value.tolist() == [100 - record["test_ep_top1"][-1] for record in records]
    for number, sweep in enumerate(("PNAS", "PNAS_fix-w-d")):
        nds_reader.check(tmp_path / "nds_data", f"{sweep}/test_ep_top1")
        records = json.loads((tmp_path / "nds_data" / f"{sweep}.json").read_text())
        if number:  # the other form that a sweep may have
            (tmp_path / "nds_data" / f"{sweep}.json").write_text(json.dumps({"top": records[:9], "mid": records[9:]}))
    pd.testing.assert_frame_equal(
        listed(registry.spaces()["nds_pnas"], [tmp_path / "nds_data"]), index_of("nds_pnas", nds)
    )


RECORD = nds_records.record("DARTS", random.Random(0))


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([RECORD | {"test_ep_top1": []}], r"DARTS has a record without a last 'test_ep_top1' .*: fetch it again"),
        ([RECORD | {"test_ep_top1": ["low"]}], "cannot be read as numbers in 'test_ep_top1'"),
        ([RECORD, {}], "DARTS has a record without a last 'test_ep_top1'"),
        ({"top": []}, r"DARTS is neither a list of records nor two, top and mid: fetch it again"),
        ("DARTS", "DARTS is neither a list"),
        (None, r"has no readable nds_data/DARTS.json .*: fetch it again"),
    ],
)
def test_records_that_nds_does_not_have_are_named(tmp_path, records, message):
    (tmp_path / "nds_data").mkdir()
    (tmp_path / "nds_data" / "DARTS.json").write_text("[" if records is None else json.dumps(records))
    with pytest.raises(StudyError, match=message):
        nds_reader.read(tmp_path / "nds_data", "DARTS/test_ep_top1")


@pytest.mark.parametrize("net", [{}, {"width": 8, "depth": 4}, {"width": 8, "depth": 4, "genotype": []}, "ResNet"])
def test_a_record_of_nds_without_a_network_of_cells_is_named(tmp_path, net):
    (tmp_path / "nds_data").mkdir()
    (tmp_path / "nds_data" / "ResNet.json").write_text(json.dumps([RECORD | {"net": net}]))
    with pytest.raises(StudyError, match=r"ResNet has a record that tells no network of cells \(.*\): fetch it again"):
        nds_reader.designs(tmp_path / "nds_data", "ResNet")


def test_networks_of_nds_that_are_the_same_share_one(tmp_path):
    edges = [["conv_3x3", 0], ["conv_1x1", 1], ["conv_1x1", 2], ["skip_connect", 0]]
    nothing = [["none", 0], ["none", 1]]
    texts = {
        "first": design(edges, [2, 3]),
        "swapped": design([edges[1], edges[0], *edges[2:]], [2, 3]),
        "wider": design(edges, [2, 3], width=10),
        "deeper": design(edges, [2, 3], depth=4),
        "joins less": design(edges, [3]),
        "reads zeros": design([*nothing, *edges[2:]], [2, 3]),
        "without it": design([*nothing, ["none", 2], edges[3]], [2, 3]),
    }

    def listed_with(*texts):
        records = [{"net": {**net, "genotype": net}} for net in map(json.loads, texts)]
        (tmp_path / "DARTS.json").write_text(json.dumps(records))
        return _nds.architectures(tmp_path, "DARTS")

    table = listed_with(*texts.values()).set_index(pd.Index(texts))
    alone = ["first", "wider", "deeper", "joins less", "without it"]
    assert (table.canonical[alone] == table.arch[alone]).all()
    assert table.canonical["swapped"] == table.arch["first"]
    assert table.canonical["reads zeros"] == table.arch["without it"]
    assert table.index[~table.reachable].tolist() == ["reads zeros"]
    with pytest.raises(ValueError, match="cells have 1 or 2 nodes"):
        listed_with(texts["first"], design(edges[:2], [2]))


def test_a_file_that_is_not_nds_s_is_named(tmp_path, nds):
    cut = tmp_path / "data.zip"
    cut.write_bytes((nds / "data.zip").read_bytes()[:-1000])
    for path in (cut, tmp_path / "nothing.zip", tmp_path):
        with pytest.raises(StudyError, match=r"has no readable nds_data/DARTS\.json .*: fetch it again"):
            nds_reader.check(path, "DARTS/test_ep_top1")
    for column, message in [
        ("DARTS", "name a sweep and a number, such as DARTS/test_ep_top1"),
        ("DARTS/loss", "the records of DARTS have no 'loss'"),
        ("ResNet/test_ep_top1", "has no readable nds_data/ResNet.json"),
    ]:
        with pytest.raises(StudyError, match=message):
            nds_reader.check(nds / "data.zip", column)


# timm's families


def test_sizes_of_timms_networks_equal_the_published_ones(shared, index_of):
    """At every image size that is published."""
    published = pd.read_parquet(shared / "timm_imagenet1k.parquet").drop_duplicates(["architecture", "img_size"])
    table = index_of("imagenet_cnn").set_index("arch")
    assert set(table.index) <= set(published.architecture)
    for name, rows in published[published.architecture.isin(table.index)].groupby("architecture"):
        with torch.device("meta"):
            net = imagenet_cnn.build(name, "imagenet")
            macs = [multiply_accumulates(net, size) / 1e9 for size in rows.img_size]
        assert sum(parameter.numel() for parameter in net.parameters()) == table.params[name]
        # The table is in millions of two decimals, and its multiply-accumulates count poolings and activations too.
        assert abs(table.params[name] / 1e6 - rows.params_m).max() < 0.00501
        assert abs(macs / rows.gmacs - 1).max() < (0.05 if name.startswith("mobilenet") else 0.02)
        assert dict(zip(rows.img_size, macs)).get(224, table.macs[name] / 1e9) == table.macs[name] / 1e9


def test_every_network_of_timm_is_of_a_family_its_table_is_read_for():
    assert all(timm_results.FAMILIES.fullmatch(name) for name in imagenet_cnn.NAMES)
    others = ("resnet50_gn", "resnet32ts", "resnext26ts", "resnetv2_50", "regnetz_b16", "regnetv_040")
    for other in (*others, "densenetblur121d", "mobilenetv3_large_100"):
        assert not timm_results.FAMILIES.fullmatch(other)
    with pytest.raises(ValueError, match="is not one of"):
        imagenet_cnn.build("resnet51", "imagenet")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_row_of_timms_table_without_a_model_is_not_read(tmp_path, suffix):
    frame = pd.DataFrame({"model": ["resnet18.tv_in1k", None], "img_size": 224, "top1": [69.76, 1.0]})
    path = tmp_path / f"results.{suffix}"
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)
    assert timm_results.read(path, "tv_in1k@224").to_numpy().tolist() == [["resnet18", 69.76]]
    frame = frame[1:]
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)
    assert timm_results.read(path, "tv_in1k@224").empty


@pytest.mark.parametrize("arch", ["mobilenetv2_050", "resnet10t", "regnetx_002", "regnety_002", "densenet121"])
def test_timms_networks_compute_what_timm_computes(arch):
    net, images = imagenet_cnn.build(arch, "imagenet").eval(), torch.randn(2, 3, 64, 64)
    assert not any(hasattr(module, "drop") and hasattr(module, "act") for module in net.modules())
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    assert norms and all(norm.weight.eq(1).all() for norm in norms)
    theirs = timm.create_model(arch).eval()
    weights = [*net.net.state_dict().values()]
    theirs.load_state_dict(dict(zip(theirs.state_dict(), weights, strict=True)))
    executed = []
    for block in net.blocks:
        block.register_forward_hook(lambda block, _, output: executed.append(block))
    assert torch.equal(net(images), theirs(images))
    assert executed == net.blocks and len(executed) > 4
    assert torch.equal(net.forward_features(images), theirs.forward_features(images))

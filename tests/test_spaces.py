"""Every space: counts, canonical networks, builders; NAS-Bench-201 against its own published numbers."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from zsnas import registry
from zsnas.spaces import nasbench201

CONTRACT = ["arch", "canonical", "iso_class", "reachable", "connected", "params", "macs"]
CELL = "|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
DEAD = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"


@pytest.mark.parametrize("name", registry.spaces())
def test_index_has_the_columns_and_counts_the_space_declares(name, index_of):
    space = registry.spaces()[name]
    table = index_of(name)
    assert list(table)[: len(CONTRACT)] == CONTRACT
    assert (len(table), table.canonical.nunique()) == (space.architectures, space.canonical)
    assert table.arch.is_unique
    standing_for_themselves = table[table.arch == table.canonical]
    assert len(standing_for_themselves) == space.canonical
    assert standing_for_themselves.reachable.all()


@pytest.mark.parametrize("name", registry.spaces())
def test_networks_are_what_the_contract_says(name, index_of):
    space, table = registry.load_space(name), index_of(name)
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
    # The benchmark counts convolutions, the classifier, and one addition per BatchNorm value at the cell's resolution.
    net = nasbench201.build_as_published(CELL, "cifar10").eval()
    counted = []

    def count(module, inputs, output):
        counted.append(output[0].numel() * module.weight[0].numel())

    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(count)
    net(torch.zeros(1, 3, 32, 32))
    published = index.set_index("arch").macs[CELL]
    assert sum(counted) == pytest.approx(published, rel=0.02)


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
        assert (row.paths, row.depth) == (len(routes), depth) or row.arch != row.canonical
        assert np.isfinite(row.depth)

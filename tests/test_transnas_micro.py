"""TransNAS-Bench-101's cells: canonical networks, heads, losses and truths of its seven tasks."""

import pandas as pd
import pytest
import torch
from counting import multiply_accumulates

from zsnas import engine, registry, sources, truth
from zsnas.inputs import label_shape, minibatches
from zsnas.score import Subject, score_network
from zsnas.spaces import transnas_micro as space

ARCH = "64-41414-3_12_023"
# Numbers of parameters of the decoders, from their layers: kernel, channels, BatchNorm.
DECODERS = {"segmentsemantic": 11_024_177, "normal": 22_871_859, "autoencoder": 22_871_859}


@pytest.fixture(scope="module")
def table(index_of):
    return index_of("transnas_micro")


def test_the_names_are_the_benchmarks(table, shared):
    assert set(table.arch) == set(pd.read_parquet(shared / "transnas101_micro.parquet").arch_str)
    for wrong in ("", "64-41414-3_12_02", "64-41414-3_12_024", "32-41414-3_12_023", "64-41414-31_2_023"):
        with pytest.raises(ValueError, match="not the name"):
            space.parse(wrong)


def test_closed_form_of_sizes_equals_what_is_built(table):
    whole = table[table.reachable & table.connected]
    assert len(whole) == 2_127
    for row in whole.sample(12, random_state=0).itertuples():
        net = space.build(row.arch, "class_scene")
        assert sum(parameter.numel() for parameter in net.parameters()) == row.params
        assert multiply_accumulates(net, 256) == row.macs


def test_canonical_networks_of_hand_made_cells(table):
    canonical = table.set_index("arch").canonical
    # A skip after a convolution is contracted everywhere, a skip out of the input in strided cells is an operation.
    assert canonical["64-41414-3_01_001"] == canonical["64-41414-3_00_010"] == "64-41414-0_00_300"
    assert canonical["64-41414-1_00_030"] != canonical["64-41414-0_00_300"]
    assert canonical["64-41414-3_20_300"] == canonical["64-41414-0_00_300"]  # dead operations
    assert canonical["64-41414-3_00_310"] != canonical["64-41414-3_01_011"]  # two alike, one used twice


def test_cells_of_one_canonical_network_have_one_size(table):
    """Of what is built: a sample of architectures against the network that stands for them."""
    shared_by_others = table[(table.arch != table.canonical) & table.connected].sample(10, random_state=0)
    for arch, canonical in zip(shared_by_others.arch, shared_by_others.canonical):
        sizes = [
            sorted(tuple(parameter.shape) for parameter in space.build(name, "class_scene").parameters())
            for name in (arch, canonical)
        ]
        assert sizes[0] == sizes[1]


def test_a_strided_cell_by_hand():
    torch.manual_seed(0)
    edges = [(0, 1, "nor_conv_3x3"), (0, 3, "skip_connect"), (1, 3, "skip_connect")]
    cell = space.Cell(edges, 4, 8, 2).eval()
    x = torch.randn(2, 4, 6, 6)
    convolution, skip, identity = cell.operations
    assert isinstance(identity, torch.nn.Identity)
    even, odd = skip.even(x.relu()), skip.odd(torch.nn.functional.pad(x.relu(), (0, 1, 0, 1))[:, :, 1:, 1:])
    torch.testing.assert_close(cell(x), convolution(x) + skip.norm(torch.cat([even, odd], 1)))
    assert cell(x).shape == (2, 8, 3, 3)


def test_jigsaw_sees_each_tile_alone():
    net = space.build(ARCH, "jigsaw").eval()
    image = torch.randn(1, 3, 192, 192)
    tiles = [image[:, :, 64 * row : 64 * row + 64, 64 * at : 64 * at + 64] for row in range(3) for at in range(3)]
    said = torch.cat([net.cells(net.stem(tile)).mean((2, 3)) for tile in tiles], 1)
    torch.testing.assert_close(net(image), net.head(said), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("task", DECODERS)
def test_decoders_have_the_benchmarks_parameters(task):
    net = space.build(ARCH, task)
    assert sum(parameter.numel() for parameter in net.head.parameters()) == DECODERS[task]


@pytest.mark.parametrize("task", space.TASKS)
def test_proxies_stand_on_the_tasks_own_loss(task):
    facts = space.TASKS[task]
    batches = minibatches("noise", task, facts, 2, 0)
    (inputs, labels), _ = batches
    assert labels.shape == (2, *label_shape(facts)) and labels.is_floating_point() == ("values" in facts)
    subject = Subject(space, ARCH, task, 0, "float32", batches, "cpu")
    proxies = [registry.proxies()[name] for name in ("grad_norm", "gradsign")]
    assert [score.status for score in engine.score(proxies, {"float32": subject})] == ["ok", "ok"]
    outputs = subject.net()(inputs)
    difference = outputs - labels if "values" in facts else None
    loss = {
        "room_layout": lambda: difference.square().mean(),
        "normal": lambda: difference.abs().mean(),
        "autoencoder": lambda: difference.abs().mean(),
    }.get(task, lambda: torch.nn.functional.cross_entropy(outputs, labels))()
    assert engine.Evaluation(subject).result("loss").item() == pytest.approx(loss.item(), rel=1e-4)


def test_what_needs_a_class_for_each_image_says_so():
    for task, applies in (("class_scene", True), ("jigsaw", True), ("room_layout", False), ("segmentsemantic", False)):
        for proxy in ("epe_nas", "vkdnw"):
            assert (registry.reason_against(proxy, "transnas_micro", task) == "") == applies
    rows = score_network(ARCH, True, "transnas_micro", "normal", 0, ["epe_nas"], [], "cpu")
    assert rows[0]["status"] == ("error: does not apply: it needs one class for each image, which normal does not have")


@pytest.mark.parametrize(
    ("task", "metric", "best"),
    [
        ("class_scene", "accuracy", 54.94),
        ("jigsaw", "accuracy", 95.37),
        ("segmentsemantic", "accuracy", 94.61),
        ("normal", "ssim", 0.587),
        ("autoencoder", "ssim", 0.577),
        ("room_layout", "negloss", -0.601),
        ("class_object", "accuracy", 45.59),
    ],
)
def test_truths_of_all_tasks(shared, table, task, metric, best):
    source, path = sources.locate("transnas_micro", task, "transnas_valid", "config/sources.csv", shared)
    sources.verify(source, path)
    frame = truth.truth_table(source, path, table.arch.tolist())
    assert len(frame) == 4_096 and source.larger_is_better
    assert frame[metric].max() == pytest.approx(best, abs=6e-3)

"""NAS-Bench-101: hashes, networks and files against the benchmark's own."""

import base64
import hashlib
import itertools
import json
import struct

import numpy as np
import pandas as pd
import pytest
import torch
from counting import multiply_accumulates
from torch import nn

from zsnas import module_hash, sources, truth
from zsnas.cells import Cells
from zsnas.errors import StudyError
from zsnas.readers import nasbench101 as reader
from zsnas.spaces import nasbench101

OPERATIONS = nasbench101.OPERATIONS


@pytest.fixture(scope="module")
def table(index_of):
    return index_of("nasbench101")


@pytest.fixture(scope="module")
def published(shared):
    return pd.read_parquet(shared / "nb101_sample.parquet")


def slow_hash(matrix, labels):
    """The benchmark's hash of one cell, as it is defined."""
    vertices = range(len(matrix))
    hashes = [
        hashlib.md5(str((sum(matrix[v]), sum(row[v] for row in matrix), labels[v])).encode()).hexdigest()
        for v in vertices
    ]
    for _ in vertices:
        hashes = [
            hashlib.md5(
                "|".join(
                    (
                        "".join(sorted(hashes[w] for w in vertices if matrix[w][v])),
                        "".join(sorted(hashes[w] for w in vertices if matrix[v][w])),
                        hashes[v],
                    )
                ).encode()
            ).hexdigest()
            for v in vertices
        ]
    return hashlib.md5(str(sorted(hashes)).encode()).hexdigest()


def listed_as_the_benchmark_does(vertices):
    """{hash: (matrix, operations)}: run through all matrices and operations, and keep what is new."""
    found = {}
    for bits in range(2 ** (vertices * (vertices - 1) // 2)):
        matrix = [[int(x < y and bits >> (x + y * (y - 1) // 2) & 1) for y in range(vertices)] for x in range(vertices)]
        whole = all(map(any, matrix[:-1])) and all(map(any, list(zip(*matrix))[1:]))
        if not whole or sum(map(sum, matrix)) > 9:
            continue
        for operations in itertools.product(range(3), repeat=vertices - 2):
            found.setdefault(slow_hash(matrix, [-1, *operations, -2]), (matrix, list(operations)))
    return found


@pytest.mark.parametrize("vertices", [2, 3, 4, 5])
def test_small_cells_are_listed_as_the_benchmark_does(vertices):
    adjacency, operations = nasbench101.enumerate_cells(vertices)
    hashes = nasbench101.describe(adjacency, operations).arch
    found = {name: (a.astype(int).tolist(), o.tolist()) for name, a, o in zip(hashes, adjacency, operations)}
    assert found == listed_as_the_benchmark_does(vertices)


def test_digests_are_md5():
    buffer, digest = np.empty(module_hash.LONGEST, np.uint8), np.empty(16, np.uint8)
    for length in (0, 1, 55, 56, 63, 64, 65, 119, 120, 259, 282):
        message = np.random.default_rng(length).bytes(length)
        buffer[:length] = np.frombuffer(message, np.uint8)
        module_hash.md5(buffer, length, digest)
        assert digest.tobytes() == hashlib.md5(message).digest()


def test_hashes_of_large_cells(table):
    for row in table.sample(50, random_state=0).itertuples():
        adjacency, operations = nasbench101.parse(row.design)
        assert slow_hash(adjacency.astype(int).tolist(), [-1, *operations.tolist(), -2]) == row.arch


def test_every_published_cell_has_its_graph_and_parameters(table, published):
    both = published.merge(table, left_on="module_hash", right_on="arch", validate="1:1")
    assert len(both) == 30_001
    assert (both.params == both.trainable_parameters).all()
    digits = both.operations.replace({name: str(at) for at, name in enumerate(OPERATIONS)}, regex=True)
    assert (both.design == both.adjacency + ":" + digits.str.replace(",", "")).all()


def test_sizes_of_what_is_built(table):
    some = pd.concat([table.sample(6, random_state=1), table[table.design.str.len() < 9].sample(3, random_state=1)])
    for row in some.itertuples():
        net = nasbench101.build(row.design, "cifar10")
        assert sum(parameter.numel() for parameter in net.parameters()) == row.params
        assert multiply_accumulates(net, 32) == row.macs


def test_initial_weights_are_the_ports():
    """Those of NASBench-PyTorch: normal, for the fan-out, and a small classifier."""
    torch.manual_seed(0)
    net = nasbench101.build("100101:20", "cifar10")
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            fan_out = module.out_channels * module.weight[0, 0].numel()
            assert module.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.05)
    assert net.classifier.weight.std().item() == pytest.approx(0.01, rel=0.05)
    assert not net.classifier.bias.any()


def test_a_cell_by_hand():
    """Three vertices share the output's 128 channels, so the first two are one channel wider than the third."""
    torch.manual_seed(0)
    adjacency = np.zeros((5, 5), bool)
    for edge in ((0, 1), (0, 4), (1, 2), (1, 4), (2, 3), (2, 4), (3, 4)):
        adjacency[edge] = True
    cell = nasbench101.Cell(adjacency, np.array([0, 2, 1]), 16, 128).eval()
    assert cell.width == [16, 43, 43, 42, 128]
    x = torch.randn(2, 16, 8, 8)
    conv3x3, pool, conv1x1 = cell.operations
    one = conv3x3(cell.projections["1"](x))
    two = pool(one)
    three = conv1x1(two[:, :42])
    torch.testing.assert_close(cell(x), torch.cat([one, two, three], 1) + cell.projections["4"](x))


def test_depth_paths_and_graphs_by_enumeration(table):
    some = pd.concat([table.sample(60, random_state=2), table[table.design.str.len() < 16].sample(20, random_state=2)])
    (cells,) = nasbench101.cells(some)
    assert isinstance(cells, Cells) and cells.edges[-1][1] == cells.nodes - 1
    assert list(cells.edges) == sorted(cells.edges, key=lambda edge: edge[1])
    live = cells.live()
    assert (live == ~cells.carry("none")).all()  # no cell has a dead operation
    for row, chosen in zip(some.itertuples(), cells.chosen):
        adjacency, operations = nasbench101.parse(row.design)
        last = len(adjacency) - 1
        routes = [
            (0, *inner, last)
            for size in range(last)
            for inner in itertools.combinations(range(1, last), size)
            if all(adjacency[step] for step in itertools.pairwise((0, *inner, last)))
        ]
        depths = [1 + sum(operations[vertex - 1] != 2 for vertex in route[1:-1]) for route in routes]
        assert (row.paths, row.depth) == (len(routes), max(depths))
        carried = [cells.operations[at] for at in chosen]
        assert sum(it.kind == "pool" for it in carried) == row.pool == (operations == 2).sum()
        assert sum(it.kind == "conv" for it in carried) == adjacency[0].sum() + row.conv3x3 + row.conv1x1
        assert sum(it.kind == "skip" for it in carried) == adjacency[1:].sum()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("", "not the design"),
        ("00005c142e6f48ac74fdcf73e3439874", "not the design"),
        ("110:03", "not the design"),
        ("11:0", "not the design"),
        ("111111111111111:0000", "not the design"),
        ("110:0", "on no path"),
        ("011:0", "on no path"),
    ],
)
def test_other_designs_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        nasbench101.build(wrong, "cifar10")


# Its files


def bitwise_crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x82F63B78 * (crc & 1)
    return crc ^ 0xFFFFFFFF


def framed(data):
    """A TFRecord, by the public description of the format."""

    def masked(part):
        crc = bitwise_crc32c(part)
        return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32)

    length = struct.pack("<Q", len(data))
    return length + masked(length) + data + masked(data)


def run_record(name, epochs, test):
    """A training run as the benchmark writes it; the validation accuracy is a tenth lower than that on the test set."""

    def evaluation(factor):
        numbers = enumerate((epochs, 100.0, 0.99 * factor, (test - 0.1) * factor, test * factor), 1)
        message = b"".join(bytes([field << 3 | 1]) + struct.pack("<d", number) for field, number in numbers)
        message += bytes([6 << 3 | 2, 9]) + b"ckpt-1234"
        return bytes([1 << 3 | 2, len(message)]) + message

    metrics = evaluation(0) + evaluation(0.5) + evaluation(1)
    metrics += bytes([2 << 3]) + b"\xfa\x95\x8a\x04" + bytes([3 << 3 | 1]) + struct.pack("<d", 1e3)
    fields = [name, epochs, "010001000", "input,conv3x3-bn-relu,output", base64.b64encode(metrics).decode()]
    return framed(json.dumps(fields).encode())


@pytest.fixture
def tfrecord(tmp_path):
    path = tmp_path / "nasbench_full.tfrecord"
    runs = [("a", 108, 0.90), ("a", 36, 0.5), ("b", 108, 0.8), ("a", 108, 0.94)]
    path.write_bytes(b"".join(run_record(*run) for run in runs))
    return path


def test_the_checksum_is_crc32c():
    assert reader.crc32c(np.frombuffer(b"123456789", np.uint8)) == 0xE3069283  # the checksum's published check value


def test_runs_are_averaged_in_percent(tfrecord):
    frame = reader.read(tfrecord, "108/test")
    assert frame.arch.tolist() == ["a", "b"] and frame.train_seeds.tolist() == [2, 1]
    assert frame.value.tolist() == pytest.approx([92, 80])
    assert reader.read(tfrecord, "36/validation").value.tolist() == pytest.approx([40])
    tfrecord.write_bytes(tfrecord.read_bytes() + run_record("b", 108, float("nan")))
    pd.testing.assert_frame_equal(reader.read(tfrecord, "108/test"), frame)
    reader.check(tfrecord, "36/validation")
    for wrong in ("108", "108/tset", "x/test", "12/test"):
        for function in (reader.read, reader.check):
            with pytest.raises(StudyError, match=r"nasbench_full\.tfrecord"):
                function(tfrecord, wrong)


@pytest.mark.parametrize("damage", ["truncated", "length", "data", "html", "other"])
def test_damaged_files_are_refused(tfrecord, damage):
    data = tfrecord.read_bytes()
    tfrecord.write_bytes(
        {
            "truncated": data[:-20],
            "length": b"\x01" + data[1:],
            "data": data[:40] + b"!" + data[41:],
            "html": b"<html>" + data,
            "other": framed(b'["a", 108]'),
        }[damage]
    )
    with pytest.raises(StudyError, match=r"^(?!.*\n).*nasbench_full\.tfrecord.*fetch"):
        reader.read(tfrecord, "108/test")


@pytest.mark.parametrize("epochs", [4, 12, 36, 108])
def test_the_published_sample_is_a_truth_in_percent(shared, table, published, epochs):
    name = "nb101_valid" if epochs == 108 else f"nb101_valid_{epochs}ep"
    source, path = sources.locate("nasbench101", "cifar10", name, "config/sources.csv", shared)
    sources.verify(source, path)
    frame = truth.truth_table(source, path, table.arch.tolist())
    expected = published.set_index("module_hash")[f"valid_acc_{epochs}ep"].astype(float)
    assert frame.accuracy.tolist() == (100 * expected[frame.arch]).tolist()
    assert set(frame.epochs) == {epochs} and frame.split.eq("validation").all()

"""GRAF's features against counting on every path, for cells drawn at random."""

import numpy as np
import pytest

from zsnas import graf
from zsnas.cells import Cells, Operation
from zsnas.spaces import nasbench201


def paths(edges, node, end):
    """All paths from a node to the end, each a list of edge numbers."""
    if node == end:
        return [[]]
    return [
        [number, *rest]
        for number, (source, target) in enumerate(edges)
        if source == node
        for rest in paths(edges, target, end)
    ]


def test_every_feature_of_a_sample_of_cells(index):
    sample = index.sample(60, random_state=0)
    features = graf.features(nasbench201.cells(sample))
    names = ["none1", "skip1", "conv1", "conv3", "pool3"]
    assert features.shape == (60, 5 + 4 * 31)
    ways = paths(nasbench201.EDGES, 0, 3)
    assert len(ways) == 4
    for (_, row), cell in zip(features.iterrows(), sample.cell):
        carried = [names[int(digit)] for digit in cell]
        for name in names:
            assert row[f"count_{name}"] == carried.count(name)
        for column in (column for column in row.index if column.startswith("min_path_")):
            of = column.removeprefix("min_path_")
            allowed = [operation in of.split("_") for operation in carried]
            lengths = [len(way) for way in ways if all(allowed[edge] for edge in way)]
            assert row[column] == min(lengths, default=5)
            assert row[f"max_on_path_{of}"] == max(sum(allowed[edge] for edge in way) for way in ways)
            assert row[f"out_degree_{of}"] == sum(allowed[edge] for edge in (0, 1, 3))
            assert row[f"in_degree_{of}"] == sum(allowed[edge] for edge in (3, 4, 5))


def test_two_kinds_of_cells_and_two_inputs():
    operations = (Operation("skip"), Operation("conv", 5))
    normal = Cells(((0, 2), (1, 2), (2, 3)), operations, np.array([[0, 1, 1], [0, 0, 0]]), inputs=2)
    reduction = Cells(((0, 2), (1, 2)), operations, np.array([[0, 1], [1, 1]]), inputs=2)
    features = graf.features([normal, reduction])
    assert features.cell0_count_conv5.tolist() == [2, 0]
    assert features.cell0_min_path_conv5.tolist() == [2, 5]
    assert features.cell0_out_degree_skip1.tolist() == [1, 2]
    assert features.cell1_in_degree_conv5.tolist() == [1, 2]
    assert features.cell1_max_on_path_skip1.tolist() == [1, 0]


@pytest.mark.parametrize("operation", ["conv3x3", "conv1x1", "pool", "skip"])
def test_counts_are_the_index_s(index, operation):
    column = {"conv3x3": "conv3", "conv1x1": "conv1", "pool": "pool3", "skip": "skip1"}[operation]
    assert (graf.features(nasbench201.cells(index))[f"count_{column}"].to_numpy() == index[operation].to_numpy()).all()

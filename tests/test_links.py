"""NN-Mass and NN-Degree of cells small enough to count their links by hand."""

import numpy as np
import pytest

from zsnas import registry
from zsnas.links import Links
from zsnas.structural import score_structural

# Five layers of ten channels: layers 2, 3 and 4 could read 10, 20 and 30 channels of those before their predecessor.
CELLS = {
    "dense": (5, 10, 100, 60, 1.0),
    "budgeted": (5, 10, 15, 40, 40 / 60),
    "plain": (5, 10, 0, 0, 0.0),
    "short": (3, 4, 8, 4, 1.0),
}


@pytest.mark.parametrize(("depth", "width", "budget", "read", "density"), CELLS.values(), ids=CELLS)
def test_one_cell(depth, width, budget, read, density):
    links = Links(*np.array([[[depth]], [[width]], [[budget]]]))
    assert links.read().item() == read == naive_read(depth, width, budget)
    assert score("nn_mass", links) == pytest.approx([density * width * depth])
    assert score("nn_degree", links) == pytest.approx([width + width * read / (width * depth)])


def test_cells_add_up_and_absent_ones_count_nothing():
    dense, budgeted, absent = CELLS["dense"][:3], CELLS["budgeted"][:3], (np.nan,) * 3
    links = Links(*np.transpose([(dense, budgeted), (dense, absent)], (2, 0, 1)))
    assert score("nn_mass", links) == pytest.approx([50 + 50 * 40 / 60, 50])
    assert score("nn_degree", links) == pytest.approx([10 + 12 + 10 + 8, 10 + 12])


@pytest.mark.parametrize("name", ["nn_mass", "nn_degree"])
def test_spaces_without_links_are_refused_with_the_reason(name, index):
    rows = score_structural(registry.proxies()[name], "nasbench201", index.head(3))
    reason = "it needs `links` (depth, width and long-range links of cells), which nasbench201 does not have"
    assert rows.status.tolist() == [f"error: does not apply: {reason}"] * 3 and rows.score.isna().all()


def score(name, links):
    return registry.proxies()[name].function(links)


def naive_read(depth, width, budget):
    """Channel by channel: which earlier channels, but for the predecessor's, a layer reads within its budget."""
    total = 0
    for layer in range(depth):
        earlier = [(before, channel) for before in range(layer - 1) for channel in range(width)]
        total += len(earlier[:budget])
    return total

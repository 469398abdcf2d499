"""DARTS (Liu et al., 2019): a normal and a reduction cell, stacked; NAS-Bench-301's proxy network on CIFAR-10.

Each cell has two inputs and four nodes; a node is the sum of two operations that read earlier nodes or inputs, and the
output is the concatenation of the nodes. The network is a stem and eight cells of 32 channels, the third and the sixth
of which are reduction cells that halve the map and double the channels. The BatchNorms of a cell's operations have no
scale and one follows each pooling, as in NASLib's networks, whose sizes and scores are published; the code that trained
NAS-Bench-301's networks asks for a scale. An architecture is named by its genotype.

The space has some 10^18 members, so it is listed: 725 genotypes of NAS-Bench-301 whose accuracy a surrogate predicts
(`nb301_surrogate`), and 1 000 that Peng et al. (2024, SWAP) really trained (`swap`; in these both cells are alike, and
an operation may be "none"). Their networks had other sizes, which the source does not state; what SWAP's authors score
has one cell of three channels. A node without input is zero, and operations that read it are dead: 26 of SWAP's
genotypes have some and stand for themselves where the same genotype without them is not listed. Two are disconnected
and share one canonical network, which leaves 1 724.
"""

import ast
from pathlib import Path

import pandas as pd

from zsnas.readers import _genotypes, naslib_darts, swap
from zsnas.readers import table as tables
from zsnas.spaces import _darts

NODES, DEPTH, CHANNELS = 4, 8, 32
REST = 41_472  # what NAS-Bench-301's counts have beyond ours in every network, its last mean among it
OPERATIONS = (
    "none",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
    "avg_pool_3x3",
    "max_pool_3x3",
)

ARCHITECTURES = 1_725
CANONICAL = 1_724
COLUMNS = ("conv3x3", "conv1x1", "pool", "skip")
TASKS = {"cifar10": {"classes": 10, "resolution": 32}}
LISTED = {
    ("zc_nasbench301.json", "nb301_surrogate_sample.parquet"): "https://github.com/automl/NASLib",
    ("DARTS_archs_CIFAR10.csv", "darts_cifar10_swap.parquet"): "https://github.com/pym1024/SWAP",
}


def architectures(*paths):
    """The genotypes of the tables, by name. `params` and `macs` are NAS-Bench-301's; see `size`."""
    names = pd.Series(sorted({name for path in paths for name in listed(path)}))
    genotypes = names.map(parse)
    shapes = [(CHANNELS, DEPTH)] * len(names)
    return _darts.index(names, shapes, genotypes, [size(genotype) for genotype in genotypes])


def listed(path):
    """The genotypes of SWAP's or NASLib's published file, or of a table."""
    published = {reader.FILE: reader for reader in (swap, naslib_darts)}.get(Path(path).name)
    return published.names(path) if published else tables.columns(path, ["genotype"]).genotype


def parse(arch):
    """Normal and reduction cell; see `zsnas.spaces._darts`. Raises ValueError for any other name."""
    try:
        call = {keyword.arg: ast.literal_eval(keyword.value) for keyword in ast.parse(arch, mode="eval").body.keywords}
        cells = tuple(_darts.wiring(call[kind], call[f"{kind}_concat"]) for kind in ("normal", "reduce"))
        known = genotype_name(*(cell.nodes for cell in cells)) == arch
        known = known and all(len(cell.nodes) == NODES for cell in cells)
        known = known and set(_darts.operations_of(cells)) <= set(OPERATIONS)
    except (ValueError, SyntaxError, KeyError, TypeError, AttributeError):
        known = False
    if not known:
        raise ValueError(f"'{arch}' is not a DARTS genotype")
    return cells


def genotype_name(normal, reduction):
    """The genotype of two cells' nodes as DARTS prints it."""
    return _genotypes.name(*([edge for node in nodes for edge in node] for nodes in (normal, reduction)))


def cells(table):
    """Normal and reduction cells as graphs; see `zsnas.cells`."""
    return _darts.cells_of(table.arch.map(parse), OPERATIONS)


def size(genotype):
    """Parameters and multiply-accumulates of the network, as NAS-Bench-301's are published.

    Beside its products it counts one for each value of a ReLU and of a BatchNorm without scale, two with scale, and
    nine, the positions of its window, for each value of a pooling.
    """
    classes, side = TASKS["cifar10"].values()
    params, macs = _darts.STEM * CHANNELS * (27 + 2), _darts.STEM * CHANNELS * (27 + 2) * side**2
    for before, last, channels, reduces, reduced in _darts.skeleton(genotype, CHANNELS, DEPTH):
        params += (before + last + 4) * channels
        macs += ((before + last + 4) * channels + last + before * (4 if reduced else 1)) * side**2
        side //= 1 + reduces
        for node in genotype[reduces].nodes:
            for operation, source in node:
                products, others = operation_size(operation, channels, reduces and source < 2)
                params += products
                macs += (products + others) * side**2
    return params + (NODES * channels + 1) * classes, macs + NODES * channels * classes + REST


def operation_size(operation, channels, strided):
    """Parameters, which are the products per position of the output, and what else is counted per position."""
    products = _darts.weights(operation, channels, 1 + strided)
    if operation.endswith("pool_3x3"):
        return products, (9 + 1) * channels
    rectified = 4 if strided else 1  # positions that the first ReLU sees
    return products, (rectified + (3 if operation.startswith("sep") else 1)) * channels if products else 0


def build(arch, task):
    """The network of a genotype for one of TASKS: operations without input are not built.

    Weights are torch's default initial ones. Raises ValueError for a cell that no input reaches.
    """
    return _darts.network(arch, parse(arch), CHANNELS, DEPTH, TASKS[task]["classes"], searched=True)

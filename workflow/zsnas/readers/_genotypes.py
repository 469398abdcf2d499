"""DARTS's notation of a pair of cells, by which files and `zsnas.spaces.darts` name them."""

NODES = 4


def genotype(normal, reduction):
    """The name of a normal and a reduction cell, each eight pairs of an operation and its source, two per node."""
    nodes = list(range(2, 2 + NODES))
    return f"Genotype(normal={normal}, normal_concat={nodes}, reduce={reduction}, reduce_concat={nodes})"

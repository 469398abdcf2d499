"""DARTS's notation of a pair of cells, by which files and `zsnas.spaces.darts` name them."""


def name(normal, reduction):
    """The name of a normal and a reduction cell, each two pairs of an operation and its source for every node."""
    nodes = list(range(2, 2 + len(normal) // 2))
    return f"Genotype(normal={normal}, normal_concat={nodes}, reduce={reduction}, reduce_concat={nodes})"

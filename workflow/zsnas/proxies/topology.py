"""Shape of the canonical cell."""

from zsnas import proxy


@proxy(columns=("depth",))
def depth(table):
    """Most convolutions on one path from input to output."""
    return table.depth


@proxy(columns=("paths",))
def paths(table):
    """Number of paths from input to output."""
    return table.paths

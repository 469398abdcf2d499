"""Shape of the canonical cell."""

from zsnas import proxy


@proxy
def depth(table):
    """Most convolutions on one path from input to output."""
    return table.depth


@proxy
def paths(table):
    """Number of paths from input to output."""
    return table.paths

"""Naive baselines: the size of the network as the benchmark publishes it."""

from zsnas import proxy


@proxy
def params(table):
    """Number of parameters."""
    return table.params


@proxy
def macs(table):
    """Number of multiply-accumulates."""
    return table.macs

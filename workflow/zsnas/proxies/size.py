"""Naive baselines: the size of the network, as the benchmark publishes it or without what it does not use.

Dead operations reach no output. A listed space may lack the network without them; then an architecture stands for
itself, and its dead operations count.
"""

from zsnas import proxy


@proxy
def params(table):
    """Number of parameters."""
    return table.params


@proxy
def macs(table):
    """Number of multiply-accumulates."""
    return table.macs


@proxy
def live_params(live):
    """Number of parameters of the canonical network: those of dead operations do not count."""
    return live.params


@proxy
def live_macs(live):
    """Number of multiply-accumulates of the canonical network: those of dead operations do not count."""
    return live.macs

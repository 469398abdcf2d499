"""Untuned counts over the published cell: what any topology proxy has to beat."""

from zsnas import proxy


@proxy(columns=("conv3x3", "conv1x1", "pool"))
def conv_count(table):
    """Convolutions minus poolings."""
    return table.conv3x3 + table.conv1x1 - table.pool


@proxy(columns=("skip",))
def skip_count(table):
    """Skip connections."""
    return table.skip

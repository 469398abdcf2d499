"""NDS's networks of NASNet's space (Radosavovic et al., 2019; Zoph et al., 2018), trained on CIFAR-10.

Cells have five nodes and thirteen operations; the output joins the nodes that no other reads.
"""

from zsnas.spaces import _nds
from zsnas.spaces._nds import COLUMNS, LISTED, TASKS, build, cells

ARCHITECTURES = 4_846
CANONICAL = 4_846


def architectures(path):
    """The records of NDS's sweep; see `zsnas.spaces._nds`."""
    return _nds.architectures(path, "NASNet")

"""NDS's networks of PNAS's space (Radosavovic et al., 2019; Liu et al., 2018), trained on CIFAR-10.

Cells have five nodes and eight operations; the output joins all nodes.
"""

from zsnas.spaces import _nds
from zsnas.spaces._nds import COLUMNS, LISTED, TASKS, build, cells

ARCHITECTURES = 9_558
CANONICAL = 9_558


def architectures(path):
    """The records of NDS's sweeps; see `zsnas.spaces._nds`."""
    return _nds.architectures(path, "PNAS", "PNAS_fix-w-d")

"""NDS's networks of ENAS's space (Radosavovic et al., 2019; Pham et al., 2018), trained on CIFAR-10.

Cells have five nodes and five operations; the output joins the nodes that no other reads.
"""

from zsnas.spaces import _nds
from zsnas.spaces._nds import COLUMNS, LISTED, TASKS, build, cells

ARCHITECTURES = 9_999
CANONICAL = 9_999


def architectures(path):
    """The records of NDS's sweeps; see `zsnas.spaces._nds`."""
    return _nds.architectures(path, "ENAS", "ENAS_fix-w-d")

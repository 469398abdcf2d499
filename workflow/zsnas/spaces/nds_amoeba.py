"""NDS's networks of AmoebaNet's space (Radosavovic et al., 2019; Real et al., 2019), trained on CIFAR-10.

Cells have five nodes and eight operations; the output joins the nodes that no other reads.
"""

from zsnas.spaces import _nds
from zsnas.spaces._nds import COLUMNS, LISTED, TASKS, build, cells

ARCHITECTURES = 4_983
CANONICAL = 4_983


def architectures(path):
    """The records of NDS's sweep; see `zsnas.spaces._nds`."""
    return _nds.architectures(path, "Amoeba")

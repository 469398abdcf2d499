"""NDS's networks of DARTS's space (Radosavovic et al., 2019; Liu et al., 2019), trained on CIFAR-10.

Cells have four nodes and eight operations, one of which is "none"; the output joins all nodes. NAS-Bench-301's networks
are `zsnas.spaces.darts`.
"""

from zsnas.spaces import _nds
from zsnas.spaces._nds import COLUMNS, LISTED, TASKS, build, cells

ARCHITECTURES = 10_000
CANONICAL = 10_000


def architectures(path):
    """The records of NDS's sweeps; see `zsnas.spaces._nds`."""
    return _nds.architectures(path, "DARTS", "DARTS_fix-w-d")

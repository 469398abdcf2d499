"""Control: a number without meaning, fixed by the architecture's name. Its correlation must lie near 0."""

from zsnas import proxy
from zsnas.randomness import derive_seed


@proxy
def random(table):
    return table.arch.map(lambda arch: derive_seed("random", arch) / 2**63)

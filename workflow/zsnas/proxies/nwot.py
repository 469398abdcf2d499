"""NASWOT (Mellor et al., 2021): log|K|, K[i, j] the number of ReLU units on which samples i and j agree.

`nwot` reads every ReLU once. The published script picks modules whose type name contains "ReLU", which on
NAS-Bench-201 also finds the blocks that begin with one: `nwot_bw` reproduces that, counting such a ReLU twice. Either
takes one forward pass; the published script runs a second one to fill K, with the same result.
"""

import torch

from zsnas import passes, proxy
from zsnas.tiles import regroup


@proxy(paper="arXiv:2006.04647", relu=True)
def nwot(agreements):
    return log_determinant(agreements)


@proxy(paper="arXiv:2006.04647", relu=True)
def nwot_bw(net, inputs):
    """NASWOT by the published script's rule: the inputs of all modules whose type name contains "ReLU"."""
    agreements = []  # of each module at once, for maps of all together would take much memory

    def count(module, given, _):
        agreements.append(passes.agreements([regroup(given[0].relu(), len(inputs))]))

    for module in net.modules():
        if "ReLU" in type(module).__name__:
            module.register_forward_hook(count)
    with torch.no_grad():
        net(inputs)
    if not agreements:
        raise ValueError("the network has no ReLU")
    return log_determinant(sum(agreements))


def log_determinant(matrix):
    return torch.linalg.slogdet(matrix).logabsdet

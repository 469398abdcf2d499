"""NEAR (Husistein et al., 2025): sum over ReLUs and GELUs of the effective rank before and after them.

The effective rank of a matrix is the exponential of the entropy of its singular values, normalised to sum to one. A
feature map is read as a matrix of positions by channels, of which as many consecutive rows as there are channels are
taken from a random place, the same before and after. One draw per seed where the authors average 32.
"""

import torch
from torch import nn

from zsnas import proxy


@proxy(paper="arXiv:2408.08776")
def near(net, inputs, rng):
    ranks = []

    def measure(module, given, output):
        before, after = (positions_by_channels(values) for values in (given[0], output))
        rows, channels = before.shape
        start = int(torch.randint(max(rows - channels, 0) + 1, (), generator=rng))
        ranks.append(sum(effective_rank(matrix[start : start + channels]) for matrix in (before, after)))

    for module in net.modules():
        if isinstance(module, (nn.ReLU, nn.ReLU6, nn.GELU)):
            module.register_forward_hook(measure)
    with torch.no_grad():
        net(inputs)
    return ranks


def positions_by_channels(values):
    """Of a map [B, C, H, W], where channels are not last as they are in tokens [B, N, C]."""
    values = values.movedim(1, -1) if values.dim() == 4 else values
    return values.reshape(-1, values.shape[-1])


def effective_rank(matrix):
    singular = torch.linalg.svdvals(matrix.double())
    return torch.special.entr(singular / singular.sum()).sum().exp()

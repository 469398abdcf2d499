"""NASWOT (Mellor et al., 2021): log|K|, K[i, j] the number of ReLU units on which samples i and j agree.

`nwot` reads every ReLU once. The published script picks modules whose type name contains "ReLU", which on
NAS-Bench-201 also finds the blocks that begin with one: `nwot_bw` reproduces that, counting such a ReLU twice. Either
takes one forward pass; the published script runs a second one to fill K, with the same result.
"""

import torch

from zsnas import proxy


@proxy(paper="arXiv:2006.04647")
def nwot(activations):
    return log_determinant(agreements(activations))


def agreements(activations):
    """Number of units on which two samples agree [B, B], as a sum over activations [B, ...]."""
    total = 0
    for activation in activations:
        signs = torch.where(activation.flatten(1) > 0, 1.0, -1.0)  # agreeing pairs multiply to 1, others to -1
        total = total + (signs @ signs.T + signs.shape[1]).double() / 2
    return total


def log_determinant(matrix):
    return torch.linalg.slogdet(matrix).logabsdet

"""AZ-NAS (Lee & Ham, 2024): three scores from the feature maps of the stem and of each cell, and their aggregate.

The entropy of a feature map is that of its principal components' shares of variance; expressivity is the sum over
blocks, progressivity the least increase from one block to the next. Trainability sends random signs back through each
cell and takes the largest singular value s of A = mean over positions of (gradient at the input) (signs)^T: the mean
over cells of 2 - s - 1 / s, at most 0 and best where gradients keep their size.

The authors draw standard normal images and He's initial weights for it; here the study's minibatch and initial weights
serve, as for all proxies of one forward pass. Eigenvalues that rounding leaves below zero are cut off where the
published code returns NaN. A cell that only passes its input on has trainability minus infinity, as in that code.
Where a cell does not read the one before it, as in 34 of 999 networks of DARTS, there is none.
Trainability is computed for feature maps alone; the tokens of transformers have the other two. The fourth part of
AZ-NAS, FLOPs, is `macs`. Their aggregate `az_nas` sums the logarithms of the four ranks, as fractions, within the
architectures it is asked to rank: all that have a score of each part.
"""

import torch
from torch.nn import functional as F

from zsnas import proxy
from zsnas.proxies._ranks import log_rank
from zsnas.second_order import input_gradients_only

EPSILON = 1e-6


@proxy(paper="arXiv:2403.19232")
def az_expressivity(block_entropies):
    """AZ-NAS expressivity (Lee & Ham, 2024): entropy of the features' principal components, summed over blocks."""
    return list(block_entropies)


@proxy(paper="arXiv:2403.19232")
def az_progressivity(block_entropies):
    """AZ-NAS progressivity (Lee & Ham, 2024): least increase of that entropy from one block to the next."""
    return block_entropies.diff().min()


@proxy(paper="arXiv:2403.19232", networks="convolutional")
def az_trainability(forward, rng):
    """AZ-NAS trainability (Lee & Ham, 2024): how well random gradients keep their size through each cell."""
    scores = [trainability(*blocks, rng) for blocks in zip(forward.blocks, forward.blocks[1:])]
    return torch.stack(scores).mean()


@proxy(paper="arXiv:2403.19232")
def az_nas(az_expressivity, az_progressivity, az_trainability, macs):
    """AZ-NAS (Lee & Ham, 2024): sum of log ranks of expressivity, progressivity, trainability and complexity."""
    return sum(map(log_rank, (az_expressivity, az_progressivity, az_trainability, macs)))


def trainability(block_input, block_output, rng):
    """2 - s - 1 / s of a cell, from the feature maps [B, C, H, W] before and after it, with their graph."""
    signs = torch.randint(2, block_output.shape, generator=rng).to(block_output) * 2 - 1
    with input_gradients_only():
        (gradient,) = torch.autograd.grad(block_output, block_input, signs, retain_graph=True, allow_unused=True)
    if gradient is None:
        raise ValueError("a cell does not read the one before it")
    if torch.equal(gradient, signs):
        return torch.tensor(-torch.inf)
    gradient = F.pixel_unshuffle(gradient, gradient.shape[2] // signs.shape[2])
    gradient, signs = (tensor.transpose(0, 1).flatten(1) for tensor in (gradient, signs))
    largest = torch.linalg.matrix_norm((gradient @ signs.T).double() / signs.shape[1], 2)
    return (2 - largest - 1 / (largest + EPSILON)).cpu()

"""SWAP (Peng et al., 2024): how many ReLU units differ in which of the samples they are on for.

A unit's pattern is one bit per sample; the score is the number of distinct patterns over all feature maps. As in the
authors' script patterns are over 16 samples, which bounds the score by 65 536; here the first 16 of the study's
minibatch, under its initial weights, where the script averages 32 networks with N(0, 1) weights. The regularised
variant multiplies by exp(-(Theta - mu)^2 / sigma), Theta the number of parameters in thousands. The authors tune mu and
sigma to the model size they want; here nothing is tuned: mu is the mean and sigma twice the variance of Theta over the
architectures that are ranked.
"""

import numpy as np
import torch

from zsnas import proxy

SAMPLES = 16


@proxy(paper="arXiv:2403.04161", relu=True)
def swap(activations):
    seen = torch.zeros(2**SAMPLES, dtype=torch.bool)
    for activation in activations:
        if activation.dim() == 4:
            on = activation[:SAMPLES].movedim(1, -1).flatten(1).sign()
            patterns = 2.0 ** torch.arange(len(on)).to(on) @ on
            seen[patterns.long().cpu()] = True
    return seen.sum()


@proxy(paper="arXiv:2403.04161")
def swap_reg(swap, params):
    """Regularised SWAP (Peng et al., 2024): SWAP times a bell over the number of parameters, as wide as the set's."""
    size = params / 1000
    return swap * np.exp(-((size - size.mean()) ** 2) / (2 * size.var()))

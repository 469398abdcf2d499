"""SWAP (Peng et al., 2024): how many ReLU units differ in which of the samples they are on for.

A unit's pattern is one bit per sample; the score is the number of distinct patterns over all feature maps. As in the
authors' script patterns are over 16 samples, which bounds the score by 65 536; here the first 16 of the study's
minibatch, under its initial weights, where the script averages 32 networks with N(0, 1) weights. The regularised
variant multiplies by exp(-((params - mu) / ...)^2), with mu and sigma tuned to the model size one wants: that is a
choice of the search and no property of a network, so it is left out.
"""

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

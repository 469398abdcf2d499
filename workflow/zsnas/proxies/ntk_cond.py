"""Condition number of the neural tangent kernel (Chen et al., 2021, TE-NAS): smaller is better.

The ratio of the largest to the smallest eigenvalue of K[i, j] = <d s_i / dw, d s_j / dw>, s_i the summed outputs of
sample i and w all parameters named weight, those of BatchNorm included. BatchNorm takes its statistics over all
samples, so each sample's gradient is a backward pass through all of them: as in TE-NAS's code, over the first 16.
Without BatchNorm samples do not meet, and each has a small pass of its own. One draw of the space's initial weights
where TE-NAS averages three of He's. A singular kernel, as two equal images make, gives no score.
"""

import torch
from torch import nn

from zsnas import proxy

SAMPLES = 16


@proxy(paper="arXiv:2102.11535", larger_is_better=False)
def ntk_cond(net, inputs):
    weights = [parameter for name, parameter in net.named_parameters() if "weight" in name]
    meet = any(isinstance(module, nn.BatchNorm2d) for module in net.modules())
    passed = inputs[:SAMPLES].split(SAMPLES if meet else 1)
    sums = (total for images in passed for total in net(images).flatten(1).sum(1))
    rows = [torch.autograd.grad(total, weights, retain_graph=meet, materialize_grads=True) for total in sums]
    kernel = sum(gram(torch.stack(gradients).flatten(1)) for gradients in zip(*rows))
    eigenvalues = torch.linalg.eigvalsh(kernel)
    return eigenvalues[-1] / eigenvalues[0].clamp(min=0)


def gram(rows):
    rows = rows.double()
    return rows @ rows.T

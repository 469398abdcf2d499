"""Condition number of the neural tangent kernel (Chen et al., 2021, TE-NAS): smaller is better.

The ratio of the largest to the smallest eigenvalue of K[i, j] = <d s_i / dw, d s_j / dw>, s_i the summed outputs of
sample i and w all parameters named weight, those of BatchNorm included. BatchNorm takes its statistics over all
samples, so each sample's gradient is a backward pass through all of them: as in TE-NAS's code, over the first 16. One
draw of the space's initial weights where TE-NAS averages three of He's. A singular kernel, as two equal images make,
gives no score.
"""

import torch

from zsnas import proxy

SAMPLES = 16


@proxy(paper="arXiv:2102.11535", larger_is_better=False)
def ntk_cond(net, inputs):
    weights = [parameter for name, parameter in net.named_parameters() if "weight" in name]
    sums = net(inputs[:SAMPLES]).flatten(1).sum(1)
    rows = [torch.autograd.grad(sample, weights, retain_graph=True, materialize_grads=True) for sample in sums]
    kernel = sum(gram(torch.stack(gradients).flatten(1)) for gradients in zip(*rows))
    eigenvalues = torch.linalg.eigvalsh(kernel)
    return eigenvalues[-1] / eigenvalues[0].clamp(min=0)


def gram(rows):
    return rows.double() @ rows.double().T

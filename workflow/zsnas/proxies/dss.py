"""DSS (Zhou et al., 2022, TF-TAS): synaptic diversity of a transformer's attention plus synaptic saliency of the rest.

As for Synflow every weight is replaced by its absolute value and R is the sum of the outputs for an all-ones image.
With w' = dR/dw, a projection of attention (queries, keys and values together; the output) adds ||w'||_* ||w||_*, the
product of nuclear norms; every other linear layer, the patch embedding among them, adds the sum of |w w'|. The authors'
code takes every square linear layer for attention, as the output is in their supernet. In a network by itself that need
not be square, so attention is here what stands beside `qkv`, and what is square.
"""

import torch
from torch import nn

from zsnas import proxy


@proxy(paper="arXiv:2203.12217", precision="float64", networks="transformer")
def dss(net, inputs):
    """DSS (Zhou et al., 2022): nuclear norms in attention plus synaptic saliency elsewhere, for transformers."""
    net.eval()  # no dropout
    with torch.no_grad():
        for tensor in net.state_dict().values():
            tensor.abs_()
    attention, others = projections(net)
    ones = torch.ones_like(inputs[:1])
    slopes = torch.autograd.grad(net(ones).sum(), attention + others, materialize_grads=True)
    nuclear = [nuclear_norm(slope) * nuclear_norm(weight) for weight, slope in zip(attention, slopes)]
    salient = [(weight.detach() * slope).abs().sum() for weight, slope in zip(others, slopes[len(attention) :])]
    return nuclear + salient


def projections(net):
    """Weights of attention's projections, and of all other linear layers and convolutions."""
    beside_qkv = {layer for module in net.modules() if hasattr(module, "qkv") for layer in module.children()}
    attention, others = [], []
    for layer in net.modules():
        if isinstance(layer, nn.Linear) and (layer in beside_qkv or layer.in_features == layer.out_features):
            attention.append(layer.weight)
        elif isinstance(layer, (nn.Linear, nn.Conv2d)):
            others.append(layer.weight)
    return attention, others


def nuclear_norm(matrix):
    return torch.linalg.matrix_norm(matrix.detach(), "nuc")

"""Synflow (Tanaka et al., 2020), used as a proxy by Abdelfattah et al., 2021: sum |w * dR/dw|, without data.

R is the sum of the logits for one all-ones image when every weight is replaced by its absolute value. `synflow` takes
BatchNorm out, so that R is linear in each layer's weights; `synflow_bn` keeps it, in train mode at batch 1, as some
published numbers do. Values grow exponentially with depth, hence double precision. Transformers have no BatchNorm to
keep; their LayerNorms and attention stay, so that there R is not linear either.
"""

import torch
from torch import nn

from zsnas import passes, proxy


@proxy(paper="arXiv:2006.05467", precision="float64")
def synflow(net, inputs):
    return flow(without_batchnorm(net), inputs)


@proxy(paper="arXiv:2006.05467", precision="float64", networks="convolutional")
def synflow_bn(net, inputs):
    """Synflow with BatchNorm in train mode at batch 1: a variant some published numbers stand on."""
    return flow(net, inputs)


def flow(net, inputs):
    for parameter in net.parameters():
        parameter.data.abs_()
    weights = [layer.weight for layer in passes.layers(net)]
    gradients = torch.autograd.grad(net(torch.ones_like(inputs[:1])).sum(), weights, materialize_grads=True)
    return [(weight.detach() * gradient).abs().sum() for weight, gradient in zip(weights, gradients)]


def without_batchnorm(net):
    for module in net.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.modules.batchnorm._BatchNorm):
                setattr(module, name, nn.Identity())
    return net

"""Zen-score (Lin et al., 2021), as in the authors' code.

log mean_n sum |f(x) - f(x + 0.01 x')| + sum over BatchNorms of log sqrt(mean of their running variance), where f is the
network up to its pooling, its weights drawn from N(0, 1), and x, x' are N(0, 1) noise. The code, and so every published
figure, takes the L1 norm where the paper has L2, and reads the running variance after both forward passes, when it
still carries 81 % of its initial value 1. Residual connections stay. One draw of weights per seed.
"""

import torch
from torch import nn

from zsnas import passes, proxy
from zsnas.tiles import regroup

MIXUP = 0.01


@proxy(paper="arXiv:2102.01063", networks="convolutional")
def zen(net, inputs, rng):
    noise = torch.randn(2, *inputs.shape, generator=rng).to(inputs)
    for layer in passes.layers(net):
        layer.weight.data.copy_(torch.randn(layer.weight.shape, generator=rng))
    return complexity(net, noise[0], noise[1])


@torch.no_grad()
def complexity(net, inputs, noise):
    difference = net.forward_features(inputs) - net.forward_features(inputs + MIXUP * noise)
    scales = [module.running_var.mean().sqrt().log() for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    return regroup(difference, len(inputs)).abs().flatten(1).sum(1).mean().log() + torch.stack(scales).sum()

"""Multiply-accumulates of a network by watching it run."""

import torch
from torch import nn


def multiply_accumulates(net, resolution):
    """Those of convolutions and linear layers, also of tokens, for one image."""
    counted = []

    def count(module, inputs, output):
        values = inputs[0] if isinstance(module, nn.ConvTranspose2d) else output
        counted.append(values[0].numel() * module.weight[0].numel())

    layers = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    hooks = [module.register_forward_hook(count) for module in net.modules() if isinstance(module, layers)]
    training = net.training
    with torch.no_grad():
        net.eval()(torch.zeros(1, 3, resolution, resolution))
    net.train(training)
    for hook in hooks:
        hook.remove()
    return sum(counted)

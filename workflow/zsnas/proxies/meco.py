"""MeCo (Jiang et al., 2023): sum over modules of the least eigenvalue of the correlations between output channels.

One image of standard normal noise, 64 x 64 pixels, passes the network once. As in the authors' code every module
counts, containers too, so that the score depends on how the network is wrapped into modules: a convolution's last
output is seen again as that of the block around it. Correlations with a constant channel count as zero.

`meco_opt` correlates only a few channels of each module, drawn at random, and weighs the eigenvalue by channels over
channels drawn: 8, as the authors' program does for NAS-Bench-201 (github.com/HamsterMimi/MeCo, correlation/).
"""

from functools import cache

import torch

from zsnas import proxy

CHANNELS = 8


@proxy(paper="NeurIPS 2023, MeCo", networks="convolutional")
def meco(net, inputs, rng):
    once = cache(least_eigenvalue)  # a container's output is that of its last module
    return sum(once(channels) for channels in module_outputs(net, inputs, rng))


@proxy(paper="NeurIPS 2023, MeCo", networks="convolutional")
def meco_opt(net, inputs, rng):
    """MeCo over a few channels of each module (Jiang et al., 2023), weighed by their share."""
    total = 0
    for channels in module_outputs(net, inputs, rng):
        drawn = channels[torch.randperm(len(channels), generator=rng)[:CHANNELS].to(channels.device)]
        total = total + least_eigenvalue(drawn) * len(channels) / len(drawn)
    return total


def module_outputs(net, inputs, rng):
    """Outputs [channels, positions] of all modules for one image of noise, in order of execution.

    A module that hands on the output of another, as it is, has the same tensor here.
    """
    found = []
    for module in net.modules():
        module.register_forward_hook(lambda module, given, output: found.append(output))
    with torch.no_grad():
        net(torch.randn(1, 3, 64, 64, generator=rng).to(inputs))
    channels = {id(output): output.movedim(1, 0).flatten(1) for output in found}
    return [channels[id(output)] for output in found]


def least_eigenvalue(channels):
    if not channels.isfinite().all():
        return torch.nan
    if channels.shape[0] >= channels.shape[1]:  # logits, or so few positions that channels depend on each other
        return 0.0
    correlations = torch.corrcoef(channels.double()).nan_to_num(0.0)
    return torch.linalg.eigvalsh(correlations)[0]

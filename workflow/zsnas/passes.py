"""Computations that proxies share. A pass is a function named as what it returns; its parameters are other passes.

Four parameters are given and not computed: `net`, a private copy of the pristine network in train mode; `batches`, a
list of minibatches (inputs [B, 3, H, W], labels [B, ...]); `rng`, a generator for this consumer alone; `wanted`, the
names of all passes that somebody reads. Lists run over the network's layers, its convolutional (not transposed) and
linear modules, in the order of `modules()` unless said otherwise; a layer that does not reach the output has a gradient
of zero. What a pass returns is shared: nobody may write to it.
"""

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from zsnas.second_order import input_gradients_only, with_cheap_second_derivative
from zsnas.tiles import regroup

RELUS = nn.ReLU, nn.ReLU6


class Forward(NamedTuple):
    """A forward pass with its graph.

    logits [B, classes]; activations: outputs of the ReLUs in order of execution; outputs: (layer, output) of each
    layer in order of execution; blocks: outputs of the network's `blocks` (see `zsnas.spaces`), in order of execution.
    """

    logits: torch.Tensor
    activations: list[torch.Tensor]
    outputs: list[tuple[nn.Module, torch.Tensor]]
    blocks: list[torch.Tensor]


def shared_net(net):
    """The network all shared passes run through; its BatchNorms keep no running statistics."""
    return with_cheap_second_derivative(net)


def layers(shared_net):
    """Convolutional (not transposed) and linear modules, as in all peers."""
    return [module for module in shared_net.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]


def weights(layers):
    """Weight tensors of the layers, without gradients."""
    return [layer.weight.detach() for layer in layers]


def inputs(batches):
    """Images of the first minibatch [B, 3, H, W]."""
    return batches[0][0]


def labels(batches):
    """Class numbers of the first minibatch [B], or what else the task's outputs are compared with."""
    return batches[0][1]


def leaf_inputs(inputs):
    """The inputs as a leaf of the graph, so that the Jacobian can be taken."""
    return inputs.detach().clone().requires_grad_()


def forward(shared_net, leaf_inputs):
    """One forward pass of the first minibatch through the shared network.

    Raises FloatingPointError where outputs overflow, ValueError where all images have the same ones: nothing that is
    read off such a pass says anything of the network.
    """
    activations, outputs, blocks = [], [], []

    def keep(module, _, output):
        if isinstance(module, RELUS):
            activations.append(output)
        else:
            outputs.append((module, output))

    def keep_block(module, _, output):
        blocks.append(output)

    hooked = [module for module in shared_net.modules() if isinstance(module, (*RELUS, nn.Conv2d, nn.Linear))]
    hooks = [module.register_forward_hook(keep) for module in hooked]
    hooks += [block.register_forward_hook(keep_block) for block in shared_net.blocks]
    logits = shared_net(leaf_inputs)
    for hook in hooks:
        hook.remove()
    if not logits.isfinite().all():
        raise FloatingPointError("outputs are not finite")
    if len(logits) > 1 and not (logits != logits[0]).any():
        raise ValueError("all images have the same outputs")
    return Forward(logits, activations, outputs, blocks)


def logits(forward):
    """Logits of the first minibatch [B, classes] or other outputs of the network, without gradients."""
    return forward.logits.detach()


def activations(forward):
    """Outputs of the ReLUs in order of execution, each [B, ...], without gradients."""
    return [regroup(activation.detach(), len(forward.logits)) for activation in forward.activations]


def criterion(shared_net):
    """The task's loss of outputs and labels, a mean: cross-entropy, or what the network has as `loss`."""
    return getattr(shared_net, "loss", F.cross_entropy)


def loss(forward, labels, criterion):
    """Loss of the first minibatch, with its graph."""
    return criterion(forward.logits, labels)


class Backward(NamedTuple):
    """Gradients of the loss: by the weight of each layer, and by the outputs in `Forward.outputs`."""

    weights: tuple[torch.Tensor, ...]
    outputs: tuple[torch.Tensor, ...]


def backward(loss, layers, forward, wanted):
    """One backward pass of the loss.

    Where it is differentiated again its own graph is kept, which takes as much memory as that of the forward pass.
    """
    sought = [layer.weight for layer in layers] + [output for _, output in forward.outputs]
    again = "hessian_weights" in wanted
    gradients = torch.autograd.grad(loss, sought, retain_graph=True, create_graph=again, materialize_grads=True)
    return Backward(gradients[: len(layers)], gradients[len(layers) :])


def grads(backward):
    """Gradients of the loss by the weights."""
    return [gradient.detach() for gradient in backward.weights]


def output_grads(forward, backward):
    """(layer, its output [B, ...], gradient of the loss by that output) for each layer, in order of execution."""
    images = len(forward.logits)
    return [
        (layer, regroup(output.detach(), images), regroup(gradient.detach(), images))
        for (layer, output), gradient in zip(forward.outputs, backward.outputs)
    ]


def jacobian(forward, leaf_inputs):
    """Gradient of each sample's summed logits by its input [B, 3 H W]; BatchNorm mixes the samples, as in all peers."""
    with input_gradients_only():
        (gradient,) = torch.autograd.grad(forward.logits.sum(), leaf_inputs, retain_graph=True, materialize_grads=True)
    return gradient.flatten(1)


def batch_grads(shared_net, layers, batches, criterion):
    """Gradients of the loss by the weights, one list per minibatch.

    The first are those of `grads`, computed once more: proxies of several minibatches need double precision and others
    do not, so there is nothing to share, and a graph that nobody differentiates again can be let go.
    """
    parameters = [layer.weight for layer in layers]
    losses = (criterion(shared_net(inputs), labels) for inputs, labels in batches)
    return [torch.autograd.grad(loss, parameters, materialize_grads=True) for loss in losses]


def hessian_weights(backward, layers):
    """H w: the Hessian of the loss by the weights times the weights."""
    parameters = [layer.weight for layer in layers]
    fixed = [parameter.detach() for parameter in parameters]
    return torch.autograd.grad(backward.weights, parameters, fixed, retain_graph=True, materialize_grads=True)


def agreements(activations):
    """Number of ReLU units on which two samples agree, both on or both off [B, B], double.

    Raises ValueError where the network has none.
    """
    if not activations:
        raise ValueError("the network has no ReLU")
    total = 0
    for activation in activations:
        on = activation.movedim(1, -1).flatten(1).sign()  # no copy where channels come last; the order does not matter
        both = (on @ on.T).double()
        each = both.diagonal()
        total = total + 2 * both - each - each[:, None] + on.shape[1]
    return total


def block_entropies(forward):
    """Per block, the entropy of its features' principal components, as shares of their variance (double).

    Rounding below zero is cut off before the logarithm.
    """
    entropies = []
    for block in forward.blocks:
        features = block.detach().movedim(1 if block.dim() == 4 else 2, 0).flatten(1)  # maps, or tokens [B, N, C]
        features = features - features.mean(1, keepdim=True)
        variances = torch.linalg.eigvalsh((features @ features.T).double() / features.shape[1]).clamp(min=0)
        shares = variances / variances.sum()
        entropies.append(-(shares * (shares + 1e-8).log()).sum())
    return torch.stack(entropies)

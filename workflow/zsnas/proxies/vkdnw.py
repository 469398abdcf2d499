"""VKDNW (Tybl & Neumann, 2025): number of parameter tensors plus entropy of the Fisher information's spectrum.

The Fisher information of the predicted distribution is the mean over samples of J^T (diag(p) - p p^T) J, with J the
logits' Jacobian by the first element of each parameter tensor. Its nine deciles, normalised to sum to one, have the
entropy that is added: at most log 9, so that it mostly orders networks of equally many tensors. This is the authors'
"single" score; their "agg", `vkdnw_agg`, is the logarithm of the product of five proxies' ranks.

As in their code: evaluation mode, in which samples do not mix, so that one backward pass per class gives J of all of
them; He's normal initial weights, without which activations would fade; probabilities mixed with 5 % of the uniform
distribution; 64 samples, here of the study's minibatch. A forward derivative per tensor, which runs only through what
follows its layer, gives the same J, and is cheaper where there are more classes than tensors.
"""

import contextlib

import torch
from torch import nn
from torch.nn import functional as F

from zsnas import passes, proxy
from zsnas.proxies._ranks import log_rank

SAMPLES = 64
UNIFORM = 0.05
TOGETHER = 8  # forward derivatives at once: more take more memory


@proxy(paper="arXiv:2502.04975")
def vkdnw_agg(vkdnw, jacob_cov, az_expressivity, az_trainability, macs):
    """VKDNW "agg" (Tybl & Neumann, 2025): sum of log ranks of VKDNW, Jacob cov, two parts of AZ-NAS and FLOPs."""
    return sum(map(log_rank, (vkdnw, jacob_cov, az_expressivity, az_trainability, macs)))


@proxy(paper="arXiv:2502.04975", networks="convolutional", tasks="image classes")
def vkdnw(net, inputs, rng):
    start_as_he(net, rng)
    images, tensors = inputs[:SAMPLES], []
    with torch.no_grad(), hooked(net.eval(), lambda module, *_: tensors.extend(module.parameters(recurse=False))):
        logits = net(images)
    if logits.shape[1] > len(tensors):
        jacobian = by_tensors(net, images, len(tensors))
    else:
        jacobian = by_classes(net, images)
    fisher = information(jacobian.double(), logits.double())
    eigenvalues = torch.linalg.eigvalsh(fisher).clamp(min=0)
    deciles = eigenvalues.quantile(torch.arange(1, 10).to(eigenvalues) / 10)
    return len(list(net.parameters())) + torch.special.entr(deciles / deciles.sum()).sum()


def by_classes(net, images):
    """Jacobian [B, classes, P] of the logits, by a backward pass for each class."""
    outputs, derivatives = [], []

    def keep(module, given, output):
        outputs.append(output)
        derivatives.append(slopes(module, given[0].detach(), output[:, 0]))

    with hooked(net, keep):
        logits = net(images)
    jacobian = []
    for logit in logits.T:
        gradients = torch.autograd.grad(logit.sum(), outputs, retain_graph=True, materialize_grads=True)
        chained = [(gradient[:, 0], slope) for gradient, own in zip(gradients, derivatives) for slope in own]
        jacobian.append(
            torch.stack([(gradient * slope).reshape(len(logits), -1).sum(1) for gradient, slope in chained], 1)
        )
    return torch.stack(jacobian, 1)


@torch.no_grad()
def by_tensors(net, images, count):
    """Jacobian [B, classes, P] of the logits, by a forward derivative for each of `count` tensors, TOGETHER at once.

    Layers before the first of these are passed without derivatives.
    """

    def moved_logits(steps, first):
        remaining = iter([None] * first + list(steps) + [None] * (count - first - len(steps)))

        def move(module, given, output):
            own = [next(remaining) for _ in module.parameters(recurse=False)]
            if any(step is not None for step in own):
                along = zip(own, slopes(module, given[0], output[:, 0]))
                moved = output[:, 0] + sum(step * slope for step, slope in along if step is not None)
                return torch.cat([moved[:, None], output[:, 1:]], 1)

        with hooked(net, move):
            return net(images)

    parts = images.new_zeros(count).split(TOGETHER)
    return torch.cat([torch.func.jacfwd(moved_logits)(part, TOGETHER * at) for at, part in enumerate(parts)], 2)


@contextlib.contextmanager
def hooked(net, hook):
    """Within, a forward hook sees each layer that has parameters of its own."""
    hooks = [module.register_forward_hook(hook) for module in net.modules() if list(module.parameters(recurse=False))]
    try:
        yield
    finally:
        for handle in hooks:
            handle.remove()


@torch.no_grad()
def start_as_he(net, rng):
    for layer in passes.layers(net):
        scale = (2 / layer.weight[0].numel()) ** 0.5
        layer.weight.copy_(torch.randn(layer.weight.shape, generator=rng) * scale)
        if layer.bias is not None:
            layer.bias.zero_()


def slopes(module, given, first):
    """Derivatives of the first output channel [B, ...] by the first element of each of the layer's parameters."""
    if isinstance(module, nn.Conv2d):
        patches = F.unfold(given[:, :1], module.kernel_size, module.dilation, module.padding, module.stride)
        by_weight = patches[:, 0].view_as(first)
    elif isinstance(module, nn.Linear):
        by_weight = given[:, 0]
    elif isinstance(module, nn.BatchNorm2d):
        by_weight = (given[:, 0] - module.running_mean[0]) / (module.running_var[0] + module.eps).sqrt()
    else:
        raise TypeError(f"vkdnw knows convolutions, linear layers and BatchNorm, not {type(module).__name__}")
    return [by_weight] if module.bias is None else [by_weight, torch.ones_like(by_weight)]


def information(jacobian, logits):
    """Fisher information [P, P] from the Jacobian [B, classes, P]."""
    probabilities = logits.softmax(1) * (1 - UNIFORM) + UNIFORM / logits.shape[1]
    centred = jacobian - torch.einsum("bc,bcp->bp", probabilities, jacobian)[:, None]
    return torch.einsum("bc,bcp,bcq->pq", probabilities, centred, centred) / len(logits)

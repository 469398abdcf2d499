"""Which gradients EZNAS-A reads, on NAS-Bench-201: `python docs/results/nasbench201/eznas.py TRUTH IMAGES`.

TRUTH is results/truth/nasbench201/cifar10/nats_valid.parquet, of any study that names this truth, IMAGES the
results/images/nasbench201/cifar10.npz of nasbench201/full.yaml. As others describe it the score is of gradients by
convolutions' weights, and so is the proxy; the program that its authors released takes those by what enters each group
of ReLU, convolution and BatchNorm, of the sum of the last features, and counts a group without a gradient as 0. Prints
a Markdown table of both and of what is between them, for 300 architectures, built with their dead operations as the
program's are, and 16 images.
"""

import sys

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F

from zsnas.inputs import minibatches
from zsnas.judge.statistics import interval, rank_correlations, sample_weights
from zsnas.spaces import nasbench201

NETWORKS, BATCH, TASK = 300, 16, "cifar10"


def initialised(arch):
    """The published network with the program's initial weights."""
    net = nasbench201.build_as_published(arch, TASK)
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, 0.01)
            nn.init.zeros_(module.bias)
    return net


def norm(gradient):
    """||sigmoid(log det sign g)|| of a gradient's last two dimensions; the logarithm of a negative one counts as 0."""
    return torch.logdet(gradient.sign()).nan_to_num(nan=0.0, neginf=-torch.inf).sigmoid().norm().item()


def norms(net, images, loss):
    """The norm of each group's gradient, 0 where there is none: (by its weights, by what enters its ReLU)."""
    groups = [module for module in net.cells.modules() if isinstance(module, nasbench201.ReLUConvBN)]
    rectified = {}

    def keep(relu, given, output):
        rectified[relu] = output if output.requires_grad else output.requires_grad_()  # of a node without input

    hooks = [group[0].register_forward_hook(keep) for group in groups]
    value = loss(net, images.clone().requires_grad_())
    for hook in hooks:
        hook.remove()
    outputs = [rectified[group[0]] for group in groups]
    sought = [*(group[1].weight for group in groups), *outputs]
    gradients = torch.autograd.grad(value, sought, materialize_grads=True)
    entering = [gradient * (output > 0) for gradient, output in zip(gradients[len(groups) :], outputs)]
    return np.reshape([norm(gradient) for gradient in (*gradients[: len(groups)], *entering)], (2, -1))


def variants(net, images, labels):
    """The score by the name of what it reads."""

    def cross_entropy(net, images):
        return F.cross_entropy(net(images), labels)

    def outputs(net, images):
        return net.forward_features(images).mean((2, 3)).sum()

    weights, _ = norms(net, torch.randn_like(images), cross_entropy)
    weights_of_images, inputs_of_loss = norms(net, images, cross_entropy)
    _, inputs = norms(net, images, outputs)
    read = {
        "weights, of the loss, on noise": weights,
        "weights, of the loss, on images": weights_of_images,
        "inputs, of the loss, on images": inputs_of_loss,
        "inputs, of the outputs, on images, as released": inputs,
        "the same without groups that have no gradient": inputs[inputs > 0],
    }
    return {name: values.mean() if len(values) else 0.0 for name, values in read.items()} | {
        "the same, summed": inputs.sum()
    }


def main():
    truth = pd.read_parquet(sys.argv[1]).set_index("arch").accuracy.sample(NETWORKS, random_state=0)
    images, labels = minibatches(sys.argv[2], TASK, nasbench201.TASKS[TASK], BATCH, 0)[0]
    rows = []
    for arch in truth.index:
        torch.manual_seed(0)
        rows.append(variants(initialised(arch), images, labels))
    frame = pd.DataFrame(rows)
    weights = sample_weights(truth.index.to_numpy(), 1000, 0)
    taus, rhos = rank_correlations(frame.T.to_numpy(), truth.to_numpy(), weights)[:, :, 0]
    print("| gradients by | Kendall | Spearman |\n|---|---|---|")
    for name, *values in zip(frame, taus, rhos):
        print(f"| {name} | " + " | ".join("{:.2f} [{:.2f}, {:.2f}]".format(*interval(it)) for it in values) + " |")


if __name__ == "__main__":
    main()

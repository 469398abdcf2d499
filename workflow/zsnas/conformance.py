"""Compare our scores with numbers that independent implementations gave on networks without any randomness.

    python -m zsnas.conformance REFERENCE.csv

The file has the columns arch_str, proxy, value, peer. Every weight, input and label of these NAS-Bench-201 networks
follows from integer arithmetic, so that any implementation can build the same network: in double precision our scores
must agree to TOLERANCE, relative to the value. The networks keep dead operations, as the peers' do. On a disconnected
cell, where peers print accidents, our status must not be "ok".
"""

import argparse
import math
import sys

import numpy as np
import pandas as pd
import torch

from zsnas import engine, registry
from zsnas.errors import StudyError, run
from zsnas.proxies import zen
from zsnas.spaces import nasbench201

TOLERANCE = 1e-9
EXCEPTIONS = {
    "fisher": (1e-6, "the peer sums it in single precision"),
    "jacob_cov": (1e-9, ""),
}
BATCH = 16
PRIME = 65_521


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas.conformance", description=__doc__.partition("\n")[0])
    parser.add_argument("reference", help="CSV of arch_str, proxy, value, peer")
    arguments = parser.parse_args()


def formula(count, index, shift=0):
    """`count` values in [-0.5, 0.5) from integer arithmetic; `index` tells the tensor, `shift` where to begin."""
    a = (np.arange(shift, shift + count, dtype=np.int64) + 1) % PRIME
    return ((a * a % PRIME) * 7919 + a * 10473 + (index + 1) * 12997) % PRIME / PRIME - 0.5


class FormulaSubject:
    """A network as published, with the weights, inputs and labels of the formula, in double precision."""

    def __init__(self, arch):
        self.arch = arch

    def net(self):
        net = nasbench201.build_as_published(self.arch, "cifar10").double().train()
        layers = [module for module in net.modules() if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear))]
        for index, layer in enumerate(layers):
            scale = 2 * math.sqrt(6 / layer.weight[0].numel())
            values = scale * formula(layer.weight.numel(), index)
            layer.weight.data = torch.from_numpy(values).reshape(layer.weight.shape)
        net.classifier.bias.data.zero_()
        return net

    def batches(self):
        return [(self.images(0), torch.arange(BATCH) % 10), (self.images(1_000_000), (torch.arange(BATCH) + 3) % 10)]

    def images(self, shift):
        values = 2 * math.sqrt(3) * formula(BATCH * 3 * 32 * 32, -1, shift)
        return torch.from_numpy(values).reshape(BATCH, 3, 32, 32)

    def rng(self, purpose):
        return torch.Generator().manual_seed(0)

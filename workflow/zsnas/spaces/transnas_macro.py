"""TransNAS-Bench-101 (Duan et al., CVPR 2021), macro level: 3 256 skeletons of residual blocks on seven tasks.

A network has a stem that quarters the resolution to 64 channels, four to six modules of two residual blocks, and the
task's head, as in `transnas_micro`. A module keeps its input's shape (1), doubles the channels (2), halves the
resolution (3) or does both (4); one to three of them double channels, one to four halve the resolution. A skeleton is
named by its modules, `64-1234-basic`. Other skeletons are other networks, so every architecture is canonical.
"""

import itertools
import re

import numpy as np
from torch import nn

from zsnas.spaces import _transnas
from zsnas.spaces._index import of_distinct
from zsnas.spaces._transnas import STEM_CHANNELS, TASKS
from zsnas.spaces.nasbench201 import ReLUConvBN

MODULES, BLOCKS = (4, 5, 6), 2
DOUBLINGS, HALVINGS = (1, 2, 3), (1, 2, 3, 4)
NAME = re.compile(r"64-([1-4]+)-basic")

ARCHITECTURES = 3_256
CANONICAL = 3_256
COLUMNS = ("conv3x3", "conv1x1", "pool", "skip", "depth", "paths")


def architectures():
    """All skeletons, by length and name. `params` and `macs` are of the network for `class_scene`.

    Beside the columns every space has: how many 3x3 convolutions, 1x1 convolutions (shortcuts that change the shape),
    poolings (none) and skips (other shortcuts) the modules have; `depth`, the most convolutions on a path through the
    modules, and `paths`, the number of paths.
    """
    codes = [code for modules in MODULES for code in itertools.product((1, 2, 3, 4), repeat=modules) if member(code)]
    params, macs = zip(*map(sizes, codes))
    modules = np.array([len(code) for code in codes])
    shortcuts = np.array([len(code) - code.count(1) for code in codes])
    return of_distinct(
        [f"64-{''.join(map(str, code))}-basic" for code in codes],
        params,
        macs,
        conv3x3=2 * BLOCKS * modules,
        conv1x1=shortcuts,
        pool=0,
        skip=BLOCKS * modules - shortcuts,
        depth=2 * BLOCKS * modules,
        paths=2 ** (BLOCKS * modules),
    )


def member(code):
    return (
        len(code) in MODULES
        and sum(module in (2, 4) for module in code) in DOUBLINGS
        and sum(module in (3, 4) for module in code) in HALVINGS
    )


def parse(arch):
    """The modules of a skeleton's name. Raises ValueError if it is not the name of one."""
    match = NAME.fullmatch(arch)
    code = tuple(map(int, match[1])) if match else ()
    if not member(code):
        raise ValueError(f"'{arch}' is not the name of a TransNAS-Bench-101 skeleton")
    return code


def blocks(code):
    """Input channels, channels and stride of each residual block, in order of execution."""
    before = STEM_CHANNELS
    for module in code:
        channels = before * (2 if module in (2, 4) else 1)
        yield before, channels, 2 if module in (3, 4) else 1
        for _ in range(1, BLOCKS):
            yield channels, channels, 1
        before = channels


def sizes(code):
    """Parameters and multiply-accumulates (convolutions and classifier) of a skeleton, for `class_scene`."""
    facts = TASKS["class_scene"]
    params, macs, positions = _transnas.stem_sizes(facts["resolution"])
    for before, channels, stride in blocks(code):
        positions //= stride**2
        projected = (before, stride) != (channels, 1)
        weights = 9 * before * channels + 9 * channels**2 + projected * before * channels
        params += weights + 2 * channels * (2 + projected)
        macs += weights * positions
    return params + (channels + 1) * facts["classes"], macs + channels * facts["classes"]


def build(arch, task):
    """The network of a skeleton for one of TASKS."""
    code = parse(arch)
    shapes = list(blocks(code))
    halvings = sum(module in (3, 4) for module in code)
    return _transnas.network((Block(*shape) for shape in shapes), shapes[-1][1], halvings, task, TASKS[task])


class Block(nn.Module):
    """The benchmark's residual block: two 3x3 convolutions, and a 1x1 convolution where the shape changes."""

    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.conv_a = ReLUConvBN(channels_in, channels, 3, stride)
        self.conv_b = ReLUConvBN(channels, channels, 3)
        self.shortcut = nn.Identity()
        if (channels_in, stride) != (channels, 1):
            projection = nn.Conv2d(channels_in, channels, 1, stride, bias=False)
            self.shortcut = nn.Sequential(projection, nn.BatchNorm2d(channels))

    def forward(self, x):
        return self.shortcut(x) + self.conv_b(self.conv_a(x))

"""FBNet (Wu et al., CVPR 2019) as HW-NAS-Bench (Li et al., 2021) rebuilds it for CIFAR-100: latencies, no accuracies.

A network is a stem, 22 blocks in seven stages and a head. A block is one of BLOCKS: an inverted residual of a kernel,
an expansion and a number of groups, or a skip, which is a 1x1 convolution where a stage changes the shape. An
architecture is named by the positions of its choices in BLOCKS, `7_8_1_...`.

The space has 9^22 members, so it is listed: 5 000 whose latency HELP (Lee et al., 2021) measured on devices of many
kinds. None was trained for HELP or HW-NAS-Bench: a study of them names devices and no truth, and tells how proxies go
with latency. A skip that changes no shape is contracted, which leaves all 5 000 different networks.
"""

import re
from pathlib import Path

import pandas as pd
from torch import nn

from zsnas.readers import help_fbnet
from zsnas.readers import table as tables
from zsnas.spaces._index import of_distinct

BLOCKS = ("k3_e1", "k3_e1_g2", "k3_e3", "k3_e6", "k5_e1", "k5_e1_g2", "k5_e3", "k5_e6", "skip")
SKIP = BLOCKS.index("skip")
STEM, HEAD = 16, 1504
# Blocks, channels and stride of each stage; the paper's strides for ImageNet are those of its larger images.
STAGES = ((1, 16, 1), (4, 24, 1), (4, 32, 2), (4, 64, 2), (4, 112, 1), (4, 184, 2), (1, 352, 1))
NAME = re.compile(r"[0-8](_[0-8]){21}")

ARCHITECTURES = 5_000
CANONICAL = 5_000
COLUMNS = ("depth", "skip")
TASKS = {"cifar100": {"classes": 100, "resolution": 32}}
LISTED = {("fbnet", "fbnet_latency.parquet"): "https://github.com/HayeonLee/HELP/tree/main/data"}


def architectures(path):
    """The networks of HELP's folder or of a table, by name.

    `params` and `macs` (convolutions and classifier) are those built. `depth` is the number of convolutions from input
    to output, `skip` that of blocks that are skips.
    """
    listed = help_fbnet.names(path) if Path(path).is_dir() else tables.columns(path, ["arch"]).arch
    names = pd.Series(sorted(listed), dtype="str")
    codes = [parse(name) for name in names]
    params, macs = zip(*map(size, codes))
    depth = [2 + sum(convolutions(*layer) for layer in layers(code)) for code in codes]
    return of_distinct(names, params, macs, depth=depth, skip=[code.count(SKIP) for code in codes])


def parse(arch):
    """The 22 choices of a name. Raises ValueError for any other name."""
    if not NAME.fullmatch(arch):
        raise ValueError(f"'{arch}' is not the name of an FBNet network")
    return tuple(map(int, arch.split("_")))


def layers(code):
    """Each block's choice, input channels, channels and stride, in order of execution."""
    before, choices = STEM, iter(code)
    for blocks, channels, stride in STAGES:
        for number in range(blocks):
            yield next(choices), before, channels, 1 if number else stride
            before = channels


def convolutions(choice, channels_in, channels, stride):
    """How many convolutions a block is."""
    return 3 if choice != SKIP else int((channels_in, stride) != (channels, 1))


def block_facts(choice):
    """Kernel, expansion and groups of an inverted residual."""
    kernel, expansion, *groups = (int(part[1:]) for part in BLOCKS[choice].split("_"))
    return kernel, expansion, *(groups or [1])


def size(code):
    """Parameters and multiply-accumulates."""
    classes, side = TASKS["cifar100"].values()
    params, macs = 27 * STEM + 2 * STEM, 27 * STEM * side**2
    for choice, before, channels, stride in layers(code):
        inside, side = side, side // stride
        if choice != SKIP:
            kernel, expansion, groups = block_facts(choice)
            hidden = before * expansion
            expand, rest = before * hidden // groups, hidden * kernel**2 + hidden * channels // groups
            params += expand + rest + 4 * hidden + 2 * channels
            macs += expand * inside**2 + rest * side**2
        elif convolutions(choice, before, channels, stride):
            params += before * channels + 2 * channels
            macs += before * channels * side**2
    params += channels * HEAD + 2 * HEAD + (HEAD + 1) * classes
    return params, macs + channels * HEAD * side**2 + HEAD * classes


def build(arch, task):
    """The network of a name for one of TASKS. Initial weights of convolutions are He's for their fan-out (normal) and
    the classifier's normal with deviation 0.001, as HW-NAS-Bench's."""
    return Network(parse(arch), TASKS[task]["classes"])


class Network(nn.Module):
    """Stem, blocks, head and classifier; a skip that changes no shape is no module."""

    def __init__(self, code, classes):
        super().__init__()
        *_, (_, _, channels, _) = layers(code)
        self.stem = nn.Sequential(*convolution(3, STEM, 3), nn.ReLU())
        self.cells = nn.Sequential(*(block(*layer) for layer in layers(code) if convolutions(*layer)))
        self.head = nn.Sequential(*convolution(channels, HEAD, 1), nn.ReLU())
        self.classifier = nn.Linear(HEAD, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
        nn.init.normal_(self.classifier.weight, std=0.001)
        nn.init.zeros_(self.classifier.bias)

    @property
    def blocks(self):
        """The stem, then the blocks that are no mere skips."""
        return [self.stem, *self.cells]

    def forward_features(self, images):
        return self.head(self.cells(self.stem(images)))

    def forward(self, images):
        return self.classifier(self.forward_features(images).mean((2, 3)))


def block(choice, channels_in, channels, stride):
    if choice == SKIP:
        return nn.Sequential(*convolution(channels_in, channels, 1, stride), nn.ReLU())
    return InvertedResidual(channels_in, channels, stride, *block_facts(choice))


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution and projection; a residual where the shape stays.

    Groups are of the 1x1 convolutions; the channels between are shuffled, so that groups meet.
    """

    def __init__(self, channels_in, channels, stride, kernel, expansion, groups):
        super().__init__()
        hidden = channels_in * expansion
        shuffle = [nn.ChannelShuffle(groups)] if groups > 1 else []
        self.body = nn.Sequential(
            *(*convolution(channels_in, hidden, 1, groups=groups), nn.ReLU(), *shuffle),
            *(*convolution(hidden, hidden, kernel, stride, groups=hidden), nn.ReLU()),
            *convolution(hidden, channels, 1, groups=groups),
        )
        self.residual = (channels_in, stride) == (channels, 1)

    def forward(self, x):
        return x + self.body(x) if self.residual else self.body(x)


def convolution(channels, out, kernel, stride=1, groups=1):
    """A convolution and its BatchNorm."""
    return nn.Conv2d(channels, out, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(out)

"""Accel-NASBench (Ahmad et al., 2024), the mobile space of MnasNet: 5 125 networks trained on ImageNet.

A network is a stem, seven blocks of inverted residual layers and a head, with the widths and strides of EfficientNet-B0
and a plain 3 x 3 stem. Each block chooses its expansion (1, 4, 6), kernel (3, 5), number of layers and whether its
layers squeeze and excite. An architecture is named by these choices, block by block: `e6464611-k3535533-l1233222-s...`.

The space has billions of members, so it is listed: its members are those that the benchmark trained, 5 138 networks of
which 13 came twice. All are different networks without dead operations. Squeezed channels are a quarter of a layer's
input. The activation is ReLU, and what scales channels a hard sigmoid, as the benchmark's code for training has them
for accelerators (ANB-DatasetCollection); the stochastic depth and the dropout it trains with are left out.
"""

import itertools
import re

import pandas as pd
from torch import nn

from zsnas.readers import accel_nasbench
from zsnas.spaces._index import of_distinct

CHANNELS = (32, 16, 24, 40, 80, 112, 192, 320)
STRIDES = (1, 2, 2, 2, 1, 2, 1)
HEAD = 1280
NAME = re.compile(r"e([146]{7})-k([35]{7})-l([1-4]{7})-s([01]{7})")

ARCHITECTURES = 5_125
CANONICAL = 5_125
COLUMNS = ("depth",)
TASKS = {"imagenet": {"classes": 1000, "resolution": 224}}
LISTED = {("anb_dataset_jsons.tar.gz", "accel_nasbench_imagenet.parquet"): "https://github.com/afzalxo/Accel-NASBench"}


def architectures(records):
    """The networks of the benchmark's records, by name. `params` and `macs` are the benchmark's.

    `depth` is the number of convolutions from input to output, without those of squeeze and excitation.
    """
    names = pd.Series(sorted(set(accel_nasbench.names(records))), dtype="str")
    sizes = [size(parse(name)) for name in names]
    return of_distinct(
        names,
        params=[params for params, _ in sizes],
        macs=[macs for _, macs in sizes],
        depth=[2 + sum(2 + (e > 1) for e, *_ in layers(parse(name))) for name in names],
    )


def parse(arch):
    """Expansions, kernels, layers and squeezes of a name's seven blocks. Raises ValueError for any other name."""
    match = NAME.fullmatch(arch)
    if not match:
        raise ValueError(f"'{arch}' is not the name of an Accel-NASBench network")
    return tuple(tuple(map(int, digits)) for digits in match.groups())


def layers(blocks):
    """Each layer's expansion, kernel, squeeze, input channels, output channels and stride, in order of execution."""
    for block, (expansion, kernel, count, squeeze) in enumerate(zip(*blocks)):
        for layer in range(count):
            channels = CHANNELS[block + (layer > 0)]
            yield expansion, kernel, squeeze, channels, CHANNELS[block + 1], 1 if layer else STRIDES[block]


def size(blocks):
    """Parameters, and multiply-accumulates as the benchmark counts them.

    It counts four for each value of a BatchNorm and, for each mean over a map, its positions and one more.
    """
    side, classes = 112, TASKS["imagenet"]["classes"]
    params = 3 * CHANNELS[0] * 9 + 2 * CHANNELS[0]
    macs = (3 * 9 + 4) * CHANNELS[0] * side**2
    for expansion, kernel, squeeze, channels, out, stride in layers(blocks):
        hidden = channels * expansion
        if expansion > 1:
            params += hidden * (channels + 2)
            macs += hidden * (channels + 4) * side**2
        side //= stride
        params += hidden * (kernel**2 + 2) + out * (hidden + 2)
        macs += (hidden * (kernel**2 + 4) + out * (hidden + 4)) * side**2
        if squeeze:
            squeezed = channels // 4
            params += 2 * hidden * squeezed + hidden + squeezed
            macs += hidden * (side**2 + 1) + 2 * hidden * squeezed
    params += HEAD * (CHANNELS[-1] + 2) + (HEAD + 1) * classes
    macs += HEAD * ((CHANNELS[-1] + 4) * side**2 + side**2 + 1 + classes)
    return params, macs


def build(arch, task):
    """The network of a name for one of TASKS, with the benchmark's initial weights.

    These are torchvision's of EfficientNet: He's normal ones for the fan-out of convolutions, uniform ones up to one
    over the root of the classes, and biases of zero.
    """
    return Network(parse(arch), TASKS[task]["classes"])


class Network(nn.Module):
    """Stem, inverted residual layers, head and classifier."""

    def __init__(self, blocks, classes):
        super().__init__()
        self.stem = nn.Sequential(*convolution(3, CHANNELS[0], 3, stride=2), nn.ReLU())
        self.layers = nn.Sequential(*(InvertedResidual(*layer) for layer in layers(blocks)))
        ends = itertools.accumulate(blocks[2])
        self.ends = [end - 1 for end in ends]
        self.head = nn.Sequential(*convolution(CHANNELS[-1], HEAD, 1), nn.ReLU())
        self.classifier = nn.Linear(HEAD, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.uniform_(self.classifier.weight, -(classes**-0.5), classes**-0.5)
        nn.init.zeros_(self.classifier.bias)

    @property
    def blocks(self):
        """The stem, then the last layer of each block."""
        return [self.stem, *(self.layers[end] for end in self.ends)]

    def forward_features(self, images):
        return self.head(self.layers(self.stem(images)))

    def forward(self, images):
        return self.classifier(self.forward_features(images).mean((2, 3)))


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution, squeeze and excitation, projection; a residual where the shape stays."""

    def __init__(self, expansion, kernel, squeeze, channels, out, stride):
        super().__init__()
        hidden = channels * expansion
        expand = [*convolution(channels, hidden, 1), nn.ReLU()] if expansion > 1 else []
        depthwise = [*convolution(hidden, hidden, kernel, stride, groups=hidden), nn.ReLU()]
        excite = [SqueezeExcitation(hidden, channels // 4)] if squeeze else []
        self.body = nn.Sequential(*expand, *depthwise, *excite, *convolution(hidden, out, 1))
        self.residual = stride == 1 and channels == out

    def forward(self, x):
        return x + self.body(x) if self.residual else self.body(x)


class SqueezeExcitation(nn.Module):
    """Each channel scaled by a gate that reads the means of all."""

    def __init__(self, channels, squeezed):
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.rectify = nn.ReLU()
        self.excite = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x):
        gate = self.excite(self.rectify(self.squeeze(x.mean((2, 3), keepdim=True))))
        return x * (gate / 6 + 0.5).clamp(0, 1)  # torch's own hard sigmoid cannot be differentiated twice


def convolution(channels, out, kernel, stride=1, groups=1):
    """A convolution and its BatchNorm."""
    return nn.Conv2d(channels, out, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(out)

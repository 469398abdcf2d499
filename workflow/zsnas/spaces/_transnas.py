"""What both spaces of TransNAS-Bench-101 share: the seven tasks, the stem, and head and loss of each task.

The stem quarters the resolution. Then come a space's cells, and the task's head: pooling and a linear layer, or a
decoder of eight or fourteen layers that gives one value or more for each pixel, as often doubling the resolution as the
encoder has halved it.

The tasks' losses are the benchmark's, on which data-driven proxies stand: cross-entropy per image or pixel, mean
squared error (`room_layout`), mean absolute error (`normal`, `autoencoder`; the benchmark adds a hundredth of an
adversarial loss, which needs a second network and is left out). Scenes and objects have probabilities of classes for
labels there, and 1e-5 is added to what is predicted; here each image has one class. `jigsaw` shows nine tiles in a
random order; here they are an image cut in nine, and pass the encoder as one batch, so that BatchNorm sees them
together. What a proxy reads of a sample it reads of all tiles of an image.
"""

import itertools

from torch import nn
from torch.nn import functional as F

from zsnas.spaces.nasbench201 import ReLUConvBN

TASKS = {
    "class_scene": {"classes": 47, "resolution": 256},
    "class_object": {"classes": 75, "resolution": 256},
    "jigsaw": {"classes": 1000, "resolution": 192},
    "room_layout": {"values": 9, "resolution": 256},
    "segmentsemantic": {"classes": 17, "resolution": 256, "pixels": 256},
    "normal": {"values": 3, "resolution": 256, "pixels": 256},
    "autoencoder": {"values": 3, "resolution": 256, "pixels": 256},
}
STEM_CHANNELS = 64
TILES = 3
LOSSES = {"room_layout": F.mse_loss, "normal": F.l1_loss, "autoencoder": F.l1_loss}


def stem_sizes(resolution):
    """Parameters and multiply-accumulates of the stem, and the positions of the map it gives."""
    half, positions = STEM_CHANNELS // 2, (resolution // 4) ** 2
    weights = 27 * half, 9 * half * STEM_CHANNELS
    params = sum(weights) + 2 * half + 2 * STEM_CHANNELS
    return params, 4 * weights[0] * positions + weights[1] * positions, positions


def network(cells, features, halvings, task, facts):
    """The network of a space's cells for a task of given facts.

    features: channels of the last cell; halvings: how often the cells halve the resolution. Initial weights of the
    encoder's convolutions are He's for their fan-out (normal), as in the benchmark, others torch's.
    """
    return (Jigsaw if task == "jigsaw" else Network)(cells, features, halvings, task, facts)


class Network(nn.Module):
    """Encoder and the task's head; `loss` is the task's."""

    def __init__(self, cells, features, halvings, task, facts):
        super().__init__()
        half = STEM_CHANNELS // 2
        self.stem = nn.Sequential(
            nn.Conv2d(3, half, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(half),
            ReLUConvBN(half, STEM_CHANNELS, 3, stride=2),
        )
        self.cells = nn.Sequential(*cells)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        self.head = head(features, halvings, task, facts)
        self.loss = LOSSES.get(task, F.cross_entropy)

    @property
    def blocks(self):
        """The stem, then the cells."""
        return [self.stem, *self.cells]

    def forward_features(self, images):
        return self.cells(self.stem(images))

    def forward(self, images):
        return self.head(self.forward_features(images))


class Jigsaw(Network):
    """A network that cuts its images into tiles and joins what the encoder says of each."""

    def forward_features(self, images):
        side = images.shape[2] // TILES
        rows = images[:, :, : TILES * side, : TILES * side].unfold(2, side, side).unfold(3, side, side)
        return self.cells(self.stem(rows.permute(0, 2, 3, 1, 4, 5).flatten(0, 2)))

    def forward(self, images):
        pooled = self.forward_features(images).mean((2, 3))
        return self.head(pooled.view(len(images), -1))


def head(features, halvings, task, facts):
    """What turns feature maps [B, features, H, H] into a task's outputs."""
    doublings = halvings + 2
    if task == "jigsaw":
        return nn.Linear(TILES**2 * features, facts["classes"])
    if "pixels" not in facts:
        last = nn.Linear(features, facts.get("classes") or facts["values"])
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), last)
    if task == "segmentsemantic":
        widths = (features, 1024, 512, 256, 128, 64, 32, 32)
        doubling = (2, 3, 4, 5, 6, 7)[-doublings:]
        last = [nn.Conv2d(widths[-1], facts["classes"], 3, padding=1)]
    else:
        widths = (features, 1024, 1024, 512, 512, 256, 128, 64, 64, 32, 32, 16, 32, 16)
        doubling = (3, 5, 7, 9, 11, 13)[-doublings:]
        last = [nn.Conv2d(widths[-1], facts["values"], 3, padding=1), nn.Tanh()]
    layers = [
        decoder_layer(before, width, number in doubling)
        for number, (before, width) in enumerate(itertools.pairwise(widths), 1)
    ]
    return nn.Sequential(*layers, *last)


def decoder_layer(channels_in, channels, double):
    """A 3x3 convolution, transposed where it doubles the resolution, with BatchNorm and leaky ReLU."""
    convolution = (
        nn.ConvTranspose2d(channels_in, channels, 3, stride=2, padding=1, output_padding=1)
        if double
        else nn.Conv2d(channels_in, channels, 3, padding=1)
    )
    return nn.Sequential(convolution, nn.BatchNorm2d(channels), nn.LeakyReLU(0.2))

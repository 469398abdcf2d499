"""PiT (Heo et al., 2021): vision transformers in three stages, with pooling of tokens between them.

A transformer chooses the channels of a head (16 to 40), the ratio of hidden layers (2 to 8), and for each stage its
layers and heads. Patches of 16 x 16 pixels are taken every 8 pixels; between stages a strided depthwise convolution
halves the map and a linear layer follows with the class token, which the classifier reads. Heads of a later stage are
a multiple of those before, as depthwise convolutions ask. An architecture is named by the JSON that Auto-Prox (Dong et
al., 2024) publishes. The space is listed: 100 members, all different networks.
"""

import itertools
import json

import pandas as pd
import torch
from torch import nn

from zsnas.readers import vit_bench
from zsnas.spaces._index import of_distinct
from zsnas.spaces.autoformer import Layer, layer_macs, layer_parameters

PATCH, STRIDE, STAGES = 16, 8, 3
CHOICES = {"base_dim": (16, 24, 32, 40), "mlp_ratio": (2, 4, 6, 8), "num_heads": (2, 4, 8)}
DEPTHS = (1, 2, 3), (4, 6, 8), (2, 4, 6)

ARCHITECTURES = 100
CANONICAL = 100
COLUMNS = ("depth",)
TASKS = {
    "cifar100": {"classes": 100, "resolution": 224},
    "flowers": {"classes": 102, "resolution": 224},
    "chaoyang": {"classes": 4, "resolution": 224},
}
NETWORKS = "transformer"
ACTIVATION = "GELU"
LISTED = {("gt_results", "vit_bench_101.parquet"): "https://github.com/lliai/Auto-Prox-AAAI24"}


def architectures(path):
    """The transformers of the benchmark's files, by name; `params` and `macs` with the 100 classes of CIFAR-100.

    `depth` is the number of layers. Multiply-accumulates are those of convolutions, linear layers and attention.
    """
    names = pd.Series(sorted(vit_bench.names(path, "pit")), dtype="str")
    choices = names.map(parse)
    sizes = choices.map(size)
    return of_distinct(
        names,
        params=[params for params, _ in sizes],
        macs=[macs for _, macs in sizes],
        depth=choices.map(lambda choice: sum(choice["depth"])),
    )


def parse(arch):
    """A name's choices. Raises ValueError if it is not the name of a transformer of the space."""
    try:
        written = json.loads(arch)
        choice = {name: int(written[name]) for name in ("base_dim", "mlp_ratio")}
        choice |= {name: [int(value) for value in written[name]] for name in ("depth", "num_heads")}
        known = json.dumps(choice, sort_keys=True) == arch  # one name for each transformer
        known &= all(choice[name] in CHOICES[name] for name in ("base_dim", "mlp_ratio"))
        known &= len(choice["num_heads"]) == STAGES and set(choice["num_heads"]) <= set(CHOICES["num_heads"])
        known &= all(later % before == 0 for before, later in itertools.pairwise(choice["num_heads"]))
        known &= len(choice["depth"]) == STAGES and all(depth in of for depth, of in zip(choice["depth"], DEPTHS))
    except (ValueError, TypeError, KeyError, ArithmeticError):  # the last of heads of 0, and of Infinity
        known = False
    if not known:
        raise ValueError(f"'{arch}' is not the name of a PiT transformer")
    return choice


def widths(choice):
    """Channels of each stage."""
    return [choice["base_dim"] * heads for heads in choice["num_heads"]]


def size(choice):
    """Parameters and multiply-accumulates, of the CIFAR-100 network."""
    classes, resolution = TASKS["cifar100"].values()
    width, side = widths(choice), (resolution - PATCH) // STRIDE + 1
    params = (3 * PATCH**2 + 1) * width[0] + side**2 * width[0] + width[0]
    macs = 3 * PATCH**2 * width[0] * side**2
    for stage in range(STAGES):
        if stage:
            before, now = width[stage - 1 : stage + 1]
            side = (side - 1) // 2 + 1
            params += 10 * now + (before + 1) * now
            macs += 9 * now * side**2 + before * now
        params += choice["depth"][stage] * layer_parameters(width[stage], width[stage], choice["mlp_ratio"])
        macs += choice["depth"][stage] * layer_macs(width[stage], width[stage], choice["mlp_ratio"], side**2 + 1)
    return params + 2 * width[-1] + (width[-1] + 1) * classes, macs + width[-1] * classes


def build(arch, task):
    """The transformer of a name for one of TASKS; positions and class token as the authors', else torch's weights."""
    return Network(parse(arch), **TASKS[task])


class Network(nn.Module):
    """Patch embedding and positions, stages with pooling between them, and a classifier of the class token."""

    def __init__(self, choice, classes, resolution):
        super().__init__()
        width, side = widths(choice), (resolution - PATCH) // STRIDE + 1
        self.embed = nn.Conv2d(3, width[0], PATCH, STRIDE)
        self.token = nn.Parameter(torch.zeros(1, 1, width[0]))
        self.position = nn.Parameter(torch.zeros(1, width[0], side, side))
        self.tokens = nn.Identity()
        self.stages = nn.ModuleList(
            nn.Sequential(*(Layer(wide, heads, choice["base_dim"], choice["mlp_ratio"]) for _ in range(depth)))
            for wide, heads, depth in zip(width, choice["num_heads"], choice["depth"])
        )
        self.pools = nn.ModuleList(Pooling(*pair) for pair in itertools.pairwise(width))
        self.norm = nn.LayerNorm(width[-1], eps=1e-6)
        self.classifier = nn.Linear(width[-1], classes)
        for parameter in (self.token, self.position):
            nn.init.trunc_normal_(parameter, std=0.02)

    @property
    def blocks(self):
        """The embedded tokens, then the layers."""
        return [self.tokens, *(layer for stage in self.stages for layer in stage)]

    def last_tokens(self, images):
        """Tokens [B, N, width] after all layers, the class token first, and the side of their map."""
        patches = self.embed(images) + self.position
        side = patches.shape[2]
        token = self.token.expand(len(images), -1, -1)
        tokens = self.tokens(torch.cat([token, patches.flatten(2).transpose(1, 2)], 1))
        for stage, pool in zip(self.stages, self.pools):
            tokens, side = pool(stage(tokens), side)
        return self.stages[-1](tokens), side

    def forward_features(self, images):
        tokens, side = self.last_tokens(images)
        return self.norm(tokens[:, 1:]).transpose(1, 2).unflatten(2, (side, side))

    def forward(self, images):
        return self.classifier(self.norm(self.last_tokens(images)[0][:, 0]))


class Pooling(nn.Module):
    """A strided depthwise convolution of the patches' map; a linear layer of the class token."""

    def __init__(self, width, wider):
        super().__init__()
        self.convolve = nn.Conv2d(width, wider, 3, stride=2, padding=1, groups=width)
        self.widen = nn.Linear(width, wider)

    def forward(self, tokens, side):
        patches = self.convolve(tokens[:, 1:].transpose(1, 2).unflatten(2, (side, side)))
        return torch.cat([self.widen(tokens[:, :1]), patches.flatten(2).transpose(1, 2)], 1), patches.shape[2]

"""AutoFormer-Ti (Chen et al., 2021): vision transformers whose layers choose their heads and width.

A transformer has a width (192, 216 or 240) and 12 to 14 layers, each with 3 or 4 heads and a hidden layer of 3.5 or 4
widths. Patches are 16 x 16 pixels; the classifier reads the mean of the patches' tokens. An architecture is named by
the JSON that Auto-Prox (Dong et al., 2024) publishes with the truth.

A head has 64 channels, as in AutoFormer and in the supernet of ImageNet's accuracies, without relative positions. The
networks that Auto-Prox trained for the other tasks share the width out among heads: their number changes neither params
nor macs, so that both rank alike (docs/results/autoformer says how).

The space has some 10^9 members, so it is listed: 200 of them, all different networks of 5.4 to 9.6 million parameters.
"""

import json
import math

import pandas as pd
import torch
from torch import nn

from zsnas.readers import vit_bench
from zsnas.spaces._index import of_distinct

PATCH, HEAD = 16, 64
HIDDEN, HEADS, RATIOS, DEPTHS = (192, 216, 240), (3, 4), (3.5, 4.0), (12, 13, 14)

ARCHITECTURES = 200
CANONICAL = 200
COLUMNS = ("depth",)
TASKS = {
    "cifar100": {"classes": 100, "resolution": 224},
    "flowers": {"classes": 102, "resolution": 224},
    "chaoyang": {"classes": 4, "resolution": 224},
    "imagenet": {"classes": 1000, "resolution": 224},
}
NETWORKS = "transformer"
ACTIVATION = "GELU"
LISTED = {("gt_results", "vit_bench_101.parquet"): "https://github.com/lliai/Auto-Prox-AAAI24"}


def architectures(path):
    """The transformers of the benchmark's files, by name; `params` and `macs` with the 100 classes of CIFAR-100.

    `depth` is the number of layers. Multiply-accumulates are those of convolutions, linear layers and attention.
    """
    names = pd.Series(sorted(vit_bench.names(path, "autoformer")), dtype="str")
    choices = names.map(parse)
    return of_distinct(
        names,
        *zip(*choices.map(size)),
        depth=choices.map(lambda choice: choice["depth"]),
    )


def parse(arch):
    """A name's choices. Raises ValueError if it is not the name of a transformer of the space."""
    try:
        written = json.loads(arch)
        choice = {name: int(written[name]) for name in ("depth", "hidden_dim")}
        choice |= {"mlp_ratio": [*map(float, written["mlp_ratio"])], "num_heads": [*map(int, written["num_heads"])]}
        known = json.dumps(choice, sort_keys=True) == arch  # one name for each transformer
        known &= choice["hidden_dim"] in HIDDEN and choice["depth"] in DEPTHS
        layers = [(choice["num_heads"], HEADS), (choice["mlp_ratio"], RATIOS)]
        known &= all(len(values) == choice["depth"] and set(values) <= set(allowed) for values, allowed in layers)
    except (ValueError, TypeError, KeyError, OverflowError):  # the last of Infinity
        known = False
    if not known:
        raise ValueError(f"'{arch}' is not the name of an AutoFormer-Ti transformer")
    return choice


def size(choice):
    """Parameters and multiply-accumulates, of the CIFAR-100 network."""
    classes, resolution = TASKS["cifar100"].values()
    width, patches = choice["hidden_dim"], (resolution // PATCH) ** 2
    params = (3 * PATCH**2 + 1) * width + (patches + 2) * width + 2 * width + (width + 1) * classes
    macs = 3 * PATCH**2 * width * patches + width * classes
    for heads, ratio in zip(choice["num_heads"], choice["mlp_ratio"]):
        params += layer_parameters(width, heads * HEAD, ratio)
        macs += layer_macs(width, heads * HEAD, ratio, patches + 1)
    return params, macs


def layer_parameters(width, inner, ratio):
    """Parameters of a layer: attention of `inner` channels in all heads, hidden layer, two norms."""
    hidden = int(width * ratio)
    return 4 * width * inner + 3 * inner + 2 * width * hidden + hidden + 2 * width + 4 * width


def layer_macs(width, inner, ratio, tokens):
    """Multiply-accumulates of a layer: its linear layers, and attention's two products of all pairs of tokens."""
    return tokens * (4 * width * inner + 2 * width * int(width * ratio)) + 2 * tokens**2 * inner


def build(arch, task):
    """The transformer of a name for one of TASKS; the initial weights are the authors'."""
    return Network(parse(arch), **TASKS[task])


class Network(nn.Module):
    """Patch embedding, class token and positions, layers, and a classifier of the patches' mean."""

    def __init__(self, choice, classes, resolution):
        super().__init__()
        width = choice["hidden_dim"]
        self.side = resolution // PATCH
        self.embed = nn.Conv2d(3, width, PATCH, PATCH)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.position = nn.Parameter(torch.zeros(1, self.side**2 + 1, width))
        self.tokens = nn.Identity()
        self.layers = nn.Sequential(
            *(Layer(width, heads, HEAD, ratio) for heads, ratio in zip(choice["num_heads"], choice["mlp_ratio"]))
        )
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.classifier = nn.Linear(width, classes)
        for parameter in (self.token, self.position):
            nn.init.trunc_normal_(parameter, std=0.02)
        self.apply(initialise)

    @property
    def blocks(self):
        """The embedded tokens, then the layers."""
        return [self.tokens, *self.layers]

    def forward_features(self, images):
        patches = self.embed(images).flatten(2).transpose(1, 2)
        tokens = self.tokens(torch.cat([self.token.expand(len(images), -1, -1), patches], 1) + self.position)
        patches = self.norm(self.layers(tokens))[:, 1:]
        return patches.transpose(1, 2).unflatten(2, (self.side, self.side))

    def forward(self, images):
        return self.classifier(self.forward_features(images).mean((2, 3)))


class Layer(nn.Module):
    """A layer of a transformer on tokens [B, N, width]: attention, then a hidden layer, each after its norm."""

    def __init__(self, width, heads, head, ratio):
        super().__init__()
        self.attention_norm = nn.LayerNorm(width, eps=1e-6)
        self.attention = Attention(width, heads, head)
        self.hidden_norm = nn.LayerNorm(width, eps=1e-6)
        hidden = int(width * ratio)
        self.hidden = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, tokens):
        tokens = tokens + self.attention(self.attention_norm(tokens))
        return tokens + self.hidden(self.hidden_norm(tokens))


class Attention(nn.Module):
    """Attention with its products spelled out: torch's fused kernel cannot be differentiated twice."""

    def __init__(self, width, heads, head):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * heads * head)
        self.project = nn.Linear(heads * head, width)

    def forward(self, tokens):
        parts = self.qkv(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        queries, keys, values = parts.unbind()
        shares = (queries @ keys.mT / math.sqrt(queries.shape[-1])).softmax(-1)
        return self.project((shares @ values).transpose(1, 2).flatten(2))


def initialise(module):
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)

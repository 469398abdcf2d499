"""ResNet, Wide-ResNet, ResNeXt, RegNet, DenseNet and MobileNet-v2 families on ImageNet-1k, as timm builds them.

A member is named as in timm, `resnet50` for instance. The truth is timm's own table of results, in which one network
occurs with several training recipes; each recipe (timm's tag) is a truth of its own, so that only accuracies of one
recipe are compared, at 224 x 224 pixels. Few networks have the same recipe: a truth has 7 to 24 of them, the most the
one of RegNet's authors (`pycls_in1k`).

Networks start with timm's initial weights, but the last BatchNorm of a residual branch scales by one, where timm has
zero: then every branch would be silent, and with it most scores.
"""

import pandas as pd
import timm
import torch
from timm.layers import BatchNormAct2d
from timm.models import densenet, efficientnet, regnet, resnet
from torch import nn

from zsnas.spaces._index import of_distinct

NAMES = (
    *("resnet10t", "resnet14t", "resnet18", "resnet18d", "resnet26", "resnet26d", "resnet26t", "resnet34", "resnet34d"),
    *("resnet50", "resnet50c", "resnet50d", "resnet50s", "resnet101", "resnet101c", "resnet101d", "resnet101s"),
    *("resnet152", "resnet152c", "resnet152d", "resnet152s", "resnet200d"),
    *("wide_resnet50_2", "wide_resnet101_2"),
    *("resnext50_32x4d", "resnext50d_32x4d", "resnext101_32x4d", "resnext101_32x8d", "resnext101_64x4d"),
    *("resnext101_32x16d", "resnext101_32x32d"),
    *("regnetx_002", "regnetx_004", "regnetx_004_tv", "regnetx_006", "regnetx_008", "regnetx_016", "regnetx_032"),
    *("regnetx_040", "regnetx_064", "regnetx_080", "regnetx_120", "regnetx_160", "regnetx_320"),
    *("regnety_002", "regnety_004", "regnety_006", "regnety_008", "regnety_008_tv", "regnety_016", "regnety_032"),
    *("regnety_040", "regnety_064", "regnety_080", "regnety_080_tv", "regnety_120", "regnety_160", "regnety_320"),
    *("densenet121", "densenet161", "densenet169", "densenet201"),
    *("mobilenetv2_050", "mobilenetv2_100", "mobilenetv2_110d", "mobilenetv2_120d", "mobilenetv2_140"),
)

ARCHITECTURES = 67
CANONICAL = 67
COLUMNS = ("depth",)
TASKS = {"imagenet": {"classes": 1000, "resolution": 224}}


def architectures():
    """All networks, by name. `params` and `macs` (of convolutions and classifier) are those of the network built.

    `depth` is the number of convolutions and linear layers.
    """
    sizes = pd.DataFrame([size(name) for name in sorted(NAMES)])
    return of_distinct(sizes.name, sizes.params, sizes.macs, depth=sizes.depth)


def size(name):
    """Parameters, multiply-accumulates and layers of a network, without computing or keeping any weight."""
    with torch.device("meta"):
        net, images = build(name, "imagenet").eval(), torch.zeros(1, 3, 224, 224)
    counted = []

    def count(layer, _, output):
        counted.append(output.numel() * layer.weight[0].numel())

    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.register_forward_hook(count)
    net(images)
    params = sum(parameter.numel() for parameter in net.parameters())
    return {"name": name, "params": params, "macs": sum(counted), "depth": len(counted)}


def build(arch, task):
    """The network of a name for one of TASKS. Raises ValueError for any other name."""
    if arch not in NAMES:
        raise ValueError(f"'{arch}' is not one of the networks of imagenet_cnn")
    net = timm.create_model(arch, num_classes=TASKS[task]["classes"])
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
    return KINDS[type(net)](separated(net))


def separated(net):
    """The network with timm's BatchNorms that hold their activation taken apart into BatchNorm and activation."""
    for module in list(net.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, BatchNormAct2d):
                norm = nn.BatchNorm2d(child.num_features, child.eps, child.momentum)
                setattr(module, name, nn.Sequential(norm, child.act))
    return net


class Network(nn.Module):
    """A network of timm's with the names the space's contract asks for."""

    def __init__(self, net):
        super().__init__()
        self.net = net
        rectifiers = [module for module in net.modules() if isinstance(module, (nn.ReLU, nn.ReLU6))]
        for module in rectifiers:
            module.inplace = False  # others read what a layer gave

    def forward_features(self, images):
        return self.net.forward_features(images)

    def forward(self, images):
        return self.net(images)


class ResNet(Network):
    @property
    def blocks(self):
        """The stem with its pooling, then the residual blocks."""
        stages = [self.net.layer1, self.net.layer2, self.net.layer3, self.net.layer4]
        return [self.net.maxpool, *(block for stage in stages for block in stage)]


class RegNet(Network):
    @property
    def blocks(self):
        """The stem, then the residual blocks."""
        stages = [self.net.s1, self.net.s2, self.net.s3, self.net.s4]
        return [self.net.stem, *(block for stage in stages for block in stage.children())]


class DenseNet(Network):
    @property
    def blocks(self):
        """The stem with its pooling, then dense blocks and the transitions between them."""
        maps = ("pool", "denseblock", "transition")
        return [module for name, module in self.net.features.named_children() if name.startswith(maps)]


class MobileNet(Network):
    @property
    def blocks(self):
        """The stem, then the inverted residuals."""
        return [self.net.bn1, *(block for stage in self.net.blocks for block in stage)]


KINDS = {
    resnet.ResNet: ResNet,
    regnet.RegNet: RegNet,
    densenet.DenseNet: DenseNet,
    efficientnet.EfficientNet: MobileNet,
}

"""Every network proxy gives what its formula, computed in the most straightforward way, gives."""

import dataclasses

import naive
import pytest
import torch
from torch import nn

from zsnas import engine, registry
from zsnas.conformance import FormulaSubject
from zsnas.inputs import minibatches
from zsnas.proxies.meco import meco
from zsnas.score import Subject
from zsnas.spaces import _transnas, nasbench201, transnas_micro

ARCHS = {
    "cifar10": [
        "|nor_conv_3x3~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|",
        "|avg_pool_3x3~0|+|none~0|nor_conv_1x1~1|+|nor_conv_1x1~0|skip_connect~1|avg_pool_3x3~2|",
    ],
    # More classes than tensors, for which vkdnw takes other derivatives.
    "imagenet16-120": ["|nor_conv_1x1~0|+|none~0|skip_connect~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"],
}
DEAD = "|skip_connect~0|+|none~0|nor_conv_1x1~1|+|avg_pool_3x3~0|skip_connect~1|none~2|"  # a convolution to nowhere
CASES = [(task, arch) for task, archs in ARCHS.items() for arch in archs] + [
    ("as published", DEAD),
    ("tiles", "3_12_023"),
]
TOLERANCE = 1e-9
EXCEPTIONS = {
    "synflow_bn": 1e-6,  # all-ones images leave channels of nearly no variance, whose BatchNorm amplifies rounding
}
NETWORK = [
    proxy
    for proxy in registry.proxies().values()
    if proxy.of_networks and not registry.reason_against(proxy.name, "nasbench201")
]


class Tiles:
    """A space whose networks cut their images into tiles, as those of TransNAS-Bench-101's jigsaw."""

    def build(arch, task):
        edges = nasbench201.connecting_edges(arch, transnas_micro.parse(f"64-41414-{arch}"))
        cells = (transnas_micro.Cell(edges, into, 16, stride) for into, stride in ((64, 2), (16, 1)))
        return _transnas.Jigsaw(cells, 16, 1, "jigsaw", {"classes": 10})


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]} {case[1]}")
def subject(request):
    """A network in double precision and minibatches of eight samples of a few classes, or one of formula values."""
    task, arch = request.param
    if task == "as published":
        return FormulaSubject(arch)
    if task == "tiles":
        (inputs, labels), second = minibatches("noise", "cifar10", {"classes": 10, "resolution": 48}, 4, 0)
        return Subject(Tiles, arch, task, 0, "float64", [(inputs, labels % 3), second], "cpu")
    batches = minibatches("noise", task, nasbench201.TASKS[task], 8, 0)
    return Subject(nasbench201, arch, task, 0, "float64", [(inputs, labels % 3) for inputs, labels in batches], "cpu")


@pytest.fixture(scope="module")
def ours(subject):
    doubled = [dataclasses.replace(proxy, precision="float64") for proxy in NETWORK]
    return {score.proxy: score for score in engine.score(doubled, {"float64": subject})}


def test_every_proxy_has_a_second_implementation():
    assert naive.missing() == []


@pytest.mark.parametrize("proxy", [proxy.name for proxy in NETWORK])
def test_scores_follow_from_the_formula(proxy, subject, ours):
    expected = naive.naive_of(proxy)(subject.net, subject.batches(), subject.rng(proxy))
    assert ours[proxy].status == "ok", ours[proxy].status
    assert ours[proxy].score == pytest.approx(expected, rel=EXCEPTIONS.get(proxy, TOLERANCE), abs=0)


def test_meco_of_maps_with_fewer_positions_than_channels():
    """Its eigenvalues there are not computed, for they are zero."""

    def build():
        torch.manual_seed(0)
        block = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
        return nn.Sequential(block, nn.AdaptiveAvgPool2d(2), nn.Conv2d(8, 6, 1)).double()

    inputs, rng = torch.empty(1, 3, 8, 8, dtype=torch.double), torch.Generator()
    expected = naive.naive_meco(build, [(inputs, None)], rng.manual_seed(1))
    assert expected > 1e-3
    assert float(meco(build(), inputs, rng.manual_seed(1))) == pytest.approx(expected, rel=1e-9)


def test_equal_images_share_a_linear_region():
    (inputs, labels), second = minibatches("noise", "cifar10", nasbench201.TASKS["cifar10"], 8, 0)
    inputs[5:] = inputs[1]
    equal = Subject(nasbench201, ARCHS["cifar10"][0], "cifar10", 0, "float32", [(inputs, labels), second], "cpu")
    (regions,) = engine.score([registry.proxies()["linear_regions"]], {"float32": equal})
    assert regions.score == naive.naive_linear_regions(equal.net, equal.batches(), None) == 5

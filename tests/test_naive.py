"""Every network proxy gives what its formula, computed in the most straightforward way, gives."""

import dataclasses
import runpy

import naive
import numpy as np
import pandas as pd
import pytest
import torch
from runs import CHECKOUT
from torch import nn

from zsnas import engine, registry
from zsnas.conformance import FormulaSubject
from zsnas.inputs import minibatches
from zsnas.proxies.meco import meco
from zsnas.score import Subject
from zsnas.spaces import _transnas, nasbench101, nasbench201, transnas_micro

ARCHS = {
    "cifar10": [
        "|nor_conv_3x3~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|",
        "|avg_pool_3x3~0|+|none~0|nor_conv_1x1~1|+|nor_conv_1x1~0|skip_connect~1|avg_pool_3x3~2|",
    ],
    "imagenet16-120": ["|nor_conv_1x1~0|+|none~0|skip_connect~1|+|nor_conv_3x3~0|nor_conv_3x3~1|skip_connect~2|"],
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


@pytest.mark.parametrize("arch", ARCHS["cifar10"])
def test_grasp_says_nothing_of_layers_that_batchnorm_follows(arch):
    """Its parts, as its docstring derives them, add up to the score, and BatchNorm leaves theirs to the others."""
    grasp = runpy.run_path(CHECKOUT / "docs" / "results" / "nasbench201" / "grasp.py")
    batches = minibatches("noise", "cifar10", nasbench201.TASKS["cifar10"], 16, 0)
    subject = Subject(nasbench201, arch, "cifar10", 0, "float64", batches, "cpu")
    parts = grasp["parts"](subject.net(), *subject.batches()[0])
    (score,) = engine.score(
        [dataclasses.replace(registry.proxies()["grasp"], precision="float64")], {"float64": subject}
    )
    assert sum(parts.values()) == pytest.approx(score.score, rel=1e-9)
    assert abs(parts["followed by BatchNorm"]) < 1e-2 * parts["squared gradient"]
    assert abs(parts["squared gradient"] + parts["classifier"]) < 0.1 * parts["squared gradient"]


def test_the_released_eznas_is_of_what_enters_a_group():
    """Its norm, and that a group which does not reach the output counts as 0."""
    eznas = runpy.run_path(CHECKOUT / "docs" / "results" / "nasbench201" / "eznas.py")
    norms = [
        eznas["norm"](torch.tensor(matrix)) for matrix in ([[2.0, 0], [0, 3]], [[0.0, 1], [1, 0]], [[1.0, 1], [1, 1]])
    ]
    assert norms == [0.5, 0.5, 0]  # log det is 0, missing and -inf
    inputs, labels = minibatches("noise", "cifar10", nasbench201.TASKS["cifar10"], 4, 0)[0]
    dead = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
    scores = eznas["variants"](eznas["initialised"](dead), inputs, labels)
    assert scores["the same, summed"] > 0
    groups, live = 15 * 2 + 2 * 2, 2 * 2  # both of a reduction; what enters those of the cells leads nowhere or is 0
    assert scores["inputs, of the outputs, on images, as released"] == pytest.approx(
        scores["the same, summed"] / groups
    )
    assert scores["the same without groups that have no gradient"] == pytest.approx(scores["the same, summed"] / live)


def test_near_of_the_spaces_weights_in_train_mode_is_the_proxy():
    near = runpy.run_path(CHECKOUT / "docs" / "results" / "nasbench101" / "near.py")
    batches = minibatches("noise", "cifar10", nasbench101.TASKS["cifar10"], 2, 0)
    subject = Subject(nasbench101, "hash", "cifar10", 0, "float32", batches, "cpu", "101:0")
    found = near["variants"](subject)
    (score,) = engine.score([registry.proxies()["near"]], {"float32": subject})
    assert found["space's", "train"] == pytest.approx(score.score)
    assert len(set(found.values())) == 4


def test_large_classes_are_counted_beside_the_samples_small_ones():
    estimates = runpy.run_path(CHECKOUT / "docs" / "results" / "nasbench201" / "classes.py")["estimates"]
    names = [*"xaaabcdef"]  # of which x is disconnected
    table = pd.DataFrame({"canonical": names, "connected": [name != "x" for name in names], "accuracy": np.arange(9.0)})
    right, wrong = (
        estimates(table.assign(score=sign * table.accuracy), ["a"], 40, np.random.default_rng(0)) for sign in (1, -1)
    )
    assert (right == 1).all() and (wrong == -1).all()
    only_small = table.assign(score=np.where(table.canonical == "a", -1, table.accuracy))
    assert (estimates(only_small, ["a"], 40, np.random.default_rng(0))[0] > 0.9).all()

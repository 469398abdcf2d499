"""SED's formula, step by step against what layers do to Gaussian maps, and against a second implementation."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import torch
from runs import CHECKOUT
from scipy import stats
from torch.nn import functional as F

from zsnas import registry, structural
from zsnas.cells import Cells, Operation
from zsnas.proxies import sed
from zsnas.spaces import nasbench201

NONE, SKIP = Operation("none"), Operation("skip")


def entropy(covariance):
    """Of a Gaussian with this covariance matrix, in nats."""
    return np.linalg.slogdet(2 * np.pi * np.e * np.atleast_2d(covariance))[1] / 2


def lost(*edges, nodes=2):
    """Nats (skip, conv, pool) lost by one cell of (source, target, operation)."""
    edges = sorted(edges, key=lambda edge: edge[:2][::-1])
    operations = tuple(operation for *_, operation in edges)
    cell = Cells(tuple(edge[:2] for edge in edges), operations, np.arange(len(edges))[None])
    assert cell.nodes == nodes
    return sed.entropy_lost(cell)[:, 0]


def test_a_map_starts_with_the_entropy_of_a_standard_gaussian():
    assert pytest.approx(entropy(1.0)) == sed.GAUSSIAN


@pytest.mark.parametrize("width", [2, 3, 5])
def test_average_pooling_of_a_white_patch(width):
    patch = torch.eye(width**2, dtype=torch.float64).view(-1, 1, width, width)
    linear_map = F.avg_pool2d(patch, width).flatten().numpy()  # what the pooled value is of each value of the patch
    left = entropy(linear_map @ linear_map)
    # Nothing is left of what starts with H when the pooled map has less than that: a window wider than e^H = 4.13.
    assert lost((0, 1, Operation("pool", width)))[2] == pytest.approx(min(sed.GAUSSIAN - left, sed.GAUSSIAN))
    assert min(sed.GAUSSIAN - left, sed.GAUSSIAN) == pytest.approx(min(math.log(width), sed.GAUSSIAN))


@pytest.mark.parametrize(("width", "branches"), [(1, 1), (3, 1), (1, 2), (3, 2), (1, 3)])
def test_random_convolutions_of_white_patches(width, branches):
    """Joint entropy of 512 channels at one position, each of unit variance on the average, per channel."""
    channels, rng = 512, np.random.default_rng(0)
    weights = rng.standard_normal((channels, branches * width**2 * channels)) / math.sqrt(
        branches * width**2 * channels
    )
    left = entropy(weights @ weights.T) / channels
    loss = sed.collinearity(np.array([float(branches)]), np.array([branches / width**2])).item()
    assert loss == pytest.approx(sed.GAUSSIAN - left, abs=0.01)
    if branches == 1:
        assert lost((0, 1, Operation("conv", width)))[1] == pytest.approx(loss)


def test_addition_of_a_copy():
    """Conditional entropy of a sum of convolutions and a copy, given the copy, by regression over samples."""
    rng, samples, inputs = np.random.default_rng(0), 20_000, 200
    for convolutions, amplitude in itertools.product((1, 2), (1, 2)):
        x = rng.standard_normal((samples, inputs))
        weights = rng.standard_normal((inputs, convolutions)) / math.sqrt(inputs)
        weights[0] = 0  # the pixel itself is one of very many inputs
        sum_ = x @ weights @ np.ones(convolutions) + amplitude * x[:, 0]
        sum_ *= 1 / sum_.std()
        correlation = np.corrcoef(sum_, x[:, 0])[0, 1]
        left = entropy(1 - correlation**2)
        share = convolutions / (convolutions + amplitude**2)
        after = sed.remaining(sed.GAUSSIAN, np.array([share]), np.ones(1)).item()
        assert after == pytest.approx(left, abs=0.08)
    assert lost((0, 1, Operation("conv", 3)), (0, 2, SKIP), (1, 2, Operation("conv", 3)), nodes=3)[0] == pytest.approx(
        math.log(2) / 2
    )


def test_the_stated_directions():
    def conv(width):
        return lost((0, 1, Operation("conv", width)))[1]

    def pool(width):
        return lost((0, 1, Operation("pool", width)))[2]

    def skips(count):
        """A convolution beside `count` skips from as many copies of the input."""
        relays = [(0, node, SKIP) for node in range(1, count)]
        copies = [(node, count + 1, SKIP) for node in range(count)]
        return lost((0, count, Operation("conv", 3)), (count, count + 1, SKIP), *relays, *copies, nodes=count + 2)[0]

    assert conv(1) == pytest.approx(0.5)
    assert conv(1) > conv(3) > conv(5) > 0
    assert pool(2) < pool(3) < pool(4)
    lost_to_skips = [skips(count) - count * sed.GAUSSIAN for count in (1, 2, 3)]  # without the nodes that only relay
    assert lost_to_skips == pytest.approx([math.log(1 + count**2) / 2 for count in (1, 2, 3)])


def test_cells_that_compute_the_same_score_the_same(index):
    scores = index[["canonical"]].assign(sed=sed.sed(nasbench201.cells(index)))
    assert (scores.groupby("canonical").sed.nunique() == 1).all()
    assert scores.sed.nunique() > 500


def test_parts_sum_to_the_score(index):
    cells = nasbench201.cells(index)
    parts = [part(cells) for part in (sed.sed_skip, sed.sed_conv, sed.sed_pool)]
    assert all((part <= 0).all() for part in parts)
    np.testing.assert_allclose(np.sum(parts, 0), sed.sed(cells), atol=1e-12)


def test_every_step_for_a_sample_of_cells(index):
    sample = index.sample(400, random_state=0)
    expected = [naive_sed(nasbench201.parse(arch)) for arch in sample.arch]
    np.testing.assert_allclose(sed.sed(nasbench201.cells(sample)), expected, atol=1e-9)


def naive_sed(operations):
    """One cell at a time, in words: what each node's sum is made of."""
    live = {(source, target): operation for source, target, operation in nasbench201.live_edges(operations)}
    sums, known, score = {0: {"x": 1}}, {0: {"x"}}, 0
    width = {"nor_conv_1x1": 1, "nor_conv_3x3": 3, "avg_pool_3x3": 3}
    for node in (1, 2, 3):
        terms, before = {}, set()
        for (source, target), operation in live.items():
            if target != node:
                continue
            before |= known[source]
            if operation == "skip_connect":
                for name, amplitude in sums[source].items():
                    terms[name] = terms.get(name, 0) + amplitude
            else:
                terms[operation, source, target] = 1
        read = node == 3 or any(s == node and operation != "skip_connect" for (s, _), operation in live.items())
        sums[node], known[node] = terms, before | set(terms) if read else before
        fresh = {name: amplitude**2 for name, amplitude in terms.items() if name not in before}
        if not read or not fresh:
            score -= sed.GAUSSIAN
            continue
        power = {name: it / 9 if "pool" in name[0] else it for name, it in fresh.items()}
        entropy = sed.GAUSSIAN + math.log(sum(fresh.values()) / sum(it**2 for it in terms.values())) / 2
        entropy = max(entropy + math.log(sum(power.values()) / sum(fresh.values())) / 2, 0)
        mixing = sum(it**2 / width[name[0]] ** 2 for name, it in fresh.items() if "conv" in name[0])
        if mixing:
            values = sum(power.values()) ** 2 / mixing
            entropy -= (1 + ((values - 1) * math.log(1 - 1 / values) if values > 1 + 1e-12 else 0)) / 2
        score -= sed.GAUSSIAN - max(entropy, 0)
    return score


BASELINES = ("conv_count", "params", "macs")
TRUTHS = {  # by space: file, its column of each task, proxies to show
    "nasbench201": (
        "nats_tss.parquet",
        {task: f"{task.replace('-', '_')}_test_acc" for task in nasbench201.TASKS},
        ("sed", "sed_skip", "sed_conv", "sed_pool", *BASELINES),
    ),
    "transnas_micro": (
        "transnas101_micro.parquet",
        {
            "class_scene": "class_scene__valid_top1",
            "class_object": "class_object__valid_top1",
            "jigsaw": "jigsaw__valid_top1",
            "room_layout": "room_layout__valid_neg_loss",
            "segmentsemantic": "segmentsemantic__valid_acc",
            "normal": "normal__valid_ssim",
            "autoencoder": "autoencoder__valid_ssim",
        },
        ("sed", *BASELINES),
    ),
}


def correlations(space, index, shared):
    """Rows of a space's table in docs/sed.md: task, proxy, Spearman / tau-b over all, reachable and the best 5 %."""
    file, columns, names = TRUTHS[space]
    truth = pd.read_parquet(shared / file).set_index("arch_str").loc[index.arch]
    rows = []
    for task, column in columns.items():
        accuracy = truth[column].to_numpy()
        best = accuracy >= np.quantile(accuracy, 0.95)
        for name in names:
            score = structural.values(registry.proxies()[name], space, index)
            sets = (np.full(len(index), True), index.reachable.to_numpy(), best)
            pairs = [
                (stats.spearmanr(score[it], accuracy[it])[0], stats.kendalltau(score[it], accuracy[it])[0])
                for it in sets
            ]
            rows.append((task, f"`{name}`", *(f"{rho:.2f} / {tau:.2f}".replace("-", "−") for rho, tau in pairs)))
    return rows


@pytest.mark.parametrize("space", TRUTHS)
def test_the_published_table(space, index_of, shared):
    page = (CHECKOUT / "docs" / "sed.md").read_text()
    for row in correlations(space, index_of(space), shared):
        assert f"| {' | '.join(row)} |" in page

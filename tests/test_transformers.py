"""Vision transformers: their sizes, and which proxies of networks apply to them and which say why they do not."""

import dataclasses
import json
import math

import naive
import pytest
import torch
from counting import multiply_accumulates
from torch import nn

from zsnas import engine, registry
from zsnas.inputs import minibatches
from zsnas.proxies.fisher import channel_saliency
from zsnas.proxies.gradsign import weight_gradient
from zsnas.score import Subject
from zsnas.spaces import autoformer, pit

AUTOFORMER = (
    '{"depth": 12, "hidden_dim": 216, "mlp_ratio": [3.5, 4.0, 3.5, 4.0, 3.5, 3.5, 4.0, 3.5, 4.0, 4.0, 4.0, 3.5], '
    '"num_heads": [4, 4, 3, 4, 3, 3, 4, 4, 3, 3, 3, 4]}'
)
PIT = '{"base_dim": 24, "depth": [1, 4, 2], "mlp_ratio": 2, "num_heads": [2, 4, 8]}'
NETWORK = [proxy for proxy in registry.proxies().values() if proxy.of_networks]
APPLYING = {
    space: [proxy for proxy in NETWORK if not registry.reason_against(proxy.name, space)]
    for space in ("autoformer", "pit")
}
SMALL = {"classes": 10, "resolution": 48}  # images that take seconds
CONVOLUTIONAL = ["az_trainability", "eznas_a", "meco", "meco_opt", "synflow_bn", "vkdnw", "zen", "zico_bc"]
OF_RELUS = ["linear_regions", "nwot", "nwot_bw", "swap"]


def test_sizes_of_autoformer_are_those_of_its_networks():
    choice = autoformer.parse(AUTOFORMER)
    net = autoformer.build(AUTOFORMER, "cifar100")
    params, macs = autoformer.size(choice)
    assert sum(parameter.numel() for parameter in net.parameters()) == params
    attention = sum(2 * 197**2 * 64 * heads for heads in choice["num_heads"])
    assert multiply_accumulates(net, 224) + attention == macs


def test_sizes_of_pit_are_those_of_its_networks():
    net = pit.build(PIT, "cifar100")
    params, macs = pit.size(pit.parse(PIT))
    assert sum(parameter.numel() for parameter in net.parameters()) == params
    attention = 2 * (1 * 730**2 * 48 + 4 * 197**2 * 96 + 2 * 50**2 * 192)
    assert multiply_accumulates(net, 224) + attention == macs


@pytest.mark.parametrize("space", [autoformer, pit])
def test_every_transformer_has_the_parameters_it_is_listed_with(space, shared):
    for row in space.architectures(shared / "vit_bench_101.parquet").itertuples():
        with torch.device("meta"):
            net = space.build(row.arch, "cifar100")
        assert sum(parameter.numel() for parameter in net.parameters()) == row.params


def test_autoformers_have_the_published_range_of_sizes(shared):
    params = autoformer.architectures(shared / "vit_bench_101.parquet").params
    assert params.min() == pytest.approx(5.4e6, abs=5e4) and params.max() == pytest.approx(9.6e6, abs=6e4)


@pytest.mark.parametrize(("space", "arch"), [(autoformer, AUTOFORMER), (pit, PIT)])
def test_other_names_are_refused(space, arch):
    assert json.dumps(space.parse(arch), sort_keys=True) == arch
    choice = json.loads(arch)
    (first, *_) = choice
    names = [
        *("", "3", arch[:-1], arch.replace("2", "9"), arch.replace(" ", "")),
        *(json.dumps(dict(reversed(choice.items()))), json.dumps(choice | {"patch": 16}, sort_keys=True)),
        *(json.dumps(choice | {first: value}) for value in (float(choice[first]), float("inf"), str(choice[first]))),
    ]
    for wrong in names:
        with pytest.raises(ValueError, match="is not the name"):
            space.parse(wrong)


@pytest.mark.parametrize("heads", [[4, 2, 8], [2, 8, 4], [0, 0, 0], [2, 4]])
def test_pits_heads_are_multiples_of_those_before(heads):
    with pytest.raises(ValueError, match="is not the name"):
        pit.parse(json.dumps(json.loads(PIT) | {"num_heads": heads}))


def test_proxies_that_do_not_apply_say_why():
    for space in ("autoformer", "pit"):
        for name in CONVOLUTIONAL:
            assert "defined for convolutional networks" in registry.reason_against(name, space)
        for name in OF_RELUS:
            why = f"it reads which ReLUs are on, the networks of {space} have GELU"
            assert registry.reason_against(name, space) == why
    assert {proxy.name for proxy in NETWORK} == {
        *CONVOLUTIONAL,
        *OF_RELUS,
        *(proxy.name for proxy in APPLYING["autoformer"]),
    }


def subjects(space, arch):
    batches = minibatches("noise", "cifar100", SMALL, 4, 0)
    module = registry.load_space(space)
    return {
        precision: Subject(module, arch, "cifar100", 0, precision, batches, "cpu")
        for precision in ("float32", "float64")
    }


@pytest.mark.parametrize(("space", "arch"), [("autoformer", AUTOFORMER), ("pit", PIT)])
def test_the_others_give_scores(space, arch, monkeypatch):
    monkeypatch.setitem(registry.load_space(space).TASKS, "cifar100", SMALL)
    scores = engine.score(APPLYING[space], subjects(space, arch))
    assert len(scores) >= 12
    for score in scores:
        assert score.status == "ok" and math.isfinite(score.score), score


def test_samples_that_do_not_meet_have_the_kernel_of_all(monkeypatch):
    monkeypatch.setitem(pit.TASKS, "cifar100", SMALL)
    subject = subjects("pit", PIT)["float64"]
    (score,) = engine.score(
        [dataclasses.replace(registry.proxies()["ntk_cond"], precision="float64")], {"float64": subject}
    )
    assert score.score == pytest.approx(naive.naive_ntk_cond(subject.net, subject.batches(), None), rel=1e-9)


def test_saliency_and_gradients_of_tokens_follow_the_definitions():
    torch.manual_seed(0)
    output, gradient = torch.randn(2, 3, 5, 7)  # [B, N, C] each
    naive = [0.5 * (output[..., c] * gradient[..., c]).sum(1).square().mean() for c in range(7)]
    torch.testing.assert_close(channel_saliency(output, gradient), torch.stack(naive))
    layer, given = nn.Linear(4, 7), torch.randn(3, 5, 4)
    (theirs,) = torch.autograd.grad(layer(given), layer.weight, gradient)
    torch.testing.assert_close(weight_gradient(layer, given, gradient), theirs)

"""DSS on the vision transformers; on convolutional spaces it does not apply, and says why."""

import naive
import pytest
import torch
from test_transformers import AUTOFORMER, PIT, SMALL, subjects

from zsnas import engine, registry
from zsnas.score import score_network

# A width that makes attention's output square where heads are three; and stages of one width, so that the layer that
# takes the class token from one to the next is square and counts as attention.
SQUARE = AUTOFORMER.replace('"hidden_dim": 216', '"hidden_dim": 192')
EVEN = PIT.replace("[2, 4, 8]", "[2, 4, 4]")


@pytest.mark.parametrize(
    ("space", "arch", "layers"),
    [
        ("autoformer", AUTOFORMER, 12 * 4 + 2),  # a layer has two projections and two others; embedding, classifier
        ("autoformer", SQUARE, 12 * 4 + 2),
        ("pit", PIT, 7 * 4 + 2 * 2 + 2),  # two poolings have a convolution and a linear layer each
        ("pit", EVEN, 7 * 4 + 2 * 2 + 2),
    ],
)
def test_score_follows_from_the_formula(space, arch, layers, monkeypatch):
    monkeypatch.setitem(registry.load_space(space).TASKS, "cifar100", SMALL)
    subject = subjects(space, arch)["float64"]
    (score,) = engine.score([registry.proxies()["dss"]], {"float64": subject})
    assert score.status == "ok", score.status
    assert len(score.layers) == layers
    assert score.score == pytest.approx(naive.naive_dss(subject.net, subject.batches(), None), rel=1e-9)


def test_convolutional_networks_are_refused_with_the_reason():
    batches = [(torch.ones(2, 3, 32, 32), torch.tensor([0, 1]))]
    rows = score_network("any", True, "nasbench201", "cifar10", 0, ["dss"], batches, "cpu")
    reason = "it is defined for transformer networks, those of nasbench201 are convolutional"
    assert [row["status"] for row in rows] == [f"error: does not apply: {reason}"]

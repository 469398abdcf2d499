"""DSS on a small vision transformer; on convolutional spaces it does not apply, and says why."""

import naive
import pytest
import torch
from torch import nn
from torchvision.models import VisionTransformer

from zsnas import engine, registry
from zsnas.score import score_network

INPUTS = torch.ones(2, 3, 32, 32, dtype=torch.float64), torch.tensor([0, 1])


class Subject:
    """A vision transformer of two layers, as `engine.Evaluation` wants it."""

    def net(self):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            net = VisionTransformer(32, 8, 2, num_heads=2, hidden_dim=16, mlp_dim=40, dropout=0.5, num_classes=10)
            nn.init.normal_(net.heads.head.weight)  # torchvision starts with zeros
        return net.double().train()

    def batches(self):
        return [INPUTS]

    def rng(self, purpose):
        return torch.Generator().manual_seed(0)


def test_score_follows_from_the_formula():
    subject = Subject()
    (score,) = engine.score([registry.proxies()["dss"]], {"float64": subject})
    assert score.status == "ok", score.status
    assert len(score.layers) == 2 * 4 + 2  # per block two projections and two linear layers; embedding and head
    assert score.score == pytest.approx(naive.naive_dss(subject.net, subject.batches(), None), rel=1e-9)


def test_a_fused_linear_projection_counts_as_attention():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv, self.out = nn.Linear(6, 18, bias=False), nn.Linear(18, 2, bias=False)

        def forward(self, x):
            return self.out(self.qkv(x))

    block = Block().double()
    qkv, out = block.qkv.weight.detach().abs(), block.out.weight.detach().abs()
    slope = out.sum(0)[:, None].expand(18, 6)  # of the sum of outputs for ones, by qkv
    expected = float(torch.linalg.svdvals(slope).sum() * torch.linalg.svdvals(qkv).sum() + (out @ qkv).sum())
    layers = registry.proxies()["dss"].function(block, torch.zeros(3, 6, dtype=torch.float64))
    assert float(sum(layers)) == pytest.approx(expected, rel=1e-12)


def test_convolutional_networks_are_refused_with_the_reason():
    rows = score_network("any", True, "nasbench201", "cifar10", 0, ["dss"], [INPUTS], "cpu")
    reason = "it is defined for transformer networks, those of nasbench201 are convolutional"
    assert [row["status"] for row in rows] == [f"error: does not apply: {reason}"]

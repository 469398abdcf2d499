"""Devices: the networks they run are ours, and the protocol measures what it says."""

import numpy as np
import onnxruntime
import pytest
import torch

from zsnas import devices, latency, registry
from zsnas.devices import local
from zsnas.spaces import nasbench201

ARCH = "|nor_conv_3x3~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
NAMES = [
    f"{plugin.name}-{runtime}-{precision}-batch2-threads1"
    for plugin in registry.devices().values()
    for runtime in plugin.runtimes
    for precision in plugin.precisions
]


@pytest.mark.parametrize("name", NAMES)
def test_every_device_runs_a_network(name):
    device = devices.parse(name)
    plugin = registry.load_device(device.plugin)
    net = nasbench201.build(ARCH, "cifar10").eval()
    infer = plugin.prepare(net, torch.randn(device.batch, 3, 32, 32), device)
    assert (latency.measure(infer) > 0).all()


def test_names():
    device = devices.parse("local-torch-float32-batch8-threads2")
    assert (device.plugin, device.runtime, device.batch, device.threads) == ("local", "torch", 8, 2)
    assert devices.parse("local-torch-float32-batch8") is None


def test_exported_network_computes_the_same():
    torch.manual_seed(0)
    net, images = nasbench201.build(ARCH, "cifar10").eval(), torch.randn(2, 3, 32, 32)
    session = onnxruntime.InferenceSession(local.to_onnx(net, images), providers=["CPUExecutionProvider"])
    (ours,) = session.run(None, {session.get_inputs()[0].name: images.numpy()})
    np.testing.assert_allclose(ours, net(images).detach().numpy(), atol=1e-5)


def test_repeats_until_the_median_is_steady_or_the_cap(monkeypatch):
    clock = iter(np.cumsum(np.repeat([1.0, 2.0], 10_000)))
    monkeypatch.setattr(latency.time, "perf_counter", lambda: next(clock))
    assert len(latency.measure(lambda: None)) == latency.FEWEST_REPEATS
    rng = np.random.default_rng(0)
    noisy = iter(np.cumsum(rng.uniform(0, 1, 10_000)))
    monkeypatch.setattr(latency.time, "perf_counter", lambda: next(noisy))
    assert len(latency.measure(lambda: None)) == latency.MOST_REPEATS


def test_interval_of_the_median_covers_it():
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(400):
        sample = np.sort(rng.exponential(size=60))
        low, high = latency.median_bounds(60)
        covered.append(sample[low] <= np.log(2) <= sample[high])
    assert 0.92 < np.mean(covered) < 0.99


def test_drift_is_taken_out(monkeypatch):
    names = [f"net{number}" for number in range(40)]
    true_ms = dict(zip(names, np.linspace(1, 5, 40), strict=True))
    now = [0.0]

    def prepare(name):
        return name

    def measure(name):
        now[0] += 1.0
        return np.full(20, true_ms[name] * (1 + now[0] / 50))  # the machine slows down steadily

    monkeypatch.setattr(latency, "measure", measure)
    monkeypatch.setattr(latency.time, "monotonic", lambda: now[0])
    frame = latency.measure_shard(names, prepare, seed=0)
    assert frame.canonical.tolist() == names
    expected = np.array([true_ms[name] for name in names])
    raw, corrected = (np.std(np.log(frame[column] / expected)) for column in ("latency_raw_ms", "latency_ms"))
    assert corrected < 0.02 < 0.15 < raw
    assert (frame.kind == "measured").all() and (frame.repeats == 20).all()

"""Devices: the networks they run are ours, and the protocol measures what it says."""

import numpy as np
import onnxruntime
import pytest
import torch
from scipy.stats import binom

from zsnas import devices, latency, registry, runner
from zsnas.devices import local
from zsnas.errors import StudyError
from zsnas.spaces import nasbench201

ARCH = "|nor_conv_3x3~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
NAMES = [
    f"{plugin.name}-{runtime}-{precision}-batch2-threads1"
    for plugin in registry.devices().values()
    if not plugin.remote  # these have tests of their own
    for runtime in plugin.runtimes
    for precision in plugin.precisions
]


@pytest.mark.parametrize("name", NAMES)
def test_every_device_runs_a_network(name):
    device = devices.parse(name)
    plugin = registry.load_device(device.plugin)
    net = nasbench201.build(ARCH, "cifar10").eval()
    infer = plugin.prepare(net, torch.randn(device.batch, 3, 32, 32), device)
    assert (runner.measure(infer) > 0).all()


def test_names():
    device = devices.parse("local-torch-float32-batch8-threads2")
    assert (device.plugin, device.runtime, device.batch, device.threads) == ("local", "torch", 8, 2)
    assert device.host is None
    for host in ("pi", "me@raspi-4.lan", "batch1-threads1"):
        device = devices.parse(f"ssh-{host}-onnxruntime-float32-batch1-threads4")
        assert (device.plugin, device.host, device.runtime, device.threads) == ("ssh", host, "onnxruntime", 4)
    for malformed in ("local-torch-float32-batch8", "local-torch-float32-batch0-threads1"):
        assert devices.parse(malformed) is None


def test_a_device_of_more_threads_than_processors_is_refused(monkeypatch):
    monkeypatch.setattr(runner.os, "sched_getaffinity", lambda _: {0, 1})
    with pytest.raises(StudyError, match="a device of 64 threads needs as many processors, this job has 2"):
        latency.pin(64)


def test_exported_network_computes_the_same():
    torch.manual_seed(0)
    net, images = nasbench201.build(ARCH, "cifar10").eval(), torch.randn(2, 3, 32, 32)
    session = onnxruntime.InferenceSession(local.to_onnx(net, images), providers=["CPUExecutionProvider"])
    (ours,) = session.run(None, {session.get_inputs()[0].name: images.numpy()})
    np.testing.assert_allclose(ours, net(images).detach().numpy(), atol=1e-5)


def test_repeats_until_the_median_is_steady_or_the_cap(monkeypatch):
    clock = iter(np.cumsum(np.repeat([1.0, 2.0], 10_000)))
    monkeypatch.setattr(runner.time, "perf_counter", lambda: next(clock))
    assert len(runner.measure(lambda: None)) == runner.FEWEST_REPEATS
    rng = np.random.default_rng(0)
    noisy = iter(np.cumsum(rng.uniform(0, 1, 10_000)))
    monkeypatch.setattr(runner.time, "perf_counter", lambda: next(noisy))
    assert len(runner.measure(lambda: None)) == runner.MOST_REPEATS


def test_interval_of_the_median_covers_it():
    rng = np.random.default_rng(0)
    for count in (20, 30, 60, 400):
        low, high = runner.median_bounds(count)
        assert (low + 1, high) == tuple(binom.ppf((0.025, 0.975), count, 0.5))
        # The median lies between two order statistics unless all but a few samples fall on one side of it.
        assert 0.95 <= binom.cdf(high, count, 0.5) - binom.cdf(low, count, 0.5) < 0.985
    samples = np.sort(rng.exponential(size=(2000, 60)), axis=1)
    low, high = runner.median_bounds(60)
    assert 0.94 < np.mean((samples[:, low] <= np.log(2)) & (np.log(2) <= samples[:, high])) < 0.985


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
    frame = latency.measure_shard(names, names[0], prepare, seed=0)
    assert frame.canonical.tolist() == names
    expected = np.array([true_ms[name] for name in names])
    raw, corrected = (np.std(np.log(frame[column] / expected)) for column in ("latency_raw_ms", "latency_ms"))
    assert corrected < 0.02 < 0.15 < raw
    assert (frame.kind == "measured").all() and (frame.repeats == 20).all()

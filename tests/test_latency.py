"""Devices: the networks they run are ours, and the protocol measures what it says."""

import itertools
import os

import numpy as np
import onnxruntime
import pytest
import torch
from scipy.stats import binom

from zsnas import devices, latency, registry, runner
from zsnas.devices import local
from zsnas.errors import StudyError, Unmeasurable
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
    inputs = torch.randn(device.batch, 3, 32, 32)
    if device.plugin == "cuda" and not torch.cuda.is_available():
        with pytest.raises(StudyError, match="needs a graphics card that torch can use"):
            plugin.prepare(net, inputs, device)
        return
    assert (np.array(runner.measure(lambda: plugin.prepare(net, inputs, device))["latencies"]) > 0).all()


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
    assert len(runner.measure(lambda: lambda: None)["latencies"]) == runner.FEWEST_REPEATS
    rng = np.random.default_rng(0)
    noisy = iter(np.cumsum(rng.uniform(0, 1, 10_000)))
    monkeypatch.setattr(runner.time, "perf_counter", lambda: next(noisy))
    assert len(runner.measure(lambda: lambda: None)["latencies"]) == runner.MOST_REPEATS


def test_a_clock_of_the_devices_own_is_believed(monkeypatch):
    """Memory and energy of this process and processor are then not the network's."""
    joules = iter(range(10))
    monkeypatch.setattr(runner, "microjoules", lambda: {"here": (1_000_000 * next(joules), 10**9)})
    measured = runner.measure(lambda: lambda: 7.0)
    assert measured == {"latencies": [7.0] * runner.FEWEST_REPEATS, "peak_mb": None, "energy_mj": None}
    assert runner.measure(lambda: lambda: None)["energy_mj"] > 0


def test_memory_is_what_the_network_adds():
    if runner.memory_mb("VmHWM") is None or not os.access("/proc/self/clear_refs", os.W_OK):
        pytest.skip("this system does not tell a process's memory")

    def prepare():
        weights = np.ones(2**21)  # 16 MiB

        def infer():
            (weights + 1).sum()  # as much again while it runs

        return infer

    measured = runner.measure(prepare)
    assert 28 < measured["peak_mb"] < 40
    assert runner.measure(lambda: lambda: None)["peak_mb"] < 8


def test_energy_is_that_of_the_counters(tmp_path, monkeypatch):
    """Two processors of which one's counter begins anew; half a joule each over the runs."""
    monkeypatch.setattr(runner, "PACKAGES", str(tmp_path / "intel-rapl:[0-9]"))
    assert runner.measure(lambda: lambda: None)["energy_mj"] is None
    for package, now in ((0, 100), (1, 900_000)):
        (tmp_path / f"intel-rapl:{package}").mkdir()
        (tmp_path / f"intel-rapl:{package}" / "energy_uj").write_text(f"{now}\n")
        (tmp_path / f"intel-rapl:{package}" / "max_energy_range_uj").write_text("999999\n")
    monkeypatch.setattr(runner.time, "perf_counter", itertools.count().__next__)  # steady, so that repeats are few
    runs = []

    def infer():
        runs.append(1)
        if len(runs) == runner.WARM_UP + 1:
            (tmp_path / "intel-rapl:0" / "energy_uj").write_text("500100\n")
            (tmp_path / "intel-rapl:1" / "energy_uj").write_text("400000\n")

    assert runner.measure(lambda: infer)["energy_mj"] == pytest.approx(1000 / runner.FEWEST_REPEATS)


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


def test_a_network_that_cannot_run_has_no_latency_and_spares_the_others(tmp_path, capsys):
    def measure(name):
        if name == "c":
            raise Unmeasurable("bad allocation")
        return {"latencies": [2.0] * 20, "peak_mb": None, "energy_mj": None}

    names, journal = list("abcdefgh"), tmp_path / "shard.measured"
    facts = {"code": "x", "reference": "a"}
    frame, _ = latency.measure_remotely(names, "a", measure, 0, journal, facts)
    here = latency.measure_shard(names, "a", measure, 0)
    for rows in (frame.set_index("canonical"), here.set_index("canonical")):
        assert rows.latency_ms.drop("c").eq(2).all() and rows.repeats.drop("c").eq(20).all()
        assert np.isnan(rows.latency_ms["c"]) and rows.repeats["c"] == 0
    assert capsys.readouterr().err.count("no latency of c: bad allocation\n") == 2
    again, _ = latency.measure_remotely(names, "a", measure, 0, journal, facts)  # asks for nothing
    assert again.equals(frame) and not capsys.readouterr().err
    with pytest.raises(Unmeasurable):
        latency.measure_shard(names, "c", measure, 0)


@pytest.mark.parametrize("told", [0.0, -3.0, np.nan, np.inf])
def test_what_is_no_latency_is_refused(told):
    def measure(name):
        return {"latencies": [1.0] * 19 + [told if name == "b" else 1.0], "peak_mb": None, "energy_mj": None}

    with pytest.raises(StudyError, match=r"says that b took .* above 0; mend its plug-in in workflow/zsnas/devices"):
        latency.measure_shard(["a", "b"], "a", measure, 0)


def test_drift_is_taken_out(monkeypatch):
    names = [f"net{number}" for number in range(40)]
    true_ms = dict(zip(names, np.linspace(1, 5, 40), strict=True))
    now = [0.0]

    def measure(name):
        now[0] += 1.0
        slowed = true_ms[name] * (1 + now[0] / 50)  # the machine slows down steadily
        return {"latencies": [slowed] * 20, "peak_mb": 3.0, "energy_mj": None}

    monkeypatch.setattr(latency.time, "monotonic", lambda: now[0])
    frame = latency.measure_shard(names, names[0], measure, seed=0)
    assert frame.canonical.tolist() == names
    expected = np.array([true_ms[name] for name in names])
    raw, corrected = (np.std(np.log(frame[column] / expected)) for column in ("latency_raw_ms", "latency_ms"))
    assert corrected < 0.02 < 0.15 < raw
    assert (frame.kind == "measured").all() and (frame.repeats == 20).all()
    assert (frame.peak_mb == 3).all() and frame.energy_mj.isna().all() and frame.energy_mj.dtype == float

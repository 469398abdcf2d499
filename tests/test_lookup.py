"""Looked-up devices: published costs are found, checked and joined by architecture, and are the benchmark's."""

import dataclasses
import pickle

import numpy as np
import pandas as pd
import pytest
import yaml
from runs import CHECKOUT
from test_sources import CELLS, Evil, refused

from zsnas import config, devices, lookup, sources
from zsnas.devices.lookup import latencies
from zsnas.files import read_provenance, write_parquet
from zsnas.readers import hw_nas_bench, table

SOURCES = CHECKOUT / "config" / "sources.csv"
HEADER = SOURCES.read_text().partition("\n")[0] + "\n"
TASKS = {"cifar10": "cifar10", "cifar100": "cifar100", "imagenet16-120": "ImageNet16-120"}
BENCHMARK_DEVICES = ("edgegpu", "raspi4", "edgetpu", "pixel3", "eyeriss", "fpga")


def run_lookup(monkeypatch, tmp_path, device, sources_csv, data_dir, task="cifar10"):
    write_parquet(pd.DataFrame({"arch": CELLS}), tmp_path / "architectures.parquet")
    argv = ["lookup", "--space", "nasbench201", "--task", task, "--device", device, "--sources", sources_csv]
    argv += ["--data-dir", data_dir, "--architectures", tmp_path / "architectures.parquet"]
    argv += ["--output", tmp_path / "out.parquet"]
    monkeypatch.setattr("sys.argv", [str(argument) for argument in argv])
    lookup.main()
    return pd.read_parquet(tmp_path / "out.parquet")


def test_names():
    assert devices.looked_up("lookup-my_board") == "my_board"
    assert devices.looked_up("local-torch-float32-batch1-threads1") is None
    assert devices.parse("lookup-my_board") is None


# A table of one's own


@pytest.fixture
def own(tmp_path):
    """A list of sources for the device `lookup-board`, whose table lists three cells, one without a latency."""
    rows = [
        f"nasbench201,cifar10,board,table,board.csv,{metric},{metric},false,,,,,,,mine,"
        for metric in ("latency_ms", "energy_mj")
    ]
    (tmp_path / "sources.csv").write_text(HEADER + "\n".join(rows) + "\n")
    frame = pd.DataFrame({"arch": CELLS[:3], "latency_ms": [2.5, np.nan, 1.0], "energy_mj": [np.nan, 1.0, 7.0]})
    frame.to_csv(tmp_path / "board.csv", index=False)
    return tmp_path / "sources.csv"


def test_a_table_of_ones_own(monkeypatch, tmp_path, own):
    frame = run_lookup(monkeypatch, tmp_path, "lookup-board", own, tmp_path)
    assert list(frame) == ["arch", "latency_ms", "energy_mj", "kind"]
    assert frame.arch.tolist() == [CELLS[0], CELLS[2]] and frame.latency_ms.tolist() == [2.5, 1.0]
    np.testing.assert_array_equal(frame.energy_mj, [np.nan, 7.0])
    assert set(frame.kind) == {"lookup"}
    notes = read_provenance(tmp_path / "out.parquet")
    assert [note["column"] for note in notes["sources"]] == ["latency_ms", "energy_mj"]


def test_a_device_without_energy(monkeypatch, tmp_path, own):
    own.write_text("\n".join(line for line in own.read_text().splitlines() if "energy_mj" not in line) + "\n")
    frame = run_lookup(monkeypatch, tmp_path, "lookup-board", own, tmp_path)
    assert len(frame) == 2 and frame.energy_mj.isna().all()


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (lambda frame: frame.assign(latency_ms=-1), ("board.csv", "'latency_ms' is -1", "above 0")),
        (lambda frame: frame.assign(arch="|none~0|"), ("board.csv", "nasbench201 does not know")),
        (lambda frame: pd.concat([frame, frame]), ("more than one row", CELLS[0])),
        (lambda frame: frame.assign(latency_ms=np.nan), ("board.csv", "incomplete: 0")),
        (lambda frame: frame.drop(columns="energy_mj"), ("board.csv", "no column 'energy_mj'")),
    ],
    ids=["negative", "stranger", "twice", "empty", "column"],
)
def test_a_table_that_does_not_fit_is_refused(monkeypatch, tmp_path, own, change, parts):
    change(pd.read_csv(tmp_path / "board.csv")).to_csv(tmp_path / "board.csv", index=False)
    with refused(*parts):
        run_lookup(monkeypatch, tmp_path, "lookup-board", own, tmp_path)
    assert not (tmp_path / "out.parquet").exists()


def test_devices_and_truths_are_told_apart(tmp_path):
    with refused("no truth 'hwnasbench_fpga'"):
        sources.locate("nasbench201", "cifar10", "hwnasbench_fpga", SOURCES, tmp_path)
    with refused("no device 'hwnasbench_fpgaa'", "did you mean 'hwnasbench_fpga'?"):
        sources.locate_costs("nasbench201", "cifar10", "hwnasbench_fpgaa", SOURCES, tmp_path)
    with refused("HW-NAS-Bench-v1_0.pickle from https://", "or hw_nas_bench_201.parquet"):
        sources.locate_costs("nasbench201", "cifar10", "hwnasbench_fpga", SOURCES, tmp_path / "nowhere")


def test_the_config_is_checked_before_any_job(tmp_path):
    study = yaml.safe_load((CHECKOUT / "config" / "smoke.yaml").read_text())
    study |= {"devices": ["lookup-hwnasbench_fpga"], "data_dir": str(tmp_path)}
    with refused("hwnasbench_fpga", str(tmp_path), "put it into data_dir"):
        config.check(study, "x.yaml", SOURCES, tmp_path)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_rows_are_chosen_by_a_condition(tmp_path, suffix):
    frame = pd.DataFrame({"arch": CELLS[:2] * 2, "ms": [1.0, 2.0, 3.0, 4.0], "batch": [1, 1, 8, 8]})
    path = tmp_path / f"t.{suffix}"
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)
    assert table.read(path, "ms where batch=8")["value"].tolist() == [3, 4]
    assert table.read(path, "ms where ms=3.0")["value"].tolist() == [3]
    assert table.read(path, f"ms where arch={CELLS[0]}")["value"].tolist() == [1, 3]
    with refused(path, "no column 'bach'", "did you mean 'batch'?"):
        table.check(path, "ms where bach=8")
    for wrong in ("ms where batch", "ms where =8", "ms where "):
        with refused(path, repr(wrong), "write its condition as other=text"):
            table.check(path, wrong)
    with refused(path, "no row where batch is '9' (it has 1, 8)"):
        table.read(path, "ms where batch=9")


# The benchmark's own pickle: no genuine one is at hand, so its documented structure is written


def pickled(path, values, settings):
    contents = {"fbnet": {}, "nasbench201": {"cifar10": {"fpga_latency": values, "config": settings}}}
    # The benchmark was written by Python 3.6 and numpy 1, which called its core so.
    path.write_bytes(pickle.dumps(contents, 3).replace(b"numpy._core.", b"numpy.core."))


SETTINGS = [{"name": "infer.tiny", "C": 16, "N": 5, "arch_str": cell, "num_classes": 10} for cell in CELLS[:3]]


@pytest.mark.parametrize(
    "values",
    [[1.5, -1, 2.5], {0: 1.5, 1: -1, 2: 2.5}, np.array([1.5, -1, 2.5]), [np.float64(1.5), np.float32(-1), 2.5]],
    ids=["list", "dict", "array", "scalars"],
)
@pytest.mark.parametrize("by_index", [list, lambda settings: dict(enumerate(settings))])
def test_the_pickle(tmp_path, values, by_index):
    path = tmp_path / "HW-NAS-Bench-v1_0.pickle"
    pickled(path, values, by_index(SETTINGS))
    frame = hw_nas_bench.read(path, "cifar10/fpga_latency")
    assert frame.to_dict("list") == {"arch": [CELLS[0], CELLS[2]], "value": [1.5, 2.5]}


def test_a_latency_that_was_not_measured_is_left_out(tmp_path):
    path = tmp_path / "HW-NAS-Bench-v1_0.pickle"
    pickled(path, [1.5, np.nan, 2.5], SETTINGS)
    (source, _), *_ = located("fpga", "cifar10", tmp_path)
    frame = latencies([(dataclasses.replace(source, architectures=2), path)], CELLS)
    assert frame.arch.tolist() == [CELLS[0], CELLS[2]] and frame.latency_ms.tolist() == [1.5, 2.5]


def test_a_pickle_that_does_not_fit_is_refused(tmp_path):
    path = tmp_path / "HW-NAS-Bench-v1_0.pickle"
    pickled(path, [1.0, 2.0], SETTINGS)
    for column in ("cifar10/fpga_latency", "cifar10/fpga_latenc", "svhn/fpga_latency", "fpga_latency"):
        with refused(path, repr(column), "dataset/metric"):
            hw_nas_bench.check(path, column)
    pickled(path, [1.0, Evil(), 2.0], SETTINGS)
    with refused(path, "print", "do not trust"):
        hw_nas_bench.check(path, "cifar10/fpga_latency")
    path.write_bytes(path.read_bytes()[:40])
    with refused(path, "truncated or altered"):
        hw_nas_bench.check(path, "cifar10/fpga_latency")


# HW-NAS-Bench's table, where it is at hand


def located(device, task, shared):
    return sources.locate_costs("nasbench201", task, f"hwnasbench_{device}", SOURCES, shared)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("device", BENCHMARK_DEVICES)
def test_every_device_and_task_of_the_benchmark(shared, device, task):
    frame = latencies(located(device, task, shared), CELLS)
    published = pd.read_parquet(shared / "hw_nas_bench_201.parquet").query("dataset == @TASKS[@task]")
    published = published.set_index("arch_str").loc[frame.arch]
    np.testing.assert_array_equal(frame.latency_ms, published[f"{device}_latency_ms"])
    assert len(frame) == (10_926 if device == "edgetpu" else 15_625)
    if device in ("edgegpu", "eyeriss", "fpga"):
        np.testing.assert_array_equal(frame.energy_mj, published[f"{device}_energy_mj"])
    else:
        assert frame.energy_mj.isna().all()


def test_published_figures_of_the_benchmark(shared, index):
    cells = index.set_index("arch")
    spearman = {}
    for device in BENCHMARK_DEVICES:
        latency = latencies(located(device, "cifar10", shared), index.arch).set_index("arch").latency_ms
        facts = cells.loc[latency.index]
        spearman[device] = [
            latency[rows].corr(facts.macs[rows], method="spearman")
            for rows in (facts.index, facts.index[facts.reachable])
        ]
        if device == "edgegpu":
            first = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
            assert latency[first] == pytest.approx(5.807, abs=5e-4)
    # Dead convolutions count in the published MACs and on the FPGA; the processors do not run them.
    told = {"raspi4": (0.873, 0.949), "fpga": (0.938, 0.940), "pixel3": (0.841, 0.910), "edgetpu": (0.298, 0.238)}
    for device, values in told.items():
        assert spearman[device] == pytest.approx(values, abs=6e-4)
        for value in values:  # the page that explains the tables says the same
            assert f"{value:.3f}" in (CHECKOUT / "docs" / "read-the-tables.md").read_text()

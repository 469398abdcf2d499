"""Measuring on another machine, through a real sshd on this one's loopback, and everything that may go wrong there."""

import json
import os
import subprocess
import sys

import numpy as np
import onnx
import pandas as pd
import pytest
import torch
import yaml
from board import NAME, needs_sshd
from runs import CHECKOUT

from zsnas import devices, latency, registry
from zsnas.config import check
from zsnas.devices import ssh
from zsnas.errors import StudyError, Unmeasurable
from zsnas.shards import shard_of
from zsnas.spaces import nasbench201

ARCH = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|"
SMALL = "|skip_connect~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|"


def net(arch):
    torch.manual_seed(0)
    return nasbench201.build(arch, "cifar10").eval()


INPUTS = torch.zeros(1, 3, 32, 32)


@needs_sshd
def test_a_board_measures_and_tells_what_it_is(use):
    with ssh.connect(devices.parse(NAME), sys.executable) as board:
        small, large = (board.measure(net(arch), INPUTS)["latencies"] for arch in (SMALL, ARCH))
        assert board.facts["onnxruntime"] and board.facts["cores"] == os.cpu_count()
    assert len(small) >= 20 and 0 < np.median(small) < np.median(large)


@needs_sshd
def test_two_measurements_on_a_board_wait_for_each_other(use):
    device = devices.parse(NAME)
    with ssh.connect(device, sys.executable):
        second = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"from zsnas import devices\nfrom zsnas.devices import ssh\nimport sys\n"
                f"with ssh.connect(devices.parse({NAME!r}), sys.executable): print('connected')",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with pytest.raises(subprocess.TimeoutExpired):
            second.wait(timeout=8)
    told = b"'board' is measuring already: waiting until it is done\n"
    assert second.communicate(timeout=60) == (b"connected\n", told)


def program(tmp_path, name, text):
    """A command for the board."""
    path = tmp_path / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


FAILURES = {
    "unreachable": ("nowhere", None, r"'nowhere' cannot be reached .*refused.*`ssh nowhere true`"),
    "no Python": ("board", "/nowhere/python", r"status 127 .*/nowhere/python.*'remote_python.board' in the config"),
    "no onnxruntime": (
        "board",
        'exec {python} -S -P "$@"',
        r"ModuleNotFoundError.*install numpy and onnxruntime",
    ),
    "dies at once": (
        "board",
        "echo lightning >&2; kill -9 $$",
        r"'board' .*ended the measurement .*lightning.*what is measured is kept",
    ),
    "greets": ("board", 'echo Welcome; exec {python} "$@"', r"'board' printed 'Welcome' instead of an answer: let the"),
}


@needs_sshd
@pytest.mark.parametrize(("host", "script", "message"), FAILURES.values(), ids=FAILURES)
def test_what_fails_is_told_in_one_line(use, tmp_path, host, script, message):
    python = script and (program(tmp_path, "python", script.format(python=sys.executable)) if " " in script else script)
    device = devices.parse(NAME.replace("board", host))
    with pytest.raises(StudyError, match=message) as caught, ssh.connect(device, python or "python3") as board:
        board.measure(net(ARCH), INPUTS)
    assert "\n" not in str(caught.value)


@needs_sshd
def test_a_network_too_large_for_the_board_is_told_and_the_next_one_goes_on(use, monkeypatch):
    shape = onnx.helper.make_tensor("shape", onnx.TensorProto.INT64, [1], [2**42])
    x, y = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [size])
        for name, size in (("x", 1), ("y", None))
    )
    graph = onnx.helper.make_graph([onnx.helper.make_node("Expand", ["x", "shape"], ["y"])], "g", [x], [y], [shape])
    opset = onnx.helper.make_opsetid("", 17)
    large = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()
    with ssh.connect(devices.parse(NAME), sys.executable) as board:
        with monkeypatch.context() as patched:
            patched.setattr(ssh, "to_onnx", lambda net, inputs: large)  # 16 TiB of output
            with pytest.raises(Unmeasurable, match=r"'board' says .*allocat") as caught:
                board.measure(None, INPUTS)
        assert "\n" not in str(caught.value)
        assert min(board.measure(net(ARCH), INPUTS)["latencies"]) > 0


@needs_sshd
def test_a_device_of_more_threads_than_the_board_has_is_refused(use):
    device = devices.parse(NAME.replace("threads1", "threads999"))
    message = "'board' says ValueError: a device of 999 threads needs"
    with pytest.raises(StudyError, match=message), ssh.connect(device, sys.executable):
        pass


@pytest.fixture
def shard(tmp_path, monkeypatch, index):
    """A function that measures the first four networks of the space; where the rows go, and where what is kept."""
    index.to_parquet(tmp_path / "architectures.parquet")
    output = tmp_path / "0000.parquet"

    def run(python=sys.executable):
        options = {
            "space": "nasbench201",
            "task": "cifar10",
            "device": NAME,
            "shard": 0,
            "shard-size": 4,
            "session": "first",
        }
        options |= {"architectures": tmp_path / "architectures.parquet", "output": output, "remote-python": python}
        argv = [str(part) for option in options.items() for part in (f"--{option[0]}", option[1])]
        monkeypatch.setattr(sys, "argv", ["latency", *argv])
        latency.main()
        return pd.read_parquet(output)

    return run, output, output.with_suffix(".measured")


@needs_sshd
def test_what_is_measured_when_a_board_dies_is_kept_and_only_the_rest_measured(use, shard, tmp_path, monkeypatch):
    run, output, journal = shard
    asked = []
    measure = ssh.Board.measure

    def dying(board, *arguments):
        asked.append(arguments)
        if len(asked) == lives:
            board.process.kill()
        return measure(board, *arguments)

    monkeypatch.setattr(ssh.Board, "measure", dying)
    lives = 4  # the reference and two networks are done
    with pytest.raises(StudyError, match="'board'"):
        run()
    assert not output.exists()
    first = [json.loads(line) for line in journal.read_text().splitlines()]
    assert len(first) == 4 and "facts" in first[0]
    with open(journal, "a") as file:
        file.write('{"canonical": "|nor_con')  # a line that a crash cut off
    asked.clear()
    lives = 3  # one network more
    with pytest.raises(StudyError, match="'board'"):
        run()
    asked.clear()
    monkeypatch.setattr(ssh.Board, "measure", lambda board, *arguments: asked.append(1) or measure(board, *arguments))
    frame = run()
    assert len(asked) == 3  # the last network between two references
    assert not journal.exists() and len(frame) == 4
    kept = {one["canonical"]: one["latency_raw_ms"] for one in first[1:] if not one["is_reference"]}
    assert len(kept) == 2 and set(kept) < set(frame.canonical)
    assert all(frame.set_index("canonical").latency_raw_ms[name] == value for name, value in kept.items())
    assert (frame.kind == "measured").all() and (frame.latency_ms > 0).all()


@needs_sshd
def test_what_another_measurement_finished_meanwhile_is_not_measured_again(use, shard, monkeypatch):
    """As one that outlived its run; Snakemake takes an output away before its job begins."""
    run, _, journal = shard
    frame = run()
    monkeypatch.delattr(ssh.Board, "measure")
    pd.testing.assert_frame_equal(run(), frame)
    assert not journal.exists()


def test_sittings_are_brought_to_one_reference():
    """The board is twice as slow in its second sitting, and slows down within each."""
    true = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}
    now = iter(range(100))

    def one(name, slow, is_reference=False):
        moment = next(now)
        latency_ms = (5.0 if is_reference else true[name]) * slow * (1 + moment / 10)
        told = {"peak_mb": None, "energy_mj": None}
        return told | {
            "canonical": name,
            "is_reference": is_reference,
            "moment": moment,
            "latency_raw_ms": latency_ms,
        }

    first = [one("a", 1, True), one("a", 1), one("b", 1), one("a", 1, True)]
    now = iter(range(100))
    second = [one("a", 2, True), one("d", 2), one("c", 2), one("a", 2, True)]
    frame = latency.rows([first, second], list("abcd"))
    assert frame.canonical.tolist() == list("abcd")
    np.testing.assert_allclose(frame.latency_ms / frame.latency_ms[0], [1, 2, 3, 4])


def test_a_remote_device_has_a_host_and_a_local_one_has_none():
    study = yaml.safe_load((CHECKOUT / "config" / "smoke.yaml").read_text())
    sources = CHECKOUT / "config" / "sources.csv"
    check(study | {"devices": [NAME], "remote_python": {"board": "/opt/python"}}, "x.yaml", sources, "data")
    for name, message in (
        (NAME.replace("-board", ""), "lacks a host; write ssh-HOST-{onnxruntime}"),
        ("local-board-onnxruntime-float32-batch1-threads1", "has a needless host; write local-{onnxruntime,torch}"),
    ):
        with pytest.raises(StudyError, match=message):
            check(study | {"devices": [name]}, "x.yaml", sources, "data")
    assert registry.devices()["ssh"].remote and not registry.devices()["local"].remote


@needs_sshd
def test_what_other_code_measured_is_measured_again(use, shard):
    run, _, journal = shard
    facts = {"facts": {"host": "board", "code": "another"}}
    network = {"canonical": ARCH, "is_reference": False, "moment": 0.0, "latency_raw_ms": 1e9}
    reference = network | {"is_reference": True, "latency_raw_ms": 1.0}
    journal.write_text("".join(json.dumps(entry) + "\n" for entry in (facts, reference, network, reference)))
    frame = run()
    assert len(frame) == 4 and (frame.latency_raw_ms < 1e9).all()


@needs_sshd
def test_a_shard_without_a_connected_network_has_rows_without_latency(use, shard, index, tmp_path):
    run, _, journal = shard
    disconnected = index.canonical.isin(shard_of(index, 0, 4).canonical)
    index.assign(connected=~disconnected).to_parquet(tmp_path / "architectures.parquet")
    frame = run()
    assert len(frame) == 4 and frame.latency_ms.isna().all() and (frame.repeats == 0).all()
    assert not journal.exists()

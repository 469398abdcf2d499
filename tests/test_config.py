"""Every mistake in a config stops before any job, in one line that names the key, the file and the way out."""

import copy
import json
import os
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest
import yaml
from runs import CHECKOUT
from test_survey import stand_ins

from zsnas import registry, sources
from zsnas.config import check, check_keys
from zsnas.errors import StudyError
from zsnas.files import write_parquet

SOURCES = CHECKOUT / "config" / "sources.csv"
SMOKE = yaml.safe_load((CHECKOUT / "config" / "smoke.yaml").read_text())


@pytest.mark.parametrize("path", sorted((CHECKOUT / "config").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_configs_are_sound(path, tmp_path):
    check(yaml.safe_load(path.read_text()), path.name, SOURCES, stand_ins(tmp_path))


def changed(**keys):
    return copy.deepcopy(SMOKE) | keys


SPACE = SMOKE["spaces"]["nasbench201"]
WITHOUT_DEVICES = {key: value for key, value in SMOKE.items() if key not in ("devices", "search")}
MISTAKES = {
    "unknown key": (changed(proxy=["snip"]), r"x\.yaml: unknown key 'proxy'; did you mean 'proxies'\?"),
    "unknown nested key": (
        changed(spaces={"nasbench201": SPACE | {"architecture": 3}}),
        r"x\.yaml: unknown key 'spaces\.nasbench201\.architecture'; did you mean 'architectures'\?",
    ),
    "sampled from what does not judge": (
        changed(spaces={"nasbench201": SPACE | {"sampled_from": "analog_nasbenc"}}),
        r"unknown truth 'analog_nasbenc' in x\.yaml, key 'spaces\.nasbench201\.sampled_from', task cifar10; did you",
    ),
    "missing key": ({k: v for k, v in SMOKE.items() if k != "seeds"}, r"x\.yaml, top level: 'seeds' is a required"),
    "wrong type": (changed(batch="64"), r"x\.yaml, key 'batch': '64' is not of type 'integer'"),
    "unknown proxy": (
        changed(proxies=["synflw"]),
        r"unknown proxy 'synflw' in x\.yaml, key 'proxies'; did you mean 'synflow'\?",
    ),
    "unknown proxy in a bundle": (
        changed(bundles={"one": ["snipp"]}),
        r"unknown proxy 'snipp' in x\.yaml, key 'bundles\.one'; did you mean 'snip'\?",
    ),
    "structural proxy in a bundle": (changed(bundles={"one": ["params"]}), r"'params' is structural"),
    "aggregate in a bundle": (changed(bundles={"one": ["az_nas"]}), r"'az_nas' is an aggregate"),
    "proxy for other networks": (
        changed(proxies=["params", "dss"]),
        r"x\.yaml, key 'proxies': 'dss' does not apply to nasbench201: it is defined for transformer networks",
    ),
    "proxy of a structure the space lacks": (
        changed(proxies=["nn_mass"]),
        r"'nn_mass' does not apply to nasbench201: it needs `links` \(.*\), which nasbench201 does not have; take",
    ),
    "proxy of a column the space lacks": (
        changed(
            spaces={"imagenet_cnn": {"architectures": 3, "tasks": {"imagenet": []}}},
            proxies=["skip_count"],
        ),
        r"'skip_count' does not apply to imagenet_cnn: it reads skip in the index, which imagenet_cnn does not have",
    ),
    "proxy in two bundles": (changed(bundles={"one": ["snip"], "two": ["snip"]}), r"'snip' is in 'one' and 'two'"),
    "bundle named as a proxy": (
        changed(bundles={"snip": ["nwot"]}),
        r"key 'bundles\.snip': that is the name of a proxy",
    ),
    "unknown space": (
        changed(spaces={"nasbench20": SPACE}),
        r"unknown space 'nasbench20' in x\.yaml, key 'spaces'; did you mean 'nasbench201'\?",
    ),
    "unknown task": (
        changed(spaces={"nasbench201": SPACE | {"tasks": {"cifar": ["analog_nasbench"]}}}),
        r"unknown task 'cifar' in x\.yaml, key 'spaces\.nasbench201\.tasks'; did you mean 'cifar10'\?",
    ),
    "unknown truth": (
        changed(spaces={"nasbench201": SPACE | {"tasks": {"cifar10": ["analog_nasbenc"]}}}),
        r"no truth 'analog_nasbenc'.*did you mean 'analog_nasbench'",
    ),
    "truth of a space without any": (
        WITHOUT_DEVICES
        | {"spaces": {"fbnet": {"architectures": 3, "tasks": {"cifar100": ["help_fpga"]}}}, "proxies": ["params"]},
        r"sources\.csv has no truth of fbnet: write its task as 'cifar100: \[\]', or add a row",
    ),
    "missing truth": (
        changed(spaces={"nasbench201": SPACE | {"tasks": {"cifar10": ["nats_test"]}}}),
        r"nats_test.*data_dir",
    ),
    "more networks than there are": (
        changed(spaces={"nasbench201": SPACE | {"architectures": 6000}}),
        r"key 'spaces\.nasbench201\.architectures': 6000 asked for, but nasbench201 has 5425",
    ),
    "a number that is no integer": (
        changed(spaces={"nasbench201": SPACE | {"architectures": 6.0}}),
        r"key 'spaces\.nasbench201\.architectures': 6\.0 is not of type 'integer'",
    ),
    "too few replicates": (changed(replicates=1), r"key 'replicates': 1 is less than the minimum of 20"),
    "a seed that no table holds": (changed(seeds=[2**70]), r"key 'seeds\.0': \d+ is greater than the maximum"),
    "unknown device": (
        changed(devices=["locl-onnxruntime-float32-batch1-threads1"]),
        r"unknown device 'locl' in x\.yaml, key 'devices'; did you mean 'local'\?",
    ),
    "malformed device": (changed(devices=["local"]), r"'local' is no device; write plugin-runtime-precision"),
    "too few networks to predict from": (
        changed(devices=["predicted-additive-local-onnxruntime-float32-batch1-threads1"]),
        r"key 'devices': 'predicted-additive-.*' is fitted on 20 networks or more; \d+ architectures of nasb",
    ),
    "a Python of another host": (
        changed(devices=["ssh-pi-onnxruntime-float32-batch1-threads1"], remote_python={"pii": "python3.11"}),
        r"key 'remote_python': no device of the study is on 'pii'; did you mean 'pi'\?$",
    ),
    "a wrong device beside a missing file": (
        changed(
            devices=["locl-onnxruntime-float32-batch1-threads1"],
            spaces={"nasbench201": SPACE | {"tasks": {"cifar10": ["nats_test"]}}},
        ),
        r"unknown device 'locl' in x\.yaml",
    ),
    "unknown runtime": (
        changed(devices=["local-onnx-float32-batch1-threads1"]),
        r"unknown runtime of device 'local' 'onnx' in x\.yaml",
    ),
    "missing images": (
        changed(inputs="images", images={"cifar10": "nowhere.npz"}),
        r"key 'images\.cifar10': no file .*/data/nowhere\.npz",
    ),
    "a bundle's name that no path should have": (
        changed(bundles={"a (b": ["snip"]}),
        r"x\.yaml, key 'bundles': 'a \(b' does not match",
    ),
    "images that are in no official data set": (
        WITHOUT_DEVICES
        | {"spaces": {"pit": {"architectures": 3, "tasks": {"cifar100": []}}}, "proxies": ["params"]}
        | {"inputs": "images"},
        r"x\.yaml, key 'inputs': pit takes images of cifar100 with 224 x 224 pixels, .*; name an \.npz",
    ),
    "proxy named as a truth": (
        changed(proxies=["accuracy_analog_nasbench"]),
        r"x\.yaml, key 'proxies': 'accuracy_analog_nasbench' is the column of the truth analog_nasbench as well",
    ),
    "proxy named as a cost": (changed(proxies=["energy_mj_x"]), r"'energy_mj_x' is named as what devices cost; rename"),
    "images of another task": (
        changed(images={"cifr10": "x.npz"}),
        r"unknown task 'cifr10' in x\.yaml, key 'images'; did you mean 'cifar10'\?",
    ),
}


@pytest.mark.parametrize(("config", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes(config, message, tmp_path, monkeypatch):
    known = registry.proxies()
    named = dict.fromkeys(("accuracy_analog_nasbench", "energy_mj_x"), known["snip"])
    monkeypatch.setattr(registry, "proxies", lambda: known | named)
    with pytest.raises(StudyError, match=message) as caught:
        check(config, "x.yaml", SOURCES, tmp_path / "data")
    assert "\n" not in str(caught.value)


def test_every_official_data_set_can_be_asked_for(tmp_path):
    tasks = {task: [] for task in ("cifar10", "cifar100", "imagenet16-120")}
    study = WITHOUT_DEVICES | {"spaces": {"nasbench201": SPACE | {"tasks": tasks}}, "inputs": "images"}
    check(study, "x.yaml", SOURCES, tmp_path)


def test_a_file_is_not_opened_again_once_its_truth_is_read(tmp_path, monkeypatch):
    config = changed(spaces={"nasbench201": SPACE | {"tasks": {"cifar10": ["nats_test"]}}})
    (tmp_path / "nats_tss.parquet").write_text("no table")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudyError, match="not a readable table"):
        check(config, "x.yaml", SOURCES, ".")
    table = tmp_path / "results/truth/nasbench201/cifar10/nats_test.parquet"
    table.parent.mkdir(parents=True)
    table.touch()
    check(config, "x.yaml", SOURCES, ".")
    os.utime(table, (0, 0))  # the file is newer: it will be read again, so it is checked
    with pytest.raises(StudyError, match="not a readable table"):
        check(config, "x.yaml", SOURCES, ".")


def test_a_file_may_go_once_it_is_read(tmp_path, monkeypatch):
    """Of a truth and a device what was read is of that very column; an index is of the space's list."""
    monkeypatch.chdir(tmp_path)
    study = {"architectures": 4, "tasks": {"imagenet": ["accel_nasbench"]}}
    config = changed(spaces={"mnasnet": study}, devices=["lookup-accel_nasbench_zcu102"], proxies=["params"])
    del config["search"], config["bundles"]
    truth = "results/truth/mnasnet/imagenet/accel_nasbench.parquet"
    latency = "results/latency/mnasnet/imagenet/lookup-accel_nasbench_zcu102.parquet"
    index = sources.INDEX.format(space="mnasnet")
    of_truth, of_device = (
        {"source": "accel_nasbench_imagenet.parquet", "column": column}
        for column in ("val_top1", "latency_zcu102_mean")
    )
    for missing, table, provenance in [
        ("truth 'accel_nasbench' of mnasnet/imagenet is not in", truth, of_device),
        ("truth 'accel_nasbench' of mnasnet/imagenet is not in", truth, of_truth),
        ("architectures of mnasnet are listed in", index, {}),
        ("latency_ms of device 'accel_nasbench_zcu102'", latency, {"sources": [of_device]}),
    ]:
        with pytest.raises(StudyError, match=missing):
            check(config, "x.yaml", SOURCES, "data")
        write_parquet(pd.DataFrame({"arch": []}), table, **provenance)
    check(config, "x.yaml", SOURCES, "data")


def snakemake(folder, *arguments):
    command = [sys.executable, "-m", "snakemake", "--snakefile", CHECKOUT / "Snakefile", "--directory", folder, "-n"]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, cwd=CHECKOUT, timeout=120)


def test_snakemake_stops_with_that_line_and_nothing_else(tmp_path):
    config = tmp_path / "mine.yaml"
    config.write_text(yaml.safe_dump(changed(proxies=["synflw"])))
    result = snakemake(tmp_path, "--configfile", config)
    assert result.returncode == 1
    line = f"error: unknown proxy 'synflw' in {config}, key 'proxies'; did you mean 'synflow'?"
    assert line in result.stderr.splitlines()
    assert "Traceback" not in result.stderr and "rule " not in result.stdout


def test_a_key_that_is_named_twice_is_told(tmp_path):
    """YAML would keep the last one without a word."""
    config = tmp_path / "mine.yaml"
    config.write_text(yaml.safe_dump(SMOKE) + "proxies: [params]\n")
    result = snakemake(tmp_path, "--configfile", config)
    assert result.returncode == 1
    assert f"error: {config}: 'proxies' is there twice in what begins at line 1" in result.stderr.splitlines()
    config.write_text(yaml.safe_dump(SMOKE | {"images": {}, "bundles": {}}) + "data_dir: &x data\n")
    check_keys(config)
    config.write_text("y: &y {b: 1}\ndeep: {er: &x {<<: *y, b: 2}}\nc: {<<: *x}\n")
    check_keys(config)
    config.write_text(json.dumps(SMOKE, indent="\t"))
    assert snakemake(tmp_path, "--configfile", config).returncode == 0


def test_a_study_config_replaces_the_default_and_does_not_mix_with_it(tmp_path):
    result = snakemake(tmp_path, "--configfile", CHECKOUT / "config" / "smoke.yaml")
    assert result.returncode == 0, result.stderr
    assert "zen" not in result.stdout + result.stderr


def test_a_proxy_may_apply_to_one_task_alone(tmp_path):
    """Whichever it is of several: others fail and say why."""
    for tasks in (["class_scene", "autoencoder"], ["autoencoder", "class_scene"]):
        study = {"architectures": 3, "tasks": {task: [] for task in tasks}}
        config = WITHOUT_DEVICES | {"spaces": {"transnas_micro": study}, "proxies": ["epe_nas"], "bundles": {}}
        check(config, "x.yaml", SOURCES, tmp_path)
        del study["tasks"]["class_scene"]
        with pytest.raises(StudyError, match="'epe_nas' does not apply to transnas_micro: it needs one class for each"):
            check(config, "x.yaml", SOURCES, tmp_path)


def test_a_mistake_in_a_file_of_a_proxy_is_told_with_its_place(tmp_path, monkeypatch):
    """As what a proxy imports is, such a file is one that the registry has not looked into."""
    (tmp_path / "_helper.py").write_text("def half(:\n")
    monkeypatch.setitem(registry.proxies(), "snip", replace(registry.proxies()["snip"], file=tmp_path / "_helper.py"))
    with pytest.raises(StudyError, match=r"_helper\.py cannot be read as Python \(invalid syntax"):
        check(SMOKE | {"proxies": ["snip"]}, "x.yaml", SOURCES, tmp_path)

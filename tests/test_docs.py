"""What the documents say works: their examples are run as they stand."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml
from runs import CHECKOUT, copy_checkout, snakemake

from zsnas import engine, registry

RESULTS = sorted((CHECKOUT / "docs" / "results").rglob("*.md"))
PAGES = [CHECKOUT / "README.md", CHECKOUT / "config" / "README.md", *sorted((CHECKOUT / "docs").glob("*.md")), *RESULTS]


# Spaces that the project ships, with how many architectures and canonical networks each is said to have; others are
# those of whoever runs the tests.
DOCUMENTED = {
    name: (int(architectures.replace(" ", "")), int(canonical.replace(" ", "")))
    for name, architectures, canonical in re.findall(
        r"^\| `(\w+)` \| ([\d ]+) \(([\d ]+)\)", (CHECKOUT / "docs" / "spaces.md").read_text(), re.MULTILINE
    )
}


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (CHECKOUT / page).read_text(), re.DOTALL)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package, to add files to."""
    subprocess.run(["cp", "-r", CHECKOUT / "workflow" / "zsnas", tmp_path], check=True)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "zsnas"


def python(code, folder):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, check=True).stdout


def test_the_example_proxy_is_found_and_scores(package):
    (example,) = blocks("docs/add-a-proxy.md", "python")
    assert len(example.strip().splitlines()) <= 15
    (package / "proxies" / "log_grad_norm.py").write_text(example)
    listing = subprocess.run(
        [sys.executable, "-m", "zsnas", "list"], capture_output=True, text=True, cwd=package.parent
    )
    assert re.search(r"log_grad_norm .*needs grads .*Log gradient norm", listing.stdout)
    code = """
from zsnas import engine, registry
from zsnas.inputs import minibatches
from zsnas.score import score_network
space = registry.spaces()["nasbench201"]
batches = minibatches("noise", "cifar10", space.tasks["cifar10"], 8, 0)
arch = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|"
rows = score_network(arch, True, "nasbench201", "cifar10", 0, ["log_grad_norm", "grad_norm"], batches, "cpu")
print(*[row["status"] for row in rows], rows[0]["score"] != rows[1]["score"])
"""
    assert python(code, package.parent).split() == ["ok", "ok", "True"]


def test_the_example_device_measures(package):
    (example,) = blocks("docs/add-a-device.md", "python")
    (package / "devices" / "traced.py").write_text(example)
    code = """
import torch; torch.set_num_threads(1)  # as the protocol does before a device is prepared
from zsnas import devices, registry, runner
from zsnas.spaces import nasbench201
device = devices.parse("traced-torchscript-float32-batch1-threads1")
net = nasbench201.build("|nor_conv_3x3~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|", "cifar10").eval()
measured = runner.measure(lambda: registry.load_device("traced").prepare(net, torch.randn(1, 3, 32, 32), device))
print(min(measured["latencies"]) > 0)
"""
    assert python(code, package.parent).strip() == "True"


def test_every_pass_the_page_offers_exists_and_none_is_forgotten():
    text = (CHECKOUT / "docs" / "add-a-proxy.md").read_text()
    offered = {name for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert offered <= {"net", "rng", *registry.STRUCTURES, *engine.PASSES}
    used = {need for proxy in registry.proxies().values() for need in proxy.needs if not proxy.members}
    assert used <= offered


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_links_and_commands_exist(page):
    text = page.read_text()
    for target, heading in re.findall(r"\]\((?!http)([^)#]*)#?([^)]*)\)", text):
        linked = page.parent / target if target else page
        assert linked.exists(), target
        if heading:
            titles = re.findall(r"^#+ (.+)", linked.read_text(), re.MULTILINE)
            assert heading in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}, heading
    targets = set(re.findall(r"^([\w-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    for target in re.findall(r"^make ([\w-]+)", text, re.MULTILINE):
        assert target in targets
    for module in re.findall(r"python -m zsnas\.([\w.]+)", text):
        path = CHECKOUT / "workflow" / "zsnas" / module.rstrip(".").replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists()


def test_every_space_of_the_project_is_documented():
    tracked = ["git", "ls-files", "workflow/zsnas/spaces"]
    files = subprocess.run(tracked, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout.split()
    assert set(DOCUMENTED) == {name for file in files if not (name := Path(file).stem).startswith("_")}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_spaces_have_as_many_architectures_as_is_said(name):
    space = registry.spaces()[name]
    assert DOCUMENTED[name] == (space.architectures, space.canonical)


@pytest.mark.parametrize("page", RESULTS, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_studies_and_scripts_that_results_name_are_beside_them(page):
    for name in re.findall(r"`([^`\s]+\.(?:py|yaml))`", page.read_text()):
        assert any(page.parent.glob(name.replace("{space}", "*"))), name


def test_every_config_key_is_explained():
    schema = yaml.safe_load((CHECKOUT / "workflow" / "schemas" / "config.schema.yaml").read_text())
    text = (CHECKOUT / "config" / "README.md").read_text()
    for key in schema["properties"]:
        assert re.search(rf"^\| `{key}[.`]", text, re.MULTILINE), key


def test_both_environments_have_the_same_pins():
    lines = (CHECKOUT / "envs" / "requirements.txt").read_text().splitlines()
    pins = [line.partition("#")[0].strip() for line in lines]
    pins = [pin for pin in pins if pin and not pin.startswith("-e")]
    environment = yaml.safe_load((CHECKOUT / "envs" / "zsnas.yaml").read_text())
    assert environment["dependencies"][-1]["pip"] == pins
    assert all("==" in pin for pin in pins)
    assert f"torch=={torch.__version__.partition('+')[0]}" in pins


def test_the_example_space_becomes_a_study(tmp_path):
    directory = copy_checkout(tmp_path / "checkout")
    page = "docs/add-a-space.md"
    (space,) = blocks(page, "python")
    (directory / "workflow" / "zsnas" / "spaces" / "pairs.py").write_text(space)
    (directory / "data").mkdir()
    (directory / "data" / "pairs.json").write_text(blocks(page, "json")[0])
    (directory / "pairs.yaml").write_text(blocks(page, "yaml")[0])
    with open(directory / "config" / "sources.csv", "a") as sources:
        sources.write(blocks(page, "csv")[0])
    two_at_a_time = "-c2", "--set-threads", "score=1"
    snakemake(directory, "results/tables/correlation.csv", *two_at_a_time, "--configfile", "pairs.yaml")
    table = pd.read_csv(directory / "results" / "tables" / "correlation.csv")
    whole = table[(table["set"] == "all") & (table.top == 1)].set_index("proxy")
    assert (whole.n["params"], whole.classes["params"]) == (9, 7)
    assert whole.n["snip"] >= 8  # two skips leave a network without a ReLU
    assert whole.spearman["params"] > 0.7
    environment = os.environ | {"PYTHONPATH": str(directory / "workflow")}
    commands = re.findall(r"`(?:python -m )?(zsnas list|pytest [^`]*)`", (CHECKOUT / page).read_text())
    for command, told in zip(commands, (r"\bpairs +9 architectures, 7 canonical", r"[3-9] passed"), strict=True):
        run = [sys.executable, "-m", *command.split()]
        output = subprocess.run(run, cwd=directory, env=environment, capture_output=True, text=True, check=True).stdout
        assert re.search(told, output), output
    code = """
from zsnas.spaces import pairs
for row in pairs.architectures().itertuples():
    assert sum(p.numel() for p in pairs.build(row.canonical, "cifar10").parameters()) == row.params, row
"""
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)

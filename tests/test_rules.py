"""The workflow's rules: whatever code shapes a rule's numbers is among its inputs."""

import importlib
import re
import sys
from types import ModuleType

import pytest
from runs import CHECKOUT, copy_checkout, counted, snakemake

from zsnas import registry
from zsnas.judge import __main__ as judge_program

WORKFLOW = CHECKOUT / "workflow"
RULES = [
    rule
    for file in sorted((WORKFLOW / "rules").glob("*.smk"))
    for rule in re.split(r"^(?:rule|checkpoint) ", file.read_text(), flags=re.MULTILINE)[1:]
]
COMMANDS = {rule.partition(":")[0]: rule for rule in RULES if "python -m zsnas." in rule and "output:" in rule}
COMMON = (WORKFLOW / "rules" / "common.smk").read_text()
FUNCTIONS = dict(re.findall(r"^def (\w+_code)\(wildcards\):\n.*\n(.*)", COMMON, re.MULTILINE))
FIGURES = {rule.partition(":")[0]: rule for rule in RULES if "scripts/figure_" in rule}
MODULES = sorted(registry.PACKAGE.rglob("*.py"))


def held(module):
    """Files of the package that a loaded module holds something of, itself or through others."""
    values = list(vars(module).values())
    if hasattr(module, "__path__"):  # whoever loads a part of a package leaves it there
        values = [value for value in values if not isinstance(value, ModuleType)]
    names = {getattr(value, "__module__", getattr(value, "__name__", "")) for value in values}
    names = {name for name in names if str(name).startswith("zsnas.")} - {module.__name__}
    shaping = {name for name in names if name.split(".", 1)[1] not in registry.SHAPELESS}
    others = [sys.modules[name] for name in shaping]
    return {registry.PACKAGE / other.__file__ for other in others}.union(*map(held, others))


def test_every_rule_has_docstring_log_and_benchmark():
    for rule in RULES:
        name, _, body = rule.partition(":\n")
        assert re.match(r'    """[^"\n]+\."""\n', body), name
        if "script:" in body or "shell:" in body:
            assert "log:" in body and "conda:" in body, name
            # Snakemake takes a benchmark for an output: a rule without any would run only once.
            assert ("benchmark:" in body) == ("output:" in body), name


@pytest.mark.parametrize("name", COMMANDS)
def test_code_of_a_command_is_its_input(name):
    (module,) = re.findall(r"python -m zsnas\.(\w+)", COMMANDS[name])
    (code,) = re.findall(r"^        code=(.+),\n", COMMANDS[name], re.MULTILINE)
    if code in FUNCTIONS:
        code, module = FUNCTIONS[code], "judge/__main__" if module == "judge" else module
    assert f'"zsnas/{module}.py"' in code


@pytest.mark.parametrize("name", judge_program.OF_STUDY | judge_program.OF_TABLES)
def test_an_analysis_is_in_the_file_of_its_name(name):
    """There `analysis_code` looks for it."""
    function = (judge_program.OF_STUDY | judge_program.OF_TABLES)[name]
    assert function.__module__ == f"zsnas.judge.{name}"


def test_jobs_depend_on_the_files_of_their_space():
    wanted = dict.fromkeys(["score", "measure", "search"], "network_files") | {"structural": "structure_files"}
    for name, files in (wanted | {"architectures": "space_files"}).items():
        assert f"        space={files},\n" in COMMANDS[name]


@pytest.mark.parametrize("name", FIGURES)
def test_code_of_a_figure_is_its_input(name):
    (script,) = re.findall(r'"\.\./(scripts/\w+\.py)"', FIGURES[name])
    assert f'code("{script}")' in FIGURES[name]


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(registry.PACKAGE)))
def test_what_a_module_holds_of_others_is_found_in_its_text(file):
    """Inputs are found by reading, this by running, where constants alone leave no trace."""
    name = ".".join(file.relative_to(WORKFLOW).with_suffix("").parts).removesuffix(".__init__")
    assert held(importlib.import_module(name)) <= registry.imported_files(file)


def test_code_that_others_use_is_held():
    """The control of the test above: it finds something, directly and through others."""
    engine = importlib.import_module("zsnas.engine")
    names = {file.name for file in held(engine)}
    assert {"passes.py", "second_order.py", "tiles.py"} <= names and "errors.py" not in names


def test_a_space_that_the_study_does_not_have_can_be_listed(tmp_path):
    target = "results/spaces/nats_size/architectures.parquet"
    assert counted(snakemake(copy_checkout(tmp_path / "checkout"), "-n", target)) == {"architectures": 1}


def test_files_that_list_a_space_may_lie_in_a_folder_with_a_space(tmp_path, shared):
    checkout = copy_checkout(tmp_path / "checkout")
    (checkout / "my data").symlink_to(shared)
    target = "results/spaces/pit/architectures.parquet"
    snakemake(checkout, "-c1", target, "--config", "data_dir=my data")
    assert (checkout / target).is_file()


def test_every_structure_is_imported_where_it_is_offered():
    for space in registry.spaces().values():
        for structure in {"cells", "links"}.intersection(space.structures):
            assert registry.PACKAGE / f"{structure}.py" in registry.imported_files(space.file)


@pytest.mark.parametrize("way", ["from zsnas.proxies import _b", "import zsnas.proxies._b", "from . import _b"])
def test_every_way_to_import_is_found(tmp_path, monkeypatch, way):
    """Also where two files import each other."""
    monkeypatch.setattr(registry, "PACKAGE", tmp_path / "zsnas")
    first, second = (tmp_path / "zsnas/proxies" / f"{name}.py" for name in ("a", "_b"))
    first.parent.mkdir(parents=True)
    first.write_text(f"{way}\n")
    second.write_text("def late():\n    from zsnas.proxies import a\n")
    assert registry.imported_files(first) == registry.imported_files(second) == {first, second}

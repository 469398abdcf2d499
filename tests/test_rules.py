"""The workflow's rules: whatever code shapes a rule's numbers is among its inputs."""

import importlib
import re
import sys
from types import ModuleType

import pytest
from runs import CHECKOUT

from zsnas import registry

WORKFLOW = CHECKOUT / "workflow"
RULES = [
    rule
    for file in sorted((WORKFLOW / "rules").glob("*.smk"))
    for rule in re.split(r"^(?:rule|checkpoint) ", file.read_text(), flags=re.MULTILINE)[1:]
]
COMMANDS = {rule.partition(":")[0]: rule for rule in RULES if "python -m zsnas." in rule}
FIGURES = {rule.partition(":")[0]: rule for rule in RULES if "scripts/figure_" in rule}
MODULES = sorted(registry.PACKAGE.rglob("*.py"))


def held(module):
    """Files of the package that a loaded module holds something of, itself or through others."""
    values = list(vars(module).values())
    if hasattr(module, "__path__"):  # whoever loads a part of a package leaves it there
        values = [value for value in values if not isinstance(value, ModuleType)]
    names = {getattr(value, "__module__", getattr(value, "__name__", "")) for value in values}
    names = {name for name in names if str(name).startswith("zsnas.")} - {module.__name__}
    shaping = {name for name in names if not {*registry.SHAPELESS, *registry.STRUCTURES} & {name.split(".", 1)[1]}}
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
    file = f"{module}/__main__.py" if (registry.PACKAGE / module).is_dir() else f"{module}.py"
    assert f'code("zsnas/{file}"' in COMMANDS[name]


@pytest.mark.parametrize("name", FIGURES)
def test_code_of_a_figure_is_its_input(name):
    (script,) = re.findall(r'"\.\./(scripts/\w+\.py)"', FIGURES[name])
    assert f'code("{script}")' in FIGURES[name]


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(registry.PACKAGE)))
def test_what_a_module_holds_of_others_is_found_in_its_text(file):
    """No job can depend on code that is not an input: inputs are found by reading, this by running."""
    name = ".".join(file.relative_to(WORKFLOW).with_suffix("").parts).removesuffix(".__init__")
    assert held(importlib.import_module(name)) <= registry.imported_files(file)


def test_code_that_others_use_is_held():
    """The control of the test above: it finds something, directly and through others."""
    engine = importlib.import_module("zsnas.engine")
    names = {file.name for file in held(engine)}
    assert {"passes.py", "second_order.py", "tiles.py"} <= names and "errors.py" not in names


def test_code_of_every_structure_is_an_input_of_structural_scores():
    shaping = {structure for structure in registry.STRUCTURES if (registry.PACKAGE / f"{structure}.py").is_file()}
    assert shaping and all(f'"zsnas/{structure}.py"' in COMMANDS["structural"] for structure in shaping)

"""The workflow's rules: whatever code shapes a rule's numbers is among its inputs."""

import ast
import re

import pytest
from runs import CHECKOUT

from zsnas import registry

PACKAGE = CHECKOUT / "workflow" / "zsnas"
# What reads and writes files, tells errors or finds plug-ins shapes no number; plug-ins are listed by name.
SHAPELESS = {"errors", "files", "provenance", "registry", "readers", "spaces", "devices", "judge"}
RULES = [
    rule
    for file in sorted((CHECKOUT / "workflow" / "rules").glob("*.smk"))
    for rule in re.split(r"^(?:rule|checkpoint) ", file.read_text(), flags=re.MULTILINE)[1:]
]
COMMANDS = {rule.partition(":")[0]: rule for rule in RULES if "python -m zsnas." in rule}
COMMON = (CHECKOUT / "workflow" / "rules" / "common.smk").read_text()
ANALYSIS_CODE = ast.literal_eval(re.search(r"^ANALYSIS_CODE = ({.*?^})", COMMON, re.DOTALL | re.MULTILINE)[1])


def imported(path):
    """Files of the package that a module imports, directly or through others."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = path.parent
            modules = [base / part for part in ([node.module] if node.module else [alias.name for alias in node.names])]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "zsnas":
            base = PACKAGE.joinpath(*node.module.split(".")[1:])
            modules = [base, *(base / alias.name for alias in node.names)]
        else:
            continue
        found |= {file for file in (module.with_suffix(".py") for module in modules) if file.is_file()}
    found = {file for file in found if file.stem not in SHAPELESS}
    return found.union(*(imported(file) for file in found if file != path))


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
    rule = COMMANDS[name]
    (module,) = re.findall(r"python -m zsnas\.(\w+)", rule)
    path = PACKAGE / module / "__main__.py" if (PACKAGE / module).is_dir() else PACKAGE / f"{module}.py"
    listed = rule
    if "SCORE_CODE" in rule:
        listed += (CHECKOUT / "workflow" / "rules" / "scores.smk").read_text()
    needed = {str(file.relative_to(PACKAGE)) for file in {path, *imported(path)}}
    if module == "judge":  # the files of single analyses are looked at below
        needed -= {f"judge/{file}.py" for files in ANALYSIS_CODE.values() for file in files}
    missing = {file for file in needed if f'"{file}"' not in listed}
    assert not missing, f"rule {name} does not list {missing}"


@pytest.mark.parametrize("analysis", ANALYSIS_CODE)
def test_code_of_an_analysis_is_its_input(analysis):
    listed = {PACKAGE / "judge" / f"{file}.py" for file in ANALYSIS_CODE[analysis]}
    shared = {PACKAGE / "judge" / f"{file}.py" for file in ("population", "statistics")}
    assert listed.union(*(imported(file) for file in listed)) - shared == listed


@pytest.mark.parametrize("name", registry.spaces())
def test_code_of_a_space_is_an_input_of_its_jobs(name):
    space = registry.spaces()[name]
    structures = {PACKAGE / f"{structure}.py" for structure in registry.STRUCTURES}
    assert set(space.files) == {space.file, *imported(space.file)} - structures


@pytest.mark.parametrize("reader", registry.plugin_files("readers"), ids=lambda file: file.stem)
def test_code_of_a_reader_is_an_input_of_its_jobs(reader):
    assert registry.imported_files(reader) == {reader, *imported(reader)}


def test_code_of_every_structure_is_an_input_of_structural_scores():
    shaping = {structure for structure in registry.STRUCTURES if (PACKAGE / f"{structure}.py").is_file()}
    assert shaping and all(f'"{structure}.py"' in COMMANDS["structural"] for structure in shaping)

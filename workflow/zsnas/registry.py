"""What there is: spaces, proxies and devices, found by looking into their folders.

Facts are read from the source text, so that the workflow can ask what exists, and which file holds it, without
importing torch. `load_space`, `load_device` and `Proxy.function` import the one module that is really needed.
"""

import ast
import functools
import importlib
import inspect
import pathlib
from dataclasses import dataclass, field, replace

from zsnas import proxy
from zsnas.errors import StudyError, suggestion

PACKAGE = pathlib.Path(__file__).parent
GIVEN = ("net", "batches", "rng")  # what proxies of networks may need beside passes
STRUCTURES = {  # what structural proxies may need; all but OF_EVERY_SPACE are functions that a space may have
    "table": "the index of architectures",
    "live": "the index's rows of their canonical networks",
    "cells": "cells as graphs",
    "links": "depth, width and long-range links of cells",
}
OF_EVERY_SPACE = ("table", "live")
# What reads and writes files, tells errors, describes or finds plug-ins: it shapes no number.
SHAPELESS = ("errors", "files", "provenance", "registry", "readers", "spaces", "judge")
FACTS = tuple(fact.name for fact in inspect.signature(proxy).parameters.values() if fact.kind == fact.KEYWORD_ONLY)
PRECISIONS = ("float32", "float64")
NETWORKS = ("any", "convolutional", "transformer")
NEEDED = ("ARCHITECTURES", "CANONICAL", "TASKS", "architectures", "build")  # what no space can do without
SPACE_FACTS = ("ARCHITECTURES", "CANONICAL", "TASKS", "NETWORKS", "ACTIVATION", "LISTED", "COUNTS", "COLUMNS")
KINDS_OF_TASKS = ("any", "image classes")
# Columns of the study beside those of its proxies, truths and devices; the oracle comes where it meets truth.
STUDY = ("space", "task", "arch", "canonical", "iso_class", "reachable", "connected", "seed", "sampled", "oracle")


@dataclass(frozen=True)
class Proxy:
    """A training-free score as its file declares it.

    `needs` are the parameter names of its function: passes of the engine; or STRUCTURES for a structural proxy, which
    reads what architectures are made of and no network; or other proxies, its `members`, for an aggregate, which reads
    their scores of all architectures at once. `precision` is the floating-point type its passes run in, `networks` and
    `tasks` the kinds of networks and tasks it is defined for, `relu` whether it reads which ReLUs are on,
    `columns` those of the index it reads that not every space has.
    """

    name: str
    file: pathlib.Path
    summary: str
    needs: tuple[str, ...]
    paper: str = ""
    larger_is_better: bool = True
    precision: str = "float32"
    networks: str = "any"
    relu: bool = False
    tasks: str = "any"
    columns: tuple[str, ...] = ()
    members: tuple[str, ...] = ()

    @property
    def structural(self):
        return set(self.needs) <= set(STRUCTURES)

    @property
    def everywhere(self):
        """Whether it has scores of all architectures: it is structural, or an aggregate of nothing else."""
        members = [proxies()[name] for name in self.members] or [self]
        return all(member.structural for member in members)

    @property
    def of_networks(self):
        """Whether a network is built to compute it: it is neither structural nor an aggregate."""
        return not self.structural and not self.members

    @functools.cached_property
    def function(self):
        return getattr(importlib.import_module(f"zsnas.proxies.{self.file.stem}"), self.name)


@dataclass(frozen=True)
class Space:
    """A search space as its file declares it; `tasks` maps a task to its facts (see `zsnas.spaces`).

    `structures` are the STRUCTURES it has, `networks` the kind of its networks, `activation` what they have between
    layers, `columns` what its index has beyond every space's, `counts` those of which latencies are sums. `listed` are
    the files that list its architectures where they cannot be enumerated, with their addresses, `searchable` tells
    whether it has genes.
    """

    name: str
    file: pathlib.Path
    summary: str
    architectures: int
    canonical: int
    tasks: dict[str, dict[str, int]]
    structures: tuple[str, ...] = OF_EVERY_SPACE
    networks: str = "convolutional"
    counts: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    activation: str = "ReLU"
    listed: dict[tuple[str, ...], str] = field(default_factory=dict)
    searchable: bool = False


@dataclass(frozen=True)
class DevicePlugin:
    """A kind of device as its file declares it; one that does not measure has no runtimes."""

    name: str
    file: pathlib.Path
    summary: str
    runtimes: tuple[str, ...] = ()
    precisions: tuple[str, ...] = ()
    remote: bool = False
    models: tuple[str, ...] = ()

    @property
    def pattern(self):
        """How its devices are named, for readers."""
        if self.models:
            return f"{self.name}-{{{','.join(self.models)}}}-DEVICE"
        if not self.runtimes:
            return f"{self.name}-NAME"
        host = "HOST-" if self.remote else ""
        return f"{self.name}-{host}{{{','.join(self.runtimes)}}}-{{{','.join(self.precisions)}}}-batchN-threadsN"


@functools.cache
def proxies():
    """All proxies by name. Raises StudyError for a name that two files declare, or that is a need of proxies."""
    found = {}
    for file in plugin_files("proxies"):
        module = parsed(file)
        for function in module.body:
            facts = declared_facts(function, file)
            if facts is None:
                continue
            if function.name in found:
                raise StudyError(f"proxy '{function.name}' is declared in {found[function.name].file} and in {file}")
            if function.name in known_needs():
                raise StudyError(f"proxy '{function.name}' in {file} has the name of a need of proxies; rename it")
            if function.name in STUDY:
                raise StudyError(f"proxy '{function.name}' in {file} has the name of a column of the study; rename it")
            needs = tuple(argument.arg for argument in [*function.args.args, *function.args.kwonlyargs])
            if not needs:
                raise StudyError(
                    f"proxy '{function.name}' in {file} reads nothing; let its parameters be what it needs"
                )
            for fact, value in facts.items():
                check_known(f"fact of proxy '{function.name}'", fact, FACTS, file)
                if not isinstance(value, kind := type(getattr(Proxy, fact))):
                    raise StudyError(
                        f"proxy '{function.name}' in {file}: {fact} is {value!r}, which is no {kind.__name__}"
                    )
            check_known(f"precision of proxy '{function.name}'", facts.get("precision", "float32"), PRECISIONS, file)
            check_known(f"networks of proxy '{function.name}'", facts.get("networks", "any"), NETWORKS, file)
            check_known(f"tasks of proxy '{function.name}'", facts.get("tasks", "any"), KINDS_OF_TASKS, file)
            summary = first_line(ast.get_docstring(function) or ast.get_docstring(module))
            found[function.name] = Proxy(function.name, file, summary, needs, **facts)
    return {name: with_members(proxy, found) for name, proxy in found.items()}


def with_members(proxy, found):
    """The proxy with its members among all `found`, its needs checked."""
    known = known_needs()
    for need in proxy.needs:
        check_known(f"need of proxy '{proxy.name}'", need, [*known, *found], proxy.file)
    structures = [need for need in proxy.needs if need in STRUCTURES]
    if structures and not proxy.structural:
        raise StudyError(
            f"proxy '{proxy.name}' in {proxy.file} reads '{structures[0]}', which is of all architectures at once, and "
            "cannot read what is of one network beside it; let its parameters be of one kind"
        )
    members = tuple(need for need in proxy.needs if need not in known)
    if not members:
        return proxy
    for need in proxy.needs:
        if need not in members or any(inner not in known for inner in found[need].needs):
            raise StudyError(
                f"proxy '{proxy.name}' in {proxy.file} combines the scores of other proxies and cannot read '{need}' "
                "beside them; let all its parameters be proxies that read no others"
            )
    return replace(proxy, members=members)


@functools.cache
def spaces():
    """All spaces by name."""
    found = {}
    for file in plugin_files("spaces"):
        module = parsed(file)
        facts = literals(file, *SPACE_FACTS)
        defined = {name for node in module.body for name in names_of(node)}
        if lacking := [name for name in NEEDED if name not in defined]:
            raise StudyError(f"{file} has no {', '.join(lacking)}; see docs/add-a-space.md")
        check_known(f"networks of space '{file.stem}'", facts.get("networks", "convolutional"), NETWORKS[1:], file)
        tasks = facts["tasks"]
        if not (isinstance(tasks, dict) and all(isinstance(it, dict) and "resolution" in it for it in tasks.values())):
            raise StudyError(f"{file}: TASKS is no dict of tasks, each with its resolution; see docs/add-a-space.md")
        for task, of_task in tasks.items():
            if not {"classes", "values"}.intersection(of_task):
                raise StudyError(f"{file}: task '{task}' has neither classes nor values; see docs/add-a-space.md")
        facts["searchable"] = "genes" in defined
        facts["structures"] = (*OF_EVERY_SPACE, *(name for name in STRUCTURES if name in defined))
        found[file.stem] = Space(file.stem, file, first_line(ast.get_docstring(module)), **facts)
    return found


@functools.cache
def devices():
    """All device plug-ins by name."""
    found = {}
    for file in plugin_files("devices"):
        module = parsed(file)
        facts = literals(file, "RUNTIMES", "PRECISIONS", "REMOTE", "MODELS")
        found[file.stem] = DevicePlugin(file.stem, file, first_line(ast.get_docstring(module)), **facts)
    return found


@functools.cache
def known_needs():
    """Names a proxy's parameters may have: all passes, and what is given."""
    module = parsed(PACKAGE / "passes.py")
    passes = [node.name for node in module.body if isinstance(node, ast.FunctionDef)]
    return [*GIVEN, *STRUCTURES, *passes]


def reason_against(proxy, space, task=None):
    """Why a proxy does not apply to a space's networks, or "" where it does; for one task where that is given."""
    facts, offered = proxies()[proxy], spaces()[space]
    if facts.networks not in ("any", offered.networks):
        return f"it is defined for {facts.networks} networks, those of {space} are {offered.networks}"
    if facts.relu and offered.activation != "ReLU":
        return f"it reads which ReLUs are on, the networks of {space} have {offered.activation}"
    if task and facts.tasks == "image classes" and set(offered.tasks[task]) != {"classes", "resolution"}:
        return f"it needs one class for each image, which {task} does not have"
    if missing := [column for column in facts.columns if column not in offered.columns]:
        return f"it reads {', '.join(missing)} in the index, which {space} does not have"
    for need in facts.needs:
        if need in STRUCTURES and need not in offered.structures:
            return f"it needs `{need}` ({STRUCTURES[need]}), which {space} does not have"
    return next((f"{name}: {why}" for name in facts.members if (why := reason_against(name, space, task))), "")


def load_space(name):
    """The module of a space."""
    return importlib.import_module(f"zsnas.spaces.{look_up('space', name, spaces()).name}")


def load_device(name):
    """The module of a device plug-in."""
    return importlib.import_module(f"zsnas.devices.{look_up('device', name, devices()).name}")


def look_up(kind, name, known, place=""):
    """`known[name]`. Raises StudyError as `check_known`."""
    check_known(kind, name, known, place)
    return known[name]


def check_known(kind, name, known, place=""):
    """Raise StudyError that names the kind, the place and the nearest known name unless `name` is in `known`."""
    if name not in known:
        hint = suggestion(str(name), known) or f"; known: {', '.join(map(str, known))}"
        raise StudyError(f"unknown {kind} '{name}'{f' in {place}' if place else ''}{hint}")


@functools.cache
def parsed(file):
    """The syntax tree of a file. StudyError where it is no Python."""
    try:
        return ast.parse(file.read_text(), str(file))
    except (OSError, SyntaxError, ValueError) as error:
        raise StudyError(f"{file} cannot be read as Python ({error}): correct it or take it away") from error


def plugin_files(folder):
    return sorted((PACKAGE / folder).glob("[!_]*.py"))


@functools.cache
def imported_files(*files):
    """The files and what they import of the package and shapes numbers, directly or through others."""
    found, waiting = set(), set(files)
    while waiting:
        file = waiting.pop()
        found.add(file)
        waiting |= imports_of(file) - found
    return frozenset(found)


@functools.cache
def structure_files(space):
    """Those of a space's files that shape what structural proxies read: its readers shape the index alone."""
    return frozenset(file for file in imported_files(spaces()[space].file) if file.parent.name != "readers")


@functools.cache
def network_files(space):
    """Those of `structure_files` that shape its networks, which do not read STRUCTURES."""
    return frozenset(file for file in structure_files(space) if file.stem not in STRUCTURES)


@functools.cache
def imports_of(file):
    """Files of the package that a file imports itself, but SHAPELESS ones."""
    names = set()
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = module_of(node, file)
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    inside = {name.removeprefix("zsnas.") for name in names if name.startswith("zsnas.")} - set(SHAPELESS)
    paths = [PACKAGE / name.replace(".", "/") for name in inside]
    return {file for path in paths for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()}


def module_of(node, file):
    """The full name of the module that an import in a file of the package names."""
    package = (PACKAGE.name, *file.relative_to(PACKAGE).parts[: -node.level]) if node.level else ()
    return ".".join([*package, *filter(None, [node.module])])


def declared_facts(node, file):
    """The keyword arguments of a function's `@proxy(...)`, or None if it has no such decorator."""
    for decorator in getattr(node, "decorator_list", []):
        call = decorator if isinstance(decorator, ast.Call) else ast.Call(decorator, [], [])
        if getattr(call.func, "id", None) == "proxy":
            if not isinstance(node, ast.FunctionDef):
                raise StudyError(f"'{node.name}' in {file} is no function: @proxy goes before one")
            if call.args:
                raise StudyError(
                    f"proxy '{node.name}' in {file}: write facts with their names, as in @proxy(paper=...)"
                )
            return {keyword.arg: literal(keyword.value, keyword.arg, file) for keyword in call.keywords}
    return None


def literals(file, *names):
    """Values of a file's literal constants, by lower-case name; also of those it imports from the package."""
    found = {}
    for node in parsed(file).body:
        wanted = names_of(node).intersection(names)
        if isinstance(node, ast.ImportFrom) and wanted:
            found |= literals(PACKAGE.parent / f"{module_of(node, file).replace('.', '/')}.py", *wanted)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            found |= {name.lower(): literal(node.value, name, file) for name in wanted}
    return found


def literal(node, name, file):
    """The value of a constant. StudyError where it is computed."""
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise StudyError(f"{file}: write {name} out, for it is read without running the file") from error


def names_of(node):
    """The names that a statement at the top of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.ImportFrom):
        return {alias.asname or alias.name for alias in node.names}
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def first_line(docstring):
    return (docstring or "").partition("\n")[0]

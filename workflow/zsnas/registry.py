"""What there is: spaces and proxies, found by looking into their folders.

Facts are read from the source text, so that the workflow can ask what exists, and which file holds it, without
importing torch. `load_space` and `Proxy.function` import the one module that is really needed.
"""

import ast
import functools
import importlib
import pathlib
from dataclasses import dataclass

from zsnas.errors import StudyError, suggestion

PACKAGE = pathlib.Path(__file__).parent
GIVEN = ("table", "net", "batches", "rng")  # what proxies may need beside passes
FACTS = ("paper", "larger_is_better", "precision")
PRECISIONS = {"float32": None, "float64": None}


@dataclass(frozen=True)
class Proxy:
    """A training-free score as its file declares it.

    `needs` are the parameter names of its function: passes of the engine, or `table` for a structural proxy, which
    reads the architecture index and no network. `precision` is the floating-point type its passes run in.
    """

    name: str
    file: pathlib.Path
    summary: str
    needs: tuple[str, ...]
    paper: str = ""
    larger_is_better: bool = True
    precision: str = "float32"

    @property
    def structural(self):
        return self.needs == ("table",)

    @functools.cached_property
    def function(self):
        return getattr(importlib.import_module(f"zsnas.proxies.{self.file.stem}"), self.name)


@dataclass(frozen=True)
class Space:
    """A search space as its file declares it; `tasks` maps a task to its classes and resolution (pixels)."""

    name: str
    file: pathlib.Path
    summary: str
    architectures: int
    canonical: int
    tasks: dict[str, dict[str, int]]
    counts: tuple[str, ...] = ()


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
    """All proxies by name. Raises StudyError for a name that two files declare."""
    found = {}
    for file in plugin_files("proxies"):
        module = ast.parse(file.read_text(), str(file))
        for function in module.body:
            facts = declared_facts(function)
            if facts is None:
                continue
            if function.name in found:
                raise StudyError(f"proxy '{function.name}' is declared in {found[function.name].file} and in {file}")
            needs = tuple(argument.arg for argument in function.args.args)
            for need in needs:
                look_up(f"need of proxy '{function.name}'", need, known_needs(), file)
            for fact in facts:
                look_up(f"fact of proxy '{function.name}'", fact, dict.fromkeys(FACTS), file)
            look_up(f"precision of proxy '{function.name}'", facts.get("precision", "float32"), PRECISIONS, file)
            summary = first_line(ast.get_docstring(function) or ast.get_docstring(module))
            found[function.name] = Proxy(function.name, file, summary, needs, **facts)
    return found


@functools.cache
def spaces():
    """All spaces by name."""
    found = {}
    for file in plugin_files("spaces"):
        module = ast.parse(file.read_text(), str(file))
        facts = literals(module, "ARCHITECTURES", "CANONICAL", "TASKS", "COUNTS")
        found[file.stem] = Space(file.stem, file, first_line(ast.get_docstring(module)), **facts)
    return found


@functools.cache
def devices():
    """All device plug-ins by name."""
    found = {}
    for file in plugin_files("devices"):
        module = ast.parse(file.read_text(), str(file))
        facts = literals(module, "RUNTIMES", "PRECISIONS", "REMOTE", "MODELS")
        found[file.stem] = DevicePlugin(file.stem, file, first_line(ast.get_docstring(module)), **facts)
    return found


@functools.cache
def known_needs():
    """Names a proxy's parameters may have: all passes, and what is given."""
    module = ast.parse((PACKAGE / "passes.py").read_text())
    passes = [node.name for node in module.body if isinstance(node, ast.FunctionDef)]
    return dict.fromkeys([*GIVEN, *passes])


def load_space(name):
    """The module of a space."""
    return importlib.import_module(f"zsnas.spaces.{look_up('space', name, spaces()).name}")


def load_device(name):
    """The module of a device plug-in."""
    return importlib.import_module(f"zsnas.devices.{look_up('device', name, devices()).name}")


def look_up(kind, name, known, place=""):
    """`known[name]`. Raises StudyError that names the kind, the place and the nearest known name."""
    if name not in known:
        hint = suggestion(str(name), known) or f"; known: {', '.join(map(str, known))}"
        raise StudyError(f"unknown {kind} '{name}'{f' in {place}' if place else ''}{hint}")
    return known[name]


def plugin_files(folder):
    return sorted((PACKAGE / folder).glob("[!_]*.py"))


def declared_facts(node):
    """The keyword arguments of a function's `@proxy(...)`, or None if it has no such decorator."""
    for decorator in getattr(node, "decorator_list", []):
        call = decorator if isinstance(decorator, ast.Call) else ast.Call(decorator, [], [])
        if getattr(call.func, "id", None) == "proxy":
            return {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    return None


def literals(module, *names):
    """Values of a module's literal constants, by lower-case name."""
    return {
        node.targets[0].id.lower(): ast.literal_eval(node.value)
        for node in module.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) in names
    }


def first_line(docstring):
    return (docstring or "").partition("\n")[0]

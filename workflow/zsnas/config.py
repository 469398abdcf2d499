"""Check a study's config before any job runs: its shape, the names in it, and the files it relies on.

Every mistake is one line that names the key, the file and the way out.
"""

import contextlib
from pathlib import Path

import jsonschema
import yaml

from zsnas import devices, registry, sources
from zsnas.errors import StudyError, suggestion
from zsnas.registry import PACKAGE, check_known, look_up

SCHEMA = PACKAGE.parent / "schemas" / "config.schema.yaml"
DRAFT = jsonschema.Draft202012Validator
# 6.0 is an integer to JSON Schema, and none to what counts networks.
Validator = jsonschema.validators.extend(
    DRAFT, type_checker=DRAFT.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
)


def check_keys(file):
    """A config file names no key twice, of which YAML would keep the last."""
    with open(file) as opened, contextlib.suppress(yaml.YAMLError):  # JSON with tabs, which Snakemake can read
        nodes = [yaml.compose(opened, yaml.SafeLoader)]
        while nodes:
            node = nodes.pop()
            if isinstance(node, yaml.MappingNode):
                names = [(key.tag, key.value) for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
                if twice := [name for name in names if names.count(name) > 1]:
                    line = node.start_mark.line + 1
                    raise StudyError(f"{file}: '{twice[0][1]}' is there twice in what begins at line {line}")
                nodes += [value for _, value in node.value]
            elif isinstance(node, yaml.SequenceNode):
                nodes += node.value


def check(config, place, sources_csv, data_dir):
    """Raise StudyError for the first mistake in `config`, of names before that of files.

    place: what to call the config file in messages. data_dir: where files placed by hand are looked for.
    """
    check_shape(config, place)
    for name, study in config["spaces"].items():
        space = look_up("space", name, registry.spaces(), f"{place}, key 'spaces'")
        check_number(study, space.canonical, name, f"{place}, key 'spaces.{name}.architectures'")
        for task, truths in study["tasks"].items():
            check_known("task", task, space.tasks, f"{place}, key 'spaces.{name}.tasks'")
            if "sampled_from" in study:
                where = f"{place}, key 'spaces.{name}.sampled_from', task {task}"
                check_known("truth", study["sampled_from"], truths, where)
    check_proxies(config, place)
    if "search" in config:
        check_search(config, place)
    if config["inputs"] == "images":
        check_official_images(config, place)
    looked_up = {name: devices.looked_up(name) for name in config.get("devices", [])}
    for name in (name for name, source in looked_up.items() if not source):
        check_device(name, config, f"{place}, key 'devices'")
    check_hosts(config, place)
    for name in config["spaces"]:
        check_truths(name, config, place, sources_csv, data_dir)
    for source in filter(None, looked_up.values()):
        check_looked_up(source, config, sources_csv, data_dir)
    check_images(config, place, data_dir)


def check_truths(name, config, place, sources_csv, data_dir):
    """The files that a space's architectures and truths come from."""
    space, study = registry.spaces()[name], config["spaces"][name]
    for task, truths in study["tasks"].items():
        for truth in truths:
            source, path = sources.locate(name, task, truth, sources_csv, data_dir, or_table=True)
            if truth == study.get("sampled_from"):
                there = source.architectures or space.canonical
                check_number(study, there, path, f"{place}, key 'spaces.{name}.architectures'")
            sources.verify_unread(source, path)
            if (column := f"{source.metric}_{truth}") in config["proxies"]:
                raise StudyError(
                    f"{place}, key 'proxies': '{column}' is the column of the truth {truth} as well; rename the proxy"
                )
    sources.lists(space, data_dir, or_index=True)


def check_number(study, there, whose, where):
    """No more networks than there are of them, or of architectures."""
    if study["architectures"] > there:
        asked = study["architectures"]
        raise StudyError(f"{where}: {asked} asked for, but {whose} has {there}; ask for at most that many")


def check_search(config, place):
    """A search needs latencies, and spaces whose architectures can be changed."""
    if not config.get("devices"):
        raise StudyError(f"{place}, key 'search': a search needs a latency; name a device under 'devices'")
    for space in config["spaces"]:
        if not registry.spaces()[space].searchable:
            raise StudyError(
                f"{place}, key 'search': {space} has no genes to change; give it `genes` or leave search out"
            )


def check_shape(config, place):
    """The keys and the types of their values, against the schema."""
    schema = yaml.safe_load(SCHEMA.read_text())
    error = jsonschema.exceptions.best_match(Validator(schema).iter_errors(config))
    if error is None:
        return
    key = ".".join(map(str, error.absolute_path))
    if error.validator == "additionalProperties":
        known = list(error.schema["properties"])
        unknown = next(name for name in error.instance if name not in known)
        way_out = suggestion(str(unknown), known) or f"; known: {', '.join(known)}"
        raise StudyError(f"{place}: unknown key '{f'{key}.' if key else ''}{unknown}'{way_out}")
    where = f"key '{key}'" if key else "top level"
    raise StudyError(f"{place}, {where}: {error.message}; see config/README.md")


def check_proxies(config, place):
    """Names in `proxies` and `bundles`; a proxy belongs to one bundle, and a bundle takes no other proxy's name.

    A proxy must apply to some space and task of the study; in the others its scores are failures that say why.
    """
    for name in config["proxies"]:
        proxy = look_up("proxy", name, registry.proxies(), f"{place}, key 'proxies'")
        if name.startswith(tuple(f"{cost}_" for cost in devices.COSTS)):
            raise StudyError(f"{place}, key 'proxies': '{name}' is named as what devices cost; rename the proxy")
        registry.imported_files(proxy.file)  # they can be read
        reasons = {
            (space, task): registry.reason_against(name, space, task)
            for space, study in config["spaces"].items()
            for task in study["tasks"]
        }
        if all(reasons.values()):
            (space, _), reason = next(iter(reasons.items()))
            raise StudyError(f"{place}, key 'proxies': '{name}' does not apply to {space}: {reason}; take it out")
    bundled = {}
    for bundle, members in config.get("bundles", {}).items():
        if bundle in registry.proxies():
            raise StudyError(f"{place}, key 'bundles.{bundle}': that is the name of a proxy; call the bundle otherwise")
        for name in members:
            proxy = look_up("proxy", name, registry.proxies(), f"{place}, key 'bundles.{bundle}'")
            if not proxy.of_networks:
                kind = "structural" if proxy.structural else "an aggregate, computed where its members' scores meet"
                raise StudyError(f"{place}, key 'bundles.{bundle}': '{name}' is {kind}; take it out")
            if name in bundled:
                both = f"'{bundled[name]}' and '{bundle}'"
                raise StudyError(f"{place}, key 'bundles': '{name}' is in {both}; leave it in one")
            bundled[name] = bundle


def check_device(name, config, where):
    """The parts of a measured device's name, or of a predicted one's and what it asks of spaces."""
    if prediction := devices.prediction(name):
        check_predicted(name, *prediction, config, where)
    else:
        check_measured(name, where)


def check_hosts(config, place):
    """`remote_python` is of hosts that measure."""
    measured = [(devices.prediction(name) or ("", name))[1] for name in config.get("devices", [])]
    hosts = [device.host for device in map(devices.parse, measured) if device and device.host]
    for host in config.get("remote_python", {}):
        if host not in hosts:
            meant = suggestion(host, hosts)
            raise StudyError(f"{place}, key 'remote_python': no device of the study is on '{host}'{meant}")


def check_looked_up(source, config, sources_csv, data_dir):
    """The files of a looked-up device, for every task."""
    for space, study in config["spaces"].items():
        for task in study["tasks"]:
            for located in sources.locate_costs(space, task, source, sources_csv, data_dir, or_table=True):
                sources.verify_unread(*located)


def check_predicted(name, model, measured, config, where):
    plugin = registry.devices()["predicted"]
    check_known(f"model of device '{plugin.name}'", model, plugin.models, where)
    if devices.parse(measured) is None:
        raise StudyError(f"{where}: '{name}' predicts '{measured}', which cannot be measured; write {plugin.pattern}")
    fewest = 2 * registry.literals(plugin.file, "FOLDS")["folds"]
    for space, study in config["spaces"].items():
        if not registry.spaces()[space].counts:
            raise StudyError(f"{where}: '{name}' needs counts of operations, which {space} does not have; leave it out")
        if study["architectures"] < fewest:
            asked = f"{study['architectures']} architectures of {space}"
            raise StudyError(f"{where}: '{name}' is fitted on {fewest} networks or more; {asked} are too few")
    check_measured(measured, where)


def check_measured(name, where):
    device = devices.parse(name)
    if device is None:
        raise StudyError(
            f"{where}: '{name}' is no device; write plugin-runtime-precision-batchN-threadsN, "
            "such as local-onnxruntime-float32-batch1-threads1, or lookup-NAME for a NAME of sources.csv"
        )
    plugin = look_up("device", device.plugin, registry.devices(), where)
    if plugin.remote != bool(device.host):
        raise StudyError(
            f"{where}: '{name}' {'lacks a' if plugin.remote else 'has a needless'} host; write {plugin.pattern}"
        )
    check_known(f"runtime of device '{plugin.name}'", device.runtime, plugin.runtimes, where)
    check_known(f"precision of device '{plugin.name}'", device.precision, plugin.precisions, where)


def check_official_images(config, place):
    """Where no file of a task's images is given, there must be an official data set of the size its networks take."""
    official = registry.literals(PACKAGE / "images.py", "OFFICIAL")["official"]
    for space, study in config["spaces"].items():
        for task in study["tasks"]:
            side = registry.spaces()[space].tasks[task]["resolution"]
            if task not in config.get("images", {}) and official.get(task) != side:
                raise StudyError(
                    f"{place}, key 'inputs': {space} takes images of {task} with {side} x {side} pixels, which no "
                    f"official data set has; name an .npz of them as 'images.{task}', or write noise"
                )


def check_images(config, place, data_dir):
    """A given file of images must be there; tasks without one take the official data set."""
    tasks = [task for study in config["spaces"].values() for task in study["tasks"]]
    for task, file in config.get("images", {}).items():
        check_known("task", task, tasks, f"{place}, key 'images'")
        path = Path(data_dir, file)
        if not path.is_file():
            raise StudyError(
                f"{place}, key 'images.{task}': no file {path}; correct the name or 'data_dir', or remove the key "
                "to take the official data set"
            )

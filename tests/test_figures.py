"""Every figure from a small study whose facts are known, drawn by the workflow's own scripts."""

import re
import runpy
from pathlib import Path
from types import SimpleNamespace

import jinja2
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import yaml
from docutils.core import publish_parts

from zsnas import judge, registry
from zsnas.files import write_parquet
from zsnas.plotting import label_devices
from zsnas.registry import PACKAGE

plt.switch_backend("agg")

WORKFLOW = PACKAGE.parent
CHECKOUT = WORKFLOW.parent
SCRIPTS = {path.stem.removeprefix("figure_"): path for path in sorted((WORKFLOW / "scripts").glob("figure_*.py"))}
RULES = "\n".join((WORKFLOW / "rules" / name).read_text() for name in ("figures.smk", "device_figures.smk"))
TABLES = ("correlation", "selection", "cost", "pareto", "budget", "regret", "hardware", "trust", "prediction")
TABLES += ("repeatability", "robustness", "search")
DEVICE = "local-onnxruntime-float32-batch1-threads1"
CELL = {"space": "toy", "task": "cifar10", "truth": "test"}
PROXIES = {name: registry.proxies()[name] for name in ("params", "random", "synflow", "snip", "zen")}


class Names(dict):
    """A named list as Snakemake injects it: names are attributes too."""

    __getattr__ = dict.__getitem__


def small_study():
    """Of 300 architectures 60 are sampled: `synflow` is the truth, `snip` fails three times, `zen` always."""
    rng = np.random.default_rng(0)
    n, sampled = 300, 60
    accuracy = np.round(90 + 3 * rng.normal(size=n), 2)
    names = [f"a{i}" for i in range(n)]
    snip = rng.normal(size=n)
    snip[:3] = np.nan
    of_sample = np.where(np.arange(n) < sampled, 1, np.nan)
    columns = {
        "arch": names,
        "canonical": names,
        "iso_class": np.arange(n),
        "reachable": True,
        "connected": True,
        "seed": 0,
        "sampled": np.arange(n) < sampled,
        "params": accuracy + 3 * rng.normal(size=n),
        "random": rng.random(n),
        "synflow": accuracy * of_sample,
        "snip": snip * of_sample,
        "zen": np.nan,
        "accuracy_test": accuracy,
        "accuracy_noisy": accuracy[::-1],
        f"latency_ms_{DEVICE}": rng.lognormal(size=n) * of_sample,
    }
    return pd.DataFrame({"space": "toy", "task": "cifar10", **columns})


def repeated_measurements():
    """Of 50 networks that take 1 to 5 ms, the second session finds two percent more, raw even ten."""
    first = np.linspace(1, 5, 50)
    columns = {"latency_ms": first, "latency_raw_ms": first}
    columns |= {"again_latency_ms": 1.02 * first, "again_latency_raw_ms": 1.1 * first}
    cell = {"space": "toy", "task": "cifar10", "device": DEVICE, "canonical": [f"a{i}" for i in range(50)]}
    return pd.DataFrame(cell | columns)


def few_searches():
    """Four seeds of searches with three proxies; the oracle's evolution finds the best at last."""
    rng = np.random.default_rng(0)
    cells = [
        {"proxy": proxy, "budgets": budgets, "algorithm": algorithm, "seed": seed, "evaluations": evaluations}
        for proxy in ("params", "synflow", "oracle")
        for budgets in ("tight", "loose")
        for algorithm, seeds in (("random", 4), ("evolution", 4), ("nsga2", 4), ("exhaustive", 1))
        for seed in range(seeds)
        for evaluations in ((60,) if algorithm == "exhaustive" else (10, 20, 50))
    ]
    frame = pd.DataFrame(cells)
    regret = np.where((frame.proxy == "oracle") & (frame.evaluations >= 50), 0, rng.random(len(frame)))
    cell = {"space": "toy", "task": "cifar10", "truth": "test", "device": DEVICE, "budget_ms": 1.0, "n": 60}
    scored = np.where(frame.algorithm == "evolution", frame.evaluations.clip(upper=45), frame.evaluations)
    return frame.assign(**cell, scored=scored, regret=regret, hypervolume_ratio=1 - regret / 2)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Files that figures read, by the name that their rules give them."""
    folder = tmp_path_factory.mktemp("study")
    study, truths = small_study(), {"accuracy_test": True}
    both = truths | {"accuracy_noisy": True}
    cost = pd.DataFrame({"proxy": list(PROXIES), "seconds_per_arch": [1e-8, 1e-6, 0.05, 0.7, 0.5]})
    tables = {
        "correlation": judge.correlation_table(study, truths, PROXIES, replicates=50),
        "pareto": judge.pareto_table(study, truths, PROXIES, replicates=50),
        "cost": cost.assign(space="toy", task="cifar10", seconds_shared=cost.seconds_per_arch / 2, peak_mb=1.0),
    }
    for name, table in (("regret", judge.regret_table), ("hardware", judge.hardware_table)):
        tables[name] = table(study, truths, PROXIES, replicates=50)
    tables["robustness"] = judge.robustness_table(study, both, PROXIES, replicates=50)
    tables["repeated"] = repeated_measurements()
    tables["repeatability"] = judge.repeatability_table(tables["repeated"], replicates=50)
    tables["search"] = judge.search_table(tables["cost"], few_searches(), replicates=50)
    tables["trust"] = judge.trust_table(tables["regret"], tables["hardware"], tables["pareto"])
    write_parquet(study, folder / "study.parquet", truths=truths)
    for name, table in tables.items():
        write_parquet(table, folder / f"{name}.parquet")
    paths = {name: str(folder / f"{name}.parquet") for name in ("study", *tables)}
    return Names(paths, style=str(WORKFLOW / "scripts" / "zsnas.mplstyle"))


def draw(kind, inputs, folder):
    """The files and the matplotlib figure of one kind."""
    folder.mkdir(exist_ok=True)
    paths = [str(folder / f"{kind}.{suffix}") for suffix in ("pdf", "svg", "png")]
    wildcards = Names(CELL, device=DEVICE) if kind in ("pareto", "repeatability") else Names(CELL)
    if kind == "robustness":  # draws all truths
        del wildcards["truth"]
    snakemake = SimpleNamespace(input=inputs, output=paths, wildcards=wildcards)
    with plt.rc_context():
        figure = runpy.run_path(str(SCRIPTS[kind]), {"snakemake": snakemake})["figure"]
    plt.close("all")
    return paths, figure


@pytest.fixture(scope="module")
def drawn(inputs, tmp_path_factory):
    return {kind: draw(kind, inputs, tmp_path_factory.mktemp("figures")) for kind in SCRIPTS}


@pytest.mark.parametrize("kind", SCRIPTS)
def test_reruns_give_the_same_bytes(kind, drawn, inputs, tmp_path):
    again, _ = draw(kind, inputs, tmp_path / "again")
    for first, second in zip(drawn[kind][0], again):
        assert Path(first).read_bytes() == Path(second).read_bytes(), f"{first} differs from run to run"


@pytest.mark.parametrize("kind", SCRIPTS)
def test_has_a_rule_that_calls_its_script_and_a_caption(kind):
    rule = re.search(rf"^rule {kind}_figure:\n(.*?)(?=^rule |\Z)", RULES, re.S | re.M)[1]
    assert rule.lstrip().startswith('"""')
    assert f'"../scripts/figure_{kind}.py"' in rule
    assert f'"../report/figure_{kind}.rst"' in rule
    for name in re.findall(r"snakemake\.input\.(\w+)", SCRIPTS[kind].read_text()):
        assert f" {name}=" in rule


@pytest.mark.parametrize("rules", sorted((WORKFLOW / "rules").glob("*.smk")), ids=lambda path: path.name)
def test_captions_that_rules_name_are_there(rules):
    for caption in re.findall(r'caption="([^"]+)"', rules.read_text()):
        assert (rules.parent / caption).is_file(), f"{rules.name}: no {caption}; Snakemake fills no wildcards in there"


def panel_titles(figure):
    return {ax.get_title().split("\n")[0]: ax.get_title() for ax in figure.axes if ax.get_title()}


def test_correlation_orders_by_tau_and_counts(drawn):
    _, figure = drawn["correlation"]
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels[0] == "zen (60 failed)"
    assert set(labels[-2:]) == {"oracle", "synflow"}
    assert labels.index("params") > labels.index("random")
    assert "snip (3 failed)" in labels
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "structural, n = 300 (top: 15)" in legend
    assert "data-driven, n = 60 (top: 3)" in legend
    assert {"params on the sample", "range restriction alone"} <= set(legend)
    (rings,) = (line for line in figure.axes[0].lines if line.get_label() == "certainly above params")
    assert {labels[int(height)] for height in rings.get_ydata()} == {"oracle", "synflow"}


def test_proxy_correlation_knows_that_synflow_is_the_accuracy(drawn):
    _, figure = drawn["proxy_correlation"]
    ax = figure.axes[0]
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert sorted(names) == sorted([*PROXIES, "accuracy"])
    cells = {tuple(map(int, text.get_position())): text.get_text() for text in ax.texts}
    assert cells[names.index("accuracy"), names.index("synflow")] == "100"
    assert abs(names.index("accuracy") - names.index("synflow")) == 1
    assert not any(names.index("zen") in cell for cell in cells)


def test_scores_show_every_architecture_that_has_one(drawn):
    _, figure = drawn["scores"]
    titles = panel_titles(figure)
    assert titles["synflow"] == "synflow\nτ = 1.00, n = 60"
    assert next(iter(titles)) == "synflow" and "oracle" not in titles
    points = {
        ax.get_title().split("\n")[0]: len(ax.collections[0].get_offsets()) for ax in figure.axes if ax.collections
    }
    assert points == {"params": 300, "random": 300, "synflow": 60, "snip": 57, "zen": 0}


def test_pareto_traces_the_true_front_where_the_score_is_the_truth(drawn):
    _, figure = drawn["pareto"]
    titles = panel_titles(figure)
    assert titles["synflow"] == "synflow\nHV 1.00 [1.00, 1.00]"
    assert "zen" not in titles
    lines = {line.get_label(): line.get_xydata() for line in figure.axes[0].lines}
    np.testing.assert_array_equal(lines["choices of the proxy"], lines["true front"])
    assert figure.axes[0].get_xscale() == "log"


def test_cost_names_every_proxy_that_has_a_score(drawn):
    _, figure = drawn["cost"]
    (ax,) = figure.axes
    assert {text.get_text() for text in ax.texts} == {"params", "random", "synflow", "snip"}
    heights = {text.get_text(): text.xy[1] for text in ax.texts}
    assert heights["synflow"] == pytest.approx(1)
    assert ax.get_xscale() == "log"


def test_trust_shows_gains_with_their_lower_ends_and_marks_the_sure_ones(drawn):
    _, figure = drawn["trust"]
    assert [ax.get_title() for ax in figure.axes[:2]] == ["tight budgets", "loose budgets"]
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels[0] == "synflow, n = 60" and not any(label.startswith("oracle") for label in labels)
    assert labels[-1] == "zen, n = 0"  # which has no score, and an empty row
    for ax in figure.axes[:2]:
        cells = {labels[int(text.get_position()[1])].partition(",")[0]: text for text in ax.texts}
        assert cells["synflow"].get_text() == "1.00\n≥ 1.00" and cells["synflow"].get_fontweight() == "bold"
        assert "zen" not in cells
        assert cells["random"].get_fontweight() == "normal"


@pytest.mark.parametrize(
    ("names", "labels", "beginning"),
    [
        (["lookup-board_a, energy", "lookup-board_b, latency"], ["a, energy", "b, latency"], "lookup-board_…"),
        (["local-torch-x, latency", "lookup-a, latency"], ["local-torch-x, latency", "lookup-a, latency"], ""),
        (["local-torch-x, latency"], [""], "local-torch-x, latency"),
    ],
)
def test_what_names_of_devices_share_is_told_once(names, labels, beginning):
    assert label_devices(names) == (labels, beginning)


def test_devices_show_what_is_left_at_equal_cost(drawn):
    _, figure = drawn["devices"]
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert {labels[0], labels[1]} == {"oracle", "synflow"}
    for ax in figure.axes[1:3]:
        cells = {labels[int(text.get_position()[1])]: text.get_text() for text in ax.texts}
        assert cells["synflow"] == cells["oracle"] == "100" and "zen" not in cells


def test_fronts_of_the_truth_itself_are_the_true_ones(drawn):
    _, figure = drawn["fronts"]
    lines = {line.get_label(): line.get_xydata() for line in figure.axes[0].lines}
    assert {"synflow", "params", "random", "true front"} <= set(lines)
    np.testing.assert_array_equal(lines["synflow"], lines["true front of the sample"])


def test_heights_of_fronts_are_of_all_architectures(drawn):
    """Of those that a device runs, which are few, none need be the best or the worst."""
    _, figure = drawn["fronts"]
    study, ax = small_study(), figure.axes[0]
    there = study[f"latency_ms_{DEVICE}"].notna()
    assert 0 < there.sum() < len(study)
    heights = ((study.accuracy_test.rank() - 0.5) / len(study))[there]
    np.testing.assert_allclose(np.sort(ax.collections[0].get_offsets()[:, 1]), np.sort(heights))


def test_fronts_need_no_sample(inputs, tmp_path):
    write_parquet(small_study().assign(sampled=False), tmp_path / "study.parquet", truths={"accuracy_test": True})
    _, figure = draw("fronts", Names(inputs, study=str(tmp_path / "study.parquet")), tmp_path / "figures")
    labels = {line.get_label() for line in figure.axes[0].lines}
    assert "true front" in labels and "true front of the sample" not in labels


def test_repeatability_tells_how_far_apart(drawn):
    _, figure = drawn["repeatability"]
    left, right = figure.axes
    assert left.get_title().startswith("Spearman 1.000 [1.000, 1.000], n = 50")
    assert right.get_title().startswith("median apart 2.0 %")
    lines = {line.get_label(): line.get_ydata() for line in right.lines}
    np.testing.assert_allclose(lines["raw"], 200 * 0.1 / 2.1)
    np.testing.assert_allclose(lines["corrected for drift"], 200 * 0.02 / 2.02)


def test_robustness_draws_every_truth_and_the_reference_as_oracle(drawn, inputs):
    _, figure = drawn["robustness"]
    labels = [label.get_text().partition(",")[0] for label in figure.axes[0].get_yticklabels()]
    assert set(labels) == {*PROXIES, "oracle"}
    at = labels.index("oracle")
    points = {line.get_label(): line for line in figure.axes[0].lines}
    values = {
        name: dict(zip(np.round(points[name].get_ydata()), points[name].get_xdata())) for name in ("test", "noisy")
    }
    assert values["test"][at] == 1
    table = pd.read_parquet(inputs["robustness"]).query("proxy == 'oracle' and set == 'all'")
    assert values["noisy"][at] == table.spearman.item()


def test_search_draws_the_mean_of_the_seeds(drawn):
    _, figure = drawn["search"]
    tight = figure.axes[0]
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["synflow", "params", "oracle", "random", "evolution", "nsga2"]
    assert len(tight.lines) == 3 * 3
    frame = few_searches().query("proxy == 'params' and budgets == 'tight' and algorithm == 'evolution'")
    means = frame.groupby("evaluations").regret.mean()
    (line,) = [line for line in tight.lines if line.get_ydata() == pytest.approx(means)]
    assert line.get_xdata().tolist() == [10, 20, 45]  # where evolution ended early
    assert line.get_marker() == "o"  # or a search of few networks, which has one moment, would not be seen
    # The oracle has no price.
    assert sum(np.isfinite(line.get_xdata()).any() for line in figure.axes[2].lines) == 2 * 3


def configs():
    """The study's configs, and one with several truths and seeds and no device."""
    found = {path.name: yaml.safe_load(path.read_text()) for path in sorted((CHECKOUT / "config").glob("*.yaml"))}
    several = found["config.yaml"] | {
        "spaces": {"one": {"architectures": 1234, "tasks": {"t": ["a", "b"]}}},
        "seeds": [3, 4],
    }
    several.pop("devices")
    return found | {"made up": several}


CAPTIONS = [
    ("study.rst", {}),
    *[("table.rst", {"table": table}) for table in TABLES],
    *[(f"figure_{kind}.rst", CELL | {"device": DEVICE}) for kind in SCRIPTS],
]


@pytest.mark.parametrize("config", configs().values(), ids=list(configs()))
@pytest.mark.parametrize(("caption", "wildcards"), CAPTIONS, ids=lambda value: str(value))
def test_captions_say_what_the_config_says(caption, wildcards, config):
    space = next(iter(config["spaces"]))
    wildcards = wildcards | ({"space": space} if "space" in wildcards else {})
    snakemake = SimpleNamespace(
        config=Names(config),
        wildcards=Names(wildcards),
        params=Names(architectures=15625, training="split ori-test, epochs 200"),
    )
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    text = environment.from_string((WORKFLOW / "report" / caption).read_text()).render(snakemake=snakemake)
    warnings = SimpleNamespace(write=lambda line: pytest.fail(line))
    html = publish_parts(text, writer="html", settings_overrides={"warning_stream": warnings})["html_body"]
    for number in (config["spaces"][space]["architectures"], *config["seeds"]):
        assert f"{number:,}" in html
    if any(word in html for word in ("bootstrap", "interval of")):
        assert f"{config['replicates']:,}" in html

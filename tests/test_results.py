"""The scripts of docs/results compute what they print."""

import dataclasses
import runpy

import numpy as np
import pandas as pd
import pytest
import torch
from runs import CHECKOUT
from scipy.stats import kendalltau

from zsnas import engine, registry
from zsnas.errors import StudyError
from zsnas.files import write_parquet
from zsnas.inputs import minibatches
from zsnas.proxies import ntk_cond
from zsnas.score import Subject
from zsnas.spaces import nasbench101, nasbench201

RESULTS = CHECKOUT / "docs" / "results"
CELLS = (
    "|nor_conv_3x3~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|",
    "|avg_pool_3x3~0|+|none~0|nor_conv_1x1~1|+|nor_conv_1x1~0|skip_connect~1|avg_pool_3x3~2|",
)


@pytest.mark.parametrize("arch", CELLS)
def test_grasp_says_nothing_of_layers_that_batchnorm_follows(arch):
    """Its parts, as its docstring derives them, add up to the score, and BatchNorm leaves theirs to the others."""
    grasp = runpy.run_path(RESULTS / "nasbench201" / "grasp.py")
    batches = minibatches("noise", "cifar10", nasbench201.TASKS["cifar10"], 16, 0)
    subject = Subject(nasbench201, arch, "cifar10", 0, "float64", batches, "cpu")
    parts = grasp["parts"](subject.net(), *subject.batches()[0])
    (score,) = engine.score(
        [dataclasses.replace(registry.proxies()["grasp"], precision="float64")], {"float64": subject}
    )
    assert sum(parts.values()) == pytest.approx(score.score, rel=1e-9)
    assert abs(parts["followed by BatchNorm"]) < 1e-2 * parts["squared gradient"]
    assert abs(parts["squared gradient"] + parts["classifier"]) < 0.1 * parts["squared gradient"]


def test_the_released_eznas_is_of_what_enters_a_group():
    """Its norm, and that a group which does not reach the output counts as 0."""
    eznas = runpy.run_path(RESULTS / "nasbench201" / "eznas.py")
    norms = [
        eznas["norm"](torch.tensor(matrix)) for matrix in ([[2.0, 0], [0, 3]], [[0.0, 1], [1, 0]], [[1.0, 1], [1, 1]])
    ]
    assert norms == [0.5, 0.5, 0]  # log det is 0, missing and -inf
    inputs, labels = minibatches("noise", "cifar10", nasbench201.TASKS["cifar10"], 4, 0)[0]
    dead = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
    scores = eznas["variants"](eznas["initialised"](dead), inputs, labels)
    assert scores["the same, summed"] > 0
    groups, live = 15 * 2 + 2 * 2, 2 * 2  # both of a reduction; what enters those of the cells leads nowhere or is 0
    assert scores["inputs, of the outputs, on images, as released"] == pytest.approx(
        scores["the same, summed"] / groups
    )
    assert scores["the same without groups that have no gradient"] == pytest.approx(scores["the same, summed"] / live)


def test_the_kernel_of_as_many_samples_as_the_proxy_takes_is_its_own(monkeypatch):
    ntk = runpy.run_path(RESULTS / "nasbench201" / "ntk.py")
    monkeypatch.setattr(ntk_cond, "SAMPLES", 2)
    monkeypatch.setitem(ntk["conditions"].__globals__, "SAMPLES", (2, 3))
    batches = minibatches("noise", "cifar10", nasbench201.TASKS["cifar10"], 3, 0)
    subject = Subject(nasbench201, CELLS[0], "cifar10", 0, "float32", batches, "cpu")
    (score,) = engine.score([registry.proxies()["ntk_cond"]], {"float32": subject})
    two, three = ntk["conditions"](CELLS[0], batches)
    assert two == pytest.approx(score.score) != three
    assert ntk_cond.SAMPLES == 3


def test_near_of_the_spaces_weights_in_train_mode_is_the_proxy():
    near = runpy.run_path(RESULTS / "nasbench101" / "near.py")
    batches = minibatches("noise", "cifar10", nasbench101.TASKS["cifar10"], 2, 0)
    subject = Subject(nasbench101, "hash", "cifar10", 0, "float32", batches, "cpu", "101:0")
    found = near["variants"](subject)
    (score,) = engine.score([registry.proxies()["near"]], {"float32": subject})
    assert found["space's", "train"] == pytest.approx(score.score)
    assert len(set(found.values())) == 4


def test_a_ramp_of_brightness_is_a_tilted_plane():
    """From black to white along x it rises by an eighth of its width; grey is level."""
    relief = runpy.run_path(RESULTS / "transnas_micro" / "relief.py")
    ramp = torch.linspace(0, 255, 33)[:-1].expand(1, 3, 32, 32)
    slope = torch.tensor([-1 / 8, 0, 1]) / np.hypot(1, 1 / 8)
    for images, normal in ((ramp, slope), (torch.full_like(ramp, 100), torch.tensor([0.0, 0, 1]))):
        torch.testing.assert_close(relief["normals"](images), normal.view(1, 3, 1, 1).expand(1, 3, 32, 32))


def test_large_classes_are_counted_beside_the_samples_small_ones():
    """Of 40 small networks five are scored; the large one stands for three architectures, x is disconnected."""
    classes = runpy.run_path(RESULTS / "classes.py")
    names = [*"xaaabcdef"]
    table = pd.DataFrame({"canonical": names, "connected": [name != "x" for name in names], "accuracy": np.arange(9.0)})
    weights = classes["counts"](table, ["a"], 40, np.random.default_rng(0))
    assert weights[0].tolist() == [1, 1, 1, 1, 8, 8, 8, 8, 8]  # each of the small ones stands for eight
    assert (weights[1:, :4] == 1).all() and (weights[1:, 4:].sum(1) == 40).all()
    assert (weights[1:, 4:] % 8 == 0).all()  # as many are drawn as are scored
    partly = classes["counts"](table, ["a", "failed"], 40, np.random.default_rng(0))
    assert partly[0].tolist() == [1, 2, 2, 2, 8, 8, 8, 8, 8]
    right, wrong = (classes["correlations"](table.assign(score=it * table.accuracy), weights) for it in (1, -1))
    assert set(right.values()) == {1} and set(wrong.values()) == {-1}
    only_small = table.assign(score=np.where(table.canonical == "a", -1, table.accuracy))
    found = classes["correlations"](only_small, weights)
    assert 0.9 < found["kendall_low"] <= found["kendall_high"] < 1 and 0.9 < found["kendall"] < 1


def test_estimates_from_large_classes_take_what_is_worth_something(tmp_path):
    classes = runpy.run_path(RESULTS / "classes.py")
    index = pd.DataFrame({"arch": ["a", "b"], "canonical": ["a", "b"], "connected": True})
    for larger, expected in ((True, [1, 2]), (False, [-1, -2])):
        truth = pd.DataFrame({"arch": ["a", "b"], "loss": [1, 2]})
        write_parquet(truth, tmp_path / "truth.parquet", larger_is_better=larger)
        assert classes["judged"](index, tmp_path / "truth.parquet").accuracy.tolist() == expected
    assert classes["worth_of"]("grasp=-inf", ["grasp"]) == ("grasp", -np.inf)
    for text, message in (
        ("grsp=0", "unknown proxy 'grsp' in --disconnected; did you"),
        ("grasp", "write PROXY=SCORE"),
    ):
        with pytest.raises(StudyError, match=message):
            classes["worth_of"](text, ["grasp"])


def test_what_is_no_study_is_neither_published_nor_judged(tmp_path, monkeypatch):
    """Above all, nothing is taken away."""
    publish, rejudge = (runpy.run_path(RESULTS / f"{name}.py")[name] for name in ("publish", "rejudge"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudyError, match=r"no file results/manifest\.json: run the study first"):
        publish(tmp_path / "new")
    (tmp_path / "results").mkdir()
    (tmp_path / "results/manifest.json").write_text('{"config": {}, "analyses": ["cost", "hardware"], "scores": {}}')
    (tmp_path / "config").mkdir()
    (tmp_path / "config/sources.csv").write_text("")
    with pytest.raises(StudyError, match=r"config is no folder of a study, for it has files and no manifest\.json"):
        publish(tmp_path / "config")
    assert (tmp_path / "config/sources.csv").exists()
    (tmp_path / "results/tables").mkdir()
    for name in ("cost", "stale"):
        (tmp_path / f"results/tables/{name}.csv").write_text(name)
    for name in ("manifest.json", "scores.parquet", "earlier.csv"):  # of an earlier study
        (tmp_path / "new").mkdir(exist_ok=True)
        (tmp_path / "new" / name).write_text("{}")
    publish(tmp_path / "new")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["cost.csv", "manifest.json"]
    with pytest.raises(StudyError, match="is no folder of this checkout with"):
        rejudge(tmp_path / "new", tmp_path, 1)


def test_an_estimate_from_large_classes_holds_what_all_networks_say(shared):
    """Of NAS-Bench-201, whose networks are all scored: its large classes and 1 000 other networks."""
    classes = runpy.run_path(RESULTS / "classes.py")
    published = pd.read_parquet(shared / "nats_tss.parquet").set_index("arch_str").cifar10_test_acc
    index = nasbench201.architectures()
    index["accuracy"] = index.arch.map(published)
    sizes = index[index.connected].canonical.value_counts()
    large, others = sizes.index[sizes >= 12], sizes.index[sizes < 12]
    few = np.random.default_rng(0).choice(others, 1000, replace=False)
    scores = pd.read_parquet(RESULTS / "nasbench201" / "full" / "scores.parquet").query("status == 'ok'")
    for proxy in ("zen", "nwot", "fisher"):
        index["score"] = index.canonical.map(scores[scores.proxy == proxy].set_index("canonical").score)
        whole = index[index.connected].dropna(subset="score")
        known = whole[whole.canonical.isin([*large, *few])]
        found = classes["correlations"](known, classes["counts"](known, large, len(others), np.random.default_rng(0)))
        right = classes["correlations"](whole, np.ones((2, len(whole)), np.int16))
        for name in ("kendall", "spearman"):
            assert found[f"{name}_low"] < right[name] < found[f"{name}_high"]
            assert found[name] == pytest.approx(right[name], abs=0.05)


def test_size_at_equal_depth_is_compared_at_the_same_size_gaps():
    """Size doubles from each to the next and agrees with accuracy but where depth changes between neighbours."""
    depth = runpy.run_path(RESULTS / "structural" / "depth.py")
    size, accuracy, depths = np.array([[1.0, 2, 4, 8], [1, 3, 2, 4], [1, 1, 2, 2]])
    given = depth["drawn"](size, accuracy, depths)
    whole, equal, other = depth["concordance"](*given, np.ones(4))
    assert whole == pytest.approx(4 / 6, abs=0.02)  # pairs are drawn
    assert (equal, other) == (1, -1)
    assert depth["concordance"](*given, np.array([1.0, 1, 1, 0])) == (pytest.approx(1 / 3, abs=0.02), 1, -1)


def test_live_parameters_are_those_of_the_canonical_network(tmp_path, monkeypatch, capsys):
    """Of three networks, accuracy follows their size; two architectures more have a dead operation."""
    live = runpy.run_path(RESULTS / "structural" / "live.py")
    table = pd.DataFrame({"canonical": [*"abcab"], "live": [1.0, 2, 3, 1, 2], "params": [1.0, 2, 3, 7, 9]})
    table = table.assign(accuracy_t=table.live, good=table.live, bad=-table.live, partly=[1, 2, np.nan, 1, 2])
    published, whole, differences = live["compared"](table, "accuracy_t", ["good", "bad", "partly"])
    assert whole[0] == 1 and published[0] == pytest.approx(kendalltau(table.params, table.live).statistic)
    assert list(differences) == ["good", "bad", "partly"]
    above_published, above_live = differences["good"]
    assert above_live[0] == 0 and above_published[0] == pytest.approx(1 - published[0])
    assert differences["bad"][1][0] == -2

    size = np.arange(1.0, 41)  # twenty networks, with and without a dead operation; proxies and truth turned or not
    study = pd.DataFrame({"arch": [f"a{i}" for i in range(40)], "canonical": [f"a{i % 20}" for i in range(40)]})
    size[20:] += 100 * (size[20:] % 3)
    of = np.arange(40) % 20
    study = study.assign(space="toy", task="t", seed=0, reachable=of == np.arange(40), connected=True, sampled=True)
    study = study.assign(params=size, ntk_cond=-of, snip=of, plain=-of, random=of, loss_t=-of)
    write_parquet(study, tmp_path / "study.parquet", truths={"loss_t": False})
    monkeypatch.setattr("sys.argv", ["live", str(tmp_path / "study.parquet")])
    live["main"]()
    cells = [cell.strip() for cell in capsys.readouterr().out.splitlines()[-1].split("|")[1:-1]]
    assert cells[:2] == ["toy, t (t)", "40"] and cells[3] == "1.00 [1.00, 1.00]"
    assert cells[-2:] == ["`ntk_cond`, `snip`", ""]

"""Gathering and joining: the right rows meet."""

import contextlib
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from runs import CHECKOUT

from zsnas import errors, gather, judge, registry, repeat, truth
from zsnas import join as join_program
from zsnas.files import read_provenance, write_parquet
from zsnas.join import join
from zsnas.sampled_from import sampled_from


@pytest.fixture
def shards(tmp_path):
    """Two bundles, two seeds and two shards of two networks; `b` keeps layers, which `a` has not."""
    paths = []
    for proxy, layers in (("a", {}), ("b", {"layers": [[1.0], [2.0]]})):
        for seed in (0, 1):
            for place, names in enumerate(("xy", "zw")):
                paths.append(str(tmp_path / f"{proxy}{seed}{place}.parquet"))
                frame = pd.DataFrame({"canonical": list(names), "proxy": proxy, "seed": seed, **layers})
                write_parquet(frame, paths[-1], proxy=proxy)
    return paths


def run_gather(monkeypatch, shards, output, first=3):
    monkeypatch.setattr(sys, "argv", ["gather", "--first", str(first), "--output", str(output), *shards])
    gather.main()
    return output


MACHINES = {
    "processors": lambda name: {"processor": name},
    "cards": lambda name: {"processor": "host", "gpu": name},
    "boards": lambda name: {"processor": "host", "boards": [{"processor": name}]},
}


@pytest.mark.parametrize("facts", MACHINES.values(), ids=MACHINES)
def test_latencies_of_two_machines_are_no_device(tmp_path, monkeypatch, facts):
    """Neither shard by shard nor session by session."""
    paths = [str(tmp_path / f"{number}.parquet") for number in range(3)]
    for path, name in zip(paths, ("one", "one", "other")):
        frame = pd.DataFrame({"canonical": [path], "latency_ms": 1.0, "latency_raw_ms": 1.0})
        write_parquet(frame, path, device="local", **facts(name))
    gathered = run_gather(monkeypatch, paths[:2], tmp_path / "out.parquet", first=2)
    with pytest.raises(errors.StudyError, match=r"local was measured on one and on other: delete the shards"):
        run_gather(monkeypatch, paths, tmp_path / "all.parquet")
    options = {"space": "s", "task": "t", "device": "local", "first": gathered, "output": tmp_path / "repeated.parquet"}
    for second, fits in ((paths[0], True), (paths[2], False)):
        monkeypatch.setattr(sys, "argv", ["repeat", *(f"--{k}={v}" for k, v in options.items()), "--second", second])
        with contextlib.nullcontext() if fits else pytest.raises(errors.StudyError, match="on one and on other"):
            repeat.main()


def test_fewer_networks_than_asked_for_are_no_scores(shards, tmp_path, monkeypatch):
    """Nor is anything left of an earlier, whole file but itself."""
    whole = run_gather(monkeypatch, shards, tmp_path / "scores.parquet", first=4).read_bytes()
    with pytest.raises(errors.StudyError, match=r"5 networks are asked for, but there are 4: .*'architectures'"):
        run_gather(monkeypatch, shards, tmp_path / "scores.parquet", first=5)
    assert (tmp_path / "scores.parquet").read_bytes() == whole
    assert {path.name for path in tmp_path.iterdir()} == {"scores.parquet", *(path.rsplit("/")[-1] for path in shards)}


@pytest.mark.parametrize("rows", [1, 5, gather.ROW_GROUP])
def test_gather_keeps_the_first_networks_of_every_bundle_and_seed(shards, tmp_path, monkeypatch, rows):
    monkeypatch.setattr(gather, "ROW_GROUP", rows)
    gathered = run_gather(monkeypatch, shards, tmp_path / "scores.parquet")
    again = run_gather(monkeypatch, shards, tmp_path / "again.parquet")
    assert gathered.read_bytes() == again.read_bytes()
    kept = pd.read_parquet(gathered)
    expected = pd.concat(map(pd.read_parquet, shards)).query("canonical != 'w'").reset_index(drop=True)
    pd.testing.assert_frame_equal(kept.drop(columns="layers"), expected.drop(columns="layers"))
    assert kept.layers.notna().equals(kept.proxy == "b")
    assert kept.groupby(["proxy", "seed"]).canonical.agg("".join).tolist() == ["xyz"] * 4
    assert read_provenance(gathered) == {"shards": [{"proxy": "a"}, {"proxy": "b"}]}


@pytest.mark.parametrize("place", [4, -100], ids=["its rows", "its end"])
def test_gather_names_a_damaged_shard_and_leaves_what_was_there(shards, tmp_path, monkeypatch, place):
    output = tmp_path / "out" / "scores.parquet"
    before = run_gather(monkeypatch, shards, output).read_bytes()
    damaged = Path(shards[5])
    whole = bytearray(damaged.read_bytes())
    whole[place : place + 50] = bytes(50)
    damaged.write_bytes(whole)
    with pytest.raises(errors.StudyError, match=f"{damaged} is damaged .*delete it and run again"):
        run_gather(monkeypatch, shards, output)
    assert output.read_bytes() == before and list(output.parent.iterdir()) == [output]


def test_join_by_architecture_and_by_network():
    index = pd.DataFrame(
        {
            "arch": ["a", "b", "c"],
            "canonical": ["a", "a", "c"],
            "iso_class": [0, 0, 1],
            "reachable": True,
            "connected": True,
        }
    )
    structural = pd.DataFrame({"arch": ["a", "b", "c"], "proxy": "params", "score": [1.0, 2.0, 3.0]})
    scores = pd.DataFrame({"canonical": ["a", "a"], "proxy": "snip", "seed": [0, 1], "score": [5.0, np.nan]})
    votes = pd.DataFrame({"arch": ["a", "b"], "proxy": "vote", "seed": [0, 1], "score": [-1.0, -2.0]})
    truth = pd.DataFrame({"arch": ["c", "a", "b"], "accuracy": [30.0, 10.0, 20.0]})
    measured = pd.DataFrame({"canonical": ["a"], "latency_ms": [7.0], "energy_mj": [np.nan]})
    looked_up = pd.DataFrame({"arch": ["b"], "latency_ms": [8.0], "energy_mj": [9.0]})
    frame = join(index, [0, 1], [structural, scores, votes], {"t": truth}, {"m": measured, "l": looked_up})
    assert len(frame) == 6
    first = frame[frame.seed == 0].set_index("arch")
    assert first.params.tolist() == [1, 2, 3]
    assert first.accuracy_t.tolist() == [10, 20, 30]
    assert first.sampled.tolist() == [True, True, False]
    np.testing.assert_array_equal(first.snip, [5, 5, np.nan])
    assert frame[frame.seed == 1].snip.isna().all()
    np.testing.assert_array_equal(first.vote, [-1, np.nan, np.nan])
    np.testing.assert_array_equal(frame[frame.seed == 1].vote, [np.nan, -2, np.nan])
    np.testing.assert_array_equal(first.latency_ms_m, [7, 7, np.nan])
    np.testing.assert_array_equal(first.energy_mj_l, [np.nan, 9, np.nan])
    assert "energy_mj_m" not in frame
    own = set(frame) - {"params", "snip", "vote", "accuracy_t", "latency_ms_m", "latency_ms_l", "energy_mj_l"}
    assert own <= set(registry.STUDY)  # so that no proxy is called so
    join_program.check_meeting(frame, {"t": "accuracy_t"}, ["m", "l"], "toy, easy")
    apart = frame.assign(accuracy_t=frame.accuracy_t.where(frame.arch == "c"))
    message = "toy, easy: no architecture has both the truth t and a cost on m: measure networks that the truth has"
    with pytest.raises(errors.StudyError, match=message):
        join_program.check_meeting(apart, {"t": "accuracy_t"}, ["m", "l"], "toy, easy")
    with pytest.raises(errors.StudyError, match="no network has a cost on failed: mend the device"):
        join_program.check_meeting(frame, {"t": "accuracy_t"}, ["failed"], "toy, easy")


SOURCES = """\
space,task,truth,reader,file,column,metric,larger_is_better,split,epochs,train_seeds,architectures,sha256,bytes,url,licence
toy,accurate,test,table,toy.csv,right,accuracy,true,test,,,,,,somewhere,
toy,dense,test,table,toy.csv,error,loss,false,test,,,,,,somewhere,
"""


def test_truths_of_several_metrics_are_judged_each_in_its_direction(tmp_path, monkeypatch):
    """From a list of sources to correlations: a score that grows with accuracy and falls with loss."""
    names = list("abcdef")
    (tmp_path / "sources.csv").write_text(SOURCES)
    score = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    table = pd.DataFrame({"arch": names, "right": [10, 20, 30, 40, 60, 50], "error": [9.5, 7, 5, 4, 0.5, 0.1]})
    table.to_csv(tmp_path / "toy.csv", index=False)
    index = {"arch": names, "canonical": names, "iso_class": range(6), "reachable": True, "connected": True}
    write_parquet(pd.DataFrame(index), tmp_path / "architectures.parquet")
    scores = pd.DataFrame({"arch": names, "proxy": "params", "score": score})
    write_parquet(scores, tmp_path / "scores.parquet")

    def run(program, **options):
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        monkeypatch.setattr(sys, "argv", [program.__name__, *words])
        program.main()

    joined = [tmp_path / "accurate.parquet", tmp_path / "dense.parquet"]
    for output in joined:
        common = {"space": "toy", "task": output.stem, "architectures": tmp_path / "architectures.parquet"}
        found = tmp_path / output.stem / "test.parquet"
        monkeypatch.chdir(tmp_path)
        run(truth, **common, truth="test", sources="sources.csv", output=found, **{"data-dir": "."})
        files = {"scores": "scores.parquet", "truths": found, "output": output}
        with pytest.raises(
            errors.StudyError, match=r"no scores of zen for toy, .*: delete the shards of .* results/scores/toy"
        ):
            run(join_program, **common, proxies="zen", seeds=0, **files)
        run(join_program, **common, proxies="params", seeds=0, **files)

    study = tmp_path / "study.parquet"
    runpy.run_path(
        str(CHECKOUT / "workflow/scripts/study.py"), {"snakemake": SimpleNamespace(input=joined, output=[study])}
    )
    truths = read_provenance(study)["truths"]
    assert truths == {"accuracy_test": True, "loss_test": False}
    judged = (pd.read_parquet(study), truths, {"params": registry.proxies()["params"]})
    correlation = judge.correlation_table(*judged, tops=(1,), replicates=0).query("set == 'all'")
    assert correlation.task.tolist() == ["accurate", "accurate", "dense", "dense"]
    assert correlation.kendall.tolist() == pytest.approx([13 / 15, 1, 1, 1])
    chosen = judge.selection_table(*judged).query("set == 'all' and proxy == 'params'").set_index("task")
    assert chosen.accuracy.to_dict() == {"accurate": 50, "dense": 0.1}
    assert chosen.regret.to_dict() == {"accurate": 10, "dense": 0}


def test_a_sample_keeps_networks_of_which_the_truth_has_any_architecture():
    index = pd.DataFrame({"arch": list("abcd"), "canonical": list("aacc")})
    kept = sampled_from(index, pd.DataFrame({"arch": ["b"], "accuracy": [90.0]}))
    assert kept.arch.tolist() == ["a", "b"]

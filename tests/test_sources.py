"""Ground truth: which file is taken, what is refused and how, and that the numbers read are the benchmark's."""

import bz2
import dataclasses
import errno
import hashlib
import itertools
import json
import pickle
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from runs import CHECKOUT

from zsnas import errors, sources, truth
from zsnas.errors import StudyError
from zsnas.files import read_provenance, write_parquet
from zsnas.readers import _pickles, accel_nasbench, analog_nasbench, nats_archive, table

SOURCES = CHECKOUT / "config" / "sources.csv"
NOWHERE = "no such folder"
ARCHIVE = "NATS-tss-v1_0-3ffb9-simple"

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
CELLS = [
    "|{}~0|+|{}~0|{}~1|+|{}~0|{}~1|{}~2|".format(*operations) for operations in itertools.product(OPERATIONS, repeat=6)
]
ANALOG = ("nasbench201", "cifar10", "analog_nasbench")
NATS = ("nasbench201", "cifar10", "nats_test")


@pytest.fixture
def architectures(tmp_path):
    """The space's index as far as truth.py reads it."""
    write_parquet(pd.DataFrame({"arch": CELLS}), tmp_path / "architectures.parquet")
    return tmp_path / "architectures.parquet"


def refused(*parts):
    """A StudyError of one line that contains every part."""
    return pytest.raises(StudyError, match="^(?!.*\n)" + "".join(f"(?=.*{re.escape(str(part))})" for part in parts))


def run_truth(monkeypatch, architectures, output, space, task, name, data_dir=NOWHERE):
    argv = ["truth", "--space", space, "--task", task, "--truth", name, "--sources", SOURCES, "--output", output]
    argv += ["--architectures", architectures, "--data-dir", data_dir]
    monkeypatch.setattr(sys, "argv", [str(arg) for arg in argv])
    truth.main()
    return pd.read_parquet(output)


# The list of sources


def test_every_source_has_a_reader_and_an_address():
    for source in sources.read_sources(SOURCES):
        assert sources.load_reader(source).read
        assert source.url.startswith(("https://", "PyPI: "))
        assert source.sha256 or not source.bytes


@pytest.mark.parametrize(
    "asked, parts",
    [
        (("nasbench201", "cifar10", "nats_tset"), ("did you mean 'nats_test'?", "analog_nasbench_ptq", SOURCES)),
        (("nasbench201", "cifar11", "nats_test"), ("no task 'cifar11'", "did you mean", "imagenet16-120")),
        (("nasnet", "cifar10", "nats_test"), ("no truth of nasnet", "'cifar10: []'")),
    ],
)
def test_an_unknown_truth_is_answered_with_what_there_is(asked, parts):
    with refused(*parts):
        sources.locate(*asked, SOURCES, NOWHERE)


def test_a_missing_file_is_named_with_its_address_and_place(tmp_path):
    with refused(f"{ARCHIVE}.tar", "nats_tss.parquet", "https://drive.google.com/", f"data_dir '{tmp_path}'"):
        sources.locate(*NATS, SOURCES, tmp_path)


def test_a_missing_package_is_named_with_its_address(tmp_path):
    text = SOURCES.read_text().replace("package:analognasbench", "package:analognasbanch")
    (tmp_path / "sources.csv").write_text(text)
    with refused("analognasbanch/data.anb", "install the package from PyPI: analog-nasbench"):
        sources.locate(*ANALOG, tmp_path / "sources.csv", tmp_path)


def test_the_official_archive_comes_first_then_a_table(tmp_path):
    for file, later in [("nats_tss.parquet", "table"), (ARCHIVE, "nats_archive"), (f"{ARCHIVE}.tar", "nats_archive")]:
        (tmp_path / file).touch()
        source, path = sources.locate(*NATS, SOURCES, tmp_path)
        assert (source.reader, path) == (later, tmp_path / file)


def test_a_file_in_data_dir_wins_over_the_package(tmp_path):
    assert sources.locate(*ANALOG, SOURCES, tmp_path)[1].parent.name == "analognasbench"
    (tmp_path / "data.anb").touch()
    assert sources.locate(*ANALOG, SOURCES, tmp_path)[1] == tmp_path / "data.anb"


@pytest.mark.parametrize(
    "old, new, parts",
    [
        ("space,task", "space,tusk", ("must have the columns space,task",)),
        ("accuracy,true", "accuracy,yes", ("line 2", "'yes'", "true or false")),
        (",accuracy,true", ",top_1,true", ("line 2", "metric is 'top_1'", "one word")),
        (",analog_nasbench,", ",analog-nasbench,", ("line 2", "truth is 'analog-nasbench'", "one word")),
        ("space,task", "space;task", ("must have the columns space,task", "and has space;task,truth")),
        ("accuracy,true,ori-test", "accuracy,false,ori-test", ("metric 'accuracy' is true in one row", "another")),
        (",5610467,", ",5.6e6,", ("line 2", "bytes must be whole numbers", "5.6e6")),
        (",5610467,", ",-5,", ("line 2", "bytes must be whole numbers", "-5 is no count")),
        ("nasbench201,cifar10", "nasbench201,,,cifar10", ("line 2", "cells")),
        ("analog_nasbench,package", "analog_nasbanch,package", ("unknown reader", "did you mean 'analog_nasbench'?")),
    ],
)
def test_a_bad_list_of_sources_is_refused(tmp_path, old, new, parts):
    (tmp_path / "sources.csv").write_text(SOURCES.read_text().replace(old, new))
    with refused(*parts):
        sources.verify(*sources.locate(*ANALOG, tmp_path / "sources.csv", tmp_path))


def test_a_list_of_sources_may_come_from_a_spreadsheet(tmp_path):
    (tmp_path / "sources.csv").write_text(SOURCES.read_text(), encoding="utf-8-sig", newline="\r\n")
    assert sources.read_sources(tmp_path / "sources.csv") == sources.read_sources(SOURCES)
    (tmp_path / "sources.csv").write_text(SOURCES.read_text() + '"' + 200_000 * "x")
    with refused(tmp_path / "sources.csv", "cannot be read", "restore it"):
        sources.read_sources(tmp_path / "sources.csv")


def test_messages_of_a_file_without_an_address_end_before_it(tmp_path):
    row = "nasbench201,cifar10,mine,table,mine.csv,acc,accuracy,true,,,,3,,9,,\n"
    (tmp_path / "sources.csv").write_text(SOURCES.read_text() + row)
    mine = ("nasbench201", "cifar10", "mine", tmp_path / "sources.csv", tmp_path)
    with pytest.raises(StudyError, match=r"put it into data_dir: mine\.csv$"):
        sources.locate(*mine)
    (tmp_path / "mine.csv").write_text("arch,acc\n")
    sources.verify(*sources.locate(*mine))
    (tmp_path / "mine.csv").write_text("arch")
    with pytest.raises(StudyError, match=r"4 bytes instead of 9; write it again$"):
        sources.verify(*sources.locate(*mine))


def test_a_folder_in_place_of_a_file_is_to_be_moved(tmp_path):
    (tmp_path / "nats_tss.parquet").mkdir()
    source, path = sources.locate(*NATS, SOURCES, tmp_path)
    with refused(path, "is a folder", "move it away"):
        sources.verify(dataclasses.replace(source, reader="analog_nasbench"), path)


def test_an_absent_list_of_sources_is_named(tmp_path):
    with refused(tmp_path / "sources.csv", "cannot be read"):
        sources.locate(*ANALOG, tmp_path / "sources.csv", tmp_path)


# The package's file, always at hand


def test_analog_nasbench_covers_the_space():
    source, path = sources.locate(*ANALOG, SOURCES, NOWHERE)
    sources.verify(source, path)
    frame = analog_nasbench.read(path, "baseline_accuracy")
    assert sorted(frame["arch"]) == sorted(CELLS)
    # A network without a path to its output guesses among ten classes.
    dead = frame.set_index("arch")["value"]["|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"]
    assert dead == frame["value"].min() == 10
    assert 94 < frame["value"].max() < 94.5


def test_analog_nasbench_edges_are_in_order():
    assert analog_nasbench.arch_string((0, 1, 2, 3, 4, 2)) == (
        "|skip_connect~0|+|none~0|nor_conv_1x1~1|+|nor_conv_3x3~0|avg_pool_3x3~1|nor_conv_3x3~2|"
    )


def test_analog_nasbench_without_the_field_is_refused():
    with refused("data.anb", "'accuracy'"):
        analog_nasbench.read(sources.locate(*ANALOG, SOURCES, NOWHERE)[1], "accuracy")


@pytest.mark.parametrize("name", ["", "_analog", "_noisy", "_ptq", "_qat"])
def test_analog_nasbench_as_a_truth(tmp_path, monkeypatch, architectures, name):
    output = tmp_path / "results" / "truth.parquet"
    frame = run_truth(monkeypatch, architectures, output, "nasbench201", "cifar10", f"analog_nasbench{name}")
    assert list(frame) == ["arch", "accuracy", "split", "epochs", "train_seeds", "source"]
    assert list(frame["arch"]) == CELLS
    assert frame["split"].isna().all() and frame["epochs"].isna().all()
    provenance = read_provenance(output)
    assert provenance["source"] == "data.anb" and provenance["larger_is_better"] is True
    assert provenance["sha256"] == hashlib.sha256(sources.locate(*ANALOG, SOURCES, NOWHERE)[1].read_bytes()).hexdigest()
    assert [file.name for file in output.parent.iterdir()] == ["truth.parquet"]


@pytest.mark.parametrize(
    "damage, parts",
    [
        (lambda data: data[:-1000], ("truncated or altered", "5609467 bytes instead of 5610467")),
        (lambda data: data[:-1] + b"!", ("truncated or altered", "sha256")),
        (lambda data: b"\n<!DOCTYPE html><title>Sign in</title>", ("a web page",)),
    ],
    ids=["truncated", "altered", "html"],
)
def test_a_damaged_pinned_file_is_refused(tmp_path, damage, parts):
    (tmp_path / "data.anb").write_bytes(damage(sources.locate(*ANALOG, SOURCES, NOWHERE)[1].read_bytes()))
    with refused(tmp_path / "data.anb", *parts, "again"):
        sources.verify(*sources.locate(*ANALOG, SOURCES, tmp_path))


def test_the_reader_itself_refuses_a_truncated_pickle(tmp_path):
    (tmp_path / "data.anb").write_bytes(sources.locate(*ANALOG, SOURCES, NOWHERE)[1].read_bytes()[:100_000])
    with refused(tmp_path / "data.anb", "truncated or altered"):
        analog_nasbench.read(tmp_path / "data.anb", "baseline_accuracy")


# Pickles


class Evil:
    def __reduce__(self):
        return print, ("pwned",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_malicious_pickle_runs_nothing(capsys, protocol):
    with refused("data.anb", ".print", "do not trust"):
        _pickles.load(pickle.dumps({"weights": Evil()}, protocol), _pickles.NUMPY_AND_DICTS, "data.anb")
    assert capsys.readouterr().out == ""


def test_numbers_pickled_by_numpy_are_admitted():
    # The benchmark was written by numpy 1, which called its core so.
    data = pickle.dumps([np.float64(1.5), np.int64(3)], 3).replace(b"numpy._core.", b"numpy.core.")
    assert _pickles.load(data, _pickles.NUMPY_AND_DICTS, "x") == [1.5, 3]


@pytest.mark.parametrize("protocol", range(5))
def test_numbers_and_arrays_are_admitted(protocol):
    """torch.save takes protocol 2, in which bytes are text."""
    data = pickle.dumps([np.float64(1.5), np.array([2.5, 3.5])], protocol)
    assert _pickles.load(data, _pickles.NUMPY, "x") == [1.5, [2.5, 3.5]]
    if protocol < 4:  # later ones tell the lengths of names
        data = data.replace(b"numpy._core.", b"numpy.core.")
        assert _pickles.load(data, _pickles.NUMPY, "x") == [1.5, [2.5, 3.5]]


# Tables


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
def test_a_table_of_which_a_cell_is_empty(tmp_path, name):
    frame = pd.DataFrame({"arch_str": CELLS[:3], "acc": [91.5, None, 10.0], "other": ["a", "b", "c"]})
    frame.to_csv(tmp_path / name, index=False, na_rep="#N/A") if name == "t.csv" else frame.to_parquet(tmp_path / name)
    read = table.read(tmp_path / name, "acc")
    assert read.arch.tolist() == CELLS[:3]
    np.testing.assert_array_equal(read.value, [91.5, np.nan, 10.0])
    with refused(tmp_path / name, "no column 'acd'", "did you mean 'acc'?"):
        table.check(tmp_path / name, "acd")
    with refused(tmp_path / name, "cannot be read as numbers in 'other'"):
        table.read(tmp_path / name, "other")


def test_a_table_as_people_write_them(tmp_path):
    """Its architectures as the index of a frame, one called NA, a suffix in capitals, numbers beyond all bounds."""
    frame = pd.DataFrame({"arch": ["NA", "b"], "acc": [1.5, 2.5]})
    frame.set_index("arch").to_parquet(tmp_path / "t.parquet")
    frame.to_csv(tmp_path / "T.CSV", index=False)
    for name in ("t.parquet", "T.CSV"):
        assert table.read(tmp_path / name, "acc").to_numpy().tolist() == [["NA", 1.5], ["b", 2.5]]
    (tmp_path / "huge.csv").write_text("arch,acc\na,1" + 400 * "0")
    (tmp_path / "huge.json").write_text('{"a": {"acc": 1' + 400 * "0" + "}}")
    for name in ("huge.csv", "huge.json"):
        with refused(tmp_path / name, "cannot be read as numbers in 'acc'"):
            table.read(tmp_path / name, "acc")
    (tmp_path / "t.csv").write_text("arch acc\na 1")
    with refused("has one column, 'arch acc'", "separate its columns by commas"):
        table.check(tmp_path / "t.csv", "acc")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("arch,acc\na,91,25\nb,90,10\n", "line 2 has 3 cells, its header 2; decimals have a point"),
        ("arch,acc\na,91.25\nb\n", "line 3 has 1 cells, its header 2"),
        ("arch,acc,acc\na,91.25,90\n", "column 'acc' is there twice"),
    ],
)
def test_a_csv_whose_cells_do_not_fit_its_header_is_refused(tmp_path, text, message):
    """pandas would read 91,25 as 91 and nothing."""
    (tmp_path / "t.csv").write_text(text)
    with refused(tmp_path / "t.csv", message):
        table.read(tmp_path / "t.csv", "acc")


def test_records_of_accel_nasbench_are_texts(tmp_path):
    names = {column: ["1,4,4,6,4,6,6"] for column in ("expansion", "kernel", "layers", "se")}
    pd.DataFrame(names | {"val_top1": [60.0]}).to_csv(tmp_path / "t.csv", index=False)
    assert accel_nasbench.read(tmp_path / "t.csv", "val_top1").value.tolist() == [60.0]
    for kernel in ([3, 5], 3553):
        pd.DataFrame(names | {"kernel": [kernel], "val_top1": [60.0]}).to_parquet(tmp_path / "t.parquet")
        with refused(tmp_path / "t.parquet", "'kernel' must be texts of seven numbers"):
            accel_nasbench.read(tmp_path / "t.parquet", "val_top1")


def test_a_json_of_numbers_or_of_objects_is_a_table(tmp_path):
    (tmp_path / "one.json").write_text('{"a-b": 91.5, "7": null, "a-b": "10"}')
    read = table.read(tmp_path / "one.json", "value")
    assert read.arch.tolist() == ["a-b", "7", "a-b"]  # what is named twice is refused later, and not lost
    np.testing.assert_array_equal(read.value, [91.5, np.nan, 10.0])
    (tmp_path / "more.json").write_text('{"a": {"acc": 0.915, "loss": 1, "arch": 7}, "b": {"acc": 0.1}}')
    assert table.read(tmp_path / "more.json", "acc").arch.tolist() == ["a", "b"]
    np.testing.assert_array_equal(table.read(tmp_path / "more.json", "100 * acc").value, [91.5, 10.0])
    np.testing.assert_array_equal(table.read(tmp_path / "more.json", "loss").value, [1, np.nan])
    with refused("more.json has no column 'los'; did you mean 'loss'? (it has acc, loss, arch)"):
        table.check(tmp_path / "more.json", "los")
    (tmp_path / "rows.json").write_text('[{"arch": "a", "c10": {"test": 91.5}}, {"arch": "b", "c10": {"valid": 90}}]')
    rows = table.read(tmp_path / "rows.json", "c10/test")
    assert rows.arch.tolist() == ["a", "b"]
    np.testing.assert_array_equal(rows.value, [91.5, np.nan])
    (tmp_path / "deep.json").write_text('{"a": {"c10": {"test": 1}}, "a": {"c10": {"test": 2}}}')
    assert table.read(tmp_path / "deep.json", "c10/test").value.tolist() == [1, 2]
    (tmp_path / "flags.json").write_text('{"a": true, "b": 1}')
    with refused("flags.json cannot be read as numbers in 'value' (true or false is none)"):
        table.read(tmp_path / "flags.json", "value")
    twice = '{"a": {"acc": 1, "acc": 2}}'
    for wrong in ("[1, 2]", "7", '[{"arch": "a"}, 2]', '{"a": 1', "<html>quota exceeded</html>", "", twice):
        (tmp_path / "wrong.json").write_text(wrong)
        with refused("wrong.json is not a readable table", "fetch or write it again"):
            table.check(tmp_path / "wrong.json", "value")


def test_a_table_without_architectures_is_refused(tmp_path):
    pd.DataFrame({"cell": CELLS[:3], "acc": 90.0}).to_csv(tmp_path / "t.csv", index=False)
    with refused(tmp_path / "t.csv", "'arch', 'arch_str', 'genotype' or 'module_hash'", "cell"):
        table.check(tmp_path / "t.csv", "acc")


@pytest.mark.parametrize("content", [b"", b"PAR1 and then nothing", b"<html>quota exceeded</html>"])
def test_what_is_no_table_is_refused_before_any_job(tmp_path, content):
    (tmp_path / "nats_tss.parquet").write_bytes(content)
    with refused(tmp_path / "nats_tss.parquet"):
        sources.verify(*sources.locate(*NATS, SOURCES, tmp_path))


@pytest.mark.parametrize(
    "change, parts",
    [
        (lambda frame: frame[:-5], ("incomplete", "15620 of 15625")),
        (lambda frame: frame.replace(CELLS[7], "|none~0|"), ("1 architectures that nasbench201 does not know", "none")),
        (lambda frame: pd.concat([frame, frame[:1]]), ("more than one row", CELLS[0])),
        (lambda frame: frame.assign(cifar10_test_acc=0.93), ("percent", "0.93")),
        (lambda frame: frame.replace(94.0, np.inf), ("is infinite", CELLS[-1])),
        (lambda frame: frame.assign(cifar10_test_acc=[[1.0]] * len(frame)), ("cannot be read as numbers",)),
        (lambda frame: frame.drop(columns="cifar10_test_acc"), ("no column 'cifar10_test_acc'",)),
    ],
    ids=["incomplete", "stranger", "twice", "fraction", "infinite", "lists", "column"],
)
def test_a_table_that_does_not_fit_the_space_is_refused(tmp_path, monkeypatch, architectures, change, parts):
    frame = change(pd.DataFrame({"arch_str": CELLS, "cifar10_test_acc": np.linspace(10, 94, len(CELLS))}))
    frame.to_parquet(tmp_path / "nats_tss.parquet")
    with refused(tmp_path / "nats_tss.parquet", *parts):
        run_truth(monkeypatch, architectures, tmp_path / "out.parquet", *NATS, data_dir=tmp_path)
    assert not (tmp_path / "out.parquet").exists()


def test_a_source_may_declare_that_it_covers_a_part(tmp_path):
    write_parquet(pd.DataFrame({"arch": CELLS[5:9], "acc": 90.0}), tmp_path / "part.parquet")
    whole, _ = sources.locate(*ANALOG, SOURCES, NOWHERE)
    part = sources.Source(**{**vars(whole), "reader": "table", "column": "acc", "architectures": 4})
    assert list(truth.truth_table(part, tmp_path / "part.parquet", CELLS)["arch"]) == CELLS[5:9]


@pytest.mark.parametrize(
    ("reader", "column", "lines"),
    [
        ("table", "acc", ["arch,acc", "Genotype(1),91.5", "Genotype(2),", "Genotype(3),nan"]),
        ("swap", "accuracy", ["Genotype(1),91.5", "Genotype(2),", "Genotype(3),nan"]),
    ],
)
def test_what_was_not_measured_is_no_truth(tmp_path, reader, column, lines):
    (tmp_path / "t.csv").write_text("\n".join(lines))
    whole, _ = sources.locate(*ANALOG, SOURCES, NOWHERE)
    source = dataclasses.replace(whole, reader=reader, column=column, architectures=1)
    archs = [f"Genotype({number})" for number in (1, 2, 3)]
    frame = truth.truth_table(source, tmp_path / "t.csv", archs)
    assert frame[["arch", "accuracy"]].to_numpy().tolist() == [[archs[0], 91.5]]
    with refused(tmp_path / "t.csv", "incomplete: a number for 1 of 3"):
        truth.truth_table(dataclasses.replace(source, architectures=3), tmp_path / "t.csv", archs)


def test_a_mean_over_trainings_is_of_those_that_have_a_number(tmp_path):
    design = {"expansion": "6,4,6,4,6,1,1", "kernel": "3,5,3,5,5,3,3", "layers": "1,2,3,3,2,2,2", "se": "0,0,0,0,0,0,0"}
    rows = pd.DataFrame([design | {"val_top1": value} for value in (70.0, np.nan, 72.0)])
    rows.loc[3] = rows.loc[1].to_dict() | {"se": "1,0,0,0,0,0,0"}
    rows.to_parquet(tmp_path / "t.parquet")
    frame = accel_nasbench.read(tmp_path / "t.parquet", "val_top1")
    np.testing.assert_array_equal(frame[["value", "train_seeds"]], [[71, 2], [np.nan, 0]])


# Benchmark files, where they are at hand


@pytest.fixture
def samples(shared):
    """Folder of genuine parts of NATS-Bench's archives."""
    return shared / "nats_format_samples"


@pytest.mark.parametrize("task", ["cifar10", "cifar100", "imagenet16-120"])
def test_the_table_of_nats_bench(tmp_path, monkeypatch, architectures, shared, task):
    frame = run_truth(monkeypatch, architectures, tmp_path / "out.parquet", "nasbench201", task, "nats_test", shared)
    # The benchmark's published maxima.
    assert frame["accuracy"].max() == pytest.approx({"cifar10": 94.373, "cifar100": 73.513}.get(task, 47.311), abs=1e-3)
    assert len(frame) == 15_625 and set(frame["epochs"]) == {200} and set(frame["source"]) == {"nats_tss.parquet"}
    assert frame["train_seeds"].isna().all()  # the table does not say how many


def test_two_independent_trainings_agree(shared):
    nats = table.read(shared / "nats_tss.parquet", "cifar10_test_acc").set_index("arch")["value"]
    _, path = sources.locate(*ANALOG, SOURCES, NOWHERE)
    analog = analog_nasbench.read(path, "baseline_accuracy").set_index("arch")["value"]
    ranks = pd.DataFrame({"nats": nats, "analog": analog}).rank()
    assert ranks["nats"].corr(ranks["analog"]) == pytest.approx(0.991, abs=1e-3)


@pytest.fixture
def tar(tmp_path, samples):
    """The genuine architectures 0, 11 and 284, in a tar as the benchmark publishes it."""
    with tarfile.open(tmp_path / f"{ARCHIVE}.tar", "w") as archive:
        archive.add(samples / ARCHIVE, ARCHIVE)
    return tmp_path / f"{ARCHIVE}.tar"


def test_genuine_archive_and_table_agree(shared, samples, tar):
    """Every truth that has both an archive and a table gives the same numbers for the sampled architectures."""
    every = sources.read_sources(SOURCES)
    for source in every:
        if (source.space, source.reader) != ("nasbench201", "nats_archive"):
            continue
        column = next(
            other.column
            for other in every
            if (other.space, other.task, other.truth, other.reader)
            == ("nasbench201", source.task, source.truth, "table")
        )
        expected = table.read(shared / "nats_tss.parquet", column).set_index("arch")["value"]
        for path in (samples / ARCHIVE, tar):
            frame = nats_archive.read(path, source.column)
            assert len(frame) == 3
            # Some of the table's columns are float32.
            assert list(frame["value"]) == pytest.approx(list(expected[frame["arch"]]), rel=1e-7)
            if source.epochs == 200:
                assert set(frame["train_seeds"]) == {3}


def test_the_size_space_reads_alike(samples):
    frame = nats_archive.read(samples / "NATS-sss-v1_0-50262-simple", "90/cifar10/ori-test@89")
    assert dict(zip(frame["arch"], frame["value"].round(2), strict=True)) == {
        "8:8:8:8:8": 79.79,
        "8:8:8:16:32": 85.77,
        "8:8:40:32:40": 89.51,
    }


def test_an_archive_of_some_architectures_is_incomplete_for_the_space(tmp_path, monkeypatch, architectures, tar):
    sources.verify(*sources.locate(*NATS, SOURCES, tmp_path))
    with refused(tar, "3 of 15625"):
        run_truth(monkeypatch, architectures, tmp_path / "out.parquet", *NATS, data_dir=tmp_path)


def test_an_archive_of_a_small_space_becomes_truth(tmp_path, tar):
    source, path = sources.locate(*NATS, SOURCES, tmp_path)
    cells = sorted(nats_archive.read(path, source.column)["arch"])
    frame = truth.truth_table(source, path, cells)
    assert list(frame["arch"]) == cells and list(frame["train_seeds"]) == [3, 3, 3]


def test_damaged_archives_are_refused(tmp_path, samples, tar):
    column = "200/cifar10/ori-test@199"
    folder = tmp_path / "folder" / ARCHIVE
    shutil.copytree(samples / ARCHIVE, folder, copy_function=shutil.copyfile)
    for path in (folder, tar):
        with refused(path, "000000.pickle.pbz2", "200/svhn/ori-test@199"):
            nats_archive.check(path, "200/svhn/ori-test@199")
        with refused(path, "schedule/dataset/split@epoch"):
            nats_archive.check(path, "ori-test")

    whole = tar.read_bytes()
    either = (nats_archive.check, nats_archive.read)
    # Of 100 000 bytes the first architecture is whole, which is all that check reads.
    damages = [(whole[:200], either), (whole[:100_000], either[1:]), (b"no tar at all" * 100, either)]
    for content, functions in damages:
        tar.write_bytes(content)
        for function in functions:
            with refused(tar, "again"):
                function(tar, column)

    first = folder / "000000.pickle.pbz2"
    for content in (first.read_bytes()[:50_000], b"<html>", bz2.compress(pickle.dumps(Evil())), bz2.compress(b"x")):
        first.write_bytes(content)
        for function in either:
            with refused(first):
                function(folder, column)
    for file in folder.iterdir():
        file.unlink()
    with refused(folder, "holds no architecture"):
        nats_archive.check(folder, column)


# Programs


def test_provenance_of_a_foreign_table_is_empty(tmp_path):
    pd.DataFrame({"arch": CELLS[:2]}).to_parquet(tmp_path / "t.parquet")
    assert read_provenance(tmp_path / "t.parquet") == {}


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "t.parquet"
    write_parquet(pd.DataFrame({"arch": ["old"]}), path, source="old")
    monkeypatch.setattr("zsnas.files.os.replace", lambda *paths: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_parquet(pd.DataFrame({"arch": ["new"]}), path, source="new")
    assert list(tmp_path.iterdir()) == [path] and read_provenance(path) == {"source": "old"}


def test_a_full_disk_is_named_and_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "t.parquet"
    write_parquet(pd.DataFrame({"arch": ["old"]}), path)

    def full(*paths):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("zsnas.files.os.replace", full)
    with refused(path, "the disk is full", "free some space"):
        write_parquet(pd.DataFrame({"arch": ["new"]}), path)
    assert list(tmp_path.iterdir()) == [path] and pd.read_parquet(path).arch.tolist() == ["old"]


def test_a_study_error_ends_a_program_with_one_line():
    def command():
        raise StudyError("first\nsecond")

    with pytest.raises(SystemExit, match=r"^error: first second$"):
        errors.run(command)


def test_the_command_line_needs_no_torch_and_shows_no_traceback(tmp_path):
    code = "import sys, zsnas.truth as t; t.errors.run(t.main) if len(sys.argv) > 1 else print('torch' in sys.modules)"
    quiet = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert quiet.stdout == "False\n"
    options = ["--space", "nasbench201", "--task", "cifar10", "--truth", "nats", "--sources", SOURCES]
    options += ["--data-dir", tmp_path, "--architectures", tmp_path / "a.parquet", "--output", tmp_path / "o.parquet"]
    failed = subprocess.run([sys.executable, "-m", "zsnas.truth", *options], capture_output=True, text=True)
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: ") and failed.stderr.count("\n") == 1


def test_a_file_that_cannot_be_read_is_named():
    source, _ = sources.locate(*ANALOG, SOURCES, NOWHERE)
    with refused("/proc/self/mem cannot be read (Input/output error)", "fetch it again"):
        sources.verify(source, Path("/proc/self/mem"))


def test_a_page_taken_for_a_table_stays_one_short_line(tmp_path):
    (tmp_path / "page.csv").write_text(json.dumps({f"cell {number}": number for number in range(1000)}))
    with refused("page.csv has no column 'accuracy' (it has {\"cell 0\": 0, ", "[...]): fetch it again") as caught:
        table.read(tmp_path / "page.csv", "accuracy")
    assert len(str(caught.value)) < 500

"""Downloads, from a real server: what is kept, and what is refused without leaving anything or replacing a file."""

import functools
import hashlib
import io
import re
import subprocess
import sys
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest
import torch
import yaml
from runs import CHECKOUT, copy_checkout, snakemake

from zsnas import fetch, sources
from zsnas.errors import StudyError
from zsnas.readers import help_fbnet, vit_bench

HEADER = (CHECKOUT / "config" / "sources.csv").read_text().partition("\n")[0]
TRUTH = ("nasbench201", "cifar10", "mine")
CELL = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|"


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder. What is called half.csv breaks off in the middle, and unsized.csv is sent without its length;
    slow.csv waits there until the client has left."""

    def log_message(self, *message):
        pass

    def send_header(self, keyword, value):
        if (keyword, self.path) != ("Content-Length", "/unsized.csv"):
            super().send_header(keyword, value)

    def copyfile(self, source, output):
        whole = source.read()
        stops = self.path in ("/half.csv", "/slow.csv")
        output.write(whole[: len(whole) // 2] if stops else whole)
        if self.path == "/slow.csv":
            output.flush()
            self.rfile.read()


@pytest.fixture
def server(tmp_path):
    """A folder that is served, and its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def row(tmp_path, server):
    """Writes a list of sources with one truth in a file of the server."""

    def write(file, sha256="", size="", url=None):
        count = 3 if file == "unsized.csv" else 1
        what = f"nasbench201,cifar10,mine,table,{file},acc,accuracy,true,,,,{count}"
        line = f"{what},{sha256},{size},{url or server[1]}/{file},"
        (tmp_path / "sources.csv").write_text(f"{HEADER}\n{line}\n")
        return tmp_path / "sources.csv"

    return write


@pytest.fixture
def csv(server):
    path = server[0] / "mine.csv"
    pd.DataFrame({"arch": [CELL], "acc": [91.5]}).to_csv(path, index=False)
    return path


def left(folder):
    return sorted(file.name for file in folder.iterdir()) if folder.exists() else []


def test_a_file_is_fetched_once_and_verified(tmp_path, csv, row):
    digest = hashlib.sha256(csv.read_bytes()).hexdigest()
    listed = row("mine.csv", digest, csv.stat().st_size)
    data = tmp_path / "data"
    assert fetch.fetch(*TRUTH, listed, data).read_bytes() == csv.read_bytes()
    csv.unlink()
    assert fetch.fetch(*TRUTH, listed, data) == data / "mine.csv"
    assert left(data) == ["mine.csv"]


def test_a_file_that_is_there_is_never_replaced(tmp_path, csv, row):
    data = tmp_path / "data"
    data.mkdir()
    (data / "mine.csv").write_text("arch,other\n")
    with pytest.raises(
        StudyError, match=r"no column .acc.*; delete .*mine\.csv first, for nothing that is there is rep"
    ):
        fetch.fetch(*TRUTH, row("mine.csv"), data)
    source = sources.read_sources(row("mine.csv"))[0]
    with pytest.raises(StudyError, match="no column 'acc'"):
        fetch.download(source, row("mine.csv"), data)
    assert (data / "mine.csv").read_text() == "arch,other\n" and left(data) == ["mine.csv"]


def test_what_cannot_be_used_is_refused_and_nothing_is_left(tmp_path, server, csv, row):
    folder, _ = server
    (folder / "page.csv").write_text("<!DOCTYPE html><title>Quota exceeded</title>")
    (folder / "half.csv").write_bytes(csv.read_bytes() * 10)
    (folder / "wrong.csv").write_text("cell,acc\nx,3\n")
    (folder / "words.csv").write_text(f"arch,acc\n{CELL},many\n")
    (folder / "unsized.csv").write_bytes(csv.read_bytes())
    size = csv.stat().st_size
    data = tmp_path / "data"
    for file, message in {
        "gone.csv": "cannot be downloaded from http://.*404.*put it into",
        "page.csv": "is a web page, not data",
        "half.csv": r"cannot be downloaded from http://.*only \d+ of \d+ bytes came",
        "unsized.csv": "is incomplete: a number for 1 of 3 architectures",
        "wrong.csv": "has no column",
        "words.csv": "cannot be read as numbers",
    }.items():
        with pytest.raises(StudyError, match=f"^{file} {message}"):
            fetch.fetch(*TRUTH, row(file), data)
    with pytest.raises(StudyError, match=r"truncated or altered: \d+ bytes instead of \d+"):
        fetch.fetch(*TRUTH, row("mine.csv", "0" * 64, size + 1), data)
    wrong = r"^mine\.csv is truncated or altered: sha256 .* not what sources\.csv describes: put the file it .* into "
    with pytest.raises(StudyError, match=wrong):
        fetch.fetch(*TRUTH, row("mine.csv", "0" * 64, size), data)
    for url in ("http://127.0.0.1:9", "example.org", "http://[bad"):
        with pytest.raises(StudyError, match=re.escape(f"cannot be downloaded from {url}/")):
            fetch.fetch(*TRUTH, row("mine.csv", url=url), data)
    assert left(data) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path, csv, row):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StudyError, match=r"mine\.csv cannot be written into .*data.*correct 'data_dir'"):
        fetch.fetch(*TRUTH, row("mine.csv"), tmp_path / "data" / "inner")


def test_a_full_disk_is_named(tmp_path, csv, row, monkeypatch):
    class Full(io.BytesIO):
        def writelines(self, pieces):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("zsnas.fetch.open", lambda *arguments: Full(), raising=False)
    with pytest.raises(StudyError, match=r"No space left on device.*free some space"):
        fetch.fetch(*TRUTH, row("mine.csv"), tmp_path / "data")
    assert left(tmp_path / "data") == []


def test_what_fails_between_here_and_the_server_is_no_fault_of_the_disk(tmp_path, row):
    """An address that does not talk TLS."""
    listed = row("mine.csv")
    listed.write_text(listed.read_text().replace("http://", "https://"))
    with pytest.raises(StudyError, match=r"mine\.csv cannot be downloaded from https://.*(?i:ssl).*try again"):
        fetch.fetch(*TRUTH, listed, tmp_path / "data")


def test_a_fetch_that_is_ended_leaves_nothing(tmp_path, server, row):
    (server[0] / "slow.csv").write_text("arch,acc\n" * 100)
    command = [sys.executable, "-m", "zsnas.fetch", "--truths", "/".join(TRUTH), "--data-dir", tmp_path / "data"]
    with subprocess.Popen([*command, "--sources", row("slow.csv")]) as fetching:
        while not left(tmp_path / "data") and fetching.poll() is None:
            time.sleep(0.05)
        fetching.terminate()
    assert fetching.returncode == 128 + 15 and left(tmp_path / "data") == []


def test_what_has_no_direct_address_is_named_with_its_place(tmp_path):
    with pytest.raises(sources.Missing, match=r"nats_test.*put it into data_dir: NATS.*drive\.google"):
        fetch.fetch("nasbench201", "cifar10", "nats_test", CHECKOUT / "config" / "sources.csv", tmp_path)


def test_a_file_that_lists_a_space_is_fetched_from_a_truths_address(tmp_path, server):
    """No truth in it is asked for; the other file of the space has no direct address."""
    folder, address = server
    name = "DARTS_archs_CIFAR10.csv"
    (folder / name).write_text("Genotype(...),91.5\n")
    row = f"darts,cifar10,swap,swap,{name},accuracy,accuracy,true,,,,1,,,{address}/{name},"
    (tmp_path / "sources.csv").write_text(f"{HEADER}\n{row}\n")
    data = tmp_path / "data"
    with pytest.raises(sources.Missing, match=r"listed in zc_nasbench301\.json or nb301_surrogate.*not in data_dir"):
        fetch.lists_of("darts", tmp_path / "sources.csv", data)
    (data / "nb301_surrogate_sample.parquet").touch()
    paths = fetch.lists_of("darts", tmp_path / "sources.csv", data)
    assert sorted(path.name for path in paths) == [name, "nb301_surrogate_sample.parquet"] == left(data)
    (data / name).rename(data / "darts_cifar10_swap.parquet")
    fetch.lists_of("darts", tmp_path / "sources.csv", data)
    assert left(data) == ["darts_cifar10_swap.parquet", "nb301_surrogate_sample.parquet"]


def test_a_folders_files_are_those_of_the_spaces_asked_for():
    assert vit_bench.contents(["pit/c100_kd_acc", "pit/flower_kd_acc"]) == ["gt_pit.pth"]
    assert len(vit_bench.contents(["pit/c100_kd_acc", "autoformer/c100_kd_acc"])) == 3
    with pytest.raises(StudyError, match="'autofomer/c100_kd_acc' wanted from gt_results: write it as space/column"):
        vit_bench.contents(["autofomer/c100_kd_acc"])


def test_a_folder_is_fetched_whole_or_not_at_all(tmp_path, server):
    """Its files are those that some row needs; here of a device, which also lists the space."""
    folder, address = server
    (folder / "fbnet" / "latency").mkdir(parents=True)
    torch.save({"arch": [{"op_idx_list": [0] * 22}, {"op_idx_list": [1] * 22}]}, folder / "fbnet" / "metainfo.pt")
    rows = "".join(
        f"fbnet,cifar100,help_{device},help_fbnet,fbnet,{device},latency_ms,false,,,,2,,,{address}/fbnet,MIT\n"
        for device in ("raspi4", "fpga")
    )
    (tmp_path / "sources.csv").write_text(f"{HEADER}\n{rows}")
    place = tmp_path / "sources.csv", tmp_path / "data"
    torch.save([7.0, 8.0], folder / "fbnet" / "latency" / "raspi4.pt")
    with pytest.raises(
        StudyError, match=r"fbnet cannot be downloaded from .*/fbnet/latency/fpga\.pt .*404.*put it into"
    ):
        fetch.costs_of("fbnet", "cifar100", "help_raspi4", *place)
    assert left(place[1]) == []
    other = folder / "fbnet" / "latency" / "fpga.pt"
    other.write_text("<html>Quota exceeded</html>")
    with pytest.raises(StudyError, match=r"^fbnet/latency/fpga\.pt is a web page"):
        fetch.costs_of("fbnet", "cifar100", "help_raspi4", *place)
    other.write_bytes((folder / "fbnet" / "latency" / "raspi4.pt").read_bytes()[:-100])
    with pytest.raises(StudyError, match=r"^fbnet/latency/fpga\.pt is truncated"):
        fetch.costs_of("fbnet", "cifar100", "help_raspi4", *place)
    assert left(place[1]) == []
    torch.save([1.0, 2.0], other)
    (path,) = fetch.costs_of("fbnet", "cifar100", "help_raspi4", *place)
    assert sorted(file.name for file in path.rglob("*.pt")) == ["fpga.pt", "metainfo.pt", "raspi4.pt"]
    assert help_fbnet.read(path, "raspi4").value.tolist() == [7, 8]
    with pytest.raises(StudyError, match=rf"raspi5\.pt is not there \(.* raspi4\): put all .* into {path}"):
        help_fbnet.read(path, "raspi5")
    assert fetch.lists_of("fbnet", *place) == [path] == fetch.costs_of("fbnet", "cifar100", "help_fpga", *place)
    (path / "latency" / "fpga.pt").unlink()
    with pytest.raises(StudyError, match=r"fpga\.pt is not there.*delete .*/data/fbnet first"):
        fetch.costs_of("fbnet", "cifar100", "help_fpga", *place)


def test_what_a_study_without_truths_lacks_is_named(tmp_path):
    """Files that list a space, and those of looked-up devices, where they have no direct address."""
    directory = copy_checkout(tmp_path / "checkout")
    listed = directory / "config" / "sources.csv"
    listed.write_text(listed.read_text().replace("/data/fbnet,", "/data,"))
    study = yaml.safe_load((CHECKOUT / "tests" / "tiny.yaml").read_text())
    study |= {
        "spaces": {"fbnet": {"architectures": 1, "tasks": {"cifar100": []}}},
        "proxies": ["params"],
        "devices": ["lookup-help_raspi4"],
    }
    (directory / "mine.yaml").write_text(yaml.safe_dump(study))
    failed = snakemake(directory, "-c1", "fetch", "--configfile", "mine.yaml", fails=True)
    assert "error: the architectures of fbnet are listed in fbnet or fbnet_latency.parquet" in failed
    assert "error: latency_ms of device 'help_raspi4' of fbnet/cifar100 is not in data_dir" in failed


def test_the_workflow_fetches_before_it_checks(tmp_path, csv, row):
    directory = copy_checkout(tmp_path / "checkout")
    (directory / "config" / "sources.csv").write_text(row("mine.csv").read_text())
    study = yaml.safe_load((CHECKOUT / "tests" / "tiny.yaml").read_text())
    study["spaces"]["nasbench201"]["tasks"]["cifar10"] = ["mine"]
    (directory / "mine.yaml").write_text(yaml.safe_dump(study))
    assert "is not in data_dir" in snakemake(directory, "-n", "--configfile", "mine.yaml", fails=True)
    (directory / "odd.yaml").write_text(yaml.safe_dump(study | {"proxies": ["synflw"]}))
    assert "error: unknown proxy 'synflw'" in snakemake(directory, "fetch", "--configfile", "odd.yaml", fails=True)
    snakemake(directory, "-c1", "fetch", "--configfile", "mine.yaml")
    assert (directory / "data" / "mine.csv").read_bytes() == csv.read_bytes()
    snakemake(directory, "-n", "--configfile", "mine.yaml")
    (directory / "data" / "mine.csv").write_text("<html>")
    assert "is a web page" in snakemake(directory, "-n", "--configfile", "mine.yaml", fails=True)
    failed = snakemake(directory, "-c1", "fetch", "--configfile", "mine.yaml", fails=True)
    assert "is a web page" in failed and "delete data/mine.csv first" in failed
    csv.unlink()
    (directory / "data" / "mine.csv").unlink()
    failed = snakemake(directory, "-c1", "fetch", "--configfile", "mine.yaml", fails=True)
    assert "error: mine.csv cannot be downloaded" in failed and "Traceback" not in failed

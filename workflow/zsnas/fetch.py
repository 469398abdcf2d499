"""Download what a study needs and is not there: `python -m zsnas.fetch`.

A row of sources.csv has a direct address where its url ends in the name of its file. Such a file, of a truth, of a
looked-up device or one that lists a space, is downloaded beside data_dir's others, checked as before a study and for
whether it is whole, and only then given its name; a file that is there is never replaced. Of a folder each file that
some row needs is downloaded: its reader has `contents(columns)`, their names. What has no direct address is named with
the place it belongs to.
"""

import argparse
import itertools
import signal
import sys
import tempfile
import urllib.request
from http.client import HTTPException
from pathlib import Path

from zsnas import errors, registry, sources
from zsnas.errors import StudyError
from zsnas.files import DISK_FULL
from zsnas.provenance import sha256

CHUNK = 1 << 20
SECONDS = 60  # without an answer


class Unreachable(Exception):
    """What is at an address does not come, or not all of it."""


def fetch(space, task, name, sources_csv, data_dir, cost=None):
    """The verified file of a truth, or of a device's `cost`, downloaded where it is not there and is to be had so."""
    try:
        source, path = sources.locate(space, task, name, sources_csv, data_dir, cost)
    except sources.Missing:
        known = sources.alternatives(space, task, name, sources_csv, cost)
        direct = [source for source in known if source.direct]
        if not direct:
            raise
        return download(direct[0], sources_csv, data_dir)
    try:
        sources.verify(source, path)
    except sources.Unusable as error:
        raise StudyError(f"{error}; delete {path} first, for nothing that is there is replaced") from error
    return path


def download(source, sources_csv, data_dir):
    """The path of a source's file, downloaded and verified. Raises StudyError, and leaves nothing, where that fails."""
    path = Path(data_dir, source.file)
    rows = [row for row in sources.read_sources(sources_csv) if row.file == source.file]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=data_dir) as aside:
            part = Path(aside, source.file)
            try:
                for name in contents(source, rows):
                    receive(f"{source.url}{name}", Path(f"{part}{name}"))
                check(source, part, rows)
            except StudyError as error:
                refused = str(error).replace(str(part), source.file)
                raise StudyError(
                    f"{refused}; if it stays so, what is there is not what sources.csv describes: put the file it "
                    f"describes into {data_dir}, or correct its row"
                ) from error
            if path.exists():  # another fetch was faster
                sources.verify(source, path)
            else:
                part.rename(path)
    except Unreachable as error:
        raise StudyError(
            f"{source.file} cannot be downloaded from {error}: try again, or put it into {data_dir}"
        ) from error
    except OSError as error:
        way_out = "free some space" if error.errno in DISK_FULL else "correct 'data_dir'"
        raise StudyError(f"{source.file} cannot be written into {data_dir} ({error.strerror}): {way_out}") from error
    return path


def contents(source, rows):
    """What follows a source's url: the name of each file of a folder that its rows need, nothing for a file."""
    reader = sources.load_reader(source)
    if not hasattr(reader, "contents") or Path(source.file).suffix:
        return [""]
    return [f"/{name}" for name in reader.contents([row.column for row in rows])]


def check(source, part, rows):
    """Verify what was downloaded for a source, a folder for each of its rows. StudyError where it is not whole.

    A hash tells that it is whole. Without one it is read, once, to count its architectures.
    """
    for row in rows if part.is_dir() else [source]:
        sources.verify(row, part)
    if source.architectures and not source.sha256:
        found = sources.load_reader(source).read(part, source.column)["value"].count()
        if found < source.architectures:
            raise sources.Unusable(
                f"{part} is incomplete: a number for {found} of {source.architectures} architectures"
            )


def receive(url, part):
    """Write what is at an address to the file `part`. Unusable where that is a web page."""
    part.parent.mkdir(parents=True, exist_ok=True)
    with open(part, "wb") as file:
        file.writelines(pieces(url))
    sources.refuse_web_page(part, f"fetch it again from {url}")


def pieces(url):
    """What is at an address, piece by piece. Raises Unreachable."""
    received = 0
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            promised = answer.headers.get("Content-Length")
            while piece := answer.read(CHUNK):
                received += len(piece)
                yield piece
    except (OSError, HTTPException, ValueError) as error:  # of the network, for writing is not done in here
        raise Unreachable(f"{url} ({error})") from error
    if promised is not None and received != int(promised):
        raise Unreachable(f"{url} (only {received} of {promised} bytes came)")


def lists_of(name, sources_csv, data_dir):
    """The files that list a space, downloaded where they are not there and some row has their direct address."""
    space = registry.look_up("space", name, registry.spaces())
    try:
        return sources.lists(space, data_dir)
    except sources.Missing:
        missing = [files for files in space.listed if not any(Path(data_dir, file).exists() for file in files)]
        listed = set(itertools.chain(*missing))
        of_space = (source for source in sources.read_sources(sources_csv) if source.space == name)
        direct = {source.file: source for source in of_space if source.file in listed and source.direct}
        if not direct:
            raise
        for source in direct.values():
            download(source, sources_csv, data_dir)
        return sources.lists(space, data_dir)


def costs_of(space, task, name, sources_csv, data_dir):
    """The verified files of a looked-up device, downloaded as truths are."""
    costs = sources.known_costs(space, task, name, sources_csv)
    return [fetch(space, task, name, sources_csv, data_dir, cost) for cost in costs]


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas.fetch", description="Download what a study needs.")
    parser.add_argument("--truths", nargs="*", default=[], help="each as space/task/truth")
    parser.add_argument("--spaces", nargs="*", default=[])
    parser.add_argument("--looked-up", nargs="*", default=[], help="devices, each as space/task/name in sources.csv")
    parser.add_argument("--sources", required=True)
    parser.add_argument("--data-dir", required=True)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that no half download is left
    problems = []
    for find, names in [
        (lambda *it: [fetch(*it)], arguments.truths),
        (lists_of, arguments.spaces),
        (costs_of, arguments.looked_up),
    ]:
        for name in names:
            try:
                for path in find(*name.split("/"), arguments.sources, arguments.data_dir):
                    print(f"{name}: {path}, sha256 {sha256(path)}")
            except StudyError as error:
                problems.append(f"error: {error}")
    sys.exit("\n".join(dict.fromkeys(problems)) or 0)


if __name__ == "__main__":
    errors.run(main)

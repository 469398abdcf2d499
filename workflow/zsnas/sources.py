"""Where published numbers come from: config/sources.csv, one row per way to obtain one, the preferred ways first.

space, task, truth  what the row gives; rows that agree in these are alternatives. Where the metric is a cost, the row
                    is of the device `lookup-{truth}`, and rows of one device that agree in the metric are alternatives
reader, column      the file's format (a module of zsnas.readers) and which of its numbers
file                a name in the study's data_dir, or `package:module/file` for one inside an installed package
metric              what the number is, in letters and digits, such as accuracy (in percent), ssim or loss; in the study
                    the truth's column is {metric}_{truth}; or a cost, `latency_ms` or `energy_mj`
larger_is_better    true or false, the same wherever the metric stands
split, epochs, train_seeds   of the training runs behind it; empty where the source does not say
architectures       how many the file must have; empty for all of the space, or for a cost as many as there are
sha256, bytes       of the file, where the publisher settled it; a file that differs is refused
url, licence        where the file, or the values in it, come from; a licence is empty where none is stated
"""

import csv
import importlib
import importlib.util
import re
from dataclasses import dataclass, fields
from pathlib import Path
from textwrap import shorten

from zsnas.devices import COSTS
from zsnas.errors import StudyError, suggestion
from zsnas.files import read_provenance
from zsnas.provenance import sha256
from zsnas.registry import look_up, parsed, plugin_files

PACKAGE = "package:"

# What the study reads of files, once each.
TRUTH = "results/truth/{space}/{task}/{truth}.parquet"
LATENCY = "results/latency/{space}/{task}/lookup-{truth}.parquet"
INDEX = "results/spaces/{space}/architectures.parquet"


@dataclass(frozen=True)
class Source:
    """A row of sources.csv; empty numbers and an empty split are None."""

    space: str
    task: str
    truth: str
    reader: str
    file: str
    column: str
    metric: str
    larger_is_better: bool
    split: str | None
    epochs: int | None
    train_seeds: int | None
    architectures: int | None
    sha256: str
    bytes: int | None
    url: str
    licence: str

    def __str__(self):
        kind = f"{self.metric} of device" if self.metric in COSTS else "truth"
        return f"{kind} {self.truth!r} of {self.space}/{self.task}"

    @property
    def whence(self):
        """Where it comes from, as messages end; nothing for one's own file."""
        return f" from {self.url}" if self.url else ""

    @property
    def direct(self):
        """Whether its url is the address of the file itself, or of each file of a folder but for that one's name."""
        return self.url.rpartition("/")[2] == self.file

    @property
    def table(self):
        """Path of what the study reads of it."""
        return Path((LATENCY if self.metric in COSTS else TRUTH).format(**vars(self)))


class Missing(StudyError):
    """A file of the study that is nowhere to be found."""


class Unusable(StudyError):
    """A file of the study that is there and not what its source describes."""


COLUMNS = tuple(field.name for field in fields(Source))
NUMBERS = ("epochs", "train_seeds", "architectures", "bytes")
NAME = re.compile(r"\w+", re.ASCII)


def _count(text):
    if (number := int(text)) < 1:
        raise ValueError(f"{text} is no count")
    return number


def _source(row, where):
    """The Source for one row of text; `where` names file and line."""
    if None in row or None in row.values():
        raise StudyError(f"{where} must have {len(COLUMNS)} cells, as the header has")
    if not NAME.fullmatch(row["truth"]):  # it becomes part of paths
        raise StudyError(f"{where}: truth is {row['truth']!r}, write one word of letters, digits and _")
    if row["metric"] not in COSTS and not row["metric"].isalnum():
        raise StudyError(f"{where}: metric is {row['metric']!r}, write one word of letters and digits")
    try:
        return Source(
            **{
                **row,
                **{name: _count(row[name]) if row[name] else None for name in NUMBERS},
                "larger_is_better": {"true": True, "false": False}[row["larger_is_better"]],
                "split": row["split"] or None,
            }
        )
    except KeyError as error:
        raise StudyError(f"{where}: larger_is_better is {error}, write true or false") from error
    except ValueError as error:
        raise StudyError(f"{where}: {', '.join(NUMBERS)} must be whole numbers or empty ({error})") from error


def read_sources(sources_csv):
    """Every Source of the file, in its order."""
    try:
        with open(sources_csv, newline="", encoding="utf-8-sig") as file:  # as spreadsheets save it, too
            rows = csv.DictReader(file)
            if tuple(rows.fieldnames or ()) != COLUMNS:
                there = ",".join(rows.fieldnames or ())
                raise StudyError(f"{sources_csv} must have the columns {','.join(COLUMNS)}, and has {there}")
            sources = [_source(row, f"{sources_csv}, line {rows.line_num}") for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StudyError(f"the list of sources {sources_csv} cannot be read ({error}): restore it") from error
    directions = {source.metric: source.larger_is_better for source in sources}
    for source in sources:
        if source.larger_is_better != directions[source.metric]:
            raise StudyError(
                f"{sources_csv}: larger_is_better of the metric {source.metric!r} is true in one row and false in "
                "another; correct one, or call its metric otherwise"
            )
    return sources


def alternatives(space, task, name, sources_csv, cost=None):
    """The sources of one truth, or of one cost of a device; an unknown name is answered with what there is."""
    chosen = [
        source
        for source in read_sources(sources_csv)
        if (source.metric == cost if cost else source.metric not in COSTS)
    ]
    for column, asked in (("space", space), ("task", task), ("truth", name)):
        known = sorted({getattr(source, column) for source in chosen})
        chosen = [source for source in chosen if getattr(source, column) == asked]
        if not chosen:
            if column == "space" and not cost:
                raise StudyError(f"{sources_csv} has no truth of {space}: write its task as '{task}: []', or add a row")
            kind = "device" if cost and column == "truth" else column
            raise StudyError(
                f"{sources_csv} has no {kind} {asked!r} for {space}/{task}/{name}{suggestion(asked, known)} "
                f"(there is {', '.join(known)})"
            )
    return chosen


def _package_file(file):
    """Path of `package:module/file` where the package is installed, else None; the package is not imported."""
    package, _, inside = file.removeprefix(PACKAGE).partition("/")
    try:
        spec = importlib.util.find_spec(package)
    except ModuleNotFoundError:  # what it would be a part of
        return None
    return Path(spec.submodule_search_locations[0], inside) if spec and spec.submodule_search_locations else None


def locate(space, task, name, sources_csv, data_dir, cost=None, or_table=False):
    """The first source of a truth whose file exists, and the file's path: (Source, Path).

    cost: one of COSTS, to get that of a looked-up device instead. A file in `data_dir` wins over one in a package;
    between files of the same kind the order of `sources_csv` decides. or_table: where no file is there any more, what
    the study has read of one will do: the source is that one's, and the path says where it would be. StudyError if the
    name is unknown, Missing if no file for it is found.
    """
    sources = alternatives(space, task, name, sources_csv, cost)
    in_folder = [(source, Path(data_dir, source.file.rpartition("/")[2])) for source in sources]
    in_package = [(source, _package_file(source.file)) for source in sources if source.file.startswith(PACKAGE)]
    for source, path in in_folder + in_package:
        if path and path.exists():
            return source, path
    if or_table and sources[0].table.is_file():
        noted = read_provenance(sources[0].table)
        origins = [(it.get("source"), it.get("column")) for it in noted.get("sources", [noted])]
        for source, path in in_folder:
            if (path.name, source.column) in origins:
                return source, path
    first, *others = sources
    if first.file.startswith(PACKAGE):
        raise Missing(
            f"{first} needs {first.file.removeprefix(PACKAGE)}, which is in no installed package: "
            f"install the package{first.whence}"
        )
    files = first.file + first.whence + "".join(f", or {file}" for file in dict.fromkeys(it.file for it in others))
    fetched = ", as `snakemake fetch` does" if any(source.direct for source in sources) else ""
    raise Missing(f"{first} is not in data_dir {str(data_dir)!r}: put it into data_dir{fetched}: {files}")


def locate_costs(space, task, name, sources_csv, data_dir, or_table=False):
    """What `locate` finds of a looked-up device, as a list: its latency, and its energy if sources.csv has any."""
    costs = known_costs(space, task, name, sources_csv)
    return [locate(space, task, name, sources_csv, data_dir, cost, or_table) for cost in costs]


def known_costs(space, task, name, sources_csv):
    """Which COSTS a looked-up device has there."""
    given = {
        source.metric
        for source in read_sources(sources_csv)
        if (source.space, source.task, source.truth) == (space, task, name)
    }
    return ["latency_ms"] + ["energy_mj"] * ("energy_mj" in given)


def lists(space, data_dir, or_index=False):
    """Paths of the files, or folders, that list a space's architectures; none for a space that enumerates them.

    space: a `registry.Space`. or_index: where a file is not there any more, the index that the study has will do, and
    the path says where the file would be. Missing if a file and its alternatives are not in `data_dir`.
    """
    paths = []
    for files, url in space.listed.items():
        there = [Path(data_dir, file) for file in files if Path(data_dir, file).exists()]
        if or_index and Path(INDEX.format(space=space.name)).is_file():
            there.append(Path(data_dir, files[0]))
        if not there:
            raise Missing(
                f"the architectures of {space.name} are listed in {' or '.join(files)}, which is not in data_dir "
                f"{str(data_dir)!r}: put it there, from {url}"
            )
        paths.append(there[0])
    return paths


def origin(source, path):
    """What a table's provenance tells of the file that it was read from."""
    return {
        "source": path.name,
        "sha256": sha256(path),
        "url": source.url,
        "licence": source.licence,
        "column": source.column,
    }


def load_reader(source):
    """The module that reads the source's format."""
    readers = {file.stem: file for file in plugin_files("readers")}
    parsed(look_up("reader", source.reader, readers, str(source)))  # so that a mistake in it is told with its name
    return importlib.import_module(f"zsnas.readers.{source.reader}")


def read(source, path, architectures):
    """What a file has of `architectures` (names of all the space's members), by `arch`; see `zsnas.readers`.

    What was not measured is left out. StudyError for a stranger, or an architecture that is named twice.
    """
    frame = load_reader(source).read(path, source.column).dropna(subset="value")
    if not all(isinstance(name, str) for name in frame.arch):
        raise StudyError(f"{path} names architectures by {shorten(str(frame.arch.iloc[0]), 80)}: name them by texts")
    frame = frame.set_index("arch")
    strangers = frame.index.difference(architectures)
    if len(strangers):
        raise StudyError(
            f"{path} has {len(strangers)} architectures that {source.space} does not know, such as "
            f"{strangers[0]!r}: it belongs to another space, or names its architectures differently"
        )
    if frame.index.has_duplicates:
        twice = frame.index[frame.index.duplicated()][0]
        raise StudyError(f"{path} has more than one row for {twice!r}: leave one row per architecture")
    return frame


def verify_unread(source, path):
    """`verify` a located file, unless the study has read it: it is gone, or older than its table."""
    table = source.table
    if not table.is_file() or (path.exists() and path.stat().st_mtime > table.stat().st_mtime):
        verify(source, path)


def verify(source, path):
    """Check a located file as far as that is cheap, so that it can be done before any job.

    Unusable if the file cannot be read, is a web page, has not the pinned size or sha256, is not of its format, or
    lacks the column.
    """
    reader = load_reader(source)  # one that is unknown is no fault of the file
    try:
        _verify(source, path, reader)
    except StudyError as error:
        raise Unusable(str(error)) from error
    except IsADirectoryError as error:
        raise Unusable(f"{path} is a folder and should be a file: move it away, and put the file there") from error
    except OSError as error:
        why = error.strerror or error
        raise Unusable(f"{path} cannot be read ({why}): change its rights, or fetch it again") from error


def _verify(source, path, reader):
    again = "install the package" if source.file.startswith(PACKAGE) else "fetch it" if source.url else "write it"
    again = f"{again} again{source.whence}"
    if path.is_file():
        refuse_web_page(path, again)
        size = path.stat().st_size
        if source.bytes not in (None, size):
            raise StudyError(f"{path} is truncated or altered: {size} bytes instead of {source.bytes}; {again}")
    digest = sha256(path) if source.sha256 else ""
    if source.sha256 != digest:
        raise StudyError(f"{path} is truncated or altered: sha256 {digest} instead of {source.sha256}; {again}")
    reader.check(path, source.column)


def refuse_web_page(path, again):
    """Unusable, with the way out `again`, where a file begins as HTML does: what servers send for what they lack."""
    with open(path, "rb") as file:
        start = file.read(64)
    if start.lstrip().startswith(b"<"):
        raise Unusable(f"{path} is a web page, not data: {again}")

"""Write a space's index of architectures: `python -m zsnas.index SPACE OUTPUT [LIST...]`.

The file carries no provenance, so that listing again gives the same bytes and nothing below it is computed again.
"""

import argparse

from zsnas import errors, registry
from zsnas.errors import StudyError
from zsnas.files import write_parquet

COLUMNS = ("arch", "canonical", "iso_class", "reachable", "connected", "params", "macs")  # of every space


def listed(space, lists):
    """The index of a space, a `registry.Space`, from the files that list it.

    StudyError where it is not as the space declares it, or no index: `arch` names each row once, `canonical` one that
    stands for itself, and no cell is empty.
    """
    origin = ", ".join(map(str, lists)) or f"{space.file}, architectures()"
    way_out = "restore that file" if lists else "correct it"
    try:
        index = registry.load_space(space.name).architectures(*lists)
    except (ValueError, TypeError) as error:
        if not lists or isinstance(error, StudyError):
            raise
        raise StudyError(f"{origin} does not list architectures of {space.name} ({error}): {way_out}") from error
    if list(index) != [*COLUMNS, *space.columns]:
        wanted = ", ".join([*COLUMNS, *space.columns])
        raise StudyError(f"{space.file}: architectures() has columns {', '.join(index)}; they must be {wanted}")
    if flags := [name for name in ("reachable", "connected") if index[name].dtype != bool]:
        raise StudyError(f"{space.file}: architectures() has {index[flags[0]].iloc[0]!r} in {flags[0]}; write booleans")
    own = index.arch[index.arch == index.canonical]
    for wrong, what in [
        (index.arch[index.arch.duplicated()], "is there more than once"),
        (index.canonical[~index.canonical.isin(own)], "is canonical, but not a row whose canonical network is itself"),
        (index.arch[index.isna().any(axis=1)], "has an empty cell"),
    ]:
        if len(wrong):
            raise StudyError(f"{origin}: {wrong.iloc[0]!r} {what}; {way_out}")
    for fact, declared, found in [
        ("ARCHITECTURES", space.architectures, len(index)),
        ("CANONICAL", space.canonical, index.canonical.nunique()),
    ]:
        if declared != found:
            raise StudyError(
                f"{origin}: {found} instead of {declared}, which {space.name} declares as {fact}; {way_out}"
            )
    return index


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas.index", description="Write a space's index.")
    parser.add_argument("space")
    parser.add_argument("output")
    parser.add_argument("lists", nargs="*", help="the files that list the space's architectures, in order")
    arguments = parser.parse_args()
    space = registry.look_up("space", arguments.space, registry.spaces())
    write_parquet(listed(space, arguments.lists), arguments.output)


if __name__ == "__main__":
    errors.run(main)

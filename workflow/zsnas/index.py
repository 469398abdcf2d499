"""Write a space's index of architectures: `python -m zsnas.index SPACE OUTPUT [LIST...]`.

The file carries no provenance, so that listing again gives the same bytes and nothing below it is computed again.
"""

import argparse

from zsnas import errors, registry
from zsnas.errors import StudyError
from zsnas.files import write_parquet

COLUMNS = ("arch", "canonical", "iso_class", "reachable", "connected", "params", "macs")  # of every space


def listed(space, lists):
    """The index of a space, a `registry.Space`. StudyError where it is not as the space declares it."""
    index = registry.load_space(space.name).architectures(*lists)
    if list(index) != [*COLUMNS, *space.columns]:
        wanted = ", ".join([*COLUMNS, *space.columns])
        raise StudyError(f"{space.file}: architectures() has columns {', '.join(index)}; they must be {wanted}")
    for fact, declared, found in [
        ("ARCHITECTURES", space.architectures, len(index)),
        ("CANONICAL", space.canonical, index.canonical.nunique()),
    ]:
        if declared != found:
            raise StudyError(f"{space.file}: {fact} is {declared}, but there are {found}; correct it")
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

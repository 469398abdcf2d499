"""Write a space's index of architectures: `python -m zsnas.index SPACE OUTPUT [LIST...]`."""

import argparse

from zsnas import errors, registry
from zsnas.files import write_parquet
from zsnas.provenance import environment


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas.index", description="Write a space's index.")
    parser.add_argument("space")
    parser.add_argument("output")
    parser.add_argument("lists", nargs="*", help="the files that list the space's architectures, in order")
    arguments = parser.parse_args()
    space = registry.look_up("space", arguments.space, registry.spaces())
    index = registry.load_space(space.name).architectures(*arguments.lists)
    for fact, declared, found in [
        ("ARCHITECTURES", space.architectures, len(index)),
        ("CANONICAL", space.canonical, index.canonical.nunique()),
    ]:
        if declared != found:
            raise errors.StudyError(f"{space.file}: {fact} is {declared}, but there are {found}; correct it")
    write_parquet(index, arguments.output, **environment())


if __name__ == "__main__":
    errors.run(main)

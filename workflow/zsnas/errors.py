"""The one kind of error a user of the study meets: a single line that names the thing, the place and the way out."""

import difflib
import sys


class StudyError(ValueError):
    """Something in the study's config, sources or files is wrong; one line says what, where and what to do about it."""

    def __init__(self, message):
        # Texts quoted from other libraries may span lines.
        super().__init__(" ".join(message.splitlines()))


class Unmeasurable(StudyError):
    """What a device says of a network that it cannot run; others may run there."""


def suggestion(name, known):
    """`; did you mean 'synflow'?` for the entry of `known` most like `name`, or nothing where none is close."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def run(command):
    """Call `command()` as a program: a StudyError becomes its line on stderr and exit code 1, without a traceback."""
    try:
        command()
    except StudyError as error:
        sys.exit(f"error: {error}")

"""A board that the user can ssh to, through ONNX Runtime there: `ssh-{host}-onnxruntime-...`.

The host is a name of the user's own ~/.ssh/config. One connection takes the runner's text and then one model after the
other, each only when the one before is measured, so that nothing but the measurement runs on the board; nothing is
written there.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from zsnas import runner
from zsnas.devices.local import to_onnx
from zsnas.errors import StudyError, Unmeasurable

RUNTIMES = ("onnxruntime",)
PRECISIONS = ("float32",)
REMOTE = True

# Never ask for a password; notice within a minute that a board has died.
OPTIONS = ["BatchMode=yes", "ConnectTimeout=20", "ServerAliveInterval=15", "ServerAliveCountMax=4"]
START = "import sys; exec(sys.stdin.buffer.read(int(sys.stdin.buffer.readline())))"


class Board:
    """An open connection to a board. `facts` tell its machine."""

    def __init__(self, device, python, process, errors):
        self.device = device
        self.python = python
        self.process = process
        self.errors = errors
        code = f"{Path(runner.__file__).read_text()}\nserve({device.threads})\n".encode()
        self.facts = self._ask(code)
        if self.facts.get("waits"):
            print(f"'{device.host}' is measuring already: waiting until it is done", file=sys.stderr, flush=True)
            self.facts = self._answer()
        if error := self.facts.get("error"):
            raise StudyError(f"'{device.host}' says {error}; {self._way_out(error)}")

    def _ask(self, content):
        """What the board answers to some bytes."""
        try:
            self.process.stdin.write(b"%d\n" % len(content) + content)
            self.process.stdin.flush()
        except OSError as error:
            raise StudyError(self._why_it_ended()) from error
        return self._answer()

    def _answer(self):
        """What the board says next."""
        line = self.process.stdout.readline()
        if not line:
            raise StudyError(self._why_it_ended())
        try:
            return json.loads(line)
        except ValueError as error:
            raise StudyError(
                f"'{self.device.host}' printed {line.decode(errors='replace').strip()!r} instead of an answer: let the "
                "start-up files of its shell print nothing where nobody types"
            ) from error

    def measure(self, net, inputs):
        """What `runner.measure` says of a network (in eval mode) there. Unmeasurable if it cannot run it."""
        answer = self._ask(to_onnx(net, inputs))
        if "error" in answer:
            raise Unmeasurable(f"'{self.device.host}' says {answer['error']}")
        return answer

    def _why_it_ended(self):
        status = self.process.wait()
        self.errors.seek(0)
        last = (self.errors.read().decode(errors="replace").strip().splitlines() or ["without a word"])[-1]
        if status == 255:  # ssh's own failure, or a process killed there
            return (
                f"'{self.device.host}' cannot be reached or ended the measurement ({last}): see that "
                f"`ssh {self.device.host} true` works and run again; what is measured is kept"
            )
        way_out = self._way_out("ImportError" if status == 127 else last)
        return f"measuring on '{self.device.host}' ended with status {status} ({last}); {way_out}"

    def _way_out(self, error):
        if "ModuleNotFoundError" in error or "ImportError" in error:
            return (
                f"install numpy and onnxruntime for {self.python} there, or name the Python that has them under "
                f"'remote_python.{self.device.host}' in the config"
            )
        return "see to the board and run again: what is measured is kept"


@contextlib.contextmanager
def connect(device, python):
    """A Board, connected while the context lasts. python: the command that starts Python there."""
    command = ["ssh", *(f"-o{option}" for option in OPTIONS), device.host, f"exec {python} -c '{START}'"]
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        except FileNotFoundError as error:
            raise StudyError("there is no ssh here: install an OpenSSH client") from error
        try:
            yield Board(device, python, process, errors)
        finally:
            process.kill()
            process.wait()
            with contextlib.suppress(OSError):
                process.stdin.close()
            process.stdout.close()

"""Where and with what a number was made."""

import functools
import importlib.metadata
import os
import pathlib
import platform
import subprocess

PACKAGES = ("torch", "numpy", "pandas", "pyarrow", "onnxruntime", "onnx", "numba", "scipy", "snakemake")


@functools.cache
def environment():
    """Git commit (with "-dirty" for uncommitted changes), package versions, processor and host of this process."""
    return {
        "commit": git("describe", "--always", "--abbrev=40", "--dirty"),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "host": platform.node(),
    }


def git(*arguments):
    """What git says of the checkout this file lies in, or None where it is no checkout."""
    command = ["git", "-C", str(pathlib.Path(__file__).parent), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def processor():
    """The processor's name as the system gives it."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())

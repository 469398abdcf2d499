"""Where and with what a number was made."""

import functools
import hashlib
import importlib.metadata
import os
import pathlib
import platform
import subprocess

PACKAGES = (
    "torch",
    "torchvision",
    "timm",
    "numpy",
    "pandas",
    "pyarrow",
    "onnxruntime",
    "onnx",
    "numba",
    "scipy",
    "snakemake",
)


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


def sha256(path):
    """Of a file; of a folder that of the output of `sha256sum *` in it (C locale); None where there is neither."""
    path = pathlib.Path(path)
    if path.is_dir():
        listing = "".join(f"{sha256(file)}  {file.name}\n" for file in sorted(path.iterdir()) if file.is_file())
        return hashlib.sha256(listing.encode()).hexdigest()
    if not path.is_file():
        return None
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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

"""Real images to score with: `python -m zsnas.images`. Writes an .npz of `images` (uint8, N H W 3) and `labels`.

The official training sets are CIFAR-10 and CIFAR-100 (torchvision downloads and verifies them where there is a network)
and ImageNet16-120, whose ten batches must lie in ImageNet16/ of the data folder. Any .npz of the same form will do
instead.
"""

import argparse
import codecs
import contextlib
import os
import tempfile
from pathlib import Path

import numpy as np

from zsnas import errors, registry
from zsnas.files import written_aside
from zsnas.inputs import read_images
from zsnas.readers import _pickles

# numpy has moved its core; either name builds an array.
ARRAY_PARTS = {
    ("numpy.core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): codecs.encode,  # how Python 3 pickles bytes for Python 2
}
OFFICIAL = {"cifar10": 32, "cifar100": 32, "imagenet16-120": 16}  # height = width in pixels
IMAGENET16 = "https://drive.google.com/drive/folders/1T3UIyZXUhMmIuJLOBMIYKAsJknAtrrO4"


def official(task, data_dir):
    """Images and labels of a task's official training set. Raises StudyError if it cannot be had."""
    if task == "imagenet16-120":
        return imagenet16_120(Path(data_dir, "ImageNet16"))
    if task not in OFFICIAL:
        raise errors.StudyError(
            f"images of {task} cannot be prepared from an official archive: name an .npz of them under 'images' in the "
            "config"
        )
    from torchvision import datasets  # imports torch, which other sources do without

    try:
        data = training_set(getattr(datasets, task.upper()), Path(data_dir))
    except (RuntimeError, OSError) as error:
        raise errors.StudyError(
            f"{task} is not in {data_dir} and cannot be downloaded ({error}): put the official archive there, or name "
            f"an .npz of images under 'images' in the config"
        ) from error
    return data.data, np.array(data.targets)


def training_set(dataset, data_dir):
    """A data set of torchvision's, downloaded or unpacked where it is not there yet: aside, for other jobs may, too."""
    from torchvision.datasets.utils import check_integrity

    try:
        return dataset(data_dir)
    except RuntimeError:  # not there, or not whole
        data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data_dir if os.access(data_dir, os.W_OK) else None) as aside:
        archive = (data_dir / dataset.filename).resolve()
        if check_integrity(archive, dataset.tgz_md5):  # else a whole one would be written through the link
            Path(aside, dataset.filename).symlink_to(archive)
        found = dataset(aside, download=True)
        with contextlib.suppress(OSError):  # another job was faster
            Path(aside, dataset.base_folder).rename(data_dir / dataset.base_folder)
    return found


def imagenet16_120(folder):
    """The first 120 classes of ImageNet16's training batches, which are numbered from 1."""
    images, labels = [], []
    for number in range(1, 11):
        file = folder / f"train_data_batch_{number}"
        if not file.is_file():
            raise errors.StudyError(f"{file} is missing: put ImageNet16 there, from {IMAGENET16}")
        batch = _pickles.load(file.read_bytes(), ARRAY_PARTS, file)
        try:
            chosen = np.array(batch["labels"]) <= 120
            images.append(np.asarray(batch["data"])[chosen].reshape(-1, 3, 16, 16).transpose(0, 2, 3, 1))
            labels.append(np.array(batch["labels"])[chosen] - 1)
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise errors.StudyError(
                f"{file} has no 'data' of 16 x 16 pixels with 'labels' ({error!r}): fetch it again from {IMAGENET16}"
            ) from error
    return np.concatenate(images), np.concatenate(labels)


def main():
    parser = argparse.ArgumentParser(prog="python -m zsnas.images", description="Prepare real images to score with.")
    parser.add_argument("--space", required=True, help="whose task it is")
    parser.add_argument("--task", required=True)
    parser.add_argument("--source", required=True, help="an .npz in the data folder, or 'official'")
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--needed", type=int, required=True, help="how many images a study takes")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()
    facts = registry.spaces()[arguments.space].tasks[arguments.task]
    if arguments.source == "official":
        images, labels = official(arguments.task, arguments.data_dir)
    else:
        images, labels = read_images(
            Path(arguments.data_dir, arguments.source), arguments.task, facts, arguments.needed
        )
    with written_aside(arguments.output) as aside, open(aside, "wb") as file:  # savez would append .npz to a name
        np.savez(file, images=images, labels=labels)


if __name__ == "__main__":
    errors.run(main)

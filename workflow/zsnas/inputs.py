"""Minibatches for the proxies: standard normal noise with random labels, or real images.

Random labels are classes, or standard normal values where a task predicts values. A minibatch depends on (seed, task,
what it is for) and is the same for all architectures.
"""

import hashlib

import numpy as np
import torch

from zsnas.errors import StudyError
from zsnas.randomness import derive_seed

# Channel means and deviations of the training images (0 to 255), as the benchmarks' training normalised them. Where
# images become outputs, and for segmentation, TransNAS-Bench-101 maps them to [-1, 1]; its tiles it leaves in [0, 1].
IMAGENET = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
TASKONOMY = (133.212, 133.161, 133.1355), (56.967, 56.9925, 57.018)
SYMMETRIC = (127.5,) * 3, (127.5,) * 3
STATISTICS = {
    "cifar10": ((125.3, 123.0, 113.9), (63.0, 62.1, 66.7)),
    "cifar100": ((129.3, 124.1, 112.4), (68.2, 65.4, 70.4)),
    "imagenet16-120": ((122.68, 116.66, 104.01), (63.22, 61.26, 65.09)),
    **dict.fromkeys(("imagenet", "flowers", "chaoyang"), IMAGENET),
    **dict.fromkeys(("class_scene", "class_object", "room_layout"), TASKONOMY),
    **dict.fromkeys(("segmentsemantic", "normal", "autoencoder"), SYMMETRIC),
    "jigsaw": ((0.0,) * 3, (255.0,) * 3),
}
MINIBATCHES = 2  # what ZiCo needs; every other proxy reads the first


def minibatches(source, task, facts, batch, seed):
    """MINIBATCHES pairs of inputs [batch, 3, H, W] (float32, normalised) and labels [batch, *label_shape(facts)].

    source: "noise", or the path of an .npz of `images` (uint8 [N, H, W, 3]) and `labels` [N, ...]. facts: the task's,
    see `zsnas.spaces`. Raises StudyError for images that do not fit the task or are too few.
    """
    generator = torch.Generator().manual_seed(derive_seed(seed, task, "minibatch"))
    if source == "noise":
        shape = (batch, 3, facts["resolution"], facts["resolution"])
        return [
            (torch.randn(shape, generator=generator), random_labels(facts, batch, generator))
            for _ in range(MINIBATCHES)
        ]
    if task not in STATISTICS:
        raise StudyError(f"{__file__} has no mean and deviation of images of '{task}': add them to STATISTICS")
    images, labels = read_images(source, task, facts, MINIBATCHES * batch)
    chosen = torch.randperm(len(images), generator=generator)[: MINIBATCHES * batch].numpy()
    mean, deviation = (np.array(values, np.float32) for values in STATISTICS[task])
    normalised = (images[chosen].astype(np.float32) - mean) / deviation
    inputs = torch.from_numpy(normalised).permute(0, 3, 1, 2).contiguous()
    labels = torch.from_numpy(labels[chosen].astype(np.int64 if "classes" in facts else np.float32))
    return list(zip(inputs.split(batch), labels.split(batch)))


def label_shape(facts):
    """Shape of the label of one image: () for a class."""
    pixels = (facts["pixels"],) * 2 if "pixels" in facts else ()
    return pixels if "classes" in facts else (facts["values"], *pixels)


def random_labels(facts, batch, generator):
    shape = (batch, *label_shape(facts))
    if "classes" in facts:
        return torch.randint(facts["classes"], shape, generator=generator)
    return torch.randn(shape, generator=generator)


def images_sha256(path):
    """Of the images and labels in an .npz file, in whatever way they are packed: Python's releases pack differently."""
    digest = hashlib.sha256()
    for array in unpacked(path):
        digest.update(f"{array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


def unpacked(path):
    """The arrays `images` and `labels` of an .npz file."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return archive["images"], archive["labels"]
    except Exception as error:  # damaged bytes can make numpy raise nearly anything
        raise StudyError(f"{path} is not an .npz of 'images' and 'labels' ({error}): make or fetch it again") from error


def read_images(path, task, facts, at_least):
    """Images (uint8 [N, H, W, 3]) and labels [N, ...] of an .npz file, checked against the task."""
    images, labels = unpacked(path)
    side = facts["resolution"]
    kinds, numbers = ("iu", "whole numbers") if "classes" in facts else ("iuf", "numbers")
    expected = *images.shape[:1], *label_shape(facts)
    fit = images.dtype == np.uint8 and images.shape[1:] == (side, side, 3)
    if not fit or labels.shape != expected or labels.dtype.kind not in kinds:
        found = f"{images.dtype} {images.shape} with labels {labels.dtype} {labels.shape}"
        wanted = f"uint8 images (N, {side}, {side}, 3) and N labels {label_shape(facts)} of {numbers}"
        raise StudyError(f"{path}: task '{task}' needs {wanted}, found {found}")
    if len(images) < at_least:
        raise StudyError(f"{path} has {len(images)} images, {at_least} are needed: add images or lower 'batch'")
    if "classes" in facts and (labels.min() < 0 or labels.max() >= facts["classes"]):
        raise StudyError(f"{path}: labels must be 0 to {facts['classes'] - 1} for task '{task}'")
    return images, labels

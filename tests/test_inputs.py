"""Real images: from .npz files and official archives, checked against the task."""

import errno
import hashlib
import io
import pickle
import subprocess
import sys
import tarfile

import numpy as np
import pytest
import torch
import torchvision

from zsnas.errors import StudyError
from zsnas.images import main, official
from zsnas.inputs import STATISTICS, images_sha256, minibatches
from zsnas.registry import spaces

TASKS = spaces()["nasbench201"].tasks


@pytest.fixture
def npz(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "images.npz"
    np.savez(path, images=rng.integers(0, 256, (40, 32, 32, 3), np.uint8), labels=np.arange(40) % 10)
    return path


def test_every_task_has_statistics():
    assert {task for space in spaces().values() for task in space.tasks} <= set(STATISTICS)


def test_minibatches_are_normalised_images_with_their_labels(npz):
    batches = minibatches(npz, "cifar10", TASKS["cifar10"], 16, 0)
    with np.load(npz) as archive:
        images, labels = archive["images"], archive["labels"]
    mean, deviation = (torch.tensor(values).view(3, 1, 1) for values in STATISTICS["cifar10"])
    originals = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    seen = []
    for inputs, targets in batches:
        assert inputs.shape == (16, 3, 32, 32) and inputs.dtype == torch.float32
        for image, label in zip(inputs * deviation + mean, targets, strict=True):
            pixels = image.round().to(torch.uint8).permute(1, 2, 0).numpy().tobytes()
            assert originals[pixels] == label
            seen.append(pixels)
    assert len(set(seen)) == 32, "minibatches overlap"


def test_the_sum_of_images_is_of_what_they_are_and_not_of_how_they_are_packed(npz, tmp_path):
    with np.load(npz) as archive:
        images, labels = archive["images"], archive["labels"]
    packed, other, typed = (tmp_path / f"{name}.npz" for name in ("packed", "other", "typed"))
    np.savez_compressed(packed, labels=labels, images=images)
    np.savez(other, images=images, labels=labels[::-1])
    np.savez(typed, images=images, labels=labels.astype(np.int32))
    assert packed.read_bytes() != npz.read_bytes() and images_sha256(packed) == images_sha256(npz)
    assert len({images_sha256(path) for path in (npz, other, typed)}) == 3


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.zeros((40, 16, 16, 3), np.uint8), "labels": np.zeros(40, int)}, "needs uint8 images"),
        ({"images": np.zeros((40, 32, 32, 3)), "labels": np.zeros(40, int)}, "needs uint8 images"),
        ({"images": np.zeros((40, 32, 32, 3), np.uint8), "labels": np.zeros(39, int)}, r"with labels int64 \(39,\)"),
        ({"images": np.zeros((40, 32, 32, 3), np.uint8), "labels": np.full(40, "3")}, "whole numbers, .* <U1"),
        ({"images": np.zeros((40, 32, 32, 3), np.uint8), "labels": np.zeros(40)}, "whole numbers, .* float64"),
        ({"images": np.uint8(3), "labels": np.uint8(3)}, "needs uint8 images"),
        ({"images": np.zeros((8, 32, 32, 3), np.uint8), "labels": np.zeros(8, int)}, "has 8 images, 32 are needed"),
        ({"images": np.zeros((40, 32, 32, 3), np.uint8), "labels": np.full(40, 10)}, "labels must be 0 to 9"),
        ({"pictures": np.zeros(3)}, "is not an .npz of 'images' and 'labels'"),
    ],
)
def test_images_that_do_not_fit_are_refused(tmp_path, arrays, message):
    path = tmp_path / "bad.npz"
    np.savez(path, **arrays)
    with pytest.raises(StudyError, match=message):
        minibatches(path, "cifar10", TASKS["cifar10"], 16, 0)


def test_a_task_without_statistics_is_named(npz):
    with pytest.raises(StudyError, match=r"inputs\.py has no mean and deviation of images of 'svhn': add them to STAT"):
        minibatches(npz, "svhn", TASKS["cifar10"], 16, 0)


def test_values_are_numbers_of_any_kind(tmp_path):
    path, facts = tmp_path / "values.npz", {"values": 2, "resolution": 32}
    images = np.zeros((40, 32, 32, 3), np.uint8)
    for labels in (np.ones((40, 2), np.int16), np.ones((40, 2), np.float32)):
        np.savez(path, images=images, labels=labels)
        ((_, values), _) = minibatches(path, "autoencoder", facts, 16, 0)
        assert values.dtype == torch.float32
    np.savez(path, images=images, labels=np.full((40, 2), "1"))
    with pytest.raises(StudyError, match=r"labels .* of numbers, found .* <U1"):
        minibatches(path, "autoencoder", facts, 16, 0)


def test_a_damaged_file_is_refused(npz):
    with np.load(npz) as arrays:
        np.savez_compressed(npz, **arrays)
    whole = npz.read_bytes()
    altered = [whole[:at] + bytes([whole[at] ^ 8]) + whole[at + 1 :] for at in range(100, 400, 7)]
    for content in (b"", whole[:1000], *altered):
        npz.write_bytes(content)
        with pytest.raises(StudyError, match=r"images\.npz is not an \.npz"):
            minibatches(npz, "cifar10", TASKS["cifar10"], 16, 0)


def test_an_array_by_itself_is_refused(npz):
    with open(npz, "wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(StudyError, match=r"images\.npz is not an \.npz"):
        minibatches(npz, "cifar10", TASKS["cifar10"], 16, 0)


def test_imagenet16_120_from_batches_in_the_official_form(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "ImageNet16").mkdir()
    everything = []
    for number in range(1, 11):
        data, labels = rng.integers(0, 256, (30, 3 * 256), np.uint8), rng.integers(1, 1001, 30).tolist()
        labels[0] = 120
        batch = {"data": data, "labels": labels, "mean": data.mean(0)}
        (tmp_path / "ImageNet16" / f"train_data_batch_{number}").write_bytes(pickle.dumps(batch, protocol=2))
        everything += [(row, label - 1) for row, label in zip(data, labels, strict=True) if label <= 120]
    images, labels = official("imagenet16-120", tmp_path)
    assert len(images) == len(everything) and labels.max() == 119
    assert (images[0] == everything[0][0].reshape(3, 16, 16).transpose(1, 2, 0)).all()
    batch = tmp_path / "ImageNet16" / "train_data_batch_7"
    for content in ({"data": data}, {"data": data[:, :9], "labels": labels}, {"data": data, "labels": ["cat"]}, [1]):
        batch.write_bytes(pickle.dumps(content, protocol=2))
        with pytest.raises(StudyError, match=r"batch_7 has no 'data' of 16 x 16 .*: fetch it again from https://"):
            official("imagenet16-120", tmp_path)
    batch.unlink()
    with pytest.raises(StudyError, match=r"train_data_batch_7 is missing: put ImageNet16 there"):
        official("imagenet16-120", tmp_path)


def archive(folder, data):
    """A training set in torchvision's form, its archive in `folder`; the class that reads it."""
    packed = {
        f"set/{name}": pickle.dumps(content)
        for name, content in {
            "batch": {"data": data.transpose(0, 3, 1, 2).reshape(len(data), -1), "labels": [3, 1, 4, 1, 5]},
            "meta": {"label_names": list("abcdef")},
        }.items()
    }
    with tarfile.open(folder / "set.tar.gz", "w:gz") as tar:
        for name, content in packed.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    batch, meta = (hashlib.md5(content).hexdigest() for content in packed.values())
    facts = {"base_folder": "set", "filename": "set.tar.gz", "train_list": [["batch", batch]], "test_list": []}
    facts |= {"meta": {"filename": "meta", "key": "label_names", "md5": meta}, "url": "http://127.0.0.1:1/set.tar.gz"}
    facts["tgz_md5"] = hashlib.md5((folder / "set.tar.gz").read_bytes()).hexdigest()
    return type("Tiny", (torchvision.datasets.CIFAR10,), facts)


@pytest.mark.parametrize("task", ["cifar10", "cifar100"])
def test_official_cifar_in_torchvisions_form(tmp_path, monkeypatch, task):
    """From its archive first, from what that was unpacked to next, and anew where that is damaged."""
    data = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), np.uint8)
    monkeypatch.setattr(torchvision.datasets, task.upper(), archive(tmp_path, data))

    def check(*there):
        images, labels = official(task, tmp_path)
        assert (images == data).all() and labels.dtype.kind == "i" and labels.tolist() == [3, 1, 4, 1, 5]
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(there)

    check("set", "set.tar.gz")
    (tmp_path / "set.tar.gz").rename(tmp_path / "elsewhere")
    check("set", "elsewhere")
    (tmp_path / "elsewhere").rename(tmp_path / "set.tar.gz")
    (tmp_path / "set" / "batch").write_bytes(b"half")
    check("set", "set.tar.gz")


def test_official_cifar_that_cannot_be_had_is_named(tmp_path, monkeypatch):
    dataset = archive(tmp_path, np.zeros((5, 32, 32, 3), np.uint8))
    (tmp_path / "set.tar.gz").unlink()
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", dataset)
    with pytest.raises(StudyError, match=r"cifar10 is not in .* and cannot be downloaded \(.*refused.*\): put"):
        official("cifar10", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_given_file_is_prepared_and_a_wrong_one_says_so_in_one_line(npz, tmp_path):
    command = [
        sys.executable,
        "-m",
        "zsnas.images",
        "--space",
        "nasbench201",
        "--data-dir",
        tmp_path,
        "--source",
        npz.name,
        "--needed",
        "40",
    ]
    output = tmp_path / "out.npz"
    subprocess.run([*command, "--task", "cifar10", "--output", output], check=True)
    with np.load(output) as prepared, np.load(npz) as given:
        assert (prepared["images"] == given["images"]).all() and (prepared["labels"] == given["labels"]).all()
    wrong = subprocess.run(
        [*command, "--task", "imagenet16-120", "--output", tmp_path / "no.npz"], capture_output=True, text=True
    )
    assert wrong.returncode == 1 and wrong.stderr.count("\n") == 1 and str(npz) in wrong.stderr
    assert not (tmp_path / "no.npz").exists()
    command[-1] = "41"
    few = subprocess.run([*command, "--task", "cifar10", "--output", output], capture_output=True, text=True)
    assert few.stderr == f"error: {npz} has 40 images, 41 are needed: add images or lower 'batch'\n"


def test_images_on_a_full_disk_are_named_and_leave_nothing(npz, tmp_path, monkeypatch):
    def full(file, **arrays):
        file.write(b"PK")
        raise OSError(errno.ENOSPC, "No space left on device")

    output = tmp_path / "out" / "cifar10.npz"
    options = {
        "space": "nasbench201",
        "task": "cifar10",
        "source": npz.name,
        "data-dir": tmp_path,
        "output": output,
        "needed": 2,
    }
    monkeypatch.setattr(np, "savez", full)
    monkeypatch.setattr(sys, "argv", ["images", *(f"--{name}={value}" for name, value in options.items())])
    with pytest.raises(StudyError, match=r"cifar10\.npz cannot be written, for the disk is full"):
        main()
    assert not list(output.parent.iterdir())

"""NATS-Bench's size space against the benchmark's own files."""

import bz2

import pytest
import torch
from counting import multiply_accumulates

from zsnas import sources, truth
from zsnas.readers import _pickles
from zsnas.spaces import nats_size

ARCHIVE = "NATS-sss-v1_0-50262-simple"
TASKS = {"cifar10": "cifar10", "cifar100": "cifar100", "ImageNet16-120": "imagenet16-120"}


@pytest.fixture(scope="module")
def samples(shared):
    """The genuine records of architectures 0, 11 and 284, by index."""
    files = sorted((shared / "nats_format_samples" / ARCHIVE).glob("0*.pbz2"))
    return {
        int(file.name[:6]): _pickles.load(bz2.decompress(file.read_bytes()), _pickles.NUMPY_AND_DICTS, file)
        for file in files
    }


def test_names_and_sizes_equal_the_published_ones(samples, index_of):
    table = index_of("nats_size")
    assert set(samples) == {0, 11, 284}
    for number, record in samples.items():
        row = table.iloc[number]
        assert row.arch == record["90"]["arch_str"]
        for (dataset, _), run in record["90"]["all_results"].items():
            if dataset == "cifar10":
                assert (row.params / 1e6, row.macs / 1e6) == (run["params"], run["flop"])
            if dataset in TASKS:
                task = TASKS[dataset]
                net = nats_size.build(row.arch, task)
                assert sum(parameter.numel() for parameter in net.parameters()) / 1e6 == run["params"]
                facts = nats_size.TASKS[task]
                # The benchmark counts the classifier's bias, too.
                counted = multiply_accumulates(net, facts["resolution"]) + facts["classes"]
                assert counted / 1e6 == run["flop"]


def test_closed_form_of_sizes_equals_what_is_built(index_of):
    for row in index_of("nats_size").sample(20, random_state=0).itertuples():
        net = nats_size.build(row.arch, "cifar10")
        assert sum(parameter.numel() for parameter in net.parameters()) == row.params
        assert multiply_accumulates(net, 32) + 10 == row.macs


def test_the_whole_list_of_names(shared, index_of):
    meta = (shared / "nats_format_samples" / ARCHIVE / "meta.pickle.pbz2").read_bytes()
    record = _pickles.load(bz2.decompress(meta), _pickles.NUMPY_AND_DICTS, "meta")
    assert list(index_of("nats_size").arch) == record["meta_archs"]


def test_a_cell_by_hand():
    torch.manual_seed(0)
    cell = nats_size.Cell(8, 16).eval()
    x = torch.randn(2, 8, 4, 4)
    first, second, third, shortcut, fourth, fifth = cell.operations
    one = first(x)
    two = second(x) + third(one)
    torch.testing.assert_close(cell(x), shortcut(x) + fourth(one) + fifth(two))


def test_the_archive_becomes_truth(shared, index_of):
    folder = shared / "nats_format_samples"
    some = index_of("nats_size").arch.iloc[[0, 11, 284]].tolist()
    source, path = sources.locate("nats_size", "cifar10", "nats_test", "config/sources.csv", folder)
    sources.verify(source, path)
    assert truth.truth_table(source, path, some).accuracy.round(2).tolist() == [79.79, 85.77, 89.51]


@pytest.mark.parametrize("wrong", ["", "8:8:8:8", "8:8:8:8:9", "8:8:8:8:72", "8:8:8:8:08", "8:8:8:8:-8", "a:8:8:8:8:8"])
def test_other_names_are_refused(wrong):
    with pytest.raises(ValueError, match="not the name"):
        nats_size.build(wrong, "cifar10")

"""TransNAS-Bench-101's skeletons: how many there are, their sizes, and heads that fit every resolution."""

import pytest
import torch
from counting import multiply_accumulates

from zsnas import registry, sources, truth
from zsnas.errors import StudyError
from zsnas.readers import transnas_bench
from zsnas.spaces import transnas_macro as space


def test_skeletons_are_the_benchmarks(index_of):
    table = index_of("transnas_macro")
    assert {"64-1234-basic", "64-2311-basic"} <= set(table.arch)  # the benchmark's own examples
    assert "64-1111-basic" not in set(table.arch)
    for wrong in ("", "64-123-basic", "64-1235-basic", "64-2222333-basic", "64-1111-basic", "32-1234-basic"):
        with pytest.raises(ValueError, match="not the name"):
            space.parse(wrong)


@pytest.mark.parametrize("name", ["transnas_macro", "transnas_micro"])
def test_the_registry_reads_the_tasks_that_both_spaces_share(name):
    tasks = registry.spaces()[name].tasks
    assert len(tasks) == 7 and tasks == registry.load_space(name).TASKS


def test_closed_form_of_sizes_equals_what_is_built(index_of):
    table = index_of("transnas_macro").set_index("arch")
    for arch in ("64-1234-basic", "64-422111-basic", "64-333112-basic", "64-24113-basic"):
        net = space.build(arch, "class_scene")
        row = table.loc[arch]
        assert sum(parameter.numel() for parameter in net.parameters()) == row.params
        assert multiply_accumulates(net, 256) == row.macs
        shapes = [module.kernel_size for module in net.cells.modules() if isinstance(module, torch.nn.Conv2d)]
        assert (shapes.count((3, 3)), shapes.count((1, 1))) == (row.conv3x3, row.conv1x1)
        assert sum(isinstance(block.shortcut, torch.nn.Identity) for block in net.cells) == row["skip"]


@pytest.mark.parametrize("arch", ["64-1114-basic", "64-4443-basic"])
@pytest.mark.parametrize("task", ["segmentsemantic", "normal"])
def test_decoders_give_all_pixels_however_often_the_encoder_halves(arch, task):
    with torch.device("meta"):
        outputs = space.build(arch, task).eval()(torch.empty(1, 3, 256, 256))
    assert outputs.shape[2:] == (256, 256)


METRICS = {
    "class_scene": "valid_top1",
    "class_object": "valid_top1",
    "jigsaw": "valid_top1",
    "room_layout": "valid_neg_loss",
    "segmentsemantic": "valid_acc",
    "normal": "valid_ssim",
    "autoencoder": "valid_ssim",
}
OFFICIAL = "transnas-bench_v10141024.pth"


@pytest.fixture(params=[True, False], ids=["zip", "before torch 1.6"])
def official(request, tmp_path, index_of):
    """A file of the benchmark's structure with numbers of our own for both spaces, as either torch wrote it."""

    def results(at):
        return {task: {"metrics": {metric: [0.0, 2.0 + at]}, "total_epochs": 2} for task, metric in METRICS.items()}

    data = {
        space: {arch: results(at / 100) for at, arch in enumerate(index_of(f"transnas_{space}").arch)}
        for space in ("macro", "micro")
    }
    contents = {"data": data, "task_list": list(METRICS)}
    torch.save(contents, tmp_path / OFFICIAL, _use_new_zipfile_serialization=request.param)
    return tmp_path


@pytest.mark.parametrize("name", ["transnas_macro", "transnas_micro"])
def test_the_official_file_becomes_truth(official, index_of, name):
    archs = index_of(name).arch.tolist()
    for task in space.TASKS:
        source, path = sources.locate(name, task, "transnas_valid", "config/sources.csv", official)
        assert (source.reader, path.name) == ("transnas_bench", OFFICIAL)
        frame = truth.truth_table(source, path, archs)
        assert frame.arch.tolist() == archs and source.larger_is_better
        assert frame[source.metric].iloc[[0, -1]].tolist() == [2.0, 2.0 + (len(archs) - 1) / 100]


def test_damaged_and_foreign_files_are_refused(official):
    path = official / OFFICIAL
    with pytest.raises(StudyError, match="does not give 'micro/class_scene/valid_top5'"):
        transnas_bench.check(path, "micro/class_scene/valid_top5")
    whole = path.read_bytes()
    for content in (whole[:5000], b"<html>quota</html>", b""):
        path.write_bytes(content)
        with pytest.raises(StudyError, match=f"{OFFICIAL} .*fetch it again"):
            transnas_bench.check(path, "micro/class_scene/valid_top1")
    torch.save({"data": torch.nn.Linear(2, 2)}, path)
    with pytest.raises(StudyError, match="do not trust this file"):
        transnas_bench.check(path, "micro/class_scene/valid_top1")

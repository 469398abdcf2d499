"""TransNAS-Bench-101's skeletons: how many there are, their sizes, and heads that fit every resolution."""

import pytest
import torch
from counting import multiply_accumulates

from zsnas import registry
from zsnas.spaces import transnas_macro as space


def test_skeletons_are_the_benchmarks(index_of):
    table = index_of("transnas_macro")
    assert {"64-1234-basic", "64-2311-basic"} <= set(table.arch)  # the benchmark's own examples
    assert "64-1111-basic" not in set(table.arch)
    assert registry.spaces()["transnas_macro"].tasks == registry.spaces()["transnas_micro"].tasks
    for wrong in ("", "64-123-basic", "64-1235-basic", "64-2222333-basic", "64-1111-basic", "32-1234-basic"):
        with pytest.raises(ValueError, match="not the name"):
            space.parse(wrong)


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

"""A CUDA graphics card of this machine, through torch, timed by the card's own events."""

import torch

from zsnas.errors import StudyError

RUNTIMES = ("torch",)
PRECISIONS = ("float32", "float16")


def facts():
    return {"gpu": torch.cuda.get_device_name()}


def prepare(net, inputs, device):
    """As every device; a network's time is that between two events on the card, not that of launching its kernels."""
    if not torch.cuda.is_available():
        raise StudyError("a device 'cuda-…' needs a graphics card that torch can use, this job has none: give it one")
    torch.backends.cudnn.allow_tf32 = False  # else float32 would be measured with 10 bits of precision
    kind = getattr(torch, device.precision)
    net, inputs = net.to("cuda", kind), inputs.to("cuda", kind)
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))

    @torch.inference_mode()
    def infer():
        start.record()
        net(inputs)
        end.record()
        end.synchronize()
        return start.elapsed_time(end)

    return infer

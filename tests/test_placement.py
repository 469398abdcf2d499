"""Where proxies compute: every one on a single device, timed when the device has finished, and out of memory by name.

No GPU is needed. The accelerator here is one that torch lets Python declare, and its tensors are torch's fake ones,
which have a place and no values; an operation that mixes devices raises, as for CUDA. (Fake tensors on "cuda" itself
cannot be differentiated without a driver.) torch prepares backward passes once, for the devices that exist by then,
hence a process of its own.
"""

import multiprocessing
import warnings
from concurrent.futures import ProcessPoolExecutor
from types import SimpleNamespace

import pytest
import torch
from test_transformers import PIT
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from zsnas import engine, registry
from zsnas.inputs import minibatches
from zsnas.score import Subject
from zsnas.spaces import nasbench201, pit

ARCH = "|nor_conv_3x3~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
BATCHES = minibatches("noise", "cifar10", nasbench201.TASKS["cifar10"], 8, 0)
PLACE = "accel"
NETWORK = [proxy for proxy in registry.proxies().values() if proxy.of_networks]
aten = torch.ops.aten


class Placed:
    """A subject whose network and minibatches are on the accelerator, without values."""

    def __init__(self, subject):
        self.subject, self.mode = subject, FakeTensorMode()

    def place(self, tensor):
        return self.mode.from_tensor(tensor).detach().to(PLACE)

    def net(self):
        with _disable_current_modes():
            net = self.subject.net()
            for module in net.modules():
                for name, tensor in module.named_parameters(recurse=False):
                    module._parameters[name] = nn.Parameter(self.place(tensor))
                for name, tensor in module.named_buffers(recurse=False):
                    module._buffers[name] = self.place(tensor)
        return net

    def batches(self):
        with _disable_current_modes():
            return [(self.place(inputs), self.place(labels)) for inputs, labels in self.subject.batches()]

    def rng(self, purpose):
        return self.subject.rng(purpose)


class Values(TorchDispatchMode):
    """Answers what depends on values: a number is 1, no two tensors are equal, a mask selects everything.

    A generator draws on its own device only, which fake tensors do not mind.
    """

    def __torch_dispatch__(self, operation, types, arguments=(), keywords=None):
        if operation is aten._local_scalar_dense.default:
            return True if arguments[0].dtype is torch.bool else 1 if not arguments[0].is_floating_point() else 1.0
        if operation is aten.equal.default:
            on_one_device(*arguments)
            return False
        if operation is aten._unique2.default:
            return (arguments[0],) * 3
        if operation is aten.index.Tensor:
            tensor, indices = arguments
            arguments = tensor, [position for index in indices for position in positions(index)]
        result = operation(*arguments, **(keywords or {}))
        if generator := (keywords or {}).get("generator"):
            on_one_device(generator, result)
        return result


def on_one_device(*things):
    if len({thing.device.type for thing in things}) > 1:
        raise RuntimeError(f"devices are mixed: {', '.join(str(thing.device) for thing in things)}")


def positions(index):
    """A mask as what it selects, one tensor of positions per dimension; any other index as it is."""
    if index is None or index.dtype is not torch.bool:
        return [index]
    return [torch.empty(index.numel(), dtype=torch.long, device=index.device)] * index.dim()


def accelerator():
    """Start a process that has one."""
    _setup_privateuseone_for_python_backend(PLACE)
    warnings.filterwarnings("ignore", "Accessing the data pointer")  # a shortcut where two are the same


def status(proxy):
    """The status of a proxy's score on the accelerator."""
    if proxy.networks == "transformer":
        batches = minibatches("noise", "cifar100", pit.TASKS["cifar100"], 2, 0)
        subject = Subject(pit, PIT, "cifar100", 0, proxy.precision, batches, "cpu")
    else:
        subject = Subject(nasbench201, ARCH, "cifar10", 0, proxy.precision, BATCHES, "cpu")
    placed = Placed(subject)
    with placed.mode, Values():
        return engine.score([proxy], {proxy.precision: placed})[0].status


@pytest.fixture(scope="module")
def on_accelerator():
    """A function that calls another one in a process with an accelerator."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), accelerator) as process:
        yield lambda function, *arguments: process.submit(function, *arguments).result()


@pytest.mark.parametrize("proxy", NETWORK, ids=lambda proxy: proxy.name)
def test_devices_are_not_mixed(proxy, on_accelerator):
    assert on_accelerator(status, proxy) == "ok"


def constant_on_the_cpu(inputs):
    return (inputs * torch.ones(3, 1, 1)).sum()


def noise_on_the_cpu(logits, rng):
    return (logits + torch.randn(logits.shape, generator=rng)).sum()


def layer_on_the_cpu(inputs):
    return nn.Conv2d(3, 8, 3)(inputs).sum()


def comparison_with_the_cpu(logits):
    return torch.equal(logits, torch.zeros(logits.shape))


def generator_of_the_cpu(logits, rng):
    return torch.rand(logits.shape, generator=rng, device=logits.device).sum()


# Not here: a gradient on another device given to a backward pass, for which torch ends the process. That fails too.
MIXING = [constant_on_the_cpu, noise_on_the_cpu, layer_on_the_cpu, comparison_with_the_cpu, generator_of_the_cpu]


@pytest.mark.parametrize("function", MIXING, ids=lambda function: function.__name__)
def test_mixed_devices_are_noticed(function, on_accelerator):
    proxy = SimpleNamespace(name="mixing", precision="float32", networks="any", function=function)
    found = on_accelerator(status, proxy)
    assert found.startswith("error: ") and "device" in found and "cpu" in found and PLACE in found, found


def test_time_is_read_when_the_device_has_finished(monkeypatch):
    events = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: events.append("finished"))
    monkeypatch.setattr(engine, "time", SimpleNamespace(perf_counter=lambda: events.append("read") or 0.0))
    evaluation = engine.Evaluation(Subject(nasbench201, ARCH, "cifar10", 0, "float32", BATCHES, "cpu"))
    snip = registry.proxies()["snip"]
    evaluation.run(snip.name, snip.function)
    timed = 1 + len(engine.passes_of(snip.function))
    assert events == ["finished", "read"] * 2 * timed


def runs_out(loss):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")


def test_out_of_memory_is_a_status_with_the_batch_size(monkeypatch):
    """Of all who need the pass; the others are spared, and no minibatch is split or moved again."""
    subject = Subject(nasbench201, ARCH, "cifar10", 0, "float32", BATCHES, "cpu")
    moved = []
    monkeypatch.setattr(subject, "batches", lambda: moved.append(1) or BATCHES)
    monkeypatch.setitem(engine.PASSES, "backward", runs_out)
    proxies = [registry.proxies()[name] for name in ("snip", "nwot", "grad_norm")]
    snip, nwot, grad_norm = engine.score(proxies, {"float32": subject})
    assert snip.status == grad_norm.status == "error: out of memory at batch 8"
    assert snip.score != snip.score and nwot.status == "ok"
    assert len(moved) == 2  # for the passes `inputs` and `labels`

"""Compute proxies of one network, each shared pass once.

A pass is a function in `zsnas.passes` whose parameters are other passes; a proxy's parameters are passes too. Together
they form a lazy graph that is evaluated at most once per network and precision, however many proxies read it.
"""

import inspect
import math
import time
from collections import Counter
from dataclasses import dataclass

import numpy as np
import torch

from zsnas import passes

PASSES = dict(inspect.getmembers(passes, lambda it: inspect.isfunction(it) and inspect.getmodule(it) is passes))


@dataclass
class Score:
    """What one proxy says of one network.

    `status` is "ok" (a finite score), "nan", "inf" or "error: why"; only an "ok" row has a `score`. `layers` holds one
    value per layer where the proxy gives them. `seconds` is what the proxy costs alone, its own work and every pass it
    needs; `seconds_shared` splits each pass equally between the proxies of the bundle that read it.
    """

    proxy: str
    score: float = math.nan
    status: str = "ok"
    layers: list[float] | None = None
    seconds: float = math.nan
    seconds_shared: float = math.nan


class Evaluation:
    """The passes of one network in one precision: computed when first asked for, kept until this object is dropped.

    subject: supplies what no pass computes: `net()`, a new copy of the pristine network in train mode; `batches()`, a
    list of (inputs, labels) as `zsnas.passes` has them; `rng(purpose)`, a torch generator; `batch`, the number of
    images in a minibatch.
    wanted: names of all passes that somebody reads, so that a pass can leave out what nobody does.
    """

    def __init__(self, subject, wanted=PASSES):
        self.subject = subject
        self.wanted = wanted
        self.results = {}
        self.errors = {}
        self.seconds = {}

    def run(self, name, function):
        """The function's result, given what its parameters name. Its own work is timed, the passes it needs apart."""
        known = {need: self.result(need) for need in parameters(function) if need in PASSES}
        start = self.now()
        given = {
            "net": self.subject.net,
            "batches": self.subject.batches,
            "rng": lambda: self.subject.rng(name),
            "wanted": lambda: self.wanted,
        }
        known |= {need: given[need]() for need in parameters(function) if need not in PASSES}
        kind = torch.get_default_dtype()
        try:
            with torch.enable_grad():  # which ends as it began, whatever a proxy sets
                return function(**known)
        finally:
            torch.set_default_dtype(kind)
            self.seconds[name] = self.now() - start

    def result(self, name):
        """What a pass returns. One that failed raises the same error for everyone who needs it."""
        if name in self.errors:
            raise self.errors[name]
        if name not in self.results:
            try:
                self.results[name] = self.run(name, PASSES[name])
            except Exception as error:
                self.errors[name] = error.with_traceback(None)  # a traceback would keep the failed pass's tensors
                raise
        return self.results[name]

    def now(self):
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return time.perf_counter()


def score(proxies, subjects):
    """Scores of one network by several proxies: a list of `Score`, in the order of the proxies.

    proxies: `registry.Proxy` objects. subjects: what to score, by precision name (see `Evaluation`). Whatever a proxy
    or a pass raises becomes the status of the proxies concerned.
    """
    readers = Counter((proxy.precision, name) for proxy in proxies for name in passes_of(proxy.function))
    evaluations = {
        precision: Evaluation(subjects[precision], {name for at, name in readers if at == precision})
        for precision in {proxy.precision for proxy in proxies}
    }
    scores = [score_one(proxy, evaluations[proxy.precision]) for proxy in proxies]
    for evaluation in evaluations.values():
        evaluation.errors.clear()  # their tracebacks hold the evaluation, which would keep its tensors until collected
    for proxy, result in zip(proxies, scores):
        spent = evaluations[proxy.precision].seconds
        shared = {name: spent.get(name, 0.0) for name in passes_of(proxy.function)}
        own = spent.get(proxy.name, 0.0)
        result.seconds = own + sum(shared.values())
        result.seconds_shared = own + sum(seconds / readers[proxy.precision, name] for name, seconds in shared.items())
    return scores


def score_one(proxy, evaluation):
    try:
        value = evaluation.run(proxy.name, proxy.function)
        layers = [number(layer) for layer in value] if isinstance(value, list | tuple) else None
        if layers == []:
            raise ValueError("it returned no values to sum")
        total = number(value) if layers is None else sum(layers)
    except (Exception, SystemExit) as error:
        if out_of_memory(error):
            return Score(proxy.name, status=f"error: out of memory at batch {evaluation.subject.batch}")
        reason = str(error).partition("\n")[0]
        return Score(proxy.name, status=f"error: {type(error).__name__}: {reason}")
    if math.isfinite(total):
        return Score(proxy.name, total, layers=layers)
    return Score(proxy.name, status="nan" if math.isnan(total) else "inf")


def number(value):
    """The number that a proxy returned. TypeError for what is none, though `float` would take it."""
    if isinstance(value, str | bytes | np.complexfloating):
        raise TypeError(f"it returned {value!r}, which is no real number")
    return float(value)


def out_of_memory(error):
    """Whether the memory of the GPU, or the main memory this process may have, did not suffice."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "DefaultCPUAllocator" in str(error)


def parameters(function):
    return tuple(inspect.signature(function).parameters)


def passes_of(function):
    """Names of all passes that a function needs, directly or through others."""
    direct = [name for name in parameters(function) if name in PASSES]
    return set(direct).union(*(passes_of(PASSES[name]) for name in direct))

"""The measuring protocol, in one file that needs only numpy and, to run models, onnxruntime.

A network is warmed up, then run until the 95 % interval of its median is narrower than INTERVAL of the median, or
MOST_REPEATS is reached; what memory and, where the processor tells, what energy that took is noted too. The same code
measures here (`zsnas.latency` imports it) and on another machine: there this file's text is executed over ssh
(`zsnas.devices.ssh`) and `serve` answers requests on stdin. Nothing is written there.
"""

import contextlib
import ctypes
import errno
import functools
import glob
import itertools
import json
import math
import os
import platform
import socket
import sys
import time

import numpy as np

INTERVAL = 0.02
WARM_UP = 5
FEWEST_REPEATS, MOST_REPEATS = 20, 400
PACKAGES = "/sys/class/powercap/intel-rapl:[0-9]"  # the energy counters of whole processors, also of AMD's


def measure(prepare):
    """What one network takes on this machine, as a dict.

    prepare: makes the function that runs it once, which returns the ms that took by a clock of its own, or None.
    `latencies`: in ms, after warm-up, as many as the protocol asks for. `peak_mb`: the most memory this process held
    while the network ran beyond what it held without the network. `energy_mj`: of the whole processor, whatever else
    it does included, per run. The last two are None where the system does not tell, and where the network has a clock
    of its own, for then it ran elsewhere than in this process and on this processor.
    """
    release_memory()
    held = memory_mb("VmRSS")
    infer = prepare()
    release_memory()
    forget_peak()
    for _ in range(WARM_UP):
        elsewhere = infer() is not None
    latencies, before = [], microjoules()
    while len(latencies) < FEWEST_REPEATS or (len(latencies) < MOST_REPEATS and median_interval(latencies) > INTERVAL):
        for _ in range(10):
            start = time.perf_counter()
            told = infer()
            latencies.append(1e3 * (time.perf_counter() - start) if told is None else told)
    spent, peak = spent_microjoules(before, microjoules()), memory_mb("VmHWM")
    return {
        "latencies": latencies,
        "peak_mb": peak - held if held and peak and not elsewhere else None,
        "energy_mj": 1e-3 * spent / len(latencies) if spent and not elsewhere else None,
    }


def release_memory():
    """Give freed memory back to the system, where the C library can, so that it does not hide what comes next."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def forget_peak():
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def memory_mb(name):
    """This process's `VmRSS`, the memory it holds, or `VmHWM`, the most since `forget_peak`; None: not told."""
    told = field("/proc/self/status", name)
    return int(told.split()[0]) * 1.024e-3 if told else None  # told in KiB


def microjoules():
    """Counters of the processors' energy and where each begins anew, as {folder: (count, limit)}; {}: none to read."""
    counters = {}
    for folder in glob.glob(PACKAGES):
        count, limit = (first_line(f"{folder}/{name}") for name in ("energy_uj", "max_energy_range_uj"))
        if count and limit:
            counters[folder] = int(count), int(limit)
    return counters


def spent_microjoules(before, after):
    """Energy between two readings of `microjoules`; a counter may have begun anew once."""
    return sum((after[folder][0] - count) % (limit + 1) for folder, (count, limit) in before.items())


@functools.lru_cache(maxsize=None)  # noqa: UP033  boards may have Python 3.8
def median_bounds(count):
    """Places in an ordered sample between which the true median lies with 95 % probability, for any distribution.

    The quantiles 0.025 and 0.975 of the binomial distribution of `count` fair coins, as places from 0.
    """
    below, low = 0, None
    for heads in range(count + 1):
        below += math.comb(count, heads)
        if low is None and below / 2**count >= 0.025:
            low = heads
        if below / 2**count >= 0.975:
            return low - 1, heads


def median_interval(latencies):
    """Width of the median's 95 % interval as a fraction of the median."""
    ordered = np.sort(latencies)
    low, high = median_bounds(len(ordered))
    return (ordered[high] - ordered[low]) / np.median(ordered)


def pin(threads):
    """Keep this process on as many processors as it has threads, where the system allows. ValueError: too few."""
    if hasattr(os, "sched_setaffinity"):
        processors = sorted(os.sched_getaffinity(0))
        if len(processors) < threads:
            raise ValueError(
                f"a device of {threads} threads needs as many processors, this job has {len(processors)}: "
                "name a device of fewer threads, or give the job more"
            )
        os.sched_setaffinity(0, processors[:threads])


def onnx_session(model, threads):
    """ONNX Runtime's session of a model in bytes, on the processor."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def inference(model, threads, values=None):
    """A function that runs a model in bytes once, on `values` or on noise of the model's own shape."""
    session = onnx_session(model, threads)
    (given,) = session.get_inputs()
    if values is None:
        values = np.random.default_rng(0).standard_normal(given.shape, np.float32)

    def infer():
        session.run(None, {given.name: values})

    return infer


def machine():
    """What is known of this machine that may change a latency."""
    return {
        "host": platform.node(),
        "system": platform.platform(),
        "machine": platform.machine(),
        "processor": first_line("/proc/device-tree/model") or field("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "governor": first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "celsius": celsius(),
        "python": platform.python_version(),
    }


def first_line(path):
    try:
        with open(path) as file:
            return file.readline().strip("\0\n") or None
    except OSError:
        return None


def field(path, name):
    try:
        with open(path) as file:
            return next((line.partition(":")[2].strip() for line in file if line.startswith(name)), None)
    except OSError:
        return None


def celsius():
    """Temperature of the first thermal zone, or None."""
    millidegrees = first_line("/sys/class/thermal/thermal_zone0/temp")
    return int(millidegrees) / 1000 if millidegrees else None


@contextlib.contextmanager
def claim(wait):
    """A context in which no other measurement runs on this machine; it ends with the process and leaves no file.

    wait: called once, before the first of all waits for another measurement. Only Linux has names of sockets without a
    file; elsewhere nothing is claimed.
    """
    with socket.socket(socket.AF_UNIX) as lock:
        for attempt in itertools.count():
            try:
                lock.bind("\0zsnas measures")
                break
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    break
                if attempt == 0:
                    wait()
                time.sleep(1)
        yield


def serve(threads):
    """Answer requests on stdin, each a line with a number of bytes and that many bytes of ONNX, with lines of JSON.

    The first line tells the machine, after one that `waits` where another measurement runs on it; every other what
    `measure` says, or an `error`.
    """
    receive, answer = sys.stdin.buffer, functools.partial(print, flush=True)
    try:
        import onnxruntime

        pin(threads)
    except (ImportError, ValueError, MemoryError, OSError) as error:
        return answer(json.dumps({"error": f"{type(error).__name__}: {error}"}))
    with claim(lambda: answer(json.dumps({"waits": True}))):
        answer(json.dumps(machine() | {"numpy": np.__version__, "onnxruntime": onnxruntime.__version__}))
        while length := receive.readline():
            try:
                model = receive.read(int(length))
                answer(json.dumps(measure(lambda model=model: inference(model, threads)) | {"celsius": celsius()}))
            except Exception as error:  # whatever the runtime cannot do is told, and the next network may go
                answer(json.dumps({"error": f"{type(error).__name__}: {error}"}))

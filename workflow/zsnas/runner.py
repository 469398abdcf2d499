"""The measuring protocol, in one file that needs only numpy and, to run models, onnxruntime.

A network is warmed up, then run until the 95 % interval of its median is narrower than INTERVAL of the median, or
MOST_REPEATS is reached. The same code measures here (`zsnas.latency` imports it) and on another machine: there this
file's text is executed over ssh (`zsnas.devices.ssh`) and `serve` answers requests on stdin. Nothing is written there.
"""

import functools
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


def measure(infer):
    """Latencies in ms of one network after warm-up, as many as the protocol asks for. infer: runs it once."""
    for _ in range(WARM_UP):
        infer()
    latencies = []
    while len(latencies) < FEWEST_REPEATS or (len(latencies) < MOST_REPEATS and median_interval(latencies) > INTERVAL):
        for _ in range(10):
            start = time.perf_counter()
            infer()
            latencies.append(1e3 * (time.perf_counter() - start))
    return np.array(latencies)


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


def claim():
    """Wait until no other measurement runs on this machine; the claim ends with the process and leaves no file."""
    lock = socket.socket(socket.AF_UNIX)
    while True:
        try:
            lock.bind("\0zsnas measures")
            return lock
        except OSError:
            time.sleep(1)


def serve(threads):
    """Answer requests on stdin, each a line with a number of bytes and that many bytes of ONNX, with lines of JSON.

    The first line tells the machine; every other the latencies in ms, or an `error`.
    """
    receive, answer = sys.stdin.buffer, functools.partial(print, flush=True)
    try:
        import onnxruntime

        pin(threads)
    except (ImportError, ValueError, MemoryError, OSError) as error:
        return answer(json.dumps({"error": f"{type(error).__name__}: {error}"}))
    lock = claim()
    answer(json.dumps(machine() | {"numpy": np.__version__, "onnxruntime": onnxruntime.__version__}))
    while length := receive.readline():
        try:
            session = onnx_session(receive.read(int(length)), threads)
            (given,) = session.get_inputs()
            feed = {given.name: np.random.default_rng(0).standard_normal(given.shape, np.float32)}
            latencies = measure(lambda session=session, feed=feed: session.run(None, feed))
            answer(json.dumps({"latencies": latencies.tolist(), "celsius": celsius()}))
        except Exception as error:  # whatever the runtime cannot do is told, and the next network may go
            answer(json.dumps({"error": f"{type(error).__name__}: {error}"}))
    lock.close()

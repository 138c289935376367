"""The machine a benchmark runs on: what it is, how busy it is, what a step took."""

import os
import platform
from importlib.metadata import version
from time import perf_counter, process_time
from typing import NamedTuple

from threadpoolctl import threadpool_limits

_PACKAGES = ("scikit-learn", "numpy", "scipy")


class Spent(NamedTuple):
    """Seconds between two moments.

    `cpu` of this process, all its threads together; `wall` by the clock; `others` of
    all other processes, over all processors (NaN where the system does not tell).
    """

    cpu: float
    wall: float
    others: float

    @property
    def others_per_second(self):
        """How many processors the other processes kept busy on average."""
        return self.others / self.wall if self.wall else float("nan")


def now():
    """The moment, for `since`."""
    return process_time(), perf_counter(), _busy_seconds()


def since(moment):
    """What was spent since a moment that `now` gave."""
    cpu, wall, busy = (b - a for a, b in zip(moment, now(), strict=True))
    # The system counts in ticks of 10 ms, this process exactly.
    return Spent(cpu, wall, max(busy, cpu) - cpu if busy == busy else busy)


def add(first, second):
    """What was spent in two steps together."""
    return Spent(*(a + b for a, b in zip(first, second, strict=True)))


def _busy_seconds():
    """Seconds that all processors worked for anybody, since the machine started."""
    try:
        with open("/proc/stat", encoding="ascii") as lines:
            user, nice, system, _idle, _iowait, *rest = map(
                int, next(lines).split()[1:]
            )
    except (OSError, ValueError):
        return float("nan")
    # Interrupts and time stolen by the host keep a processor too; guests are in user.
    return (user + nice + system + sum(rest[:3])) / os.sysconf("SC_CLK_TCK")


def limit_blas():
    """Let the libraries of linear algebra use one thread."""
    threadpool_limits(limits=1)


def describe(*peers):
    """Processor, system and versions, those of peers too, for the top of a report."""
    packages = ("skml", *(peers or ("gensim",)), *_PACKAGES)
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def _processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            names = [line.partition(":")[2] for line in lines if "model name" in line]
    except OSError:
        names = []
    return names[0].strip() if names else platform.processor() or platform.machine()

"""What a container or a batch job may use of its machine: cores and memory by the control groups it is in."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

GROUPS = Path("/proc/self/cgroup")
MOUNTS = Path("/sys/fs/cgroup")
PERIOD = 100_000  # microseconds, where a quota does not tell


def cores() -> int:
    """Return the number of cores this process may use: by its affinity, and by a quota of processor time."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([allowed, *(math.ceil(quota) for quota in _quotas())]))


def memory() -> int:
    """Return the bytes of memory this process may use, 0 if the machine does not tell."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return 0
    return min([total, *_limits()])


def _quotas() -> Iterator[float]:
    """Yield the quotas of processor time, in cores, of the groups around this process."""
    for folder in _folders("cpu"):
        quota, *period = _numbers(folder / "cpu.max") or _numbers(folder / "cpu.cfs_quota_us") or [-1]
        period = period or _numbers(folder / "cpu.cfs_period_us") or [PERIOD]
        if quota > 0 and period[0] > 0:
            yield quota / period[0]


def _limits() -> Iterator[int]:
    """Yield the limits of memory, in bytes, of the groups around this process."""
    for folder in _folders("memory"):
        yield from _numbers(folder / "memory.max") or _numbers(folder / "memory.limit_in_bytes")


def _folders(controller: str) -> Iterator[Path]:
    """Yield the folder of every group that this process is in, from the innermost, as far as they can be seen.

    Version 2 has one tree (``0::/path``), version 1 one for every controller (``4:cpu,cpuacct:/path``). In a container
    the tree may begin at its own group, so that a path leads nowhere and its end is at the top.
    """
    try:
        lines = GROUPS.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number == "0":
            top = MOUNTS
        elif controller in controllers.split(","):
            top = MOUNTS / controllers if (MOUNTS / controllers).is_dir() else MOUNTS / controller
        else:
            continue
        inside = Path(path.lstrip("/"))
        yield from (top / part for part in (inside, *inside.parents) if ".." not in part.parts)


def _numbers(file: Path) -> list[int]:
    """Return the whole numbers in a file, none where it is not there or sets no limit."""
    try:
        return [int(word) for word in file.read_text().split()]
    except (OSError, ValueError):  # "max"
        return []

"""What the points of a sweep cost on this machine, measured in about a second on some of its own."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pairsweep.blocks.layout import make_template
from pairsweep.blocks.plan import SystemSize, system_sizes
from pairsweep.blocks.solve import solve_points
from pairsweep.contract.template import Template
from pairsweep.execute import Ack, Echo, Pool, unheard
from pairsweep.points.axes import Sweep, expand
from pairsweep.spec.model import CustomOccupation
from pairsweep.spec.reader import parse_spec

CALIBRATION_SECONDS = 0.8
# Where every point that was tried took its process down.
SECONDS_UNKNOWN = 1e-3


@dataclass(frozen=True)
class _Measure:
    """The engine's task whose blocks are the sizes of system of a sweep, by number: how long does a point take?"""

    text: str
    custom: CustomOccupation | None
    patience: float

    def __call__(self, block: int, only: range | None = None) -> Ack:
        sweep, template, sizes = _ready(self)
        points = 1
        while True:
            seconds = _solve_some(sweep, template, sizes[block], points)
            if seconds > self.patience or points >= min(2**14, sizes[block].points):
                return Ack(block, 1, 0, seconds / points, "")
            points *= 4

    def size(self, block: int) -> int:
        return 1

    def bury(self, block: int, point: int, reason: str) -> Ack:
        return Ack(block, 0, 1, 0.0, "")


@lru_cache(maxsize=1)
def _ready(task: _Measure) -> tuple[Sweep, Template, tuple[SystemSize, ...]]:
    sweep = expand(parse_spec(task.text, custom=task.custom))
    template, sizes = make_template(sweep, (1,) * len(sweep.shape)), system_sizes(sweep)
    _solve_some(sweep, template, sizes[0], 1)  # compiles, or loads compiled code
    return sweep, template, sizes


def _solve_some(sweep: Sweep, template: Template, size: SystemSize, points: int) -> float:
    """Seconds for points of one size, drawn all over the sweep: cost may depend on occupations and coupling too."""
    positions = np.random.default_rng(0).integers(0, sweep.shape or 1, (points, len(sweep.shape)))
    for dimension, index in size.at.items():
        positions[:, dimension] = index
    started = time.perf_counter()
    solve_points(sweep, template, positions)
    return time.perf_counter() - started


def measured_seconds(sweep: Sweep, apart: bool = True, echo: Echo = unheard) -> dict[int, float]:
    """Seconds of a point by its number of pairs: the smallest systems measured, larger ones extrapolated.

    Parameters
    ----------
    apart : whether a user's own function is called in another process, which it may take down
    echo : told, a line at a time, what that process has to say to the user
    """
    sizes = system_sizes(sweep)
    numbers = sorted({0, len(sizes) // 2, len(sizes) - 1})
    task = _Measure(sweep.spec.text, sweep.spec.custom, CALIBRATION_SECONDS / 16)
    measured: dict[int, float] = {}

    def take(ack: Ack) -> None:
        if ack.done:
            measured[sizes[ack.block].pairs] = ack.seconds

    with Pool(1, echo=echo) if apart and sweep.spec.custom is not None else nullcontext() as crew:
        ends = math.inf
        # one run each: a pool takes its next block before it knows what the last one cost
        for number in numbers:
            if time.perf_counter() >= ends:
                break
            if crew is None:
                take(task(number))
            else:
                crew.run(task, [number], take)
            if measured:  # what came before, the start of a process and compilation, is no cost of points
                ends = min(ends, time.perf_counter() + CALIBRATION_SECONDS)
    return {size.pairs: _extrapolated(measured, size.pairs) for size in sizes}


def _extrapolated(measured: Mapping[int, float], pairs: int) -> float:
    """Cost as a power of the number of pairs between and beyond the measured ones."""
    if not measured:
        return SECONDS_UNKNOWN
    known = np.log(sorted(measured))
    costs = np.log([measured[n] for n in sorted(measured)])
    if known.size == 1 or np.log(pairs) <= known[-1]:
        return float(np.exp(np.interp(np.log(pairs), known, costs)))
    slope = (costs[-1] - costs[-2]) / (known[-1] - known[-2])
    return float(np.exp(costs[-1] + slope * (np.log(pairs) - known[-1])))

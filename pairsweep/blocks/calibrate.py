"""What the points of a sweep cost on this machine, measured on some of its own.

A second does where points cost alike; where they do not, measuring goes on for some more, and the range that is left is
told.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from pairsweep.blocks.layout import make_template
from pairsweep.blocks.plan import SystemSize, system_sizes
from pairsweep.blocks.solve import solve_points
from pairsweep.contract.template import Template
from pairsweep.execute import Ack, Echo, Pool, unheard
from pairsweep.points.axes import Sweep, expand
from pairsweep.points.systems import rehearse
from pairsweep.spec.reader import parse_spec
from pairsweep.user_code.function import UserFunction
from pairsweep.user_code.trial import Trial

CALIBRATION_SECONDS = 0.8
PATIENCE = CALIBRATION_SECONDS / 16
# Points that differ much in cost are measured for so long at most.
MOST_SECONDS = 5.0
# Samples whose mean is known to this share are enough; a range narrower than it is not claimed.
SHARP = 0.25
MOST_SAMPLES = 64
# Where every point that was tried took its process down.
SECONDS_UNKNOWN = 1e-3


@dataclass(frozen=True)
class _Apart:
    """A task of the engine's own, for another process: what is not about points of a store."""

    text: str
    folder: str
    custom: UserFunction | None

    def size(self, block: int) -> int:
        return 1

    def record_failure(self, block: int, point: int, reason: str) -> Ack:
        return Ack(block, 0, 1, 0.0, "")


@dataclass(frozen=True)
class _Measure(_Apart):
    """Its blocks are the sizes of system of a sweep, by number: how long does a point take?"""

    def __call__(self, block: int, only: range | None = None) -> Cost:
        return _measured(_unpacked(self), block)


@dataclass(frozen=True)
class _Rehearsal(Ack):
    """What a first call of the user's function found."""

    trial: Trial = field(default_factory=Trial)


@dataclass(frozen=True)
class _Rehearse(_Apart):
    """Calls the user's function at the first point that has it."""

    def __call__(self, block: int, only: range | None = None) -> Ack:
        return _Rehearsal(block, 1, 0, 0.0, "", rehearse(_unpacked(self).sweep))


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A sweep with what its points are solved by, compiled when it is first asked for."""

    sweep: Sweep

    @cached_property
    def sizes(self) -> tuple[SystemSize, ...]:
        return system_sizes(self.sweep)

    @cached_property
    def template(self) -> Template:
        template = make_template(self.sweep, (1,) * len(self.sweep.shape))
        _solve_some(self.sweep, template, self.sizes[0], 1, 0)  # compiles, or loads compiled code
        return template


@lru_cache(maxsize=1)
def _unpacked(task: _Apart) -> _Prepared:
    return _Prepared(expand(parse_spec(task.text, folder=Path(task.folder), custom=task.custom)))


@dataclass(frozen=True)
class Cost(Ack):
    """Seconds of a point, and between which bounds its mean lies as far as the samples tell."""

    low: float = 0.0
    high: float = 0.0


def _measured(prepared: _Prepared, block: int) -> Cost:
    """Measure points of one size: batches that are long enough to be timed, drawn anew until their mean is known."""
    template, size, points = prepared.template, prepared.sizes[block], 1
    while True:
        seconds = _solve_some(prepared.sweep, template, size, points, 0)
        if seconds > PATIENCE:
            # these points may be the first to need some kernel: loading it, or compiling, is no cost of points
            seconds = min(seconds, _solve_some(prepared.sweep, template, size, points, 0))
        if seconds > PATIENCE or points >= min(2**14, size.points):
            break
        points *= 4
    share = CALIBRATION_SECONDS / 4
    samples, spent = [seconds / points], seconds
    while points < size.points and len(samples) < MOST_SAMPLES:
        mean, doubt = float(np.mean(samples)), _doubt(samples)
        if spent > (MOST_SECONDS if doubt > SHARP * mean and len(samples) > 1 else share) / 2:
            break
        seconds = _solve_some(prepared.sweep, template, size, points, len(samples))
        samples.append(seconds / points)
        spent += seconds
    mean, doubt = float(np.mean(samples)), _doubt(samples)
    whole = points >= size.points
    doubt = max(doubt, (SHARP if whole or len(samples) > 2 else 0.5) * mean)
    return Cost(block, 1, 0, mean, "", max(mean - doubt, min(samples)), mean + doubt)


def _doubt(samples: list[float]) -> float:
    """Two standard errors of the mean of some samples."""
    return 2.0 * float(np.std(samples, ddof=1)) / len(samples) ** 0.5 if len(samples) > 1 else 0.0


def _solve_some(sweep: Sweep, template: Template, size: SystemSize, points: int, seed: int) -> float:
    """Seconds for points of one size, drawn all over the sweep: cost may depend on occupations and coupling too."""
    positions = np.random.default_rng(seed).integers(0, sweep.shape or 1, (points, len(sweep.shape)))
    for dimension, index in size.at.items():
        positions[:, dimension] = index
    started = time.perf_counter()
    solve_points(sweep, template, positions)
    return time.perf_counter() - started


def aside(sweep: Sweep, echo: Echo = unheard) -> AbstractContextManager[Pool | None]:
    """Give another process for a user's own function, which may take it down; none where there is no such function."""
    return Pool(1, echo=echo) if sweep.spec.custom is not None else nullcontext()


def files_read(sweep: Sweep, crew: Pool | None, echo: Echo = unheard) -> tuple[str, ...]:
    """Call a user's own function for the first time, and give the files that it reads.

    Parameters
    ----------
    crew : another process to call it in, which it may take down
    echo : told why the first point fails, where it does

    Raises
    ------
    SpecError
        For a function that no point can be computed with; see `pairsweep.user_code.trial.try_function`.
    """
    spec = sweep.spec
    if spec.custom is None:
        return ()
    found: list[Trial] = []

    def take(ack: Ack) -> None:
        if isinstance(ack, _Rehearsal):
            found.append(ack.trial)

    if crew is None:
        found.append(rehearse(sweep))
    else:
        crew.run(_Rehearse(spec.text, spec.folder, spec.custom), [0], take)
    if not found:
        return ()
    if found[0].complaint:
        echo(f"the first point fails: {found[0].complaint}")
    return found[0].read


def measured_costs(sweep: Sweep, crew: Pool | None = None) -> dict[int, Cost]:
    """Cost of a point by its number of pairs: the smallest systems measured, larger ones extrapolated.

    ``crew`` is another process to measure in, where a user's function may take this one down.
    """
    prepared = _Prepared(sweep)
    sizes = prepared.sizes
    numbers = sorted({0, len(sizes) // 2, len(sizes) - 1})
    task = _Measure(sweep.spec.text, sweep.spec.folder, sweep.spec.custom)
    measured: dict[int, Cost] = {}

    def take(ack: Ack) -> None:
        if isinstance(ack, Cost):
            measured[sizes[ack.block].pairs] = ack

    ends = math.inf
    # one run each: a pool takes its next block before it knows what the last one cost
    for number in numbers:
        if time.perf_counter() >= ends:
            break
        if crew is None:
            take(_measured(prepared, number))
        else:
            crew.run(task, [number], take)
        if measured:  # what came before, the start of a process and compilation, is no cost of points
            ends = min(ends, time.perf_counter() + CALIBRATION_SECONDS)
    parts = [
        {pairs: getattr(cost, part) for pairs, cost in measured.items()}
        for part in ("seconds", "low", "high")
    ]
    return {
        size.pairs: Cost(0, 1, 0, mean, "", low, high)
        for size in sizes
        for mean, low, high in [[_extrapolated(part, size.pairs) for part in parts]]
    }


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

"""What the points of a sweep cost on this machine, measured on some of its own.

A second does where points cost alike; where they do not, measuring goes on for some more, and the range that is left is
told. No point is solved twice where the sweep has others, and those that cost more than writing them are kept.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pairsweep.blocks.layout import make_template
from pairsweep.blocks.plan import MIN_BLOCKS, SHAPE_NAMES, SMALL_SWEEP, SystemSize, system_sizes
from pairsweep.blocks.solve import SolvedPoints, solve_points
from pairsweep.contract.template import Template
from pairsweep.contract.variables import POINT
from pairsweep.contract.waiting import interruptibly
from pairsweep.execute import Ack, Echo, Pool, unheard
from pairsweep.machine_code.kernel import Compiled
from pairsweep.points.axes import Positions, Sweep, expand
from pairsweep.points.systems import rehearse
from pairsweep.spec.reader import parse_spec
from pairsweep.user_code.function import UserFunction
from pairsweep.user_code.trial import Trial

CALIBRATION_SECONDS = 0.8
# What loading code and modules takes beside a point, on a busy machine.
LOADING = 10.0
PATIENCE = CALIBRATION_SECONDS / 16
# Points that differ much in cost are measured for so long at most.
MOST_SECONDS = 5.0
# Samples whose mean is known to this share are enough; a range narrower than it is not claimed.
SHARP = 0.25
MOST_SAMPLES = 64
MOST_IN_BATCH = 2**14
FEW_REPEATS = 3
# Four times as many points together show that way what a call costs beside its points.
CHEAPER = 0.6
# Where even the smallest systems are larger, what a point of them costs is told from grids of so many pairs.
TRIED_PAIRS = (512, 2048)
# Where every point that was tried took its process down.
SECONDS_UNKNOWN = 1e-3
# Quicker points are not kept: there may be a million of them, and it takes hundreds to be worth the files of a block.
WORTH_KEEPING = 1e-4
# Points of one size among which samples are drawn so that none comes twice.
MOST_DRAWN = 2**20
# Of them so many are spread evenly before the others come at random.
MOST_SPREAD = 256


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
    """A sweep with what its points are solved by."""

    sweep: Sweep

    @cached_property
    def sizes(self) -> tuple[SystemSize, ...]:
        return system_sizes(self.sweep)

    @cached_property
    def template(self) -> Template:
        return make_template(self.sweep, (1,) * len(self.sweep.shape))


@lru_cache(maxsize=1)
def _unpacked(task: _Apart) -> _Prepared:
    return _Prepared(expand(parse_spec(task.text, folder=Path(task.folder), custom=task.custom)))


@dataclass(frozen=True)
class Cost(Ack):
    """Seconds of a point, and between which bounds its mean lies as far as the samples tell.

    ``solved`` are points that were solved on the way and are worth keeping; ``extrapolated_from`` is the number of
    pairs of the largest system that was measured where this one is larger, else 0.
    """

    low: float = 0.0
    high: float = 0.0
    solved: tuple[SolvedPoints, ...] = ()
    extrapolated_from: int = 0


def _measured(prepared: _Prepared, block: int) -> Cost:
    """Measure points of one size: batches that are long enough to be timed, drawn anew until their mean is known."""
    size, share = prepared.sizes[block], 1 / len(_numbers(prepared.sizes))
    places, points = _Places(prepared.sweep, size), 1
    solved: list[SolvedPoints] = []
    fair: list[SolvedPoints] = []  # those that had no code to load or compile, which is no cost of points
    enough, most = CALIBRATION_SECONDS * share, MOST_SECONDS * share
    ends = time.perf_counter() + most
    # blocks are no larger either, and what a call costs beside its points is spread over so many
    largest = min(_points_of_a_block(prepared.sweep.n_points), size.points, MOST_IN_BATCH)
    while len(places) and len(fair) < MOST_SAMPLES and time.perf_counter() < ends:
        alike = [each for each in fair if len(each.positions) == points]
        spent = sum(each.seconds for each in fair)
        if len(alike) > 2 and spent > (most / 2 if _doubt(alike) > SHARP * _mean(alike) else enough):
            break
        loaded, compiling = _code_and_modules(), Compiled.seconds
        batch = _solved(prepared, places.take(points))
        compiling = Compiled.seconds - compiling
        ends += compiling
        batch = replace(batch, costs=batch.costs - compiling / len(batch.costs))
        solved.append(batch)
        if loaded != _code_and_modules():
            ends += batch.seconds if batch.seconds < LOADING else 0.0
        else:
            fair.append(batch)
            if _worth_growing(fair, enough):
                points = min(4 * points, largest)
    if not fair and solved[-1].seconds < max(most, LOADING):
        # there are no other points of this size
        again = [_solved(prepared, solved[-1].positions)]
        while again[-1].seconds < PATIENCE and len(again) < FEW_REPEATS:
            again.append(_solved(prepared, solved[-1].positions))
        fair = [min(again, key=lambda each: each.seconds)]
    mean, low, high = _estimated(fair or solved, size.points, points, cut_off=time.perf_counter() >= ends)
    kept = tuple(
        # what took its time for code that had to be loaded is not dear for that
        each if each in fair else replace(each, costs=np.full(len(each.positions), mean))
        for each in solved
    )
    return Cost(
        block, 1, 0, mean, "", low, high, tuple(each for each in kept if _mean([each]) >= WORTH_KEEPING)
    )


def _estimated(
    samples: list[SolvedPoints], size: int, points: int, cut_off: bool
) -> tuple[float, float, float]:
    """Estimate seconds of one of ``size`` points, and between which bounds they lie, from some samples.

    Those that were measured count as they are; the others as samples of ``points``, of which there are more in a block.
    Where time ended it (``cut_off``) the last sample is likelier than others to be a dear one, and what came before it
    to be cheap: the truth is taken to lie between the means with it and without it.
    """
    known = min(1.0, sum(len(each.positions) for each in samples) / size)
    alike = [each for each in samples if len(each.positions) == points] or samples
    rest = least = _mean(alike)
    if cut_off and len(samples) > 1:
        least = min(rest, _mean(samples[:-1]))
        rest = (_mean(samples) + _mean(samples[:-1])) / 2
    mean = known * _mean(samples) + (1 - known) * rest
    sharp = SHARP if known == 1.0 or len(alike) > 2 else 0.5
    doubt = min(max((1 - known) * _doubt(alike), sharp * mean), 0.75 * mean)
    return mean, min(mean - doubt, known * _mean(samples) + (1 - known) * least), mean + doubt


def _points_of_a_block(points: int) -> int:
    """Most points of a block, however quick they are."""
    return points if points <= SMALL_SWEEP else points // MIN_BLOCKS


def _worth_growing(fair: list[SolvedPoints], enough: float) -> bool:
    """Whether larger batches are needed for the clock, or because a point still gets cheaper in them."""
    last = fair[-1]
    if last.seconds <= PATIENCE:
        return True
    smaller = [each for each in fair if len(each.positions) < len(last.positions)]
    cheaper = not smaller or _mean([last]) < CHEAPER * _mean(smaller[-1:])
    return cheaper and 4 * last.seconds < enough


def _code_and_modules() -> tuple[int, int]:
    """How much code and how many modules this process has loaded so far."""
    return Compiled.fetched, len(sys.modules)


def _numbers(sizes: tuple[SystemSize, ...]) -> list[int]:
    """Which of the sizes are measured: the smallest, the largest, and one between them."""
    return sorted({0, len(sizes) // 2, len(sizes) - 1})


def _mean(samples: list[SolvedPoints]) -> float:
    """Seconds of a point of some samples, 0 of none."""
    points = sum(len(each.positions) for each in samples)
    return sum(each.seconds for each in samples) / points if points else 0.0


def _doubt(samples: list[SolvedPoints]) -> float:
    """Two standard errors of the mean of some samples."""
    seconds = [each.seconds / len(each.positions) for each in samples]
    return 2.0 * float(np.std(seconds, ddof=1)) / len(seconds) ** 0.5 if len(seconds) > 1 else 0.0


class _Places:
    """Positions of one size drawn all over the sweep: cost may depend on occupations and coupling too."""

    def __init__(self, sweep: Sweep, size: SystemSize) -> None:
        self._shape, self._size = sweep.shape, size
        self._free = [d for d in range(len(sweep.shape)) if d not in size.fixed]
        rng, count = np.random.default_rng(0), size.points
        first = _spread((len(size.at), *(self._shape[d] for d in self._free)))
        rest = rng.permutation(count) if count <= MOST_DRAWN else rng.integers(0, count, MOST_DRAWN)
        self._left = np.concatenate([first, rest[~np.isin(rest, first)]])

    def __len__(self) -> int:
        return self._left.size

    def take(self, count: int) -> Positions:
        """Give the next ``count`` of them (count, dimensions), fewer where there are no more."""
        taken, self._left = self._left[:count], self._left[count:]
        positions = np.zeros((taken.size, len(self._shape)), dtype=np.int64)
        for dimension in reversed(self._free):
            taken, positions[:, dimension] = np.divmod(taken, self._shape[dimension])
        positions[:, list(self._size.fixed)] = self._size.at[taken]
        return positions


def _spread(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Different places in an array, the first few of them spread evenly over every axis: cost changes along them.

    Steps along each axis are powers of the root of x^(d+1) = x + 1, the golden ratio in one dimension.
    """
    root = 1.5
    for _ in range(40):
        root = (1.0 + root) ** (1.0 / (len(shape) + 1))
    steps = root ** -np.arange(1.0, len(shape) + 1)
    along = np.modf(0.5 + np.arange(MOST_SPREAD)[:, None] * steps)[0] * shape
    places = np.ravel_multi_index(tuple(along.astype(np.int64).T), shape)
    return np.asarray(places[np.sort(np.unique(places, return_index=True)[1])])


def _solved(prepared: _Prepared, positions: Positions) -> SolvedPoints:
    """Solve some points against the clock; a user's own function stays in this thread."""

    def solve() -> SolvedPoints:
        started = time.perf_counter()
        numbers, failures = solve_points(prepared.sweep, prepared.template, positions)
        seconds = time.perf_counter() - started
        return SolvedPoints(positions, numbers, failures, np.full(len(positions), seconds / len(positions)))

    prepared.template  # noqa: B018  laid out before the clock starts
    return solve() if prepared.sweep.spec.custom is not None else interruptibly(solve)


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
    task = _Measure(sweep.spec.text, sweep.spec.folder, sweep.spec.custom)
    measured: dict[int, Cost] = {}

    def take(ack: Ack) -> None:
        if isinstance(ack, Cost):
            measured[sizes[ack.block].pairs] = ack

    if crew is None:
        for pairs in TRIED_PAIRS if sizes[0].pairs > 2 * TRIED_PAIRS[-1] else ():
            smaller = _on_fewer_pairs(sweep, pairs / sizes[0].pairs)
            if smaller is not None:
                measured[smaller.sizes[0].pairs] = replace(_measured(smaller, 0), solved=())
    ends = math.inf
    # one run each: a pool takes its next block before it knows what the last one cost
    for number in _numbers(sizes):
        means = {pairs: cost.seconds for pairs, cost in measured.items()}
        if time.perf_counter() >= ends or (
            measured and _extrapolated(means, sizes[number].pairs) > MOST_SECONDS
        ):
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
    kept = {pairs: cost.solved for pairs, cost in measured.items()}
    largest = max(measured, default=0)
    costs: dict[int, Cost] = {}
    for size in sizes:
        mean, *bounds = (_extrapolated(part, size.pairs) for part in parts)
        low, high = min(mean, *bounds), max(mean, *bounds)  # beyond what was measured they may cross
        beyond = largest if size.pairs > largest else 0
        costs[size.pairs] = Cost(0, 1, 0, mean, "", low, high, kept.get(size.pairs, ()), beyond)
    return costs


def _on_fewer_pairs(sweep: Sweep, share: float) -> _Prepared | None:
    """The same sweep on a coarser grid along what it has most of; None where the grid is not one of numbers of bins."""
    spec = sweep.spec
    numbers = {p.name: min(map(int, p.values)) for p in spec.parameters if p.name in SHAPE_NAMES}
    if spec.kind == "beams" or not numbers or sweep.names == (POINT,):
        return None
    name = max(numbers, key=lambda each: numbers[each])
    most = max(1, round(share * numbers[name]))
    coarser = replace(spec[name], values=tuple(min(int(value), most) for value in spec[name].values))
    parameters = tuple(coarser if each.name == name else each for each in spec.parameters)
    return _Prepared(expand(replace(spec, parameters=parameters)))


def _extrapolated(measured: Mapping[int, float], pairs: int) -> float:
    """Cost as a power of the number of pairs between and beyond the measured ones; linear beyond a single one."""
    if not measured:
        return SECONDS_UNKNOWN
    known = np.log(sorted(measured))
    costs = np.log([measured[n] for n in sorted(measured)])
    if np.log(pairs) <= known[-1]:
        return float(np.exp(np.interp(np.log(pairs), known, costs)))
    if known.size == 1:
        return float(np.exp(costs[0] + np.log(pairs) - known[0]))
    slope = (costs[-1] - costs[-2]) / (known[-1] - known[-2])
    return float(np.exp(costs[-1] + slope * (np.log(pairs) - known[-1])))

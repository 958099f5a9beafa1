"""From points to blocks: what a run takes, cut into pieces of about equal cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairsweep.blocks.layout import make_template, result_arrays
from pairsweep.blocks.solve import SolvedPoints
from pairsweep.contract.display import Displayed, Shown
from pairsweep.contract.template import ArrayPlan, Template
from pairsweep.contract.variables import POINT
from pairsweep.points.axes import Sweep

# A block of about this long loses little when a worker dies, and hides what a task costs beside its points.
BLOCK_SECONDS = 3.0
BLOCK_BYTES = 2**25
BLOCK_POINTS = 2**18
# Even a short sweep is cut into some blocks, for both workers and for a resume.
MIN_BLOCKS = 8
# Along an axis with more sizes of system than this a block has several of them.
MOST_SIZES = 1000
# One of so few points is not worth the files of several blocks, unless it takes longer than a block should.
SMALL_SWEEP = 16
# The files of a block.
WRITE_SECONDS = 0.01
SHAPE_NAMES = ("n_energy", "n_theta", "n_phi")


@dataclass(frozen=True, repr=False)
class Plan(Displayed):
    """A sweep with its template, the seconds that one worker would need for it, and between which they lie.

    ``solved`` are points that measuring has solved and that are dear enough to be kept; ``extrapolated_from`` is the
    number of pairs above which none were measured, 0 where all sizes lie among those that were.
    """

    sweep: Sweep
    template: Template
    seconds: float
    least_seconds: float
    most_seconds: float
    solved: tuple[SolvedPoints, ...] = ()
    extrapolated_from: int = 0

    def _shown(self) -> Shown:
        template = self.template
        axes = " x ".join(
            f"{name} ({size:,})" for name, size in zip(template.axes, template.shape, strict=True)
        )
        size = template.n_points * self.bytes_per_point
        rows = (
            ("axes", axes or "none: a single point"),
            ("points", f"{template.n_points:,} in {template.n_blocks:,} blocks"),
            ("size", f"{size:,} bytes before compression"),
            ("time", f"{self.least_seconds:.3g} to {self.most_seconds:.3g} s on one core, once compiled"),
        )
        return Shown(self.sweep.spec.title or "(untitled)", rows)

    @property
    def bytes_per_point(self) -> int:
        """Uncompressed size of one point's results."""
        return bytes_per_point(self.template.arrays)


def bytes_per_point(arrays: tuple[ArrayPlan, ...]) -> int:
    """Uncompressed size of one point's results."""
    return sum(np.dtype(a.dtype).itemsize * math.prod(a.trailing_shape) for a in arrays)


@dataclass(frozen=True, eq=False)
class SystemSize:
    """The points of a sweep whose systems have ``pairs`` pairs: anywhere along the dimensions that are not ``fixed``.

    ``at`` (K, fixed) are their places along these.
    """

    pairs: int
    points: int
    fixed: tuple[int, ...]
    at: NDArray[np.int64]


def system_sizes(sweep: Sweep) -> tuple[SystemSize, ...]:
    """Sizes of system that occur in a sweep, the smallest first."""
    if sweep.spec.kind == "beams":
        return (SystemSize(len(sweep.spec.beams), sweep.n_points, (), np.zeros((1, 0), dtype=np.int64)),)
    dims = shape_dimensions(sweep)
    shape = tuple(sweep.shape[d] for d in dims)
    index = np.indices(shape).reshape(len(dims), math.prod(shape))
    positions = np.zeros((math.prod(shape), len(sweep.shape)), dtype=np.int64)
    positions[:, dims] = index.T
    pairs = np.ones(len(positions), dtype=np.int64)
    for name in SHAPE_NAMES:
        pairs = pairs * sweep.values(name, positions)
    order = np.argsort(pairs, kind="stable")
    sizes, first = np.unique(pairs[order], return_index=True)
    repeats = sweep.n_points // len(positions)
    return tuple(
        SystemSize(int(size), len(rows) * repeats, dims, positions[rows][:, list(dims)])
        for size, rows in zip(sizes, np.split(order, first[1:]), strict=True)
    )


def shape_dimensions(sweep: Sweep) -> tuple[int, ...]:
    """Dimensions along which the number of pairs changes."""
    if sweep.spec.kind == "beams":
        return ()
    found = {sweep.dimension_of(name) for name in SHAPE_NAMES}
    return tuple(sorted(d for d in found if d is not None))


def make_plan(
    sweep: Sweep,
    seconds_per_point: Mapping[int, float],
    bounds: Mapping[int, tuple[float, float]] | None = None,
) -> Plan:
    """Cut a sweep into blocks of about ``BLOCK_SECONDS``, given the cost of a point by its number of pairs.

    ``bounds`` are those between which these costs are known to lie.
    """
    sizes = system_sizes(sweep)
    bounds = bounds or {pairs: (cost, cost) for pairs, cost in seconds_per_point.items()}
    seconds, least, most = (
        sum(size.points * cost[size.pairs] for size in sizes)
        for cost in (
            seconds_per_point,
            {pairs: low for pairs, (low, _) in bounds.items()},
            {pairs: high for pairs, (_, high) in bounds.items()},
        )
    )
    arrays = result_arrays(sweep)
    longest = max(seconds_per_point.values())
    points = min(
        BLOCK_SECONDS / longest if longest > 0 else math.inf,
        BLOCK_BYTES / bytes_per_point(arrays),
        BLOCK_POINTS,
        max(1.0, sweep.n_points / MIN_BLOCKS),
    )
    small = sweep.n_points <= SMALL_SWEEP and seconds <= BLOCK_SECONDS
    block_shape = sweep.shape if small else _block_shape(sweep, max(1, int(points)))
    template = make_template(sweep, block_shape)
    writing = WRITE_SECONDS * template.n_blocks
    return Plan(sweep, template, seconds + writing, least + writing, most + writing)


def _block_shape(sweep: Sweep, points: int) -> tuple[int, ...]:
    """Rectangle of at most ``points`` points; one system size each, so that a block's cost is known.

    Along a list of many cases the sizes change as they will, and ``points`` holds for the largest.
    """
    fixed = [d for d in shape_dimensions(sweep) if sweep.shape[d] <= MOST_SIZES and sweep.names != (POINT,)]
    shape = [1] * len(sweep.shape)
    left = points
    for d in reversed(range(len(shape))):
        if d in fixed:
            continue
        shape[d] = min(sweep.shape[d], max(1, left))
        left //= shape[d]
    return tuple(shape)

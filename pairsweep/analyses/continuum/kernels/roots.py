"""All unstable modes of the continuum in energy, found by Newton and vouched for by the argument principle.

The count along the floor (`continuum_count`) says how many modes there are and in which cell of the frequency axis.
In a cell Newton's method starts from points log-spaced in growth above the cell's singularity, where det W behaves like
1 + c ln(offset) and roots may be exponentially weak; roots already known are divided out. A cell that stays short is
cut in two, each half with a certified count of its own. At the end each mode is enclosed in a square of
`ENCLOSURE` times its growth whose certified count is its multiplicity, and the multiplicities have to add up to the
number counted along the floor: a mode that was missed, or found twice, cannot go unnoticed.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from pairsweep.analyses.continuum.kernels.count import anchor_of, cells, count_along, rectangle, split
from pairsweep.analyses.continuum.kernels.medium import determinant
from pairsweep.kernels.jit import jit

ENCLOSURE = 1e-4  # half a side of the square around each mode, as a share of its growth
ITERATIONS = 80
RECTANGLES = 400  # rectangles of one cell that may be looked at
MODES = 64  # zeros of one cell
FLOORS = (1.0, 1.37, 0.71, 1.93)  # a zero close to the floor: try another floor


class Status(IntEnum):
    """Whether the modes found are all there are; ``text`` says what to do if not."""

    CERTIFIED = 0
    UNDECIDED = 1
    INCOMPLETE = 2

    @property
    def text(self):
        """The status in words."""
        return (
            "certified: the modes found are all there are above vouched_growth",
            "the number of continuum modes could not be counted: raise growth_tolerance",
            "fewer continuum modes were found than counted: raise growth_tolerance",
        )[self]


class ModeTable(NamedTuple):
    """Room for M modes, in the order of frequency.

    Attributes
    ----------
    rates, frequencies : (M,) MeV
        Im omega and abs(Re omega) of each mode; frequency 0 is a static mode.
    multiplicities : (M,) int
    anchors : (M, 3), offsets : (M,) complex
        Where each mode is, to all digits (`medium.Anchor` and the offset from it, MeV).
    """

    rates: np.ndarray
    frequencies: np.ndarray
    multiplicities: np.ndarray
    anchors: np.ndarray
    offsets: np.ndarray


class Outcome(NamedTuple):
    """What a search for all modes came to.

    Attributes
    ----------
    status : a `Status`
    modes : number of modes filled in
    vouched : MeV
        Growth above which there is no other mode, if certified: the floor, or less where ||D|| < 1 says so.
    """

    status: int
    modes: int
    vouched: float


@jit()
def mode_table(size):
    """Make room for ``size`` modes."""
    return ModeTable(
        np.zeros(size),
        np.zeros(size),
        np.zeros(size, dtype=np.int64),
        np.zeros((size, 3)),
        np.zeros(size, dtype=np.complex128),
    )


@jit()
def newton(medium, anchor, offset, known, n_known, floor, top, work):
    """Return the zero that Newton's method reaches from ``offset`` with the known ones divided out, and whether it did.

    Growth below ``floor``/3 or above ``top`` (MeV) counts as lost.
    """
    for _ in range(ITERATIONS):
        f, slope, _ = determinant(medium, anchor, offset, work)
        if f == 0.0:
            return offset, True
        for i in range(n_known):
            gap = offset - known[i]
            if gap == 0.0:
                return offset, False
            slope -= f / gap
        if slope == 0.0:
            return offset, False
        step = f / slope
        if not abs(step) < 1e300:
            return offset, False
        down = 0.8 * offset.imag
        if step.imag > down:
            step *= down / step.imag
        offset -= step
        if not 0.3 * floor < offset.imag < top:
            return offset, False
        if abs(step) < 1e-13 * offset.imag:
            return offset, True
    return offset, abs(step) < 1e-6 * offset.imag


@jit()
def enclosure(medium, anchor, offset, budget, work):
    """Return the certified number of zeros in the square around ``offset`` and the budget left."""
    half = ENCLOSURE * offset.imag * complex(1.0, 1.0)
    return rectangle(medium, anchor, offset - half, offset + half, budget, work)


@jit()
def _inside(offset, low, high):
    return low.real <= offset.real < high.real and low.imag <= offset.imag < high.imag


@jit()
def _start(low, high, trial):
    """One of twelve starting points: three growths, log-spaced, by three frequencies and the cell's singularity."""
    growth = low.imag * (high.imag / low.imag) ** ((2 * (trial % 3) + 1) / 6.0)
    column = trial // 3
    if column == 0 and low.real < 0.0 < high.real:
        return complex(0.0, growth)
    return complex(low.real + (high.real - low.real) * (2 * (column % 3) + 1) / 6.0, growth)


@jit()
def _cut(low, high, trial):
    """Return the upper corner of the first part and the lower corner of the second when a rectangle is cut in two."""
    share = 0.47 - 0.06 * trial
    if high.imag > 4.0 * low.imag and high.real - low.real < 4.0 * high.imag:
        growth = low.imag * (high.imag / low.imag) ** share
        return complex(high.real, growth), complex(low.real, growth)
    if high.real - low.real > high.imag - low.imag:
        frequency = low.real + share * (high.real - low.real)
        return complex(frequency, high.imag), complex(frequency, low.imag)
    growth = low.imag + share * (high.imag - low.imag)
    return complex(high.real, growth), complex(low.real, growth)


@jit()
def search(medium, anchor, low, high, count, mirrored, offsets, multiplicities, budget, work):
    """Fill ``offsets`` and ``multiplicities`` with the modes between two corners; return how many, and the budget left.

    ``count`` is the certified number of zeros there. In a ``mirrored`` cell, around frequency 0, the mirror image of
    every zero is one as well. Fewer zeros than counted are returned if the search fails.
    """
    lows = np.empty(RECTANGLES, dtype=np.complex128)
    highs = np.empty(RECTANGLES, dtype=np.complex128)
    counts = np.empty(RECTANGLES, dtype=np.int64)
    known = np.empty(2 * MODES, dtype=np.complex128)  # repeated by multiplicity
    n_known = 0
    modes = 0
    lows[0] = low
    highs[0] = high
    counts[0] = count
    pending = 1
    for _ in range(RECTANGLES):
        if pending == 0 or n_known >= count:
            break
        pending -= 1
        a = lows[pending]
        b = highs[pending]
        wanted = counts[pending]
        for trial in range(12):
            inside = 0
            for i in range(n_known):
                if _inside(known[i], a, b):
                    inside += 1
            if inside >= wanted:
                break
            offset, found = newton(
                medium, anchor, _start(a, b, trial), known, n_known, low.imag, high.imag, work
            )
            if not (found and _inside(offset, low, high)):
                continue
            if mirrored and abs(offset.real) < ENCLOSURE * offset.imag:
                offset = complex(0.0, offset.imag)
            repeated = False
            for i in range(n_known):
                if abs(known[i] - offset) < ENCLOSURE * offset.imag:
                    repeated = True
            if repeated:
                continue
            multiplicity, left = enclosure(medium, anchor, offset, budget, work)
            if left < 0 or multiplicity < 1:
                continue
            budget = left
            images = 2 if mirrored and offset.real != 0.0 else 1
            if n_known + images * multiplicity > 2 * MODES or modes == offsets.size:
                return modes, -1
            for _copy in range(multiplicity):
                known[n_known] = offset
                n_known += 1
                if images == 2:
                    known[n_known] = complex(-offset.real, offset.imag)
                    n_known += 1
            offsets[modes] = complex(abs(offset.real), offset.imag) if mirrored else offset
            multiplicities[modes] = multiplicity
            modes += 1
        inside = 0
        for i in range(n_known):
            if _inside(known[i], a, b):
                inside += 1
        if inside >= wanted or pending + 2 > RECTANGLES:
            continue
        for trial in range(4):
            corner, other = _cut(a, b, trial)
            first, left = rectangle(medium, anchor, a, corner, budget // 8, work)
            if left >= 0:
                budget -= budget // 8 - left
                break
        if left < 0 or first > wanted:
            return modes, -1
        if first > 0:
            lows[pending] = a
            highs[pending] = corner
            counts[pending] = first
            pending += 1
        if first < wanted:
            lows[pending] = other
            highs[pending] = b
            counts[pending] = wanted - first
            pending += 1
    return modes, budget


@jit()
def continuum_roots(medium, floor, budget, table):
    """Fill in all modes that grow faster than about ``floor`` (MeV).

    Parameters
    ----------
    medium : `medium.Medium`
    floor : float, MeV
        Smallest growth looked for. Above 1e-12 of the coupling 4 g int |n| d^3p: rounding decides below.
    budget : int
        Largest number of evaluations of W.
    table : `ModeTable`, out

    Returns
    -------
    `Outcome`
    """
    work = np.empty((3, 9), dtype=np.complex128)
    if medium.coupling == 0.0:
        return Outcome(Status.CERTIFIED, 0, 0.0)
    if medium.ceiling <= floor or floor >= medium.coupling:
        return Outcome(Status.CERTIFIED, 0, min(medium.ceiling, medium.coupling))
    cell_anchors, bounds = cells(medium)
    size = bounds.shape[0]
    turns = np.empty(size)
    values = np.empty(size, dtype=np.complex128)
    columns = np.zeros(size, dtype=np.int64)
    left = -1
    for factor in FLOORS:
        vouched = factor * floor
        columns[size - 1], left = count_along(
            medium, cell_anchors, bounds, vouched, budget, turns, values, work
        )
        if left >= 0:
            break
    if left >= 0 and columns[size - 1] > 0:
        left = split(medium, cell_anchors, bounds, vouched, left, turns, values, columns, work)
    if left < 0:
        return Outcome(Status.UNDECIDED, 0, np.inf)
    modes = 0
    counted = 0
    # zeros with Re omega of both signs count, so all cells but the first hold an even number
    for i in range(bounds.shape[0]):
        wanted = columns[i] - counted
        counted = columns[i]
        if wanted == 0:
            continue
        anchor = anchor_of(cell_anchors[i])
        mirrored = i == 0
        if not mirrored:
            if wanted < 0 or wanted % 2 != 0:
                return Outcome(Status.UNDECIDED, modes, np.inf)
            wanted //= 2
        low = complex(-bounds[i, 1] if mirrored else bounds[i, 0], vouched)
        high = complex(bounds[i, 1], 2.0 * medium.reach)
        n_new, left = search(
            medium,
            anchor,
            low,
            high,
            wanted,
            mirrored,
            table.offsets[modes:],
            table.multiplicities[modes:],
            left,
            work,
        )
        found = 0
        for j in range(modes, modes + n_new):
            found += table.multiplicities[j] * (2 if mirrored and table.offsets[j].real != 0.0 else 1)
            table.anchors[j] = cell_anchors[i]
            table.rates[j] = table.offsets[j].imag
            table.frequencies[j] = abs(
                anchor.sign * (2.0 * anchor.energy - 4.0 * anchor.shift) + table.offsets[j].real
            )
        modes += n_new
        if found != wanted or left < 0:
            return Outcome(Status.INCOMPLETE, modes, np.inf)
    return Outcome(Status.CERTIFIED, modes, vouched)


@jit()
def follow(medium, anchor, offset, floor, work):
    """Return the mode that Newton's method reaches from a nearby one, and whether it does."""
    none = np.empty(0, dtype=np.complex128)
    return newton(medium, anchor, offset, none, 0, floor, 8.0 * np.sum(medium.content), work)

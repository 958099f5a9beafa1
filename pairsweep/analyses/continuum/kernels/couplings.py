"""The continuum of one occupation at many couplings: modes, how far they still move, what the cutoff does to them."""

from typing import NamedTuple

import numpy as np

from pairsweep.analyses.continuum.kernels.angular import turned_medium
from pairsweep.analyses.continuum.kernels.count import anchor_of
from pairsweep.analyses.continuum.kernels.cutoff import cutoff_shift, turned_cutoff_shift
from pairsweep.analyses.continuum.kernels.medium import Anchor, prepare
from pairsweep.analyses.continuum.kernels.roots import MODES, Status, continuum_roots, follow, mode_table
from pairsweep.kernels.jit import jit

MOST_MODES = 8 * MODES


class Pieces(NamedTuple):
    """Occupation along D directions, E^2 n cubic on each of K pieces; K = 0 stands for none.

    Attributes
    ----------
    solid_angle : (D,), direction : (D, 3)
    edges : (K+1,) MeV
    density : (D, K, 4)
        E^2 n as powers of the distance from a piece's centre.
    """

    solid_angle: np.ndarray
    direction: np.ndarray
    edges: np.ndarray
    density: np.ndarray


class Task(NamedTuple):
    """What is asked: growth tolerance (share of the coupling), vacuum taken out or not, cutoff probed or not."""

    tolerance: float
    subtracted: bool
    cutoff: bool
    budget: int


class Answers(NamedTuple):
    """Results (M,) of M couplings, MeV; the fastest mode's where there is one.

    Attributes
    ----------
    growth, frequency : 0 where there is no mode
    vouched : no other mode grows faster; infinite where nothing is certified
    error : how far the growth moves from the coarser occupation to the finer one
    shift : relative change of the growth with twice the cutoff, NaN where there is no mode or none was asked for
    status : `Status`
    """

    growth: np.ndarray
    frequency: np.ndarray
    vouched: np.ndarray
    error: np.ndarray
    shift: np.ndarray
    status: np.ndarray


def room_for(size):
    """Make room for the answers at ``size`` couplings."""
    return Answers(*(np.full(size, np.nan) for _ in range(5)), np.zeros(size, dtype=np.int64))


@jit()
def nearest_anchor(medium, anchor):
    """Return the anchor of another medium whose group and edge are nearest."""
    edge = np.argmin(np.abs(medium.edges - anchor.energy))
    group = np.argmin(np.abs(medium.shift - anchor.shift))
    if anchor.energy == 0.0 and anchor.shift == 0.0:
        return anchor
    return Anchor(anchor.sign, medium.edges[edge], medium.shift[group])


@jit()
def fastest(table, modes):
    """Return which of the first modes of a table grows fastest; the slower oscillation of equally fast ones."""
    best = 0
    for i in range(1, modes):
        if table.rates[i] > table.rates[best] or (
            table.rates[i] == table.rates[best] and table.frequencies[i] < table.frequencies[best]
        ):
            best = i
    return best


@jit()
def record(medium, task, table, answers, i):
    """Solve one medium and fill in what it says at ``i``; return its fastest mode, -1 where there is none."""
    found = continuum_roots(medium, task.tolerance * medium.coupling, task.budget, table)
    answers.status[i] = found.status
    answers.vouched[i] = found.vouched
    answers.growth[i] = 0.0
    answers.frequency[i] = 0.0
    answers.error[i] = 0.0
    answers.shift[i] = np.nan
    if found.status != Status.CERTIFIED or found.modes == 0:
        return -1
    best = fastest(table, found.modes)
    answers.growth[i] = table.rates[best]
    answers.frequency[i] = table.frequencies[best]
    return best


@jit()
def solve_couplings(fine, coarse, g, task, answers):
    """Fill ``answers`` (M,) for an occupation along discrete directions at couplings ``g`` (M,), MeV^-2.

    ``fine`` and ``coarse`` are the same occupation as `Pieces`, refined and less so; ``coarse`` without pieces where
    ``fine`` is exact.
    """
    table = mode_table(MOST_MODES)
    work = np.empty((3, 9), dtype=np.complex128)
    for i in range(g.size):
        medium = prepare(fine.solid_angle, fine.direction, fine.edges, fine.density, g[i], task.subtracted)
        best = record(medium, task, table, answers, i)
        if best < 0:
            continue
        anchor = anchor_of(table.anchors[best])
        offset = table.offsets[best]
        if coarse.edges.size > 1:
            other = prepare(
                coarse.solid_angle, coarse.direction, coarse.edges, coarse.density, g[i], task.subtracted
            )
            moved, found = follow(other, nearest_anchor(other, anchor), offset, answers.vouched[i], work)
            answers.error[i] = abs(moved.imag - offset.imag) if found else np.inf
        if task.cutoff:
            answers.shift[i] = cutoff_shift(medium, anchor, offset, answers.vouched[i])


@jit()
def solve_turned(fine, coarse, accuracy, g, task, answers):
    """Fill ``answers`` (M,) for an occupation with angles integrated at couplings ``g`` (M,), MeV^-2.

    ``fine`` and ``coarse`` are the same occupation as `Turned`, refined and less so; ``accuracy`` (2,) is how well each
    becomes piecewise cubic.
    """
    table = mode_table(MOST_MODES)
    work = np.empty((3, 9), dtype=np.complex128)
    for i in range(g.size):
        medium = turned_medium(fine, g[i], accuracy[0], task.subtracted)
        best = record(medium, task, table, answers, i)
        if best < 0:
            continue
        offset = table.offsets[best]
        other = turned_medium(coarse, g[i], accuracy[1], task.subtracted)
        anchor = nearest_anchor(other, anchor_of(table.anchors[best]))
        moved, found = follow(other, anchor, offset, answers.vouched[i], work)
        answers.error[i] = abs(moved.imag - offset.imag) if found else np.inf
        if task.cutoff and found:
            answers.shift[i] = turned_cutoff_shift(
                coarse, g[i], accuracy[1], task, anchor, moved, answers.vouched[i]
            )

"""What the cutoff does to a mode: it is followed while empty modes are added up to twice the cutoff.

The mode is followed through intermediate cutoffs, each predicted from the two before and close enough that the
prediction is right to a third of the growth.
"""

from typing import NamedTuple

import numpy as np

from pairsweep.analyses.continuum.kernels.angular import extended, set_empty, turned_medium
from pairsweep.analyses.continuum.kernels.medium import set_cutoff, widened
from pairsweep.analyses.continuum.kernels.roots import enclosure, follow
from pairsweep.kernels.jit import jit

MOST_CUTOFFS = 200
MOST_REFUSED = 12  # steps in a row that a mode is not found after, each a third of the one before
DEAD = 1e-4  # share of its largest growth below which a mode that is followed has died
ENCLOSING = 200  # evaluations around the mode at the end: a dozen do unless another one is near


class Trail(NamedTuple):
    """A mode on its way: how far the cutoff is (0 to 1 is from one to two times), where the mode is, and how it moves.

    Attributes
    ----------
    offset : MeV, from the mode's anchor
    peak : largest growth so far, MeV
    reached, step : of the cutoff
    speed : logarithmic: near a step of the occupation a mode moves exponentially
    refused : steps in a row after which it was not found
    going : whether it is still on its way
    """

    offset: complex
    peak: float
    reached: float
    step: float
    speed: complex
    refused: int
    going: bool


@jit()
def set_out(start, cutoff):
    """Begin at an offset and a cutoff, MeV."""
    return Trail(start, start.imag, 0.0, min(0.05, 1e-2 * start.imag / cutoff), 0.0j, 0, True)


@jit()
def expected(trail):
    """Return where the mode should be after the next step."""
    guess = trail.offset * np.exp(trail.speed * trail.step)
    return complex(guess.real, max(guess.imag, 0.2 * trail.offset.imag))


@jit()
def advanced(trail, guess, moved, found):
    """Return the trail after a step that was expected at ``guess`` and led to ``moved``, if ``found``."""
    error = abs(moved - guess) / trail.offset.imag
    if not (found and error < 1.0 / 3.0):
        lost = trail.refused == MOST_REFUSED or trail.reached + trail.step == trail.reached
        return Trail(
            trail.offset,
            trail.peak,
            trail.reached,
            trail.step / 3.0,
            trail.speed,
            trail.refused + 1,
            not lost,
        )
    peak = max(trail.peak, moved.imag)
    reached = trail.reached + trail.step
    # the error of a prediction grows with the square of the step
    step = trail.step * min(5.0, max(0.5, np.sqrt(0.15 / max(error, 1e-3))))
    going = reached < 1.0 and moved.imag >= DEAD * peak
    return Trail(
        moved, peak, reached, min(step, 1.0 - reached), np.log(moved / trail.offset) / trail.step, 0, going
    )


@jit()
def change(trail, start, floor, confirmed):
    """Relative change of the growth at the end; -1 if the mode died on the way, NaN if it was lost otherwise.

    Dead is what fell below 1e-4 of the fastest it was, or was lost below a hundredth of that or 10 ``floor``.
    """
    if trail.reached >= 1.0:
        return trail.offset.imag / start.imag - 1.0 if confirmed else np.nan
    return -1.0 if trail.offset.imag < max(0.01 * trail.peak, 10.0 * floor) else np.nan


@jit()
def cutoff_shift(medium, anchor, start, floor):
    """Relative `change` of a mode's growth with empty modes up to twice the cutoff, directions discrete."""
    work = np.empty((3, 9), dtype=np.complex128)
    wide = widened(medium)
    cutoff = medium.edges[-1]
    trail = set_out(start, cutoff)
    for _ in range(MOST_CUTOFFS):
        set_cutoff(medium, cutoff * (1.0 + trail.reached + trail.step), wide)
        guess = expected(trail)
        moved, found = follow(wide, anchor, guess, floor, work)
        trail = advanced(trail, guess, moved, found)
        if not trail.going:
            break
    multiplicity, left = enclosure(wide, anchor, trail.offset, ENCLOSING, work)
    return change(trail, start, floor, left >= 0 and multiplicity > 0)


@jit()
def turned_cutoff_shift(turned, g, accuracy, task, anchor, start, floor):
    """Relative `change` of a mode's growth with empty modes up to twice the cutoff, angles integrated."""
    work = np.empty((3, 9), dtype=np.complex128)
    wide = extended(turned)
    cutoff = turned.edges[-1]
    trail = set_out(start, cutoff)
    confirmed = False
    for _ in range(MOST_CUTOFFS):
        set_empty(wide, cutoff, cutoff * (1.0 + trail.reached + trail.step))
        medium = turned_medium(wide, g, accuracy, task.subtracted)
        guess = expected(trail)
        moved, found = follow(medium, anchor, guess, floor, work)
        trail = advanced(trail, guess, moved, found)
        if not trail.going:
            multiplicity, left = enclosure(medium, anchor, trail.offset, ENCLOSING, work)
            confirmed = left >= 0 and multiplicity > 0
            break
    return change(trail, start, floor, confirmed)

"""What is done about a point that is not certified: larger tolerances, dense eigenvalues, or a reason why it fails."""

from __future__ import annotations

import math

import numpy as np

from pairsweep.analyses.base import PointFailure
from pairsweep.analyses.inhomogeneous.dense import Poles, dense_modes, poles_of
from pairsweep.analyses.inhomogeneous.kernels.modes import (
    STATUS_TEXT,
    Points,
    Results,
    Status,
    modes_of_points,
)
from pairsweep.analyses.inhomogeneous.kernels.poles import FOCUS, Momenta
from pairsweep.physics.grid import Floats

# Dense eigenvalues are affordable up to this many poles (about 5 s).
DENSE_POLES = 1024
# With more poles, larger fractions of the coupling are tried before a point fails.
LARGER_TOLERANCES = (1e-5, 1e-4, 1e-3)


def settle(momenta: Momenta, point: Points, out: Results, pairs: int) -> PointFailure | None:
    """Fill the results of one point in some other way; else leave it without any and say why it failed.

    Parameters
    ----------
    momenta : of the pairs of the grid; those of beams stand there several times
    point, out : of length 1, ``out`` as ``modes_of_points`` has left it
    pairs : number of pairs of the grid
    """
    status = Status(int(out.status[0]))
    if status is Status.NOT_FINITE:
        _say_nothing(out)
        return PointFailure(_focus(momenta, pairs, point.k[0]) or STATUS_TEXT[status])
    poles = poles_of(momenta, point, 0)
    if poles[0].size > DENSE_POLES and _more_tolerant(momenta, point, out):
        return None
    return _by_dense_modes(poles, out, status, float(point.fraction[0]))


def _more_tolerant(momenta: Momenta, point: Points, out: Results) -> bool:
    """Try larger tolerances, at which close poles merge; whether one was enough."""
    if out.status[0] == Status.NOT_CERTIFIED and math.isnan(point.fraction[0]):
        for fraction in LARGER_TOLERANCES:
            modes_of_points(momenta, point._replace(fraction=np.array([fraction])), out)
            if out.status[0] == Status.CERTIFIED:
                return True
    return False


def _by_dense_modes(poles: Poles, out: Results, status: Status, fraction: float) -> PointFailure | None:
    """Fill the results of a point by dense eigenvalues if they can vouch for it; else say why it failed."""
    _say_nothing(out)
    location, strength, _, _ = poles
    coupling = np.abs(strength).sum()
    if status is Status.TOLERANCE_TOO_SMALL:
        return PointFailure(
            f"growth_tolerance = {fraction:g}: {STATUS_TEXT[status]}: raise it to "
            f"{1.1 * out.floor[0] / coupling:.1e}, or leave it out"
        )
    if location.size > DENSE_POLES:
        return PointFailure(
            f"{STATUS_TEXT[status]}, and {location.size} poles are too many for dense eigenvalues (at most "
            f"{DENSE_POLES}): change k a little, or raise growth_tolerance"
        )
    # rounding moves the eigenvalues of a matrix of this size by as much, and splits double roots by the root of it
    rounding = 8.0 * np.finfo(float).eps * max(np.abs(location).max(), 2.0 * coupling)
    doubt = math.sqrt(rounding * max(coupling, rounding))
    if not math.isnan(fraction) and doubt > out.floor[0]:
        return PointFailure(
            f"{STATUS_TEXT[status]}, and dense eigenvalues vouch for growth above {doubt:.3g} MeV: leave "
            f"growth_tolerance out, or raise it to {1.1 * doubt / coupling:.1e}"
        )
    # unless a tolerance is asked for, dense eigenvalues vouch with a floor of their own
    out.floor[0] = max(out.floor[0], doubt)
    found = dense_modes(*poles)
    found = found[np.argsort(-found.imag)]
    found = found[found.imag > out.floor[0]]
    out.growth_rate[0] = found[0].imag if found.size else 0.0
    out.frequency[0] = abs(found[0].real) if found.size else 0.0
    out.n_unstable[0] = found.size
    out.modes[0] = 0.0
    kept = min(found.size, out.modes.shape[1])
    out.modes[0, :kept, 0], out.modes[0, :kept, 1] = found[:kept].real, found[:kept].imag
    return None


def _say_nothing(out: Results) -> None:
    out.growth_rate[0] = out.frequency[0] = out.modes[0] = np.nan
    out.n_unstable[0] = 0


def _focus(momenta: Momenta, pairs: int, k: Floats) -> str | None:
    """Which pair has a momentum of which nothing is left at this k, or None."""
    for sign in (1, -1):
        share = 0.5 * (momenta.half_shift + sign)
        left = momenta.energy[:, None] * momenta.p_hat + share[:, None] * k
        lengths = np.linalg.norm(left, axis=1)
        at = int(np.argmin(lengths / momenta.energy))
        if lengths[at] <= FOCUS * momenta.energy[at]:
            it = "half of it" if abs(share[at]) < 1.0 else "it"
            return (
                f"k = {np.linalg.norm(k):g}: {it} is the momentum of pair {at % pairs} (energy "
                f"{momenta.energy[at]:g}), whose partner then has no direction: change k or the grid a little"
            )
    return None

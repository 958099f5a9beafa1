"""Faint poles: pairs whose EPN is so small beside the others that the zeros they bring cannot be told from their pole.

Such a pole is not among the poles of its strip. It counts as an uncertainty of W, of norm at most
sum b_i/abs(omega - p_i) with b_i = sum 2 abs(c) over its pairs, which every sign and every disc of ``proof`` is charged
with: what is proven of zeros away from the faint poles holds with them and without them. The rest is local (Rouche).
With the nearest strong pole P of rank r taken out, let the Taylor series of H = (omega - P)^r det W about a faint pole
obey, on a circle of radius rho,

    abs(h_m) rho^m > sum_{k != m} abs(h_k) rho^k + (all errors, and the change of H by the uncertainty on the circle).

Then H has m zeros inside, whatever the faint poles are, and det W has as many more zeros than poles as without them.
All those zeros are within rho of the real axis, and the strip has sum r_j - sum m zeros outside of these discs: that is
the total which ``proof`` must account for. Nothing is said of the ranks of faint poles, and nothing need be.

Poles of any strength that crowd within a small ``width`` can be merged into one, and what that leaves out is an
uncertainty of the same kind: sum b_j h/(d (d - h)) at the distance d of their middle, h half their width
(``strip.faint_term``).

A circle cannot be drawn where a zero of the strong poles comes too close: the pole is then taken as a strong one.
"""

import numpy as np

from pairsweep.analyses.growth.kernels.dispersion import LOCATION, RESIDUE, ROWS
from pairsweep.analyses.growth.kernels.general.proof import (
    DEGREE,
    LARGEST_GROUP,
    UNKNOWN,
    disc_zeros,
    pole_free_series,
    series_error,
    smallest_disc,
    taylor,
)
from pairsweep.analyses.growth.kernels.general.strip import faint_size, nearest_pole
from pairsweep.analyses.growth.kernels.general.window import WHOLE, look, window_room
from pairsweep.kernels.exact import EPSILON
from pairsweep.kernels.jit import jit
from pairsweep.kernels.sorting import ascending

# A pair is faint whose 2 abs(c) is below this fraction of the tolerance, all of them together a tenth of it.
FAINT = 1e-4
CROWD = 1000.0
WIDENINGS = 32
WIDENING = 4.0
# Zeros this close to a pole, as a fraction of the largest circle, go into a circle about it.
CROWDED = 0.3
# Where nothing else helps poles within this fraction of the tolerance are merged.
CLOUD = 1e-2


@jit()
def find_faint(strength, tolerance, faint):
    """Mark in ``faint`` (N,) pairs of little ``strength`` c (N,) beside the ``tolerance``, MeV; return their number."""
    limit = FAINT * tolerance * min(1.0, CROWD / strength.size)
    found = 0
    for q in range(strength.size):
        faint[q] = 0.0 < 2.0 * abs(strength[q]) <= limit
        if faint[q]:
            found += 1
    return found


@jit()
def circle_about(strip, faint, i, nearest, largest):
    """Return the radius, at most ``largest``, of a circle about the faint pole ``i`` as above, and m; or infinity.

    ``nearest`` is the own strong pole next to it.
    """
    c = faint[0, i]
    series = np.empty((RESIDUE, 3), dtype=np.complex128)
    sizes = np.empty(3)
    h = np.empty(DEGREE + 1, dtype=np.complex128)
    centre = complex(c, 0.0)
    closest = taylor(strip, centre, nearest, series, sizes)
    if closest == 0.0:
        return np.inf, 0
    pole_free_series(strip, centre, nearest, series, h)
    rho = 2.0 * WIDENING * min(faint[1, i], faint[2, i])
    for _ in range(WIDENINGS):
        if not rho <= largest:
            break
        change = strip.faint_far + faint_size(faint, c, 0.0, rho, True)
        error = series_error(strip, centre, nearest, series, sizes, closest, rho, change)
        inside = disc_zeros(h, rho, error)
        if inside != UNKNOWN:
            return rho, inside
        rho *= WIDENING
    return np.inf, 0


@jit()
def enclose_faint(strip, windows, faint, largest, low, high, too_close):
    """Draw circles of radius at most ``largest`` about all faint poles of a strip; return (circles, zeros inside).

    ``low`` and ``high`` (F,) get the ends of the discs on the real axis, disjoint and ascending. Poles without a
    circle are marked in ``too_close`` (F,), and the number of circles is then -1.
    """
    if faint.shape[1] == 0:
        return 0, 0
    room = window_room(strip, windows)
    poles = np.empty((ROWS, room))
    panel = np.int64(WHOLE)
    nearest = np.int64(0)
    view = strip
    circles = 0
    zeros = 0
    complete = True
    for i in range(faint.shape[1]):
        c = faint[0, i]
        if circles > 0 and c <= high[circles - 1]:
            # inside of the last circle, which has allowed for it
            continue
        nearest = nearest_pole(strip, c, nearest)
        view, panel, local = look(strip, windows, nearest, c, 0.0, poles, view, panel)
        rho, inside = circle_about(view, faint, i, local, largest)
        if rho == np.inf or (circles > 0 and c - rho <= high[circles - 1]):
            too_close[i] = True
            complete = False
            continue
        low[circles] = c - rho
        high[circles] = c + rho
        zeros += inside
        circles += 1
    return (circles if complete else -1), zeros


@jit()
def meets_circle(x, y, radius, low, high, circles):
    """Whether a disc about x + i y meets one of the discs about the faint poles."""
    for i in range(circles):
        reach = radius + 0.5 * (high[i] - low[i]) + 4.0 * EPSILON * max(abs(low[i]), abs(high[i]))
        if y <= reach and abs(complex(x - 0.5 * (low[i] + high[i]), y)) <= reach:
            return True
    return False


@jit()
def enclose_crowded(strip, windows, faint, largest, zero_x, zero_y, low, high, circles):
    """Draw circles about own poles that have zeros within a fraction of ``largest``, where inertia resolves nothing.

    There the pole itself is taken out of H, so that the disc counts all zeros about it. Merges their ends with those
    of the ``circles`` in ``low`` and ``high`` (>= own + circles,); returns (circles, zeros in the new ones).
    """
    room = window_room(strip, windows)
    poles = np.empty((ROWS, room))
    panel = np.int64(WHOLE)
    view = strip
    no_polish = np.int64(0)
    location = strip.poles[LOCATION]
    order = ascending(zero_x, strip.zeros)
    old_low = low[:circles].copy()
    old_high = high[:circles].copy()
    made = 0
    old = 0
    zeros = 0
    since = 0
    for j in range(strip.own + 1):
        p = location[j] if j < strip.own else np.inf
        while old < circles and old_low[old] <= p:
            low[made] = old_low[old]
            high[made] = old_high[old]
            old += 1
            made += 1
        if j == strip.own or (made > 0 and p <= high[made - 1]):
            continue
        while since < strip.zeros and zero_x[order[since]] < p - CROWDED * largest:
            since += 1
        members = np.int64(0)
        for i in range(since, strip.zeros):
            k = order[i]
            if zero_x[k] > p + CROWDED * largest:
                break
            if abs(complex(zero_x[k] - p, zero_y[k])) <= CROWDED * largest:
                members += 1
        if members == 0 or members > LARGEST_GROUP:
            continue
        view, panel, local = look(strip, windows, j, p, 0.0, poles, view, panel)
        rho, _ = smallest_disc(view, complex(p, 0.0), local, faint, members, largest, no_polish)
        before = high[made - 1] if made > 0 else -np.inf
        after = old_low[old] if old < circles else np.inf
        if p - rho > before and p + rho < after:
            low[made] = p - rho
            high[made] = p + rho
            made += 1
            zeros += members
    return made, zeros

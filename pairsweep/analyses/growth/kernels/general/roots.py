"""Ehrlich-Aberth iteration for all zeros of the dispersion function in one strip.

A strip with poles p_l (each listed as often as its rank) has as many zeros z_l. Every zero starts near its own pole.
The Newton step of f times its poles, with all other zeros divided out,

    1/step = f'/f + 1/(z_k - p_k) + sum_{l != k} [ 1/(z_k - p_l) - 1/(z_k - z_l) ],

sends each estimate to a zero of its own. Terms of zeros that stay close to their poles fall off like a dipole, so the
sum runs over the WINDOW estimates on each side of the place and over those that wandered far from their pole, as far
as they are felt.
The estimates need no proof: ``proof`` counts the zeros by other means.
"""

import numpy as np

from pairsweep.analyses.growth.kernels.dispersion import LOCATION, RANK, ROWS, SEED, SUMS
from pairsweep.analyses.growth.kernels.general.strip import evaluate, nearest_pole
from pairsweep.analyses.growth.kernels.general.window import WHOLE, look, window_room
from pairsweep.kernels.aberth import gap_beside, step_inside
from pairsweep.kernels.jit import jit

WINDOW = 16
SWEEPS = 60
# an estimate that wandered is felt up to this many times the way it went
FELT = 16.0
TIGHT = 1e-13
LOOSE = 1e-3


@jit()
def start(strip, turn, zero_x, zero_y, host):
    """Place the estimates of all zeros around their poles, rotated by the angle ``turn``.

    ``host`` gets the pole of each. The radius is the residue's eigenvalue (the zero of a lone weak pole), or the room
    between the neighbours where that is less.
    """
    location = strip.poles[LOCATION]
    rank = strip.poles[RANK]
    own = strip.own
    count = 0
    for j in range(own):
        gap = gap_beside(location, own, j)
        for m in range(int(rank[j])):
            size = min(abs(strip.poles[SEED + m, j]), 0.45 * gap) * (1.0 - 0.1 * m)
            angle = turn * (1.0 + 0.2 * m)
            if (j + m) % 2 == 1:
                angle = -angle
            if strip.poles[SEED + m, j] < 0.0:
                size = -size
            zero_x[count] = location[j] + size * np.cos(angle)
            zero_y[count] = size * np.sin(angle)
            host[count] = j
            count += 1


@jit()
def _pull(x, y, px, zx, zy):
    """Return 1/(z - p) - 1/(z - z_l), written as one fraction so that a dipole does not cancel; 0 if it is singular."""
    ax = x - px
    bx = x - zx
    by = y - zy
    # (p - z_l)/((z - p)(z - z_l))
    re = ax * bx - y * by
    im = ax * by + y * bx
    size = re * re + im * im
    if size == 0.0:
        return 0.0, 0.0
    nx = px - zx
    ny = -zy
    return (nx * re + ny * im) / size, (ny * re - nx * im) / size


@jit()
def iterate(strip, windows, window, steady, zero_x, zero_y, host):
    """Move the estimates until steps fall below ``steady`` of the distance to the pole or the nearest other estimate.

    Convergence is cubic for simple zeros, so a thousandth is enough to tell zeros apart. Returns the number of
    estimates still moving after SWEEPS sweeps.
    """
    location = strip.poles[LOCATION]
    zeros = strip.zeros
    centre = strip.centre
    radius = strip.radius
    nearest = host.copy()
    # the estimates of pole j stand before place[j + 1]
    place = np.zeros(strip.own + 1, dtype=np.int64)
    for j in range(strip.own):
        place[j + 1] = place[j] + int(strip.poles[RANK, j])
    room = window_room(strip, windows)
    poles = np.empty((ROWS, room))
    work = np.empty((4, room))
    sums = np.empty(SUMS)
    panel = np.int64(WHOLE)
    view = strip
    active = np.ones(zeros, dtype=np.bool_)
    wandered = np.empty(zeros, dtype=np.int64)
    left = zeros
    for _ in range(SWEEPS):
        strays = 0
        if window < zeros:
            for k in range(zeros):
                before = location[host[max(k - window, 0)]]
                after = location[host[min(k + window, zeros - 1)]]
                p = location[host[k]]
                span = min(p - before if k >= window else np.inf, after - p if k + window < zeros else np.inf)
                if abs(zero_x[k] - p) + abs(zero_y[k]) > 0.5 * span:
                    wandered[strays] = k
                    strays += 1
        left = 0
        for k in range(zeros):
            if not active[k]:
                continue
            x = zero_x[k]
            y = zero_y[k]
            p = location[host[k]]
            nearest[k] = nearest_pole(strip, x, nearest[k])
            view, panel, local = look(strip, windows, nearest[k], x, y, poles, view, panel)
            f, df = evaluate(view, x, y, local, work, sums)
            size = f.real * f.real + f.imag * f.imag
            if not size < np.inf:
                # on a pole
                zero_y[k] = y + 1e-3 * (abs(x - p) + abs(y) + 1e-3 * radius)
                left += 1
                continue
            if size == 0.0:
                active[k] = False
                continue
            gx = (df.real * f.real + df.imag * f.imag) / size
            gy = (df.imag * f.real - df.real * f.imag) / size
            away = (x - p) * (x - p) + y * y
            gx += (x - p) / away
            gy -= y / away
            closest = away
            low = max(0, place[nearest[k]] - window)
            high = min(zeros, place[nearest[k] + 1] + window)
            for m in range(low, high):
                if m != k:
                    closest = min(closest, (x - zero_x[m]) ** 2 + (y - zero_y[m]) ** 2)
                    px, py = _pull(x, y, location[host[m]], zero_x[m], zero_y[m])
                    gx += px
                    gy += py
            for s in range(strays):
                m = wandered[s]
                near = location[host[m]]
                way = (zero_x[m] - near) ** 2 + zero_y[m] ** 2
                if (m < low or m >= high) and (x - near) ** 2 < FELT * FELT * way:
                    px, py = _pull(x, y, near, zero_x[m], zero_y[m])
                    gx += px
                    gy += py
            zero_x[k], zero_y[k], length = step_inside(x, y, gx, gy, centre, radius)
            if length <= steady * np.sqrt(closest) + 4e-16 * abs(x):
                active[k] = False
            else:
                left += 1
        if left == 0:
            break
    return left

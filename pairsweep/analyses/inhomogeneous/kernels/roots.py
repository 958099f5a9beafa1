"""Ehrlich-Aberth iteration for all zeros of det W in one strip.

A strip with poles p_l (each listed as often as its rank) has as many zeros z_l. The Newton step of det W times its
poles, with all other zeros divided out,

    1/step = (log det B)' + sum_{l not in B} 1/(z_k - p_l) - sum_{l != k} 1/(z_k - z_l),

sends each estimate to a zero of its own; B is bordered by the nearest pole and what is close to it (``view``).
A strip of few poles starts from the eigenvalues of the matrix that the far field, held at its value in the middle,
leaves: P + S U^dagger W_far^-1 U. The estimates need no proof: ``proof`` counts the zeros by other means.
"""

import numpy as np

from pairsweep.analyses.inhomogeneous.kernels.frozen import FEW
from pairsweep.analyses.inhomogeneous.kernels.view import evaluate, nearest_pole
from pairsweep.kernels.aberth import gap_beside, step_inside
from pairsweep.kernels.jit import jit

SWEEPS = 60
LOOSE = 1e-3
TIGHT = 1e-12
# MeV^2: a distance that weighs nothing, and one that keeps coinciding points apart
NOWHERE = 1e300
TINY = 1e-300
VECTORISED = {"reassoc", "contract", "nnan", "nsz"}


@jit()
def start(view, turn, zero_x, zero_y, host):
    """Place the estimates around their poles, at the distance of a lone weak pole's zero, rotated by ``turn``."""
    location = view.location
    for j in range(view.own):
        gap = gap_beside(location, view.own, j)
        for m in range(view.first[j], view.first[j + 1]):
            shift = 0.0
            for a in range(4):
                u = view.columns[m, a]
                shift += (u.real * u.real + u.imag * u.imag) / view.constant[a, a]
            shift *= view.signs[m] * view.bound[j]
            rank = m - view.first[j]
            size = max(min(abs(shift), 0.45 * gap), 0.01 * min(view.bound[j], gap)) * (1.0 - 0.1 * rank)
            angle = turn * (1.0 + 0.2 * rank)
            if (j + rank) % 2 == 1:
                angle = -angle
            zero_x[m] = location[j] + (size if shift > 0.0 else -size) * np.cos(angle)
            zero_y[m] = size * np.sin(angle)
            host[m] = j


@jit()
def start_few(view, response, zero_x, zero_y, host):
    """Place the estimates of at most FEW zeros on the eigenvalues with the far field frozen (``frozen_response``)."""
    zeros = view.zeros
    matrix = np.empty((FEW, FEW), dtype=np.complex128)
    j = 0
    for m in range(zeros):
        while m >= view.first[j + 1]:
            j += 1
        host[m] = j
        for n in range(zeros):
            matrix[m, n] = view.signs[m] * response[m, n] / view.radius
        matrix[m, m] += (view.location[j] - view.centre) / view.radius
    coefficients = np.empty(FEW + 1)
    characteristic_polynomial(matrix, zeros, coefficients)
    polynomial_roots(coefficients, zeros, zero_x, zero_y)
    for m in range(zeros):
        zero_x[m] = view.centre + view.radius * zero_x[m]
        zero_y[m] *= view.radius


@jit()
def characteristic_polynomial(matrix, size, coefficients):
    """Coefficients c_k of det(z - M) = sum_k c_k z^k by Faddeev and LeVerrier; those of a real polynomial."""
    power = np.zeros((FEW, FEW), dtype=np.complex128)
    product = np.empty((FEW, FEW), dtype=np.complex128)
    coefficients[size] = 1.0
    for k in range(1, size + 1):
        for i in range(size):
            power[i, i] += coefficients[size - k + 1]
        trace = complex(0.0, 0.0)
        for i in range(size):
            for j in range(size):
                total = complex(0.0, 0.0)
                for m in range(size):
                    total += matrix[i, m] * power[m, j]
                product[i, j] = total
            trace += product[i, i]
        coefficients[size - k] = -trace.real / k
        for i in range(size):
            for j in range(size):
                power[i, j] = product[i, j]


@jit()
def polynomial_roots(coefficients, degree, x, y):
    """All roots of a real polynomial whose roots lie in the unit disc, by Ehrlich-Aberth from points around it."""
    for k in range(degree):
        angle = 2.0 * np.pi * (k + 0.3) / degree
        x[k] = 0.5 * np.cos(angle)
        y[k] = 0.5 * np.sin(angle)
    for _ in range(SWEEPS):
        moved = 0.0
        for k in range(degree):
            z = complex(x[k], y[k])
            value = complex(1.0, 0.0)
            slope = complex(0.0, 0.0)
            for m in range(degree - 1, -1, -1):
                slope = slope * z + value
                value = value * z + coefficients[m]
            size = slope.real * slope.real + slope.imag * slope.imag
            if not size > 0.0:
                continue
            # Newton's step q = p/p', then q/(1 - q sum 1/(z - z_m))
            q = value * slope.conjugate() / size
            pull = complex(0.0, 0.0)
            for m in range(degree):
                if m != k:
                    dx = z.real - x[m]
                    dy = z.imag - y[m]
                    apart = dx * dx + dy * dy
                    if apart > 0.0:
                        pull += complex(dx / apart, -dy / apart)
            below = 1.0 - q * pull
            size = below.real * below.real + below.imag * below.imag
            if not size > 0.0:
                continue
            step = q * below.conjugate() / size
            x[k] -= step.real
            y[k] -= step.imag
            moved = max(moved, abs(step))
        if moved < 1e-9:
            break


@jit(fastmath=VECTORISED)
def pull(x, y, at_x, at_y, weight, count):
    """Sum weight_m/(z - z_m) over ``count`` points z_m, and the least |z - z_m|^2 of those with weight."""
    re = 0.0
    im = 0.0
    closest = NOWHERE
    for m in range(count):
        dx = x - at_x[m]
        dy = y - at_y[m]
        # points without weight are put out of sight rather than skipped: a branch would not be vectorised
        size = dx * dx + dy * dy + (NOWHERE if weight[m] == 0.0 else TINY)
        re += weight[m] * dx / size
        im -= weight[m] * dy / size
        closest = min(closest, size)
    return re, im, closest


@jit()
def iterate(view, steady, zero_x, zero_y, host, work):
    """Move the estimates until steps fall below ``steady`` of the distance to the nearest pole or other estimate.

    Convergence is cubic for simple zeros, so a thousandth is enough to tell zeros apart. Returns the number of
    estimates still moving after SWEEPS sweeps.
    """
    location = view.location
    zeros = view.zeros
    nearest = host.copy()
    active = np.ones(zeros, dtype=np.bool_)
    others = np.ones(zeros)
    on_axis = np.zeros(view.own)
    ranks = np.empty(view.own)
    for j in range(view.own):
        ranks[j] = view.first[j + 1] - view.first[j]
    left = zeros
    for _ in range(SWEEPS):
        left = 0
        for k in range(zeros):
            if not active[k]:
                continue
            x = zero_x[k]
            y = zero_y[k]
            here = nearest_pole(view, x, nearest[k])
            nearest[k] = here
            value, slope = evaluate(view, x, y, here, work)
            if value == 0.0:
                # on a zero, or not a number, which the count will show
                active[k] = False
                continue
            low = view.together[here, 0]
            high = view.together[here, 1]
            for j in range(low, high):
                ranks[j] = 0.0
            pole_re, pole_im, _ = pull(x, y, location, on_axis, ranks, view.own)
            for j in range(low, high):
                ranks[j] = view.first[j + 1] - view.first[j]
            others[k] = 0.0
            zero_re, zero_im, closest = pull(x, y, zero_x, zero_y, others, zeros)
            others[k] = 1.0
            gx = slope.real + pole_re - zero_re
            gy = slope.imag + pole_im - zero_im
            closest = min(closest, (x - location[here]) ** 2 + y * y)
            zero_x[k], zero_y[k], length = step_inside(x, y, gx, gy, view.centre, view.radius)
            if length <= steady * np.sqrt(closest):
                active[k] = False
            else:
                left += 1
        if left == 0:
            break
    return left

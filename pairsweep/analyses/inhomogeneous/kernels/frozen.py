"""A strip with the far field frozen at its middle: start of the search, or a proof that there is nothing to find.

The zeros of a strip are those of T(omega) = S (omega - P) - K(omega), K = U^dagger W_far(omega)^-1 U with U the columns
sqrt|c_j| v_j and S their signs; K hardly changes over the strip: |K'| <= kappa = 4 B D, B = sum b_j, D the sum of
b_j/|omega - P_j|^2 over the poles of other strips.

A small K proves that no zero is far from the real axis (derived here): T(omega) u = 0 with |u| = 1 is
(omega - P) u = S K u, so some pole is within |K(omega)| of omega, and poles are real. The intraband poles of one
direction are such, since their v are nearly one null vector.

A definite T proves that all zeros are real (derived here). Let T(mu) be positive definite at some real mu, h its
smallest eigenvalue, and T(omega) u = 0 with |u| = 1, omega = x + i y, y != 0. The imaginary part of u^dagger T u = 0
gives |u^dagger S u| <= kappa; then the real part gives h <= 2 kappa |omega - mu|, at most 4 kappa times the radius of
the strip. So for h beyond that there is no such omega; likewise for -T. Physically: all poles of one sign of the EPN
lie on one side of the others, so far that coupling cannot bring them into tune.
"""

import numpy as np

from pairsweep.analyses.inhomogeneous.kernels.view import WIDEST, invert, unpack
from pairsweep.kernels.jit import jit

# Strips up to this many zeros are looked at in this way.
FEW = 8
# Where T is tried between the poles of either sign, as shares of the gap.
TRIALS = (0.5, 0.25, 0.75)
# far beyond the roundings of K, in terms of what it is made of
ROUNDED = 1e-12


@jit()
def invert_far_field(view, work):
    """Fill the first (4, 4) of the last array of ``work`` with W_far^-1 at the centre of a strip."""
    sums, far, inverse = work
    flat = sums.reshape(-1)
    for e in range(2 * WIDEST):
        re = 0.0
        if view.order > 0:
            re = view.table[view.size, e // WIDEST, e % WIDEST]
        for j in range(view.own, view.size):
            re += view.table[j, e // WIDEST, e % WIDEST] / (view.centre - view.location[j])
        flat[e] = re
        flat[e + 2 * WIDEST] = 0.0
    for a in range(4):
        for b in range(4):
            far[a, b] = view.constant[a, b]
    unpack(sums, 0, -1.0, far)
    invert(far, 4, inverse)


@jit()
def frozen_response(view, response, work):
    """Fill ``response`` (FEW, FEW) with K at the centre of a strip of at most FEW zeros, MeV."""
    invert_far_field(view, work)
    inverse = work[2]
    image = np.empty(4, dtype=np.complex128)
    j = 0
    for n in range(view.zeros):
        while n >= view.first[j + 1]:
            j += 1
        for a in range(4):
            total = complex(0.0, 0.0)
            for b in range(4):
                total += inverse[a, b] * view.columns[n, b]
            image[a] = total
        i = 0
        for m in range(n + 1):
            while m >= view.first[i + 1]:
                i += 1
            total = complex(0.0, 0.0)
            for a in range(4):
                total += view.columns[m, a].conjugate() * image[a]
            total *= np.sqrt(view.bound[i] * view.bound[j])
            response[m, n] = total
            response[n, m] = total.conjugate()


@jit()
def change_of_response(view):
    """B, and kappa; infinite where a pole of another strip is no farther than zeros can be."""
    total = 0.0
    for j in range(view.own):
        total += view.bound[j]
    slope = 0.0
    if view.clear < np.inf:
        slope = view.far_size / (view.clear - view.radius)
    for j in range(view.own, view.size):
        room = abs(view.location[j] - view.centre) - view.radius
        if not room > 0.0:
            return total, np.inf
        slope += view.bound[j] / (room * room)
    return total, 4.0 * total * slope


@jit()
def confined(view, tolerance, work):
    """Whether a small K proves that no zero is farther than ``tolerance`` from the real axis."""
    total, kappa = change_of_response(view)
    if not kappa * view.radius < tolerance:
        return False
    invert_far_field(view, work)
    inverse = work[2]
    # |K|^2 <= trace(K^dagger K) = trace(X^dagger G X G) with X = W_far^-1 and G = U U^dagger
    gram = np.zeros((4, 4), dtype=np.complex128)
    for m in range(view.zeros):
        bound = view.bound[view.host[m]]
        for a in range(4):
            for b in range(4):
                gram[a, b] += bound * view.columns[m, a] * view.columns[m, b].conjugate()
    square = 0.0
    for a in range(4):
        for b in range(4):
            left = complex(0.0, 0.0)
            right = complex(0.0, 0.0)
            for c in range(4):
                left += gram[a, c] * inverse[c, b]
                right += gram[b, c] * inverse[c, a]
            square += (left * right).real
    # the trace cancels where K is small
    square = max(square, 0.0) + ROUNDED * total * total
    return np.sqrt(square) + kappa * view.radius < tolerance


@jit()
def definite(view, response):
    """Whether a definite T proves that all zeros of the strip are real."""
    total, kappa = change_of_response(view)
    if not kappa < np.inf:
        return False
    # T at mu from K at the centre, and rounding
    margin = 5.0 * kappa * view.radius + ROUNDED * (view.radius + total)
    low_plus = np.inf
    high_plus = -np.inf
    low_minus = np.inf
    high_minus = -np.inf
    j = 0
    for m in range(view.zeros):
        while m >= view.first[j + 1]:
            j += 1
        # where this one would sit by itself
        at = view.location[j] + view.signs[m] * response[m, m].real
        if view.signs[m] > 0.0:
            low_plus = min(low_plus, at)
            high_plus = max(high_plus, at)
        else:
            low_minus = min(low_minus, at)
            high_minus = max(high_minus, at)
    if high_plus < low_minus:
        sign, low, high = 1.0, high_plus, low_minus
    elif high_minus < low_plus:
        sign, low, high = -1.0, high_minus, low_plus
    else:
        return False
    matrix = np.empty((FEW, FEW), dtype=np.complex128)
    for share in TRIALS:
        mu = low + share * (high - low)
        j = 0
        for m in range(view.zeros):
            while m >= view.first[j + 1]:
                j += 1
            for n in range(view.zeros):
                matrix[m, n] = -sign * response[m, n]
            matrix[m, m] += sign * view.signs[m] * (mu - view.location[j]) - margin
        if positive(matrix, view.zeros):
            return True
    return False


@jit()
def positive(matrix, size):
    """Whether a Hermitian matrix, used up, is positive definite (Cholesky)."""
    for k in range(size):
        pivot = matrix[k, k].real
        if not pivot > 0.0:
            return False
        for i in range(k + 1, size):
            factor = matrix[i, k] / pivot
            for j in range(k + 1, size):
                matrix[i, j] -= factor * matrix[k, j]
    return True

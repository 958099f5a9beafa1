"""The dispersion function with the energy integral done exactly, for occupations piecewise linear in energy.

With omega = i lambda (growth = Im omega) and s = g q_hat.J0 of a direction, Omega = 2 E - 4 s, the 3 x 3 function
of the linearised pairing equation is W(omega) = 1 - D(omega),

    D = g sum_d dOmega_d { (1 - q q^T) [K(z+) + K(z-)] - i [q]x [K(z+) - K(z-)] },   z+- = +-omega/2 + 2 s,
    K(z) = int E^2 n(E) / (z - E) dE,

and its zeros det W = 0 with Im omega > 0 are the unstable modes of the continuum in energy. On a piece
[c - h, c + h] with n = m + b t, t = E - c, K is m I0 + b I1, both elementary in zeta = z - c:

    q0 = int dt/(zeta - t) = ln[(zeta + h)/(zeta - h)],   q_{k+1} = zeta q_k - int t^k dt,
    I0 = c^2 q0 + 2 c q1 + q2,   I1 = c^2 q1 + 2 c q2 + q3.

The imaginary part of the ratio (zeta + h) conj(zeta - h) is -2 h Im zeta exactly, so the principal logarithm is the
right branch in each half-plane; it comes from one atan2, which keeps tiny imaginary parts next to the real axis. Far
from a piece the recurrence would cancel, so there q_k come from their series in (h/zeta)^2.

Directions with the same s share their logarithms: they are summed into one *group* of nine real densities (six of
1 - q q^T, three of q) before anything is evaluated.

A frequency is never one number: it is an offset from an `Anchor`, one of the points sign (2 E - 4 s) of an edge and a
group, so that a root exponentially close to a logarithmic singularity keeps all its digits.
"""

from typing import NamedTuple

import numpy as np

from pairsweep.kernels.exact import EPSILON
from pairsweep.kernels.jit import jit
from pairsweep.kernels.sorting import ascending

SERIES_REACH = 4.0  # half-widths beyond which a piece is seen through its series
SERIES_TERMS = 14  # (1/4)^(2 * 14) is below rounding
SERIES_TERMS_FAR = 4  # and so is (1/100)^(2 * 4)


class Medium(NamedTuple):
    """An occupation prepared for evaluation: K pieces, G groups of directions, g folded in (1/MeV^2 of n E^2).

    Attributes
    ----------
    edges : (K+1,) MeV, ascending
    shift : (G,) MeV, s = g q_hat.J0, ascending
    level, slope : (G, K, 9)
        g sum_d dOmega_d n at a piece's centre and its slope in E, times the xx, yy, zz, xy, xz, yz components of
        1 - q q^T and the x, y, z components of q.
    size : (G, K)
        2 g sum_d dOmega_d max|n|, the scale of rounding errors.
    jumps : (G, K+1, 4)
        2 g sum_d dOmega_d |jump of the m-th derivative of E^2 n|, m = 0..3 (zero occupation outside the edges).
    total : (G, 2)
        2 g sum_d dOmega_d of int E^2 |n| and of sum |third derivative of E^2 n| times the piece's width.
    peak : float
        2 g sum_d dOmega_d max(E^2 |n|).
    """

    edges: np.ndarray
    shift: np.ndarray
    level: np.ndarray
    slope: np.ndarray
    size: np.ndarray
    jumps: np.ndarray
    total: np.ndarray
    peak: float


class Anchor(NamedTuple):
    """The point sign (2 energy - 4 shift), MeV, that an offset counts from; ``sign`` is 1 or -1."""

    sign: int
    energy: float
    shift: float


@jit()
def piece_moment(low, high, left, right):
    """Return int E^2 n dE over [low, high] for n linear from ``left`` to ``right``."""
    centre = 0.5 * (low + high)
    half = 0.5 * (high - low)
    return half * (
        (left + right) * (centre * centre + half * half / 3.0) + (right - left) * 2.0 * centre * half / 3.0
    )


@jit()
def direction_shifts(solid_angle, q_hat, edges, n, g, out):
    """Fill ``out`` (D,) with s = g q_hat.J0, MeV, J0 = sum_d dOmega q_hat int E^2 (n + 1) dE; return its rounding."""
    J0 = np.zeros(3)
    scale = 0.0
    for d in range(solid_angle.size):
        content = 0.0
        for k in range(edges.size - 1):
            content += piece_moment(edges[k], edges[k + 1], n[d, k, 0] + 1.0, n[d, k, 1] + 1.0)
        scale += solid_angle[d] * abs(content)
        for i in range(3):
            J0[i] += solid_angle[d] * q_hat[d, i] * content
    for d in range(solid_angle.size):
        out[d] = g * (q_hat[d, 0] * J0[0] + q_hat[d, 1] * J0[1] + q_hat[d, 2] * J0[2])
    return 16.0 * EPSILON * g * scale


@jit()
def _derivatives(energy, value, slope, out):
    """Fill ``out`` (4,) with E^2 n and its three derivatives where n = ``value`` and dn/dE = ``slope``."""
    out[0] = energy * energy * value
    out[1] = 2.0 * energy * value + energy * energy * slope
    out[2] = 2.0 * value + 4.0 * energy * slope
    out[3] = 6.0 * slope


@jit()
def prepare(solid_angle, q_hat, edges, n, g):
    """Return the `Medium` of an occupation.

    Parameters
    ----------
    solid_angle : (D,), q_hat : (D, 3)
        Weight and unit vector of each direction.
    edges : (K+1,) MeV, strictly ascending from >= 0
    n : (D, K, 2)
        EPN at the left and right end of every piece, linear in between.
    g : MeV^-2
    """
    directions = solid_angle.size
    pieces = edges.size - 1
    s = np.empty(directions)
    tolerance = direction_shifts(solid_angle, q_hat, edges, n, g, s)
    order = ascending(s, directions)
    group = np.empty(directions, dtype=np.int64)
    shift = np.empty(directions)
    groups = 0
    for i in range(directions):
        d = order[i]
        if i == 0 or s[d] - shift[groups - 1] > tolerance:
            shift[groups] = s[d]
            groups += 1
        group[d] = groups - 1
    level = np.zeros((groups, pieces, 9))
    slope = np.zeros((groups, pieces, 9))
    size = np.zeros((groups, pieces))
    jumps = np.zeros((groups, pieces + 1, 4))
    total = np.zeros((groups, 2))
    part = np.empty(9)
    left = np.empty(4)
    right = np.empty(4)
    peak = 0.0
    for d in range(directions):
        h = group[d]
        for i in range(3):
            part[i] = 1.0 - q_hat[d, i] * q_hat[d, i]
            part[6 + i] = q_hat[d, i]
        part[3] = -q_hat[d, 0] * q_hat[d, 1]
        part[4] = -q_hat[d, 0] * q_hat[d, 2]
        part[5] = -q_hat[d, 1] * q_hat[d, 2]
        weight = 2.0 * g * solid_angle[d]
        largest = 0.0
        right[:] = 0.0
        for k in range(pieces):
            low = edges[k]
            high = edges[k + 1]
            rise = (n[d, k, 1] - n[d, k, 0]) / (high - low)
            for i in range(9):
                level[h, k, i] += g * solid_angle[d] * part[i] * 0.5 * (n[d, k, 0] + n[d, k, 1])
                slope[h, k, i] += g * solid_angle[d] * part[i] * rise
            bigger = max(abs(n[d, k, 0]), abs(n[d, k, 1]))
            largest = max(largest, high * high * bigger)
            size[h, k] += weight * bigger
            total[h, 0] += weight * piece_moment(low, high, abs(n[d, k, 0]), abs(n[d, k, 1]))
            total[h, 1] += weight * 6.0 * abs(rise) * (high - low)
            _derivatives(low, n[d, k, 0], rise, left)
            for m in range(4):
                jumps[h, k, m] += weight * abs(left[m] - right[m])
            _derivatives(high, n[d, k, 1], rise, right)
        for m in range(4):
            jumps[h, pieces, m] += weight * abs(right[m])
        peak += weight * largest
    return Medium(edges, shift[:groups].copy(), level, slope, size, jumps, total, peak)


@jit()
def _inverse(z):
    """1/z without numba's exception on zero."""
    square = z.real * z.real + z.imag * z.imag
    return z.conjugate() / max(square, 1e-300)


@jit()
def piece_integrals(to_low, to_high, centre, half):
    """Return I0, I1, dI0/dz, dI1/dz, |q0| of one piece for z - low, z - high (see the module)."""
    zeta = 0.5 * (to_low + to_high)
    distance = zeta.real * zeta.real + zeta.imag * zeta.imag
    if distance > (SERIES_REACH * half) ** 2:
        x = half * _inverse(zeta)
        x2 = x * x
        # as many terms as reach rounding: |x2| < 1/16, or < 1e-4 for the many that are far away
        terms = SERIES_TERMS if distance < (100.0 * half) ** 2 else SERIES_TERMS_FAR
        tail = 0.0j  # sum over j >= 1 of x2^(j-1)/(2 j + 3)
        for j in range(terms, 0, -1):
            tail = tail * x2 + 1.0 / (2 * j + 3)
        bulk = 1.0 / 3.0 + x2 * tail
        q0 = 2.0 * x * (1.0 + x2 * bulk)
        q1 = 2.0 * half * x2 * bulk
        q2 = 2.0 * half * half * x * bulk
        q3 = 2.0 * half**3 * x2 * tail
    else:
        low2 = to_low.real * to_low.real + to_low.imag * to_low.imag
        high2 = to_high.real * to_high.real + to_high.imag * to_high.imag
        across = to_low.real * to_high.real + to_low.imag * to_high.imag
        q0 = complex(
            0.5 * (np.log(max(low2, 1e-300)) - np.log(max(high2, 1e-300))),
            np.arctan2(-2.0 * half * zeta.imag, across),
        )
        q1 = zeta * q0 - 2.0 * half
        q2 = zeta * q1
        q3 = zeta * q2 - 2.0 * half**3 / 3.0
    dq0 = -2.0 * half * _inverse(to_low) * _inverse(to_high)
    dq1 = q0 + zeta * dq0
    dq2 = q1 + zeta * dq1
    dq3 = q2 + zeta * dq2
    c2 = centre * centre
    return (
        c2 * q0 + 2.0 * centre * q1 + q2,
        c2 * q1 + 2.0 * centre * q2 + q3,
        c2 * dq0 + 2.0 * centre * dq1 + dq2,
        c2 * dq1 + 2.0 * centre * dq2 + dq3,
        abs(q0),
    )


@jit()
def _to_edge(anchor, half_offset, branch, shift, energy):
    """z+ - E (``branch`` 1) or z- - E (``branch`` -1), the nearly equal energies subtracted first."""
    if branch == anchor.sign:
        real = (anchor.energy - energy) + (2.0 * (shift - anchor.shift) + branch * half_offset.real)
    else:
        real = 2.0 * (shift + anchor.shift) + branch * half_offset.real - (anchor.energy + energy)
    return complex(real, branch * half_offset.imag)


@jit()
def dispersion(medium, anchor, offset, W, dW):
    """Fill ``W`` and ``dW`` (3, 3) with 1 - D and its derivative in omega; return the scale of D's rounding error.

    omega is ``offset`` (MeV, Im > 0) from the anchor.
    """
    edges = medium.edges
    pieces = edges.size - 1
    scale = 0.0
    total = np.zeros((2, 9), dtype=np.complex128)
    part = np.empty((4, 9))  # real and imaginary part, value and derivative: plain loops over reals
    for branch in (1, -1):
        part[:] = 0.0
        for h in range(medium.shift.size):
            high = _to_edge(anchor, 0.5 * offset, branch, medium.shift[h], edges[0])
            for k in range(pieces):
                low = high
                high = _to_edge(anchor, 0.5 * offset, branch, medium.shift[h], edges[k + 1])
                if medium.size[h, k] == 0.0:
                    continue
                half = 0.5 * (edges[k + 1] - edges[k])
                i0, i1, d0, d1, logarithm = piece_integrals(low, high, 0.5 * (edges[k] + edges[k + 1]), half)
                scale += medium.size[h, k] * edges[k + 1] * (edges[k + 1] * logarithm + 8.0 * half)
                level = medium.level[h, k]
                slope = medium.slope[h, k]
                for i in range(9):
                    part[0, i] += level[i] * i0.real + slope[i] * i1.real
                    part[1, i] += level[i] * i0.imag + slope[i] * i1.imag
                    part[2, i] += level[i] * d0.real + slope[i] * d1.real
                    part[3, i] += level[i] * d0.imag + slope[i] * d1.imag
        for i in range(9):
            parity = branch if i > 5 else 1
            total[0, i] += parity * complex(part[0, i], part[1, i])
            total[1, i] += 0.5 * branch * parity * complex(part[2, i], part[3, i])
    _assemble(total[0], 1.0, W)
    _assemble(total[1], 0.0, dW)
    return scale


@jit()
def _assemble(part, unit, out):
    """Fill ``out`` with unit * 1 - (symmetric part - i [a]x) from its nine components."""
    ix = 1j * part[6]
    iy = 1j * part[7]
    iz = 1j * part[8]
    out[0, 0] = unit - part[0]
    out[1, 1] = unit - part[1]
    out[2, 2] = unit - part[2]
    out[0, 1] = -part[3] - iz
    out[1, 0] = -part[3] + iz
    out[0, 2] = -part[4] + iy
    out[2, 0] = -part[4] - iy
    out[1, 2] = -part[5] - ix
    out[2, 1] = -part[5] + ix
    return 0


@jit()
def adjugate(W, out):
    """Fill ``out`` (3, 3) with the adjugate of ``W``; return det W."""
    for i in range(3):
        a = (i + 1) % 3
        b = (i + 2) % 3
        for j in range(3):
            c = (j + 1) % 3
            d = (j + 2) % 3
            out[j, i] = W[a, c] * W[b, d] - W[a, d] * W[b, c]
    return W[0, 0] * out[0, 0] + W[0, 1] * out[1, 0] + W[0, 2] * out[2, 0]


@jit()
def determinant(medium, anchor, offset, work):
    """Return f = det W, df/domega and the rounding scale of D; fill ``work`` (3, 3, 3) with W, dW, adjugate of W."""
    scale = dispersion(medium, anchor, offset, work[0], work[1])
    f = adjugate(work[0], work[2])
    slope = 0.0j
    for i in range(3):
        for j in range(3):
            slope += work[2, i, j] * work[1, j, i]
    return f, slope, scale


@jit()
def curvature_bound(medium, anchor, offset, reach, floor):
    """Bound ||d^2 D/domega^2|| wherever |omega - omega(offset)| <= ``reach`` and Im omega >= ``floor`` > 0.

    The eigenvectors of one direction's part of D do not depend on omega, so ||D''|| <= 2 g sum dOmega (|K''(z+)| +
    |K''(z-)|)/4. Integrating by parts, with F = E^2 n and jumps [.] at every edge,

        K''(z) = sum_e { -[F]/(z - E)^2 + [F']/(z - E) + ([F''] + [F'''](z - E)) ln((z - E)/L) }
                 - sum_pieces F''' width,

    (any length L: the coefficients of the logarithms add up to 0), and far away |K''| <= 2 int |F| / distance^3.
    """
    edges = medium.edges
    last = edges.size - 1
    length = edges[last]
    radius = 0.5 * reach
    total = 0.0
    for h in range(medium.shift.size):
        for branch in (1, -1):
            near = medium.total[h, 1]
            for e in range(last + 1):
                jump = medium.jumps[h, e]
                if jump[0] == 0.0 and jump[1] == 0.0 and jump[2] == 0.0 and jump[3] == 0.0:
                    continue
                to_edge = _to_edge(anchor, 0.5 * offset, branch, medium.shift[h], edges[e])
                distance = abs(to_edge)
                closest = max(distance - radius, 0.5 * floor)
                farthest = distance + radius
                logarithm = max(abs(np.log(closest / length)), abs(np.log(farthest / length))) + np.pi
                near += jump[0] / (closest * closest) + jump[1] / closest
                near += (jump[2] + jump[3] * farthest) * logarithm
            middle = _to_edge(anchor, 0.5 * offset, branch, medium.shift[h], 0.5 * length)
            beyond = np.hypot(max(abs(middle.real) - 0.5 * length, 0.0), middle.imag) - radius
            if beyond > 0.0:
                near = min(near, 2.0 * medium.total[h, 0] / beyond**3)
            total += 0.25 * near
    return total

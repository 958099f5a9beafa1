"""The dispersion function with the energy integral done exactly, for pole densities piecewise cubic in energy.

With omega = i lambda (growth = Im omega) and s = g q_hat.J0 of a direction, Omega = 2 E - 4 s, the 3 x 3 function
of the linearised pairing equation is W(omega) = B - D(omega),

    D = g sum_d dOmega_d { (1 - q q^T) [K(z+) + K(z-)] - i [q]x [K(z+) - K(z-)] },   z+- = +-omega/2 + 2 s,
    K(z) = int F(E) / (z - E) dE,   F = E^2 n(E),

and its zeros det W = 0 with Im omega > 0 are the unstable modes of the continuum in energy. B = 1, or with the vacuum's
cutoff constant taken out B = 1 + 2 g Delta, Delta = sum_d dOmega_d (1 - q q^T) int E dE over all modes, filled or not.

F is cubic on every piece, exactly so where n is linear in E. On a piece [c - h, c + h] with F = sum_m f_m t^m and
t = E - c, K = sum_m f_m q_m is elementary in zeta = z - c:

    q_0 = int dt/(zeta - t) = ln[(zeta + h)/(zeta - h)],   q_{k+1} = zeta q_k - int t^k dt.

The imaginary part of the ratio (zeta + h) conj(zeta - h) is -2 h Im zeta exactly, so the principal logarithm is the
right branch in each half-plane; it comes from one atan2, which keeps tiny imaginary parts next to the real axis. Far
from a piece the recurrence would cancel, so there q_k come from their series in (h/zeta)^2.

Directions with the same s share their logarithms: they are summed into one *group* of nine real densities (the
symmetric 1 - q q^T and the vector q, in the order of `kernels.matrix3`) before anything is evaluated.

A frequency is never one number: it is an offset from an `Anchor`, one of the points sign (2 E - 4 s) of an edge and a
group, so that a root exponentially close to a logarithmic singularity keeps all its digits.
"""

from typing import NamedTuple

import numpy as np

from pairsweep.kernels.exact import EPSILON
from pairsweep.kernels.jit import jit
from pairsweep.kernels.matrix3 import adjugate, hermitian_eigenvalues
from pairsweep.kernels.sorting import ascending

SERIES_REACH = 4.0  # half-widths beyond which a piece is seen through its series
SERIES_TERMS = 14  # (1/4)^(2 * 14) is below rounding
SERIES_TERMS_FAR = 4  # and so is (1/100)^(2 * 4)
JUMP = 1e-12  # smallest jump of F, as a share of the largest F, that is an anchor of its own


NEAR = 3.0  # half-widths from a piece up to which it is integrated by parts
ROUNDED = 16.0 * EPSILON  # a jump up to here, as a share of what it is the difference of, is rounding


class Medium(NamedTuple):
    """An occupation prepared for evaluation: K pieces, G groups of directions, g folded in (dimensionless n).

    The norm of nine numbers is that of the Hermitian 3 x 3 matrix that they stand for.

    Attributes
    ----------
    edges : (K+1,) MeV, ascending
    shift : (G,) MeV, s = g q_hat.J0, ascending
    density : (G, K, 4, 9)
        f_m of g sum_d dOmega_d F times the components of 1 - q q^T and q.
    size : (G, K, 4)
        Norms of the f_m.
    jumps : (G, K+1, 4)
        Norms of the jumps of the m-th derivative of F, m = 0..3 (zero outside the edges).
    ends : (G, K, 2, 4)
        Norms of these derivatives at the lower and upper end of every piece.
    content : (G, K)
        Bound of int ||F|| dE over every piece.
    marked : (G, K+1)
        Whether an edge of a group is an anchor.
    empty : (G, 9)
        g sum_d dOmega_d of the components: E^2 times this is the density of empty modes, up to its sign.
    base : (9,)
        B.
    subtracted : bool
        Whether B has the vacuum's constant in it.
    coupling : float, MeV
        4 g int |n| d^3p, the scale of growth rates.
    reach : float, MeV
        C of ||D|| <= C/distance of omega from the poles.
    ceiling : float, MeV
        Growth above which ||D|| < 1 everywhere, so that no mode can grow faster.
    """

    edges: np.ndarray
    shift: np.ndarray
    density: np.ndarray
    size: np.ndarray
    jumps: np.ndarray
    ends: np.ndarray
    content: np.ndarray
    marked: np.ndarray
    empty: np.ndarray
    base: np.ndarray
    subtracted: bool
    coupling: float
    reach: float
    ceiling: float


class Scales(NamedTuple):
    """Of a `Medium`: its cutoff (MeV), whether its vacuum is taken out, and `Medium.coupling` to `Medium.ceiling`."""

    energy_max: float
    subtracted: bool
    coupling: float
    reach: float
    ceiling: float


class Anchor(NamedTuple):
    """The point sign (2 energy - 4 shift), MeV, that an offset counts from; ``sign`` is 1 or -1."""

    sign: int
    energy: float
    shift: float


@jit()
def norm(numbers):
    """Return the Frobenius norm of the matrix S + i [a]x of nine numbers, real or complex."""
    total = 0.0
    for i in range(9):
        part = numbers[i].real * numbers[i].real + numbers[i].imag * numbers[i].imag
        total += part if i in (0, 3, 5) else 2.0 * part
    return np.sqrt(total)


@jit()
def fill_components(q_hat, out):
    """Fill ``out`` (9,) with the components of 1 - q q^T and q."""
    x = q_hat[0]
    y = q_hat[1]
    z = q_hat[2]
    out[0] = 1.0 - x * x
    out[1] = -x * y
    out[2] = -x * z
    out[3] = 1.0 - y * y
    out[4] = -y * z
    out[5] = 1.0 - z * z
    out[6] = x
    out[7] = y
    out[8] = z


@jit()
def piece_content(f, half):
    """Return the integral of a cubic over its piece."""
    return 2.0 * half * (f[0] + f[2] * half * half / 3.0)


@jit()
def corner(f, half, number):
    """Return Bernstein coefficient 0..3 of a cubic on its piece: their moduli bound it, and their mean its integral."""
    a = f[0]
    b = f[1] * half
    c = f[2] * half * half
    d = f[3] * half * half * half
    if number == 0:
        return a - b + c - d
    if number == 1:
        return a - b / 3.0 - c / 3.0 + d
    if number == 2:
        return a + b / 3.0 - c / 3.0 - d
    return a + b + c + d


@jit()
def largest(f, half):
    """Bound of the modulus of a cubic on its piece."""
    return max(
        max(abs(corner(f, half, 0)), abs(corner(f, half, 1))),
        max(abs(corner(f, half, 2)), abs(corner(f, half, 3))),
    )


@jit()
def direction_shifts(solid_angle, q_hat, edges, f, g, out):
    """Fill ``out`` (D,) with s = g q_hat.J0, MeV, J0 = sum_d dOmega q_hat int (F + E^2) dE; return its rounding."""
    J0 = np.zeros(3)
    scale = 0.0
    last = edges.size - 1
    full = (edges[last] ** 3 - edges[0] ** 3) / 3.0
    for d in range(solid_angle.size):
        content = full
        for k in range(last):
            content += piece_content(f[d, k], 0.5 * (edges[k + 1] - edges[k]))
        scale += solid_angle[d] * (abs(content) + full)
        for i in range(3):
            J0[i] += solid_angle[d] * q_hat[d, i] * content
    for d in range(solid_angle.size):
        out[d] = g * (q_hat[d, 0] * J0[0] + q_hat[d, 1] * J0[1] + q_hat[d, 2] * J0[2])
    return 16.0 * EPSILON * g * scale


@jit()
def spectral_norm(numbers):
    """Return the largest modulus of an eigenvalue of the Hermitian matrix of nine real numbers."""
    column = np.empty((9, 1))
    column[:, 0] = numbers
    scratch = np.empty((3, 3), dtype=np.complex128)
    values = np.empty(3)
    hermitian_eigenvalues(column, 0, scratch, values)
    return abs(values[0])


@jit()
def ceiling(resonant, other, energy_max):
    """Return the growth, MeV, at which resonant asinh(energy_max/growth) + other = 1: above it ||D|| < 1.

    A direction's part of D is PSD matrices times K(z+) and K(z-), so ||D|| <= ||sum |K(z+)| T+|| + ||sum |K(z-)| T-||,
    and |K(z)| <= max |F| 2 asinh(E_max/growth). For Re omega >= 0 the second has its poles on the other side as long
    as s <= 0, and is below int E |n| dE <= E_max^2/2; else twice that and 16 s^2 of the first kind. This is section 6
    of the notes on modes with wave number at k = 0, for the angles at hand and the largest E^2 |n| along each.
    """
    if resonant <= 0.0:
        return 0.0
    if other >= 1.0:
        return np.inf
    exponent = (1.0 - other) / resonant
    return energy_max / np.sinh(exponent) if exponent < 700.0 else 0.0


@jit()
def prepare(solid_angle, q_hat, edges, f, g, subtracted):
    """Return the `Medium` of an occupation along discrete directions.

    Parameters
    ----------
    solid_angle : (D,), q_hat : (D, 3)
        Weight and unit vector of each direction.
    edges : (K+1,) MeV, strictly ascending from >= 0
    f : (D, K, 4)
        E^2 n as powers of the distance from the centre of every piece; |n| <= 1.
    g : MeV^-2
    subtracted : bool
        Without the vacuum's constant 2 g Delta.
    """
    directions = solid_angle.size
    pieces = edges.size - 1
    energy_max = edges[pieces]
    s = np.empty(directions)
    tolerance = direction_shifts(solid_angle, q_hat, edges, f, g, s)
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
    density = np.zeros((groups, pieces, 4, 9))
    empty = np.zeros((groups, 9))
    resonant = np.zeros(9)
    other = np.zeros(9)
    part = np.empty(9)
    coupling = 0.0
    for d in range(directions):
        h = group[d]
        fill_components(q_hat[d], part)
        weight = g * solid_angle[d]
        peak = 0.0
        content = 0.0
        for k in range(pieces):
            half = 0.5 * (edges[k + 1] - edges[k])
            peak = max(peak, largest(f[d, k], half))
            for m in range(4):
                content += 0.5 * half * abs(corner(f[d, k], half, m))
                for i in range(9):
                    density[h, k, m, i] += weight * f[d, k, m] * part[i]
        coupling += 4.0 * weight * content
        shifted = max(s[d], 0.0)
        for i in range(9):
            empty[h, i] += weight * part[i]
            resonant[i] += 2.0 * weight * (peak + min(peak, 16.0 * shifted * shifted)) * part[i]
            other[i] += weight * (0.5 if shifted == 0.0 else 1.0) * energy_max**2 * part[i]
    bound = ceiling(spectral_norm(resonant), spectral_norm(other), energy_max)
    scales = Scales(energy_max, subtracted, coupling, coupling, bound)
    return finished(edges, shift[:groups].copy(), density, empty, scales)


@jit()
def finished(edges, shift, density, empty, scales):
    """Return the `Medium` of densities, with the norms that bounds are made of; see there for the arguments.

    A ``scales.reach`` of 0 stands for the one that holds for any densities.
    """
    groups = shift.size
    pieces = edges.size - 1
    size = np.empty((groups, pieces, 4))
    content = np.zeros((groups, pieces))
    ends = np.empty((groups, pieces, 2, 4))
    point = np.empty(9)
    peak = 0.0
    for h in range(groups):
        for k in range(pieces):
            half = 0.5 * (edges[k + 1] - edges[k])
            for m in range(4):
                size[h, k, m] = norm(density[h, k, m])
                for i in range(9):
                    point[i] = corner(density[h, k, :, i], half, m)
                here = norm(point)
                peak = max(peak, here)
                content[h, k] += 0.5 * half * here
            fill_ends(density[h, k], half, ends[h, k])
    jumps = np.zeros((groups, pieces + 1, 4))
    marked = np.zeros((groups, pieces + 1), dtype=np.bool_)
    for h in range(groups):
        for e in range(pieces + 1):
            fill_jumps(edges, density[h], e, jumps[h, e])
            marked[h, e] = jumps[h, e, 0] > JUMP * peak
    base = np.zeros(9)
    for i in (0, 3, 5):
        base[i] = 1.0
    if scales.subtracted:
        for h in range(groups):
            for i in range(6):
                base[i] += empty[h, i] * scales.energy_max**2
    reach = scales.reach if scales.reach > 0.0 else 4.0 * np.sum(content)
    return Medium(
        edges,
        shift,
        density,
        size,
        jumps,
        ends,
        content,
        marked,
        empty,
        base,
        scales.subtracted,
        scales.coupling,
        reach,
        scales.ceiling,
    )


@jit()
def derivative(f, t, order):
    """Return a derivative, of order 0 to 3, of a cubic at ``t`` from its piece's centre."""
    if order == 0:
        return f[0] + t * (f[1] + t * (f[2] + t * f[3]))
    if order == 1:
        return f[1] + t * (2.0 * f[2] + t * 3.0 * f[3])
    if order == 2:
        return 2.0 * f[2] + 6.0 * t * f[3]
    return 6.0 * f[3]


@jit()
def fill_ends(f, half, out):
    """Fill ``out`` (2, 4) with the norms of the derivatives of ``f`` (4, 9) at both ends of its piece."""
    point = np.empty(9)
    for side in range(2):
        t = half if side == 1 else -half
        for m in range(4):
            for i in range(9):
                point[i] = derivative(f[:, i], t, m)
            out[side, m] = norm(point)


@jit()
def fill_jumps(edges, density, edge, out):
    """Fill ``out`` (4,) with the norms of the jumps of the derivatives 0 to 3 of one group's F at an edge."""
    point = np.empty(9)
    for m in range(4):
        point[:] = 0.0
        scale = 0.0
        for side in (0, 1):
            k = edge - 1 + side
            if k < 0 or k == edges.size - 1:
                continue
            half = 0.5 * (edges[k + 1] - edges[k])
            t = -half if side == 1 else half
            sign = 1.0 if side == 1 else -1.0
            for i in range(9):
                f = density[k, :, i]
                point[i] += sign * derivative(f, t, m)
                scale += (abs(f[0]) + abs(half * f[1]) + abs(half * half * f[2])) / half**m
        jump = norm(point)
        out[m] = jump if m > 1 or jump > ROUNDED * scale else 0.0


@jit()
def widened(medium):
    """Return a `Medium` with one piece more for empty modes, which `set_cutoff` fills, and no anchors or bounds."""
    groups = medium.shift.size
    pieces = medium.edges.size - 1
    edges = np.empty(pieces + 2)
    edges[: pieces + 1] = medium.edges
    density = np.zeros((groups, pieces + 1, 4, 9))
    density[:, :pieces] = medium.density
    size = np.zeros((groups, pieces + 1, 4))
    size[:, :pieces] = medium.size
    jumps = np.zeros((groups, pieces + 2, 4))
    jumps[:, : pieces + 1] = medium.jumps
    ends = np.zeros((groups, pieces + 1, 2, 4))
    ends[:, :pieces] = medium.ends
    content = np.zeros((groups, pieces + 1))
    content[:, :pieces] = medium.content
    marked = np.zeros((groups, pieces + 2), dtype=np.bool_)
    return Medium(
        edges,
        medium.shift,
        density,
        size,
        jumps,
        ends,
        content,
        marked,
        medium.empty,
        medium.base.copy(),
        medium.subtracted,
        medium.coupling,
        medium.reach,
        np.inf,
    )


@jit()
def set_cutoff(medium, energy_max, wide):
    """Set the last piece of a `widened` medium to empty modes from the cutoff of ``medium`` up to ``energy_max``."""
    pieces = medium.edges.size - 1
    low = medium.edges[pieces]
    centre = 0.5 * (energy_max + low)
    wide.edges[pieces + 1] = energy_max
    for h in range(medium.shift.size):
        for i in range(9):
            wide.density[h, pieces, 0, i] = -medium.empty[h, i] * centre * centre
            wide.density[h, pieces, 1, i] = -medium.empty[h, i] * 2.0 * centre
            wide.density[h, pieces, 2, i] = -medium.empty[h, i]
        for m in range(3):
            wide.size[h, pieces, m] = norm(wide.density[h, pieces, m])
        for e in (pieces, pieces + 1):
            fill_jumps(wide.edges, wide.density[h], e, wide.jumps[h, e])
        fill_ends(wide.density[h, pieces], 0.5 * (energy_max - low), wide.ends[h, pieces])
        wide.content[h, pieces] = norm(medium.empty[h]) * (energy_max**3 - low**3) / 3.0
    if medium.subtracted:
        for i in range(6):
            wide.base[i] = medium.base[i]
            for h in range(medium.shift.size):
                wide.base[i] += medium.empty[h, i] * (energy_max**2 - low**2)


@jit()
def _inverse(z):
    """1/z without numba's exception on zero."""
    square = z.real * z.real + z.imag * z.imag
    return z.conjugate() / max(square, 1e-300)


@jit()
def piece_integrals(to_low, to_high, half):
    """Return q_0..q_3, their derivatives in z, and whether they come from the series, of one piece (see the module).

    ``to_low`` and ``to_high`` are the distances of z from its ends.
    """
    zeta = 0.5 * (to_low + to_high)
    distance = zeta.real * zeta.real + zeta.imag * zeta.imag
    far = distance > (SERIES_REACH * half) ** 2
    if far:
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
            0.5 * np.log(max(low2, 1e-300) / max(high2, 1e-300)),
            np.arctan2(-2.0 * half * zeta.imag, across),
        )
        q1 = zeta * q0 - 2.0 * half
        q2 = zeta * q1
        q3 = zeta * q2 - 2.0 * half**3 / 3.0
    dq0 = -2.0 * half * _inverse(to_low) * _inverse(to_high)
    dq1 = q0 + zeta * dq0
    dq2 = q1 + zeta * dq1
    dq3 = q2 + zeta * dq2
    return (q0, q1, q2, q3), (dq0, dq1, dq2, dq3), far


@jit()
def _to_edge(anchor, half_offset, branch, shift, energy):
    """z+ - E (``branch`` 1) or z- - E (``branch`` -1), the nearly equal energies subtracted first."""
    if branch == anchor.sign:
        real = (anchor.energy - energy) + (2.0 * (shift - anchor.shift) + branch * half_offset.real)
    else:
        real = 2.0 * (shift + anchor.shift) + branch * half_offset.real - (anchor.energy + energy)
    return complex(real, branch * half_offset.imag)


@jit()
def _rounding(size, integrals, zeta, half, far):
    """Scale of the rounding errors of one piece."""
    if far:
        return size[0] * abs(integrals[0]) + (size[1] * half + size[2] * half**2 + size[3] * half**3) * abs(
            integrals[0]
        )
    r = abs(zeta)
    error = abs(integrals[0])
    total = size[0] * error
    error = r * error + 2.0 * half
    total += size[1] * error
    error *= r
    total += size[2] * error
    return total + size[3] * (r * error + 2.0 * half**3)


@jit()
def dispersion(medium, anchor, offset, W, dW):
    """Fill ``W`` and ``dW`` (9,) with B - D and its derivative in omega; return the scale of D's rounding error.

    omega is ``offset`` (MeV, Im > 0) from the anchor.
    """
    edges = medium.edges
    pieces = edges.size - 1
    scale = 0.0
    part = np.empty((4, 9))  # real and imaginary part, value and derivative: plain loops over reals
    for i in range(9):
        W[i] = medium.base[i]
        dW[i] = 0.0
    for branch in (1, -1):
        part[:] = 0.0
        for h in range(medium.shift.size):
            high = _to_edge(anchor, 0.5 * offset, branch, medium.shift[h], edges[0])
            for k in range(pieces):
                low = high
                high = _to_edge(anchor, 0.5 * offset, branch, medium.shift[h], edges[k + 1])
                half = 0.5 * (edges[k + 1] - edges[k])
                q, dq, far = piece_integrals(low, high, half)
                scale += _rounding(medium.size[h, k], q, 0.5 * (low + high), half, far)
                f = medium.density[h, k]
                for i in range(9):
                    f0 = f[0, i]
                    f1 = f[1, i]
                    f2 = f[2, i]
                    f3 = f[3, i]
                    part[0, i] += f0 * q[0].real + f1 * q[1].real + f2 * q[2].real + f3 * q[3].real
                    part[1, i] += f0 * q[0].imag + f1 * q[1].imag + f2 * q[2].imag + f3 * q[3].imag
                    part[2, i] += f0 * dq[0].real + f1 * dq[1].real + f2 * dq[2].real + f3 * dq[3].real
                    part[3, i] += f0 * dq[0].imag + f1 * dq[1].imag + f2 * dq[2].imag + f3 * dq[3].imag
        # D = S - i [a]x: W = (B - S) + i [a]x, and the two branches have opposite a
        for i in range(9):
            parity = -1.0 if i < 6 else float(branch)
            W[i] += parity * complex(part[0, i], part[1, i])
            dW[i] += 0.5 * branch * parity * complex(part[2, i], part[3, i])
    return scale


@jit()
def determinant(medium, anchor, offset, work):
    """Return f = det W, df/domega and the rounding scale of D; fill ``work`` (3, 9) with W, dW, adjugate of W."""
    W = work[0]
    dW = work[1]
    scale = dispersion(medium, anchor, offset, W, dW)
    c, v, f = adjugate(W[0], W[1], W[2], W[3], W[4], W[5], W[6], W[7], W[8])
    slope = c[0] * dW[0] + c[3] * dW[3] + c[5] * dW[5]
    slope += 2.0 * (c[1] * dW[1] + c[2] * dW[2] + c[4] * dW[4])
    slope -= 2.0 * (v[0] * dW[6] + v[1] * dW[7] + v[2] * dW[8])
    for i in range(6):
        work[2, i] = c[i]
    for i in range(3):
        work[2, 6 + i] = -v[i]
    return f, slope, scale


@jit()
def _at_edge(jump, distance, radius, floor, length):
    """Bound of an edge's part of K'' wherever z is up to ``radius`` away, and Im z >= ``floor``/2."""
    closest = max(distance - radius, 0.5 * floor)
    farthest = distance + radius
    # ln(farthest/closest) <= farthest/closest - 1
    logarithm = abs(np.log(closest / length)) + (farthest / closest - 1.0) + np.pi
    return jump[0] / (closest * closest) + jump[1] / closest + (jump[2] + jump[3] * farthest) * logarithm


@jit()
def curvature_bound(medium, anchor, offset, reach, floor):
    """Bound ||d^2 D/domega^2|| wherever |omega - omega(offset)| <= ``reach`` and Im omega >= ``floor`` > 0.

    ||D''|| <= sum over groups of (||K''(z+)|| + ||K''(z-)||)/4 with the matrix-valued density in K. A piece that is
    far for its width gives |K''| <= 2 int |F| / distance^3. Near ones are integrated by parts, with jumps [.] at
    every edge,

        K''(z) = sum_e { -[F]/(z - E)^2 + [F']/(z - E) + ([F''] + [F'''](z - E)) ln((z - E)/L) }
                 - sum_pieces F''' width

    (any length L: the coefficients of the logarithms of every piece add up to 0).
    """
    edges = medium.edges
    pieces = edges.size - 1
    length = edges[pieces] - edges[0]
    radius = 0.5 * reach
    total = 0.0
    for h in range(medium.shift.size):
        for branch in (1, -1):
            start = _to_edge(anchor, 0.5 * offset, branch, medium.shift[h], edges[0])
            near_before = False
            for k in range(pieces):
                half = 0.5 * (edges[k + 1] - edges[k])
                aside = max(abs(start.real - half) - half, 0.0)
                closest = max(np.sqrt(aside * aside + start.imag * start.imag) - radius, 0.5 * floor)
                near = closest < NEAR * half
                if near or near_before:
                    if near and near_before:
                        jump = medium.jumps[h, k]
                    elif near:
                        jump = medium.ends[h, k, 0]
                    else:
                        jump = medium.ends[h, k - 1, 1]
                    total += 0.25 * _at_edge(jump, abs(start), radius, floor, length)
                if near:
                    total += 3.0 * half * medium.size[h, k, 3]
                else:
                    total += 0.5 * medium.content[h, k] / (closest * closest * closest)
                near_before = near
                start = _to_edge(anchor, 0.5 * offset, branch, medium.shift[h], edges[k + 1])
            if near_before:
                total += 0.25 * _at_edge(medium.ends[h, pieces - 1, 1], abs(start), radius, floor, length)
    return total

"""Share of every energy in the fastest mode, from its root alone, for eight points at once.

At a zero of f the 3x3 matrix W(omega) = P + i omega [v]x (``bulk_dispersion``) has a null vector X, and the mode's
amplitudes of kappa_q and conj(kappa_q) are

    a_q = 2 g n_q (eps_q^* . X) / (omega - Omega_q) ,   b_q = -2 g n_q (eps_q . X) / (omega + Omega_q)

so with K = X X^+ (trace 1) and eps eps^+ = 1 - q_hat q_hat^T - i [q_hat]x, up to one factor,

    |a_q|^2 = n_q^2 (1 - q.Re K q + 2 q.k) / |omega - Omega_q|^2 ,  |b_q|^2: -2 q.k and + Omega_q

where k is the axial vector of Im K, k = Im X x Re X. If W has rank 1 or 0 at the zero, modes coincide, and K is the
projector on the null space: the mean over the modes.
"""

import numpy as np

from pairsweep.analyses.growth.kernels.batch.dispersion import (
    SMALLEST,
    from_pole,
    matrix_entries,
    squared_size,
)
from pairsweep.analyses.growth.kernels.batch.tables import COUNTED, EPN, HI, IM, LO, OMEGA, OUTER, P_HAT
from pairsweep.kernels.complex_lanes import any_lane, imag, load, pair, real, select, size, square_root, store
from pairsweep.kernels.jit import jit
from pairsweep.kernels.lanes import splat

OWN, MEAN, SHARE_FIELDS = 0, 1, 2  # shares of one mode, and their mean over the equally fast ones
COINCIDE = 1e-6  # minors of W this small beside its rows mean one more null vector


@jit()
def principal_root(sh, si):
    """Root of sh + i si in the upper half-plane: frequency and growth, MeV."""
    length = square_root(sh * sh + si * si)
    large = square_root(0.5 * (length + size(sh)))
    small = 0.5 * size(si) / (large + SMALLEST)
    frequency = select(sh >= 0.0, large, small)
    return select(si < 0.0, -frequency, frequency), select(sh >= 0.0, small, large)


@jit()
def larger_vector(a, ax, ay, az, b, bx, by, bz):
    """The longer of two complex vectors of squared lengths a and b, its squared length first."""
    longer = b > a
    return select(longer, b, a), select(longer, bx, ax), select(longer, by, ay), select(longer, bz, az)


@jit()
def with_length(x, y, z):
    """A complex vector, its squared length first."""
    return squared_size(x) + squared_size(y) + squared_size(z), x, y, z


@jit()
def cross_with_length(ax, ay, az, bx, by, bz):
    """Cross product of two complex vectors, its squared length first."""
    return with_length(ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx)


@jit()
def null_projector(xx, xy, xz, yx, yy, yz, zx, zy, zz):
    """Projector K on the null vectors of W, given row by row as complex lanes.

    With rank 2 the cross product of two rows is the null vector; with rank 1 the null vectors are all that is
    orthogonal to the conjugate of the largest row.

    Returns
    -------
    lanes (9) : xx, yy, zz, xy, xz, yz of Re K, and the axial vector k of Im K
    """
    rows = with_length(xx, xy, xz)
    rows = larger_vector(*rows, *with_length(yx, yy, yz))
    longest, rx, ry, rz = larger_vector(*rows, *with_length(zx, zy, zz))
    minors = cross_with_length(xx, xy, xz, yx, yy, yz)
    minors = larger_vector(*minors, *cross_with_length(yx, yy, yz, zx, zy, zz))
    best, x, y, z = larger_vector(*minors, *cross_with_length(zx, zy, zz, xx, xy, xz))
    one = best > COINCIDE * COINCIDE * longest * longest
    some = longest > COINCIDE * COINCIDE
    # rank 2: K = X X^+ / |X|^2; rank 1: K = 1 - R^* R^T / |R|^2; rank 0: K = 1
    unit = select(one, splat(0.0), 1.0)
    scale = select(one, splat(1.0), select(some, splat(-1.0), 0.0))
    scale = scale / (select(one, best, longest) + SMALLEST)
    xr = select(one, real(x), real(rx))
    yr = select(one, real(y), real(ry))
    zr = select(one, real(z), real(rz))
    xi = select(one, imag(x), -imag(rx))
    yi = select(one, imag(y), -imag(ry))
    zi = select(one, imag(z), -imag(rz))
    return (
        unit + scale * (xr * xr + xi * xi),
        unit + scale * (yr * yr + yi * yi),
        unit + scale * (zr * zr + zi * zi),
        scale * (xr * yr + xi * yi),
        scale * (xr * zr + xi * zi),
        scale * (yr * zr + yi * zi),
        scale * (yi * zr - zi * yr),
        scale * (zi * xr - xi * zr),
        scale * (xi * yr - yi * xr),
    )


@jit()
def mode_shares(shared, poles, sites, energy_bin, sh, sl, si, shares):
    """Fill field OWN of ``shares`` (n_bins, 2, 8) for the mode at s = (sh + sl) + i si (lanes, MeV^2); it sums to 1.

    ``energy_bin`` (N,) is the bin of each pair. A pair without weight has a share too: it follows the others.
    """
    frequency, growth = principal_root(sh, si)
    xx, yy, zz, xy, xz, yz, x, y, z = matrix_entries(sites, sh, sl, si)
    turn = pair(-growth, frequency)
    x = turn * x
    y = turn * y
    z = turn * z
    kxx, kyy, kzz, kxy, kxz, kyz, kx, ky, kz = null_projector(
        xx, xy - z, xz + y, xy + z, yy, yz - x, xz - y, yz + x, zz
    )
    for b in range(shares.shape[0]):
        store(shares, b, OWN, splat(0.0))
    total = splat(0.0)
    for q in range(poles.shape[0]):
        flat = kxx + kyy + kzz
        flat = flat - (kxx * shared[q, OUTER] + kyy * shared[q, OUTER + 1] + kzz * shared[q, OUTER + 2])
        flat = flat - 2.0 * (
            kxy * shared[q, OUTER + 3] + kxz * shared[q, OUTER + 4] + kyz * shared[q, OUTER + 5]
        )
        axial = 2.0 * (kx * shared[q, P_HAT] + ky * shared[q, P_HAT + 1] + kz * shared[q, P_HAT + 2])
        omega = load(poles, q, OMEGA)
        # of omega -+ Omega the sum of like signs is exact enough, the other follows from their product z
        far = (size(frequency) + size(omega)) * (size(frequency) + size(omega)) + growth * growth
        near = squared_size(from_pole(poles, q, sh, sl, si)) / (far + SMALLEST)
        like = frequency * omega >= 0.0
        a = select(flat + axial > 0.0, flat + axial, 0.0) / (select(like, near, far) + SMALLEST)
        b = select(flat - axial > 0.0, flat - axial, 0.0) / (select(like, far, near) + SMALLEST)
        epn = load(poles, q, EPN)
        amount = epn * epn * (a + b)
        total = total + amount
        store(shares, energy_bin[q], OWN, load(shares, energy_bin[q], OWN) + amount)
    for b in range(shares.shape[0]):
        store(shares, b, OWN, load(shares, b, OWN) / total)
    return 0


@jit()
def fastest_shares(shared, poles, sites, slots, roots, energy_bin, fastest, limit, shares):
    """Fill field MEAN of ``shares`` (n_bins, 2, 8) with the mean over the fastest modes; NaN if stable.

    ``fastest`` (lanes, MeV) is the growth rate, 0 where stable; modes slower by at most ``limit`` (lanes, MeV) are
    equally fast. Field OWN is scratch.
    """
    for b in range(shares.shape[0]):
        store(shares, b, MEAN, splat(0.0))
    modes = splat(0.0)
    for turn in range(slots.shape[0]):
        sh = splat(0.0)
        sl = splat(0.0)
        si = splat(0.0)
        met = splat(0.0)
        for j in range(slots.shape[0]):
            jh = load(roots, j, HI)
            ji = load(roots, j, IM)
            _frequency, growth = principal_root(jh, ji)
            # s and its conjugate have the same shares; static twins that rounding took off the axis both count
            ties = (load(slots, j, COUNTED) > 0.0) & (growth >= fastest - limit) & (fastest > 0.0)
            ties = ties & ((ji >= 0.0) | (jh < 0.0))
            chosen = ties & (met == turn)
            sh = select(chosen, jh, sh)
            sl = select(chosen, load(roots, j, LO), sl)
            si = select(chosen, ji, si)
            met = met + select(ties, splat(1.0), 0.0)
        one_more = met > turn
        if not any_lane(one_more):
            break
        mode_shares(shared, poles, sites, energy_bin, sh, sl, si, shares)
        for b in range(shares.shape[0]):
            store(shares, b, MEAN, load(shares, b, MEAN) + select(one_more, load(shares, b, OWN), 0.0))
        modes = met
    for b in range(shares.shape[0]):
        mean = load(shares, b, MEAN) / select(modes > 0.0, modes, 1.0)
        store(shares, b, MEAN, select(fastest > 0.0, mean, np.nan))
    return 0

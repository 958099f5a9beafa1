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

from pairsweep.kernels.bulk_dispersion import SMALLEST, from_pole, matrix_entries, squared_size
from pairsweep.kernels.bulk_lanes import (
    any_lane,
    imag,
    load,
    pair,
    real,
    select,
    size,
    spread,
    square_root,
    store,
)
from pairsweep.kernels.jit import jit

TIE = 1e-7  # modes whose growth agrees to this part are equally fast
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
    unit = select(one, spread(0.0), 1.0)
    scale = select(one, spread(1.0), select(some, spread(-1.0), 0.0))
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
def mode_shares(shared, poles, sites, n, energy_bin, sh, sl, si, shares):
    """Fill ``shares`` (n_bins, 8) for the mode at s = (sh + sl) + i si (lanes, MeV^2); they sum to 1.

    ``n`` (N, 8) is the EPN, ``energy_bin`` (N,) the bin of each pair. A pair without weight has a share too: it
    follows the others.
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
        store(shares, b, spread(0.0))
    total = spread(0.0)
    for q in range(shared.energy.size):
        outer = shared.outer[q]
        p_hat = shared.p_hat[q]
        flat = (kxx + kyy + kzz) - (kxx * outer[0] + kyy * outer[1] + kzz * outer[2])
        flat = flat - 2.0 * (kxy * outer[3] + kxz * outer[4] + kyz * outer[5])
        axial = 2.0 * (kx * p_hat[0] + ky * p_hat[1] + kz * p_hat[2])
        omega = load(poles.omega, q)
        # of omega -+ Omega the sum of like signs is exact enough, the other follows from their product z
        far = (size(frequency) + size(omega)) * (size(frequency) + size(omega)) + growth * growth
        near = squared_size(from_pole(poles, q, sh, sl, si)) / (far + SMALLEST)
        like = frequency * omega >= 0.0
        a = select(flat + axial > 0.0, flat + axial, 0.0) / (select(like, near, far) + SMALLEST)
        b = select(flat - axial > 0.0, flat - axial, 0.0) / (select(like, far, near) + SMALLEST)
        epn = load(n, q)
        amount = epn * epn * (a + b)
        total = total + amount
        store(shares, energy_bin[q], load(shares, energy_bin[q]) + amount)
    for b in range(shares.shape[0]):
        store(shares, b, load(shares, b) / total)
    return 0


@jit()
def fastest_shares(shared, poles, sites, slots, roots, n, energy_bin, fastest, shares, out):
    """Fill ``out`` (n_bins, 8) with the shares of the fastest mode, the mean over equally fast ones; NaN if stable.

    ``fastest`` (lanes, MeV) is the growth rate, 0 where stable; ``shares`` (n_bins, 8) is scratch.
    """
    for b in range(out.shape[0]):
        store(out, b, spread(0.0))
    modes = spread(0.0)
    for turn in range(slots.size[0]):
        sh = spread(0.0)
        sl = spread(0.0)
        si = spread(0.0)
        met = spread(0.0)
        for j in range(slots.size[0]):
            jh = load(roots.hi, j)
            ji = load(roots.im, j)
            _frequency, growth = principal_root(jh, ji)
            # s and its conjugate have the same shares; static twins that rounding took off the axis both count
            ties = (load(slots.counted, j) > 0.0) & (growth >= (1.0 - TIE) * fastest) & (fastest > 0.0)
            ties = ties & ((ji >= 0.0) | (jh < 0.0))
            chosen = ties & (met == turn)
            sh = select(chosen, jh, sh)
            sl = select(chosen, load(roots.lo, j), sl)
            si = select(chosen, ji, si)
            met = met + select(ties, spread(1.0), 0.0)
        one_more = met > turn
        if not any_lane(one_more):
            break
        mode_shares(shared, poles, sites, n, energy_bin, sh, sl, si, shares)
        for b in range(out.shape[0]):
            store(out, b, load(out, b) + select(one_more, load(shares, b), 0.0))
        modes = met
    for b in range(out.shape[0]):
        store(out, b, select(fastest > 0.0, load(out, b) / select(modes > 0.0, modes, 1.0), np.nan))
    return 0

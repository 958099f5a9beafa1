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

from pairsweep.kernels.bulk_dispersion import SMALLEST, dispersion_matrix, multiply
from pairsweep.kernels.bulk_lanes import any_lane, load, select, size, spread, square_root, store
from pairsweep.kernels.jit import jit

TIE = 1e-7  # modes whose growth agrees to this part are equally fast
COINCIDE = 1e-6  # minors of W this small beside its rows mean one more null vector


@jit()
def principal_root(sh, si):
    """Real and imaginary part of the root of sh + i si in the upper half-plane."""
    length = square_root(sh * sh + si * si)
    large = square_root(0.5 * (length + size(sh)))
    small = 0.5 * size(si) / (large + SMALLEST)
    real = select(sh >= 0.0, large, small)
    return select(si < 0.0, -real, real), select(sh >= 0.0, small, large)


@jit()
def null_projector(rows, out):
    """Projector on the null vectors of W, ``rows`` (18, 8) = Re, Im of W row by row.

    ``out`` (9, 8): xx, yy, zz, xy, xz, yz of its real part, then its axial vector x, y, z. All null vectors of a
    complex matrix are orthogonal to the conjugates of its rows: with rank 2 the cross product of two rows is the
    vector, with rank 1 the projector is what is left beside the conjugate of the largest row.
    """
    for k in range(6):
        store(out, k, spread(0.0))
    longest = spread(0.0)
    best = spread(0.0)
    for i in range(3):
        length = spread(0.0)
        for k in range(6):
            length = length + load(rows, 6 * i + k) * load(rows, 6 * i + k)
        larger = length > longest
        longest = select(larger, length, longest)
        for k in range(6):
            store(out, k, select(larger, load(rows, 6 * i + k), load(out, k)))
    rx = load(out, 0)
    ix = -load(out, 1)
    ry = load(out, 2)
    iy = -load(out, 3)
    rz = load(out, 4)
    iz = -load(out, 5)
    xr = spread(0.0)
    xi = spread(0.0)
    yr = spread(0.0)
    yi = spread(0.0)
    zr = spread(0.0)
    zi = spread(0.0)
    for i in range(3):
        a = 6 * i
        b = 6 * ((i + 1) % 3)
        p1r, p1i = multiply(load(rows, a + 2), load(rows, a + 3), load(rows, b + 4), load(rows, b + 5))
        p2r, p2i = multiply(load(rows, a + 4), load(rows, a + 5), load(rows, b + 2), load(rows, b + 3))
        cxr = p1r - p2r
        cxi = p1i - p2i
        p1r, p1i = multiply(load(rows, a + 4), load(rows, a + 5), load(rows, b), load(rows, b + 1))
        p2r, p2i = multiply(load(rows, a), load(rows, a + 1), load(rows, b + 4), load(rows, b + 5))
        cyr = p1r - p2r
        cyi = p1i - p2i
        p1r, p1i = multiply(load(rows, a), load(rows, a + 1), load(rows, b + 2), load(rows, b + 3))
        p2r, p2i = multiply(load(rows, a + 2), load(rows, a + 3), load(rows, b), load(rows, b + 1))
        czr = p1r - p2r
        czi = p1i - p2i
        length = cxr * cxr + cxi * cxi + cyr * cyr + cyi * cyi + czr * czr + czi * czi
        larger = length > best
        best = select(larger, length, best)
        xr = select(larger, cxr, xr)
        xi = select(larger, cxi, xi)
        yr = select(larger, cyr, yr)
        yi = select(larger, cyi, yi)
        zr = select(larger, czr, zr)
        zi = select(larger, czi, zi)
    one = best > COINCIDE * COINCIDE * longest * longest
    some = longest > COINCIDE * COINCIDE
    # rank 2: K = X X^+ / |X|^2; rank 1: K = 1 - R R^+ / |R|^2; rank 0: K = 1
    sign = select(one, spread(1.0), select(some, spread(-1.0), 0.0))
    unit = select(one, spread(0.0), 1.0)
    scale = sign / (select(one, best, longest) + SMALLEST)
    xr = select(one, xr, rx)
    xi = select(one, xi, ix)
    yr = select(one, yr, ry)
    yi = select(one, yi, iy)
    zr = select(one, zr, rz)
    zi = select(one, zi, iz)
    store(out, 0, unit + scale * (xr * xr + xi * xi))
    store(out, 1, unit + scale * (yr * yr + yi * yi))
    store(out, 2, unit + scale * (zr * zr + zi * zi))
    store(out, 3, scale * (xr * yr + xi * yi))
    store(out, 4, scale * (xr * zr + xi * zi))
    store(out, 5, scale * (yr * zr + yi * zi))
    store(out, 6, scale * (yi * zr - zi * yr))
    store(out, 7, scale * (zi * xr - xi * zr))
    store(out, 8, scale * (xi * yr - yi * xr))
    return 0


@jit()
def mode_shares(shared, poles, n, energy_bin, sh, sl, si, work, shares):
    """Fill ``shares`` (n_bins, 8) for the mode at s = (sh + sl) + i si (lanes, MeV^2); they sum to 1.

    ``n`` (N, 8) is the EPN, ``energy_bin`` (N,) the bin of each pair, ``work`` (27, 8) scratch. A pair without weight
    has a share too: it follows the others.
    """
    real, growth = principal_root(sh, si)
    dispersion_matrix(shared, poles, sh, sl, si, real, growth, work)
    null_projector(work[:18], work[18:])
    xx = load(work, 18)
    yy = load(work, 19)
    zz = load(work, 20)
    xy = load(work, 21)
    xz = load(work, 22)
    yz = load(work, 23)
    kx = load(work, 24)
    ky = load(work, 25)
    kz = load(work, 26)
    for b in range(shares.shape[0]):
        store(shares, b, spread(0.0))
    total = spread(0.0)
    for q in range(shared.energy.size):
        outer = shared.outer[q]
        flat = (xx + yy + zz) - (
            outer[0] * xx
            + outer[1] * yy
            + outer[2] * zz
            + 2.0 * (outer[3] * xy + outer[4] * xz + outer[5] * yz)
        )
        turn = 2.0 * (shared.p_hat[q, 0] * kx + shared.p_hat[q, 1] * ky + shared.p_hat[q, 2] * kz)
        zr = (sh - load(poles.hi, q)) + (sl - load(poles.lo, q))
        omega = load(poles.omega, q)
        # of omega -+ Omega the sum of like signs is exact enough, the other follows from their product z
        far = (size(real) + size(omega)) * (size(real) + size(omega)) + growth * growth
        near = (zr * zr + si * si) / (far + SMALLEST)
        like = real * omega >= 0.0
        epn = load(n, q)
        a = select(flat + turn > 0.0, flat + turn, 0.0) / (select(like, near, far) + SMALLEST)
        b = select(flat - turn > 0.0, flat - turn, 0.0) / (select(like, far, near) + SMALLEST)
        amount = epn * epn * (a + b)
        total = total + amount
        store(shares, energy_bin[q], load(shares, energy_bin[q]) + amount)
    for b in range(shares.shape[0]):
        store(shares, b, load(shares, b) / total)
    return 0


@jit()
def fastest_shares(shared, poles, roots, n, energy_bin, fastest, work, shares, out):
    """Fill ``out`` (n_bins, 8) with the shares of the fastest mode, the mean over equally fast ones; NaN if stable.

    ``fastest`` (lanes, MeV) is the growth rate, 0 where stable; ``shares`` (n_bins, 8) and ``work`` are scratch.
    """
    for b in range(out.shape[0]):
        store(out, b, spread(0.0))
    modes = spread(0.0)
    for turn in range(roots.hi.shape[0]):
        sh = spread(0.0)
        sl = spread(0.0)
        si = spread(0.0)
        met = spread(0.0)
        for j in range(roots.hi.shape[0]):
            jh = load(roots.hi, j)
            ji = load(roots.im, j)
            _real, growth = principal_root(jh, ji)
            # s and its conjugate have the same shares; of a static pair that rounding took off the axis both count
            ties = (load(poles.counted, j) > 0.0) & (growth >= (1.0 - TIE) * fastest) & (fastest > 0.0)
            ties = ties & ((ji >= 0.0) | (jh < 0.0))
            chosen = ties & (met == turn)
            sh = select(chosen, jh, sh)
            sl = select(chosen, load(roots.lo, j), sl)
            si = select(chosen, ji, si)
            met = met + select(ties, spread(1.0), 0.0)
        one_more = met > turn
        if not any_lane(one_more):
            break
        mode_shares(shared, poles, n, energy_bin, sh, sl, si, work, shares)
        for b in range(out.shape[0]):
            store(out, b, load(out, b) + select(one_more, load(shares, b), 0.0))
        modes = met
    for b in range(out.shape[0]):
        store(out, b, select(fastest > 0.0, load(out, b) / select(modes > 0.0, modes, 1.0), np.nan))
    return 0

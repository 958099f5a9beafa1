"""Shells of equal energy: the sums an averaged field is made of, and the field that coefficients make of them.

Pairs stand in blocks of LANES for the vector units, every shell padded to whole blocks with pairs of weight 0.
A state is a (B, 3 LANES) array: a block holds n, then Re kappa, then Im kappa of its lanes, in the frame that
turns with each shell; a block of ``geometry`` (B, 9 LANES) holds p_hat, theta_hat, phi_hat, component by
component. Shell a is the blocks ``first[a]`` to ``first[a + 1]``. With eps = theta_hat - i phi_hat the sums of a
shell are, in the order of ``SUMS``,

    sum w n (1),  sum w n p (3),  sum w n p p^T (xx, yy, zz, xy, xz, yz),
    Z = sum w eps kappa (re 3, im 3),  Y = sum w kappa p eps^T (re 9, im 9, row by row).

Every real function F of the state moves a pair by  kappa' = -(i/2) n f + i kappa h,  n' = 2 Im(kappa f*), with
f = (dF/dkappa*)/w and h = (dF/dn)/w, so |S| is kept whatever f and h are: S turns about its gradient, in local
components (h, Re f, Im f) along (p_hat, theta_hat, phi_hat). For all functions met here

    h = h0 + l.p + p^T Q p,      f = eps*.(G + T p)

with coefficients per shell, ``COEFFICIENTS`` = h0 (1), l (3), Q (as above, the mixed ones counted twice),
G (re 3, im 3), T (re 9, im 9). Sums are reassociated for the vector units: a function of the shapes alone, so that
a point's result does not depend on its batch. Arrays are taken out of their tuple once and indexed without views:
references are counted atomically, which costs small systems more than their arithmetic.
"""

from typing import NamedTuple

import numpy as np

from pairsweep.kernels.jit import jit
from pairsweep.kernels.lanes import LANES

# Where the parts of a block begin: of a state, of ``geometry``, of sums that still stand lane by lane. They are numpy's
# integers, since numba compiles a function anew for every plain one that it is called with.
WIDTH = 3 * LANES
GEOMETRY = 9 * LANES
EPN, RE, IM = np.arange(3) * LANES
PX, PY, PZ, TX, TY, TZ, FX, FY, FZ = np.arange(9) * LANES
SUMS = 34
AT_Z = 10
AT_Y = 16
WIDE_P, WIDE_PP, WIDE_MIXED, WIDE_Z, WIDE_Y = np.array([1, 4, 7, AT_Z, AT_Y]) * LANES
COEFFICIENTS = 34
AT_L = 1
AT_Q = 4
AT_G = 10
AT_T = 16
VECTOR = 9  # a vector l and one G: l (3), Re G (3), Im G (3)
VECTORISED = {"reassoc", "contract", "nsz"}

# Ratio of coupling to energy difference above which two energies share a shell: balances the error of treating
# them as one (the third-order terms see the detuning) against that of a small denominator.
CLUSTER_RATIO = 0.1
SAME_ENERGY = 1e-13


class Shells(NamedTuple):
    """The pairs of one system in shells.

    Attributes
    ----------
    geometry : (B, 9 LANES)
    weight : (B, LANES) MeV^3
    first : (shells + 1,)
        Blocks of shell a are first[a] to first[a + 1].
    centre : (shells,) MeV
    detuning : (B, LANES) MeV
        2 (E_p - centre).
    background : (3,) MeV^3
        sum w p_hat over all pairs.
    place : (B, LANES)
        Pair of every lane, -1 for padding.
    multiples : (shells,)
        Of ``kicks.phase_line``.
    """

    geometry: np.ndarray
    weight: np.ndarray
    first: np.ndarray
    centre: np.ndarray
    detuning: np.ndarray
    background: np.ndarray
    place: np.ndarray
    multiples: np.ndarray


@jit(apart=True)
def sort_into_shells(energy, weight, spin, g, order, first, centre):
    """Cluster the pairs into shells; returns their number.

    Neighbouring energies whose difference is not large against the coupling between them, 4 g sum w |S| over both,
    are one shell. Fills ``order`` (N,), the pairs by ascending energy, ``first`` (shells + 1 used), where each shell
    starts in it, and ``centre`` (shells used), its energy: the common one, or the mean weighted with w.

    ``spin`` (N,): |S| of every pair.
    """
    pairs = energy.size
    # grids come sorted, and then insertion is linear
    for k in range(pairs):
        p = k
        while p > 0 and energy[order[p - 1]] > energy[k]:
            order[p] = order[p - 1]
            p -= 1
        order[p] = k
    shells = 0
    strength = 0.0
    first[0] = 0
    for k in range(pairs):
        p = order[k]
        if k > first[shells]:
            gap = energy[p] - energy[order[k - 1]]
            # the whole group of equal energy that starts at k acts together
            group = 0.0
            j = k
            while j < pairs and energy[order[j]] == energy[p]:
                group += weight[order[j]] * spin[order[j]]
                j += 1
            if gap > SAME_ENERGY * energy[p] and CLUSTER_RATIO * 2.0 * gap > 4.0 * abs(g) * (
                strength + group
            ):
                shells += 1
                first[shells] = k
                strength = 0.0
        strength += weight[p] * spin[p]
    shells += 1
    first[shells] = pairs
    for a in range(shells):
        total = 0.0
        mean = 0.0
        low = energy[order[first[a]]]
        for k in range(first[a], first[a + 1]):
            total += weight[order[k]]
            mean += weight[order[k]] * (energy[order[k]] - low)
        centre[a] = low + (mean / total if total > 0.0 else 0.0)
    return shells


@jit(apart=True)
def make_shells(pairs, spin, g):
    """Return the :class:`Shells` of one system; ``spin`` (N,) is |S| of each pair."""
    energy, weight = pairs.energy, pairs.weight
    p_hat, theta_hat, phi_hat = pairs.p_hat, pairs.theta_hat, pairs.phi_hat
    order = np.empty(energy.size, dtype=np.int64)
    starts = np.empty(energy.size + 1, dtype=np.int64)
    centres = np.empty(energy.size)
    count = sort_into_shells(energy, weight, spin, g, order, starts, centres)
    first = np.zeros(count + 1, dtype=np.int64)
    centre = np.empty(count)
    for a in range(count):
        centre[a] = centres[a]
        first[a + 1] = first[a] + (starts[a + 1] - starts[a] + LANES - 1) // LANES
    blocks = first[count]
    geometry = np.zeros((blocks, GEOMETRY))
    block_weight = np.zeros((blocks, LANES))
    detuning = np.zeros((blocks, LANES))
    place = np.full((blocks, LANES), -1)
    background = np.zeros(3)
    for a in range(count):
        for k in range(starts[a + 1] - starts[a]):
            p = order[starts[a] + k]
            b = first[a] + k // LANES
            lane = k % LANES
            block_weight[b, lane] = weight[p]
            detuning[b, lane] = 2.0 * (energy[p] - centre[a])
            place[b, lane] = p
            for i in range(3):
                geometry[b, i * LANES + lane] = p_hat[p, i]
                geometry[b, (3 + i) * LANES + lane] = theta_hat[p, i]
                geometry[b, (6 + i) * LANES + lane] = phi_hat[p, i]
                background[i] += weight[p] * p_hat[p, i]
    multiples = np.zeros(count, dtype=np.int64)
    return Shells(geometry, block_weight, first, centre, detuning, background, place, multiples)


@jit()
def pack(place, values, state):
    """Fill ``state`` (B, 3 LANES) from ``values`` (3, N) in the pairs' own order; padding is 0."""
    for b in range(place.shape[0]):
        for lane in range(LANES):
            p = place[b, lane]
            for i in range(3):
                state[b, i * LANES + lane] = values[i, p] if p >= 0 else 0.0
    return 0


@jit()
def unpack(place, state, values):
    """Fill ``values`` (3, N), in the pairs' own order, from ``state`` (B, 3 LANES)."""
    for b in range(place.shape[0]):
        for lane in range(LANES):
            p = place[b, lane]
            if p >= 0:
                for i in range(3):
                    values[i, p] = state[b, i * LANES + lane]
    return 0


@jit(forceinline=True, fastmath=VECTORISED)
def add_three(x, y, z, lane, at, wide):
    """Add x, y, z of a lane to three sums of ``wide`` that begin at ``at``."""
    wide[at + lane] += x
    wide[at + LANES + lane] += y
    wide[at + 2 * LANES + lane] += z


@jit(forceinline=True, fastmath=VECTORISED)
def conjugate_field(geo, b, lane, re, im):
    """Return Re and Im of eps kappa (x, y, z each) of a lane, kappa = re + i im."""
    xr = re * geo[b, TX + lane] + im * geo[b, FX + lane]
    yr = re * geo[b, TY + lane] + im * geo[b, FY + lane]
    zr = re * geo[b, TZ + lane] + im * geo[b, FZ + lane]
    xi = im * geo[b, TX + lane] - re * geo[b, FX + lane]
    yi = im * geo[b, TY + lane] - re * geo[b, FY + lane]
    zi = im * geo[b, TZ + lane] - re * geo[b, FZ + lane]
    return xr, yr, zr, xi, yi, zi


@jit(forceinline=True, fastmath=VECTORISED)
def shell_sums(shells, state, wide, sums):
    """Fill ``sums`` (shells, SUMS); ``wide`` (SUMS * LANES,) is scratch: the sums of each lane."""
    first, geo, weight = shells.first, shells.geometry, shells.weight
    for a in range(first.size - 1):
        for i in range(wide.size):
            wide[i] = 0.0
        for b in range(first[a], first[a + 1]):
            for lane in range(LANES):
                px = geo[b, PX + lane]
                py = geo[b, PY + lane]
                pz = geo[b, PZ + lane]
                w = weight[b, lane]
                wn = w * state[b, lane]
                wx = wn * px
                wy = wn * py
                wz = wn * pz
                wide[lane] += wn
                add_three(wx, wy, wz, lane, WIDE_P, wide)
                add_three(wx * px, wy * py, wz * pz, lane, WIDE_PP, wide)
                add_three(wx * py, wx * pz, wy * pz, lane, WIDE_MIXED, wide)
                xr, yr, zr, xi, yi, zi = conjugate_field(
                    geo, b, lane, w * state[b, RE + lane], w * state[b, IM + lane]
                )
                add_three(xr, yr, zr, lane, WIDE_Z, wide)
                add_three(xi, yi, zi, lane, WIDE_Z + 3 * LANES, wide)
                add_three(px * xr, px * yr, px * zr, lane, WIDE_Y, wide)
                add_three(py * xr, py * yr, py * zr, lane, WIDE_Y + 3 * LANES, wide)
                add_three(pz * xr, pz * yr, pz * zr, lane, WIDE_Y + 6 * LANES, wide)
                add_three(px * xi, px * yi, px * zi, lane, WIDE_Y + 9 * LANES, wide)
                add_three(py * xi, py * yi, py * zi, lane, WIDE_Y + 12 * LANES, wide)
                add_three(pz * xi, pz * yi, pz * zi, lane, WIDE_Y + 15 * LANES, wide)
        add_lanes(wide, a, sums)
    return 0


@jit(forceinline=True, fastmath=VECTORISED)
def add_lanes(wide, a, sums):
    """Fill ``sums[a]`` (K,) with the sums over lanes of ``wide`` (K * LANES or more,)."""
    for k in range(sums.shape[1]):
        at = k * LANES
        total = 0.0
        for lane in range(LANES):
            total += wide[at + lane]
        sums[a, k] = total
    return 0


@jit(forceinline=True, fastmath=VECTORISED)
def add_vectors(geo, b, lane, wn, re, im, at, wide):
    """Add w p n and w eps kappa of a lane, of w n and w kappa = re + i im, to the VECTOR sums beginning at ``at``."""
    add_three(wn * geo[b, PX + lane], wn * geo[b, PY + lane], wn * geo[b, PZ + lane], lane, at, wide)
    xr, yr, zr, xi, yi, zi = conjugate_field(geo, b, lane, re, im)
    add_three(xr, yr, zr, lane, at + 3 * LANES, wide)
    add_three(xi, yi, zi, lane, at + 6 * LANES, wide)


@jit(forceinline=True, fastmath=VECTORISED)
def vector_sums(shells, state, wide, sums):
    """Fill ``sums`` (shells, VECTOR) with sum w p n (3) and Z_a (re 3, im 3); ``wide`` as in :func:`shell_sums`."""
    first, geo, weight = shells.first, shells.geometry, shells.weight
    for a in range(first.size - 1):
        for i in range(VECTOR * LANES):
            wide[i] = 0.0
        for b in range(first[a], first[a + 1]):
            for lane in range(LANES):
                w = weight[b, lane]
                re = w * state[b, RE + lane]
                im = w * state[b, IM + lane]
                add_vectors(geo, b, lane, w * state[b, lane], re, im, EPN, wide)
        add_lanes(wide, a, sums)
    return 0


@jit(forceinline=True, fastmath=VECTORISED)
def across(geo, b, lane, xr, yr, zr, xi, yi, zi):
    """Return Re and Im of eps*.v of a lane, v = (xr + i xi, yr + i yi, zr + i zi)."""
    re = geo[b, TX + lane] * xr + geo[b, TY + lane] * yr + geo[b, TZ + lane] * zr
    re -= geo[b, FX + lane] * xi + geo[b, FY + lane] * yi + geo[b, FZ + lane] * zi
    im = geo[b, TX + lane] * xi + geo[b, TY + lane] * yi + geo[b, TZ + lane] * zi
    im += geo[b, FX + lane] * xr + geo[b, FY + lane] * yr + geo[b, FZ + lane] * zr
    return re, im


@jit(forceinline=True, fastmath=VECTORISED)
def turning(h, re, im, n, kr, ki):
    """Return the rates of change of n, Re kappa, Im kappa that a gradient (h, Re f, Im f) makes."""
    return 2.0 * (ki * re - kr * im), 0.5 * n * im - h * ki, h * kr - 0.5 * n * re


@jit(forceinline=True, fastmath=VECTORISED)
def rates(shells, detuned, coefficients, state, out):
    """Fill ``out`` (B, 3 LANES) with the rates of change of the state, from ``coefficients`` (shells, COEFFICIENTS).

    ``detuned`` (1.0 or 0.0) times the detuning is subtracted from h: the slow relative phase inside a shell.
    """
    first, geo, detuning = shells.first, shells.geometry, shells.detuning
    c = coefficients
    for a in range(first.size - 1):
        h0, lx, ly, lz = c[a, 0], c[a, 1], c[a, 2], c[a, 3]
        qxx, qyy, qzz, qxy, qxz, qyz = c[a, 4], c[a, 5], c[a, 6], c[a, 7], c[a, 8], c[a, 9]
        gxr, gyr, gzr, gxi, gyi, gzi = c[a, 10], c[a, 11], c[a, 12], c[a, 13], c[a, 14], c[a, 15]
        xxr, xyr, xzr, yxr, yyr, yzr = c[a, 16], c[a, 17], c[a, 18], c[a, 19], c[a, 20], c[a, 21]
        zxr, zyr, zzr = c[a, 22], c[a, 23], c[a, 24]
        xxi, xyi, xzi, yxi, yyi, yzi = c[a, 25], c[a, 26], c[a, 27], c[a, 28], c[a, 29], c[a, 30]
        zxi, zyi, zzi = c[a, 31], c[a, 32], c[a, 33]
        for b in range(first[a], first[a + 1]):
            for lane in range(LANES):
                px = geo[b, PX + lane]
                py = geo[b, PY + lane]
                pz = geo[b, PZ + lane]
                h = (
                    (h0 - detuned * detuning[b, lane])
                    + px * (lx + qxx * px + qxy * py)
                    + py * (ly + qyy * py + qyz * pz)
                    + pz * (lz + qzz * pz + qxz * px)
                )
                vxr = gxr + xxr * px + xyr * py + xzr * pz
                vyr = gyr + yxr * px + yyr * py + yzr * pz
                vzr = gzr + zxr * px + zyr * py + zzr * pz
                vxi = gxi + xxi * px + xyi * py + xzi * pz
                vyi = gyi + yxi * px + yyi * py + yzi * pz
                vzi = gzi + zxi * px + zyi * py + zzi * pz
                re, im = across(geo, b, lane, vxr, vyr, vzr, vxi, vyi, vzi)
                n, kr, ki = turning(h, re, im, state[b, lane], state[b, RE + lane], state[b, IM + lane])
                out[b, lane] = n
                out[b, RE + lane] = kr
                out[b, IM + lane] = ki
    return 0


@jit(forceinline=True, fastmath=VECTORISED)
def vector_of(vectors, a):
    """Return l, Re G, Im G of a shell, nine numbers that do not change from lane to lane."""
    return (
        vectors[a, 0], vectors[a, 1], vectors[a, 2], vectors[a, 3], vectors[a, 4], vectors[a, 5],
        vectors[a, 6], vectors[a, 7], vectors[a, 8],
    )  # fmt: skip


@jit(forceinline=True, fastmath=VECTORISED)
def gradient_at(geo, b, lane, vector):
    """Return the gradient (h, Re f, Im f) of a lane for h = l.p and f = eps*.G, ``vector`` from :func:`vector_of`."""
    h = geo[b, PX + lane] * vector[0] + geo[b, PY + lane] * vector[1] + geo[b, PZ + lane] * vector[2]
    re, im = across(geo, b, lane, vector[3], vector[4], vector[5], vector[6], vector[7], vector[8])
    return h, re, im


@jit(forceinline=True, fastmath=VECTORISED)
def linear_gradient(shells, vectors, out):
    """Fill ``out`` (B, 3 LANES) with the gradients of ``vectors`` (shells, VECTOR): l, Re G, Im G of every shell."""
    first, geo = shells.first, shells.geometry
    for a in range(first.size - 1):
        vector = vector_of(vectors, a)
        for b in range(first[a], first[a + 1]):
            for lane in range(LANES):
                h, re, im = gradient_at(geo, b, lane, vector)
                out[b, lane] = h
                out[b, RE + lane] = re
                out[b, IM + lane] = im
    return 0


@jit(forceinline=True, fastmath=VECTORISED)
def turning_rates(detuning, detuned, state, gradient):
    """Replace a gradient (h, Re f, Im f), (B, 3 LANES), by the rates of change it makes; ``detuned`` as in `rates`."""
    for b in range(state.shape[0]):
        for lane in range(LANES):
            h = gradient[b, lane] - detuned * detuning[b, lane]
            re, im = gradient[b, RE + lane], gradient[b, IM + lane]
            n, kr, ki = turning(h, re, im, state[b, lane], state[b, RE + lane], state[b, IM + lane])
            gradient[b, lane] = n
            gradient[b, RE + lane] = kr
            gradient[b, IM + lane] = ki
    return 0


@jit(apart=True, fastmath=VECTORISED)
def rotate(gradient, time, state):
    """Rotate every S of ``state`` (B, 3 LANES), in place, by ``time`` times its gradient: the Cayley rotation.

    It keeps |S| to rounding; against the exact rotation it errs by the cube of the angle over 12.
    """
    half = 0.5 * time
    for b in range(state.shape[0]):
        for lane in range(LANES):
            ax = half * gradient[b, lane]
            ay = half * gradient[b, RE + lane]
            az = half * gradient[b, IM + lane]
            x = state[b, lane]
            y = 2.0 * state[b, RE + lane]
            z = 2.0 * state[b, IM + lane]
            scale = 2.0 / (1.0 + ax * ax + ay * ay + az * az)
            # S + 2/(1 + a^2) (a x S + a x (a x S))
            cx = ay * z - az * y
            cy = az * x - ax * z
            cz = ax * y - ay * x
            state[b, lane] = x + scale * (cx + ay * cz - az * cy)
            state[b, RE + lane] = 0.5 * (y + scale * (cy + az * cx - ax * cz))
            state[b, IM + lane] = 0.5 * (z + scale * (cz + ax * cy - ay * cx))
    return 0


@jit(apart=True)
def smallness(background, strength, centre, g):
    """Bound of the change of variables, which averaging needs small: a pure number.

    The largest over shells a of 4 g |J0|/Omega_a + sum_b 4 g W_b [1/(Omega_a + Omega_b) + 1/|Omega_a - Omega_b|],
    W_b = ``strength`` (shells,) = sum w |S| and |J0| <= |sum w p| + sum w |S|. Infinite for a shell that does not
    turn (E = 0), and not a number if any of these is not.
    """
    most = np.sqrt(background[0] ** 2 + background[1] ** 2 + background[2] ** 2)
    for a in range(centre.size):
        most += strength[a]
    worst = 0.0
    for a in range(centre.size):
        omega = 2.0 * centre[a]
        if not omega > 0.0:
            return np.inf
        ratio = most / omega
        for b in range(centre.size):
            ratio += strength[b] / (omega + 2.0 * centre[b])
            if b != a:
                ratio += strength[b] / abs(omega - 2.0 * centre[b])
        ratio *= 4.0 * abs(g)
        if not ratio <= worst:
            worst = ratio
    return worst


@jit(apart=True)
def strength_and_width(shells, spin, strength):
    """Fill ``strength`` (shells,) with sum w |S|, MeV^3, and return the largest detuning over its Omega."""
    width = 0.0
    for a in range(shells.centre.size):
        strength[a] = 0.0
        for b in range(shells.first[a], shells.first[a + 1]):
            for lane in range(LANES):
                if shells.place[b, lane] >= 0:
                    strength[a] += shells.weight[b, lane] * spin[shells.place[b, lane]]
                    if shells.centre[a] > 0.0:
                        width = max(width, 0.5 * abs(shells.detuning[b, lane]) / shells.centre[a])
    return width

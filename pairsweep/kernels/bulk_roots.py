"""All zeros of F(s) for eight points at once, with discs that certify them.

Let z_1..z_m be any distinct numbers and v_j = F(z_j) / prod_{k != j} (z_j - z_k). The eigenvalues of
diag(z) - v 1^T are the zeros of F, and Gershgorin's theorem for D^-1 (diag(z) - v 1^T) D, d_j > 0, puts them into
the discs |s - z_j| <= |v_j| sum_k d_k / d_j; a union of discs disjoint from the others holds as many zeros as
discs. So once no disc straddles the line between stable and unstable, the number of unstable zeros is known,
whatever the iteration did. With d_j = max(|v_j|, max|v|/m) a double root spoils the discs of its own pair only.

The iteration is Boersch-Supan's, z_j -= v_j / (1 + sum_{k != j} v_k / (z_j - z_k)), of third order and made of the
very numbers v_j that the certificate needs; for few roots z_j - v_j stands for z_j in the sum (Nourein), which makes
it of fourth order.
"""

from collections import namedtuple

import numpy as np

from pairsweep.kernels.bulk_dispersion import (
    SMALLEST,
    dispersion,
    dispersion_rounding,
    multiply,
    two_sum,
)
from pairsweep.kernels.bulk_lanes import LANES, any_lane, load, select, size, spread, square_root, store
from pairsweep.kernels.jit import jit

MAX_SWEEPS = 40
REACH = 1.0  # of the starts, in first-order shifts
FEW = 16  # with more roots the step of fourth order strays at first

Roots = namedtuple("Roots", "hi lo im vr vi next_hi next_lo next_im radius")
Roots.__doc__ = """Zeros of F of eight points, arrays (N, 8), MeV^2; slot j belongs to pole j and counts if that does.

``hi`` + ``lo`` + i ``im`` the root, ``vr`` + i ``vi`` = v_j, ``next_*`` scratch, ``radius`` of the disc.
"""


@jit()
def empty_roots(pairs):
    """Room for the roots of eight points."""
    return Roots(
        np.empty((pairs, LANES)),
        np.empty((pairs, LANES)),
        np.empty((pairs, LANES)),
        np.empty((pairs, LANES)),
        np.empty((pairs, LANES)),
        np.empty((pairs, LANES)),
        np.empty((pairs, LANES)),
        np.empty((pairs, LANES)),
        np.empty((pairs, LANES)),
    )


@jit()
def start_roots(poles, roots):
    """Start every root beside its own pole, about its first-order shift 4 c Omega and off the real axis."""
    for j in range(poles.hi.shape[0]):
        shift = 2.0 * load(poles.strength, j)
        twice = load(poles.twice, j)
        # irrational turns: no two starts are mirror images of each other
        turn = 0.3 + 2.399963229728653 * j
        reach = REACH * (size(shift) + twice * twice) + SMALLEST
        total, rest = two_sum(load(poles.hi, j), load(poles.lo, j) + shift + np.cos(turn) * reach)
        store(roots.hi, j, total)
        store(roots.lo, j, rest)
        store(roots.im, j, np.sin(turn) * reach)
    return 0


@jit()
def weierstrass(j, poles, roots, fr, fi):
    """v_j = f(z_j) (z_j - s_j) prod_{k != j} (z_j - s_k) / (z_j - z_k).

    Quotients are taken of four factors at a time: few divisions, and no overflow however far apart the energies are.
    """
    sh = load(roots.hi, j)
    sl = load(roots.lo, j)
    si = load(roots.im, j)
    vr, vi = multiply(fr, fi, (sh - load(poles.hi, j)) + (sl - load(poles.lo, j)), si)
    pairs = poles.hi.shape[0]
    for first in range(0, pairs, 4):
        dr = spread(1.0)
        di = spread(0.0)
        for k in range(first, min(first + 4, pairs)):
            if k != j:
                counts = load(poles.counted, k) > 0.0
                er = select(counts, (sh - load(roots.hi, k)) + (sl - load(roots.lo, k)), 1.0)
                ei = select(counts, si - load(roots.im, k), 0.0)
                dr, di = multiply(dr, di, er, ei)
                er = select(counts, (sh - load(poles.hi, k)) + (sl - load(poles.lo, k)), 1.0)
                ei = select(counts, si, 0.0)
                vr, vi = multiply(vr, vi, er, ei)
        inverse = 1.0 / (dr * dr + di * di + SMALLEST)
        vr, vi = multiply(vr, vi, dr * inverse, di * -inverse)
    return vr, vi


@jit()
def step(j, roots, ahead):
    """Correction of root j, v_j / (1 + sum v_k / (z_j - ahead v_j - z_k)), ``ahead`` 1 or 0; real and imaginary part."""
    vr = load(roots.vr, j)
    vi = load(roots.vi, j)
    sh = load(roots.hi, j)
    sl = load(roots.lo, j) - ahead * vr
    si = load(roots.im, j) - ahead * vi
    br = spread(0.0)
    bi = spread(0.0)
    for k in range(roots.hi.shape[0]):
        if k != j:
            dr = (sh - load(roots.hi, k)) + (sl - load(roots.lo, k))
            di = si - load(roots.im, k)
            inverse = 1.0 / (dr * dr + di * di + SMALLEST)
            kr = load(roots.vr, k)
            ki = load(roots.vi, k)
            br = br + (kr * dr + ki * di) * inverse
            bi = bi + (ki * dr - kr * di) * inverse
    br = 1.0 + br
    square = br * br + bi * bi
    # a vanishing denominator would throw the root away: then take the plain step
    plain = square < 0.01
    inverse = 1.0 / select(plain, 1.0, square)
    br = select(plain, 1.0, br * inverse)
    bi = select(plain, 0.0, bi * -inverse)
    return multiply(vr, vi, br, bi)


@jit()
def improve_roots(shared, poles, tolerance, roots):
    """Iterate until every |v_j| is far below the tolerance (lanes, MeV); each lane stops on its own.

    A lane that does not converge is left to its discs, which will be large.
    """
    pairs = poles.hi.shape[0]
    moving = tolerance > 0.0
    ahead = 1.0 if pairs <= FEW else 0.0
    for _ in range(MAX_SWEEPS):
        unfinished = tolerance < 0.0
        for j in range(pairs):
            sh = load(roots.hi, j)
            si = load(roots.im, j)
            fr, fi = dispersion(shared, poles, sh, load(roots.lo, j), si)
            vr, vi = weierstrass(j, poles, roots, fr, fi)
            counts = load(poles.counted, j) > 0.0
            vr = select(counts, vr, 0.0)
            vi = select(counts, vi, 0.0)
            store(roots.vr, j, vr)
            store(roots.vi, j, vi)
            # |ds| = 2 |omega| |d omega|; the step that follows leaves an error of higher order in this one
            target = 4e-8 * tolerance * tolerance * (size(sh) + size(si))
            unfinished = unfinished | (vr * vr + vi * vi > target)
        for j in range(pairs):
            qr, qi = step(j, roots, ahead)
            total, rest = two_sum(load(roots.hi, j), load(roots.lo, j) - select(moving, qr, 0.0))
            store(roots.next_hi, j, total)
            store(roots.next_lo, j, rest)
            store(roots.next_im, j, load(roots.im, j) - select(moving, qi, 0.0))
        for j in range(pairs):
            store(roots.hi, j, load(roots.next_hi, j))
            store(roots.lo, j, load(roots.next_lo, j))
            store(roots.im, j, load(roots.next_im, j))
        moving = moving & unfinished
        if not any_lane(moving):
            break
    return 0


@jit()
def enclose_roots(shared, poles, roots):
    """Fill ``roots.radius`` with radii of discs that hold all zeros of F, the rounding of f included."""
    pairs = poles.hi.shape[0]
    largest = spread(0.0)
    count = spread(0.0)
    for j in range(pairs):
        sh = load(roots.hi, j)
        sl = load(roots.lo, j)
        si = load(roots.im, j)
        fr, fi = dispersion(shared, poles, sh, sl, si)
        wr, wi = weierstrass(j, poles, roots, spread(1.0), spread(0.0))
        f = square_root(fr * fr + fi * fi) + dispersion_rounding(shared, poles, sh, sl, si)
        counted = load(poles.counted, j)
        v = select(counted > 0.0, f * square_root(wr * wr + wi * wi), 0.0)
        store(roots.vr, j, v)
        largest = select(v > largest, v, largest)
        count = count + counted
    floor = largest / (count + SMALLEST)
    total = spread(0.0)
    for j in range(pairs):
        v = load(roots.vr, j)
        total = total + load(poles.counted, j) * select(v > floor, v, floor)
    for j in range(pairs):
        v = load(roots.vr, j)
        store(roots.radius, j, v * total / (select(v > floor, v, floor) + SMALLEST))
    return 0

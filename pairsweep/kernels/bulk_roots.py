"""All zeros of F(s) for eight points at once, with discs that certify them.

Let z_1..z_m be any distinct numbers and v_j = F(z_j) / prod_{k != j} (z_j - z_k). The eigenvalues of
diag(z) - v 1^T are the zeros of F, and Gershgorin's theorem for D^-1 (diag(z) - v 1^T) D, d_j > 0, puts them into the
discs |s - z_j| <= |v_j| sum_k d_k / d_j; a union of discs disjoint from the others holds as many zeros as discs.
So once no disc straddles the line between stable and unstable, the number of unstable zeros is known, whatever the
iteration did. With d_j = max(|v_j|, max|v|/m) a double root spoils the discs of its own pair only.

The iteration is Boersch-Supan's, z_j -= v_j / (1 + sum_{k != j} v_k / (z_j - z_k)), of third order and made of the very
numbers v_j that the certificate needs.
"""

import numpy as np

from pairsweep.kernels.bulk_dispersion import EPS, SMALLEST, dispersion, multiply, two_sum
from pairsweep.kernels.bulk_lanes import any_lane, load, select, size, spread, square_root, store
from pairsweep.kernels.jit import jit

MAX_SWEEPS = 40


@jit()
def start_roots(rank, twice, strength, hi, lo, root_hi, root_lo, root_im):
    """Start every root beside its own pole, at the first-order shift 2 c Omega * 2, off the real axis."""
    for j in range(rank.shape[0]):
        shift = 2.0 * load(strength, j)
        square = load(twice, j) * load(twice, j)
        # irrational turns: no two starts are mirror images of each other
        turn = 0.3 + 2.399963229728653 * j
        reach = 0.5 * (size(shift) + square) + SMALLEST
        total, rest = two_sum(load(hi, j), load(lo, j) + shift + np.cos(turn) * reach)
        store(root_hi, j, total)
        store(root_lo, j, rest)
        store(root_im, j, np.sin(turn) * reach)
    return 0


@jit()
def residue(j, rank, hi, lo, root_hi, root_lo, root_im, fr, fi):
    """v_j = f(z_j) (z_j - s_j) prod_{k != j} (z_j - s_k) / (z_j - z_k), factors paired so that none overflows."""
    sh = load(root_hi, j)
    sl = load(root_lo, j)
    si = load(root_im, j)
    vr, vi = multiply(fr, fi, (sh - load(hi, j)) + (sl - load(lo, j)), si)
    for k in range(rank.shape[0]):
        if k != j:
            counted = load(rank, k) > 0.0
            dr = (sh - load(root_hi, k)) + (sl - load(root_lo, k))
            di = si - load(root_im, k)
            inverse = 1.0 / (dr * dr + di * di + SMALLEST)
            qr, qi = multiply((sh - load(hi, k)) + (sl - load(lo, k)), si, dr * inverse, -(di * inverse))
            vr, vi = multiply(vr, vi, select(counted, qr, 1.0), select(counted, qi, 0.0))
    return vr, vi


@jit()
def improve_roots(
    p_hat, outer, twice, strength, hi, lo, rank, tolerance, root_hi, root_lo, root_im, vr, vi, new
):
    """Iterate until every |v_j| is far below the tolerance (lanes, MeV); each lane stops on its own.

    ``new`` (3 N, 8) and ``vr``, ``vi`` (N, 8) are scratch. A lane that does not converge is left to the certificate.
    """
    pairs = rank.shape[0]
    moving = tolerance > 0.0
    for _ in range(MAX_SWEEPS):
        unfinished = tolerance < 0.0
        for j in range(pairs):
            sh = load(root_hi, j)
            si = load(root_im, j)
            fr, fi, _symmetric, _skew = dispersion(
                p_hat, outer, twice, strength, hi, lo, sh, load(root_lo, j), si
            )
            wr, wi = residue(j, rank, hi, lo, root_hi, root_lo, root_im, fr, fi)
            counted = load(rank, j) > 0.0
            wr = select(counted, wr, 0.0)
            wi = select(counted, wi, 0.0)
            store(vr, j, wr)
            store(vi, j, wi)
            # |ds| = 2 |omega| |d omega|; the step that follows leaves an error of third order in this one
            target = 4e-8 * tolerance * tolerance * (size(sh) + size(si))
            unfinished = unfinished | (wr * wr + wi * wi > target)
        for j in range(pairs):
            sh = load(root_hi, j)
            sl = load(root_lo, j)
            si = load(root_im, j)
            br = spread(1.0)
            bi = spread(0.0)
            for k in range(pairs):
                if k != j:
                    dr = (sh - load(root_hi, k)) + (sl - load(root_lo, k))
                    di = si - load(root_im, k)
                    inverse = 1.0 / (dr * dr + di * di + SMALLEST)
                    qr, qi = multiply(load(vr, k), load(vi, k), dr * inverse, -(di * inverse))
                    br = br + qr
                    bi = bi + qi
            square = br * br + bi * bi
            # a vanishing denominator would throw the root away: then take the plain step
            plain = square < 0.01
            inverse = 1.0 / select(plain, spread(1.0), square)
            br = select(plain, spread(1.0), br * inverse)
            bi = select(plain, spread(0.0), -(bi * inverse))
            qr, qi = multiply(load(vr, j), load(vi, j), br, bi)
            total, rest = two_sum(sh, sl - qr)
            store(new, 3 * j, select(moving, total, sh))
            store(new, 3 * j + 1, select(moving, rest, sl))
            store(new, 3 * j + 2, select(moving, si - qi, si))
        for j in range(pairs):
            store(root_hi, j, load(new, 3 * j))
            store(root_lo, j, load(new, 3 * j + 1))
            store(root_im, j, load(new, 3 * j + 2))
        moving = moving & unfinished
        if not any_lane(moving):
            break
    return 0


@jit()
def enclose_roots(p_hat, outer, twice, strength, hi, lo, rank, root_hi, root_lo, root_im, vr, radius):
    """Radii (N, 8), MeV^2, of discs about the roots that hold all zeros of F; rounding of f included.

    The bound on the rounding of f assumes a few units in the last place per operation and the largest size of every
    product in the determinant.
    """
    pairs = rank.shape[0]
    largest = spread(0.0)
    count = spread(0.0)
    for j in range(pairs):
        sh = load(root_hi, j)
        si = load(root_im, j)
        fr, fi, symmetric, skew = dispersion(p_hat, outer, twice, strength, hi, lo, sh, load(root_lo, j), si)
        rounding = 1.0 + symmetric + skew * square_root(size(sh) + size(si))
        rounding = (pairs + 24.0) * EPS * rounding * rounding * rounding
        wr, wi = residue(j, rank, hi, lo, root_hi, root_lo, root_im, spread(1.0), spread(0.0))
        counted = load(rank, j) > 0.0
        v = square_root((fr * fr + fi * fi) * (wr * wr + wi * wi)) + rounding * square_root(wr * wr + wi * wi)
        v = select(counted, v, 0.0)
        largest = select(v > largest, v, largest)
        count = count + load(rank, j)
        store(vr, j, v)
    floor = largest / (count + SMALLEST)
    total = spread(0.0)
    for j in range(pairs):
        v = load(vr, j)
        total = total + load(rank, j) * select(v > floor, v, floor)
    for j in range(pairs):
        v = load(vr, j)
        store(radius, j, v * total / (select(v > floor, v, floor) + SMALLEST))
    return 0

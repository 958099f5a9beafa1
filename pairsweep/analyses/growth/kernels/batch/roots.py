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

import numpy as np

from pairsweep.analyses.growth.kernels.batch.dispersion import (
    SMALLEST,
    dispersion,
    dispersion_rounding,
    from_pole,
    reciprocal,
    squared_size,
)
from pairsweep.analyses.growth.kernels.batch.tables import (
    COUNTED,
    HI,
    IM,
    LO,
    NEXT_HI,
    NEXT_IM,
    NEXT_LO,
    RADIUS,
    STRENGTH,
    TWICE,
    V_IM,
    V_RE,
)
from pairsweep.kernels.complex_lanes import any_lane, imag, load, pair, real, select, size, square_root, store
from pairsweep.kernels.exact import two_sum
from pairsweep.kernels.jit import jit
from pairsweep.kernels.lanes import splat

MAX_SWEEPS = 40
REACH = 1.0  # of the starts, in first-order shifts
TOGETHER = 1e-14  # roots closer than this part of the coupling are moved apart before discs are drawn
FEW = 16  # with more roots the step of fourth order strays at first


@jit()
def start_roots(slots, roots):
    """Start every root beside its own pole, about its first-order shift 4 c Omega and off the real axis."""
    for j in range(slots.shape[0]):
        shift = 2.0 * load(slots, j, STRENGTH)
        twice = load(slots, j, TWICE)
        # irrational turns: no two starts are mirror images of each other
        turn = 0.3 + 2.399963229728653 * j
        reach = REACH * (size(shift) + twice * twice) + SMALLEST
        total, rest = two_sum(load(slots, j, HI), load(slots, j, LO) + shift + np.cos(turn) * reach)
        store(roots, j, HI, total)
        store(roots, j, LO, rest)
        store(roots, j, IM, np.sin(turn) * reach)
    return 0


@jit()
def apart(roots, j, k):
    """z_j - z_k."""
    return pair(
        (load(roots, j, HI) - load(roots, k, HI)) + (load(roots, j, LO) - load(roots, k, LO)),
        load(roots, j, IM) - load(roots, k, IM),
    )


@jit()
def weierstrass(j, slots, roots, f):
    """v_j = f(z_j) (z_j - s_j) prod_{k != j} (z_j - s_k) / (z_j - z_k).

    Quotients are taken of four factors at a time: few divisions, and no overflow however far apart energies are.
    """
    sh = load(roots, j, HI)
    sl = load(roots, j, LO)
    si = load(roots, j, IM)
    pairs = slots.shape[0]
    v = f * from_pole(slots, j, sh, sl, si)
    for first in range(0, pairs, 4):
        below = pair(splat(1.0), splat(0.0))
        for k in range(first, min(first + 4, pairs)):
            if k != j:
                counts = load(slots, k, COUNTED) > 0.0
                v = v * select(counts, from_pole(slots, k, sh, sl, si), 1.0)
                below = below * select(counts, apart(roots, j, k), 1.0)
        v = v * reciprocal(below)
    return v


@jit()
def step(j, slots, roots, ahead):
    """Correction of root j, v_j / (1 + sum v_k / (z_j - ahead v_j - z_k)), ``ahead`` 1 or 0."""
    v = pair(load(roots, j, V_RE), load(roots, j, V_IM))
    below = pair(splat(1.0), splat(0.0))
    for k in range(slots.shape[0]):
        if k != j:
            below = below + pair(load(roots, k, V_RE), load(roots, k, V_IM)) * reciprocal(
                apart(roots, j, k) - v * ahead
            )
    # a vanishing denominator would throw the root away: then take the plain step
    return v * reciprocal(select(squared_size(below) < 0.01, 1.0, below))


@jit()
def improve_roots(sites, slots, tolerance, roots):
    """Iterate until every |v_j| is far below the tolerance (lanes, MeV); each lane stops on its own.

    A lane that does not converge is left to its discs, which will be large.
    """
    pairs = slots.shape[0]
    moving = tolerance > 0.0
    ahead = 1.0 if roots.shape[0] <= FEW else 0.0
    for _ in range(MAX_SWEEPS):
        unfinished = tolerance < 0.0
        for j in range(pairs):
            sh = load(roots, j, HI)
            si = load(roots, j, IM)
            f = dispersion(sites, sh, load(roots, j, LO), si)
            v = select(load(slots, j, COUNTED) > 0.0, weierstrass(j, slots, roots, f), 0.0)
            store(roots, j, V_RE, real(v))
            store(roots, j, V_IM, imag(v))
            # |ds| = 2 |omega| |d omega|; the step that follows leaves an error of higher order in this one
            target = 4e-8 * tolerance * tolerance * (size(sh) + size(si))
            unfinished = unfinished | (squared_size(v) > target)
        for j in range(pairs):
            change = select(moving, step(j, slots, roots, ahead), 0.0)
            total, rest = two_sum(load(roots, j, HI), load(roots, j, LO) - real(change))
            store(roots, j, NEXT_HI, total)
            store(roots, j, NEXT_LO, rest)
            store(roots, j, NEXT_IM, load(roots, j, IM) - imag(change))
        for j in range(pairs):
            store(roots, j, HI, load(roots, j, NEXT_HI))
            store(roots, j, LO, load(roots, j, NEXT_LO))
            store(roots, j, IM, load(roots, j, NEXT_IM))
        moving = moving & unfinished
        if not any_lane(moving):
            break
    return 0


@jit()
def part_roots(slots, roots):
    """Move roots that have come together a little apart: the discs need distinct centres, right or not."""
    pairs = slots.shape[0]
    width = splat(0.0)
    for j in range(pairs):
        width = width + size(load(slots, j, STRENGTH))
    for j in range(pairs):
        counts = load(slots, j, COUNTED) > 0.0
        for k in range(j):
            close = squared_size(apart(roots, j, k)) <= TOGETHER * TOGETHER * width * width
            close = close & counts & (load(slots, k, COUNTED) > 0.0)
            total, rest = two_sum(
                load(roots, j, HI), load(roots, j, LO) + select(close, 2.0 * TOGETHER * width, 0.0)
            )
            store(roots, j, HI, total)
            store(roots, j, LO, rest)
    return 0


@jit()
def enclose_roots(sites, slots, poles, roots):
    """Fill field RADIUS with radii of discs that hold all zeros of F, the rounding of f included."""
    part_roots(slots, roots)
    pairs = slots.shape[0]
    largest = splat(0.0)
    count = splat(0.0)
    for j in range(pairs):
        sh = load(roots, j, HI)
        sl = load(roots, j, LO)
        si = load(roots, j, IM)
        f = square_root(squared_size(dispersion(sites, sh, sl, si)))
        f = f + dispersion_rounding(sites, poles, sh, sl, si)
        others = weierstrass(j, slots, roots, pair(splat(1.0), splat(0.0)))
        counted = load(slots, j, COUNTED)
        scale = squared_size(others)
        # on a pole f is not what it should be, and the product vanishes: no disc there
        v = select(counted > 0.0, select(scale > 0.0, f * square_root(scale), 1e300), 0.0)
        store(roots, j, V_RE, v)
        largest = select(v > largest, v, largest)
        count = count + counted
    floor = largest / (count + SMALLEST)
    total = splat(0.0)
    for j in range(pairs):
        v = load(roots, j, V_RE)
        total = total + load(slots, j, COUNTED) * select(v > floor, v, floor)
    for j in range(pairs):
        v = load(roots, j, V_RE)
        store(roots, j, RADIUS, v * total / (select(v > floor, v, floor) + SMALLEST))
    return 0

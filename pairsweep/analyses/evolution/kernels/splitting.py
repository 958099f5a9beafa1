"""Splitting stepper of the spin form, eight numbers at a time.

With S_p = n p_hat + 2 Re kappa theta_hat + 2 Im kappa phi_hat the equations are (E in MeV, t in 1/MeV)

    dS_p/dt = -2 (E_p p_hat - 2 g Jc) x S_p + 4 g JS x S_p,   Jc = sum_q w_q q_hat,   JS = sum_q w_q S_q.

    A: the first term, a rotation of every pair about a constant vector of its own: one constant matrix.
    B: the second term. sum_p w_p (dS_p/dt) = 4 g JS x JS = 0, so JS stays and B is one rotation by 4 g |JS| t
       about JS, the same matrix for all pairs.

Jc belongs to A because there it costs nothing and B becomes smaller; it vanishes on grids that are symmetric.
Both parts are rotations, so |S_p| is kept to rounding whatever the step, and nothing is ever renormalised.

The state is an array of vectors of eight lanes, (blocks, 3, LANES), laid out in one of two ways:

    points in lanes   block = pair, lane = point: eight points of a sweep advance together
    pairs in lanes    block, lane = divmod(pair, 8): one point, for large systems; JS is summed over the lanes

Every lane does the same operations in the same order, and the layout depends on the number of pairs alone, so a
point's result does not depend on its neighbours in the batch. A stage costs 21 fused multiply-adds for a pair.
"""

from typing import NamedTuple

import numpy as np

from pairsweep.analyses.evolution.kernels.status import Status
from pairsweep.kernels.jit import jit
from pairsweep.kernels.lanes import LANES, aligned_zeros, load, splat, store, total

CARTESIAN = 3
MATRIX = 9
# numpy's, since numba compiles a function anew for a plain True or False that it is called with
FORWARDS, BACKWARDS = np.bool_(False), np.bool_(True)
# A sample time counts as reached when the sum of the steps is off by no more than this many roundings.
TIME_ROUNDINGS = 8.0
# Largest angle x of B in a stage: the polynomials below are then exact to rounding, x^12/13! < 1e-15.
LARGEST_TURN = 0.35
# Up to so many blocks two runs side by side are faster than one after the other; beyond, they fight for the cache.
FEW_BLOCKS = 16
# sin(x)/x and (1 - cos(x))/x^2 in powers of x^2
S1, S2, S3, S4, S5 = -1 / 6, 1 / 120, -1 / 5040, 1 / 362880, -1 / 39916800
K0, K1, K2, K3, K4, K5 = 1 / 2, -1 / 24, 1 / 720, -1 / 40320, 1 / 3628800, -1 / 479001600


class Scheme(NamedTuple):
    """Coefficients of a step (``schemes.Tableau``): ``a`` (s + 1,) of A and ``b`` (s,) of B."""

    a: np.ndarray
    b: np.ndarray


class Lanes(NamedTuple):
    """Two runs of P points side by side, between two calls of :func:`integrate`; :func:`make_lanes` begins them.

    P is LANES (points in lanes) or 1 (pairs in lanes).

    Attributes
    ----------
    S : (2, blocks, 3, LANES)
        Spins, turned by the first A of a step where ``step`` is not 0.
    parked, now : like ``S``
        Lanes that have arrived before others; spins at a sample.
    weight : (blocks, LANES) MeV^3
    rotations : (2, s + 1, blocks, 9, LANES)
        A after each B of a step, then its first A alone.
    strength : (2, s, LANES) MeV^-3
        4 g b_i times the step.
    reached, step : (2, P) 1/MeV
    constant : (3,) MeV^3
        Jc = sum w p_hat.
    most : (P,) MeV^3
        sum |w| |S|, which no |J| exceeds.
    """

    S: np.ndarray
    parked: np.ndarray
    now: np.ndarray
    weight: np.ndarray
    rotations: np.ndarray
    strength: np.ndarray
    reached: np.ndarray
    step: np.ndarray
    constant: np.ndarray
    most: np.ndarray


def make_lanes(scheme, pairs, start):
    """Return the `Lanes` of P points at t = 0, whose n, Re kappa, Im kappa are ``start`` (P, 3, N)."""
    points, _, size = start.shape
    blocks = -(-size // LANES) if points == 1 else size
    n, re, im = start[:, 0, :, None], start[:, 1, :, None], start[:, 2, :, None]
    spins = n * pairs.p_hat + 2.0 * (re * pairs.theta_hat + im * pairs.phi_hat)
    length = np.sqrt(np.sum(spins * spins, axis=2))
    stages = scheme.b.size
    S = aligned_zeros(2 * blocks * CARTESIAN * LANES).reshape(2, blocks, CARTESIAN, LANES)
    weight = aligned_zeros(blocks * LANES).reshape(blocks, LANES)
    if points == 1:
        padded = np.zeros((blocks * LANES, CARTESIAN))
        padded[:size] = spins[0]
        S[:] = padded.reshape(blocks, LANES, CARTESIAN).transpose(0, 2, 1)
        weight.reshape(-1)[:size] = pairs.weight
    else:
        S[:] = spins.transpose(1, 2, 0)
        weight[:] = pairs.weight[:, None]
    matrices = aligned_zeros(2 * (stages + 1) * blocks * MATRIX * LANES)
    return Lanes(
        S=S,
        parked=np.zeros(S.shape),
        now=np.zeros(S.shape),
        weight=weight,
        rotations=matrices.reshape(2, stages + 1, blocks, MATRIX, LANES),
        strength=aligned_zeros(2 * stages * LANES).reshape(2, stages, LANES),
        reached=np.zeros((2, points)),
        step=np.zeros((2, points)),
        constant=np.cumsum(pairs.weight[:, None] * pairs.p_hat, axis=0)[-1],
        most=length @ np.abs(pairs.weight),
    )


@jit()
def rotation_matrix(x, y, z, out):
    """Fill ``out`` (9,) with the rotation by |v| about v = (x, y, z), row by row: exp([v]x)."""
    square = x * x + y * y + z * z
    angle = np.sqrt(square)
    s = 1.0
    k = 0.5
    if angle > 0.0:
        half = np.sin(0.5 * angle)
        s = np.sin(angle) / angle
        k = 2.0 * half * half / square
    out[0] = 1.0 - k * (y * y + z * z)
    out[1] = k * x * y - s * z
    out[2] = k * x * z + s * y
    out[3] = k * x * y + s * z
    out[4] = 1.0 - k * (x * x + z * z)
    out[5] = k * y * z - s * x
    out[6] = k * x * z - s * y
    out[7] = k * y * z + s * x
    out[8] = 1.0 - k * (x * x + y * y)
    return 0


@jit()
def place_of(pair, point, pairs_in_lanes):
    """Block and lane of a pair of a point."""
    if pairs_in_lanes:
        return pair // LANES, pair % LANES
    return pair, point


@jit(apart=True)
def fill_rotations(a, energy, p_hat, g, Jc, step, point, pairs_in_lanes, rotations):
    """Fill ``rotations`` (s + 1, blocks, 9, LANES) of one point: A(a_i step) after each B, then A(a_1 step) alone.

    The last A of a step and the first of the next are one rotation, A(2 a_1 step). ``Jc`` (3,) is sum w p_hat, g in
    MeV^-2.
    """
    one = np.empty(MATRIX)
    last = a.size - 1
    for i in range(a.size):
        time = step * (a[0] if i == last else 2.0 * a[0] if i == last - 1 else a[i + 1])
        for p in range(energy.size):
            rotation_matrix(
                -2.0 * time * (energy[p] * p_hat[p, 0] - 2.0 * g * Jc[0]),
                -2.0 * time * (energy[p] * p_hat[p, 1] - 2.0 * g * Jc[1]),
                -2.0 * time * (energy[p] * p_hat[p, 2] - 2.0 * g * Jc[2]),
                one,
            )
            block, lane = place_of(p, point, pairs_in_lanes)
            for k in range(MATRIX):
                rotations[i, block, k, lane] = one[k]
    return 0


@jit(forceinline=True)
def stage(rotations, first, weight, strength, S, jx, jy, jz):
    """Turn every spin by B, a rotation by ``strength`` times J, then by A; return the new sums of w S per lane.

    ``rotations`` is flat, ``first`` the index where A's matrices of this stage begin.
    """
    one = splat(1.0)
    x = strength * jx
    y = strength * jy
    z = strength * jz
    q = x * x + y * y + z * z
    qq = q * q
    # Estrin's scheme: half the latency of Horner's
    s = (one + q * splat(S1)) + qq * ((splat(S2) + q * splat(S3)) + qq * (splat(S4) + q * splat(S5)))
    k = (splat(K0) + q * splat(K1)) + qq * ((splat(K2) + q * splat(K3)) + qq * (splat(K4) + q * splat(K5)))
    kx = k * x
    ky = k * y
    kz = k * z
    sx = s * x
    sy = s * y
    sz = s * z
    m0 = one - ky * y - kz * z
    m1 = kx * y - sz
    m2 = kx * z + sy
    m3 = kx * y + sz
    m4 = one - kx * x - kz * z
    m5 = ky * z - sx
    m6 = kx * z - sy
    m7 = ky * z + sx
    m8 = one - kx * x - ky * y
    jx = splat(0.0)
    jy = splat(0.0)
    jz = splat(0.0)
    for block in range(S.shape[0]):
        at = block * CARTESIAN * LANES
        u = load(S, at)
        v = load(S, at + LANES)
        w = load(S, at + 2 * LANES)
        x = m0 * u + m1 * v + m2 * w
        y = m3 * u + m4 * v + m5 * w
        z = m6 * u + m7 * v + m8 * w
        r = first + block * MATRIX * LANES
        u = load(rotations, r) * x + load(rotations, r + LANES) * y + load(rotations, r + 2 * LANES) * z
        r += 3 * LANES
        v = load(rotations, r) * x + load(rotations, r + LANES) * y + load(rotations, r + 2 * LANES) * z
        r += 3 * LANES
        w = load(rotations, r) * x + load(rotations, r + LANES) * y + load(rotations, r + 2 * LANES) * z
        store(S, at, u)
        store(S, at + LANES, v)
        store(S, at + 2 * LANES, w)
        mass = load(weight, block * LANES)
        jx = jx + mass * u
        jy = jy + mass * v
        jz = jz + mass * w
    return jx, jy, jz


@jit()
def lane_sums(weight, S):
    """Sum w S over the blocks of S (blocks, 3, LANES), per lane."""
    jx = splat(0.0)
    jy = splat(0.0)
    jz = splat(0.0)
    for block in range(S.shape[0]):
        mass = load(weight, block * LANES)
        at = block * CARTESIAN * LANES
        jx = jx + mass * load(S, at)
        jy = jy + mass * load(S, at + LANES)
        jz = jz + mass * load(S, at + 2 * LANES)
    return jx, jy, jz


@jit(apart=True)
def advance(b, rotations, weight, strength, steps, pairs_in_lanes, S):
    """Advance S (blocks, 3, LANES), already turned by the first A of a step, by ``steps`` steps.

    ``rotations`` (s or more, blocks, 9, LANES) acts after each B, ``weight`` (blocks, LANES) MeV^3; ``strength`` (s,
    LANES) is 4 g b_i times the step, MeV^-3.
    """
    matrices = S.shape[0] * MATRIX * LANES
    jx, jy, jz = lane_sums(weight, S)
    for _ in range(steps):
        for i in range(b.size):
            if pairs_in_lanes:
                jx, jy, jz = splat(total(jx)), splat(total(jy)), splat(total(jz))
            jx, jy, jz = stage(rotations, i * matrices, weight, load(strength, i * LANES), S, jx, jy, jz)
    return 0


@jit(apart=True)
def advance_both(b, rotations, weight, strength, steps, S):
    """Advance two runs, S (2, blocks, 3, LANES), with points in lanes: :func:`advance` of each, by stages.

    A stage of few pairs is a chain of operations that wait for one another; the other run's chain fills the gaps.
    """
    matrices = S.shape[1] * MATRIX * LANES
    first, other = rotations[0], rotations[1]
    turns, other_turns = strength[0], strength[1]
    spins, other_spins = S[0], S[1]
    jx, jy, jz = lane_sums(weight, spins)
    kx, ky, kz = lane_sums(weight, other_spins)
    for _ in range(steps):
        for i in range(b.size):
            at = i * matrices
            jx, jy, jz = stage(first, at, weight, load(turns, i * LANES), spins, jx, jy, jz)
            kx, ky, kz = stage(other, at, weight, load(other_turns, i * LANES), other_spins, kx, ky, kz)
    return 0


@jit(apart=True)
def advance_each(b, lanes, counts):
    """Advance every point of both runs by a number of steps of its own, ``counts`` (2, P).

    A lane that has arrived is parked and goes on idly until the last one of its run arrives: no lane sees another, so
    a point's result does not depend on those beside it.
    """
    S, parked, rotations = lanes.S, lanes.parked, lanes.rotations
    weight, strength = lanes.weight, lanes.strength
    points = counts.shape[1]
    pairs_in_lanes = points == 1
    most = np.zeros(2, dtype=np.int64)
    for run in range(2):
        for point in range(points):
            most[run] = max(most[run], counts[run, point])
    done = 0
    for _ in range(counts.size + 1):
        following = max(most[0], most[1])
        for run in range(2):
            for point in range(points):
                if counts[run, point] == done:
                    copy_lane(S[run], point, parked[run])
                elif counts[run, point] > done:
                    following = min(following, counts[run, point])
        steps = following - done
        if steps == 0:
            break
        if not pairs_in_lanes and S.shape[1] <= FEW_BLOCKS and min(most[0], most[1]) > done:
            advance_both(b, rotations, weight, strength, steps, S)
        else:
            for run in range(2):
                if most[run] > done:
                    advance(b, rotations[run], weight, strength[run], steps, pairs_in_lanes, S[run])
        done = following
    for run in range(2):
        for point in range(points):
            if counts[run, point] < most[run]:
                copy_lane(parked[run], point, S[run])
    return 0


@jit()
def copy_lane(source, lane, target):
    """Copy one lane of an array (blocks, 3, LANES) of spins."""
    for block in range(source.shape[0]):
        for k in range(CARTESIAN):
            target[block, k, lane] = source[block, k, lane]
    return 0


@jit(apart=True)
def turn_first(matrices, pairs, point, pairs_in_lanes, backwards, S):
    """Turn the spins of one point in S by the first A of a step, ``matrices`` (blocks, 9, LANES), or BACKWARDS."""
    for p in range(pairs):
        block, lane = place_of(p, point, pairs_in_lanes)
        x, y, z = S[block, 0, lane], S[block, 1, lane], S[block, 2, lane]
        for k in range(CARTESIAN):
            i, stride = (k, CARTESIAN) if backwards else (CARTESIAN * k, 1)
            S[block, k, lane] = (
                matrices[block, i, lane] * x
                + matrices[block, i + stride, lane] * y
                + matrices[block, i + 2 * stride, lane] * z
            )
    return 0


@jit(apart=True)
def change_step(scheme, pairs, g, step, point, run, lanes):
    """Give one point of a run another step, 1/MeV; return the largest turn that B could make in a stage."""
    pairs_in_lanes = lanes.most.size == 1
    first = lanes.rotations[run, scheme.b.size]
    S = lanes.S[run]
    if lanes.step[run, point] != 0.0:
        turn_first(first, pairs.energy.size, point, pairs_in_lanes, BACKWARDS, S)
    lanes.step[run, point] = step
    fill_rotations(
        scheme.a,
        pairs.energy,
        pairs.p_hat,
        g,
        lanes.constant,
        step,
        point,
        pairs_in_lanes,
        lanes.rotations[run],
    )
    turn_first(first, pairs.energy.size, point, pairs_in_lanes, FORWARDS, S)
    largest = 0.0
    for i in range(scheme.b.size):
        turn = 4.0 * g * scheme.b[i] * step
        largest = max(largest, abs(turn) * lanes.most[point])
        for lane in range(LANES):
            if pairs_in_lanes or lane == point:
                lanes.strength[run, i, lane] = turn
    return largest


@jit()
def integrate(scheme, pairs, g, times, steps, lanes, states, deviation, status):
    """Integrate LANES points, or a single one, twice side by side: with the steps asked for and with fewer.

    Parameters
    ----------
    scheme : Scheme
    pairs : Pairs
    g : (P,) MeV^-2
    times : (P, T) 1/MeV
        Sample times, in order away from what was reached before (either sign).
    steps : (T, 2, P) int
        Numbers of steps that lead to each sample, of the run and of the coarser run beside it; none: no check.
    lanes : Lanes
        Moved on to the last sample.
    states : (P, T, 3, N)
        Filled with n, Re kappa, Im kappa of the run.
    deviation : (P,)
        Raised to the largest difference of any component of any S between the two runs, at the samples; what is NaN
        stays so.
    status : (P,) int
        Set to STEP_TOO_LONG where B could turn further than LARGEST_TURN in a stage; else left alone.
    """
    p_hat, theta_hat, phi_hat = pairs.p_hat, pairs.theta_hat, pairs.phi_hat
    points = g.size
    pairs_in_lanes = points == 1
    S, now, reached, step = lanes.S, lanes.now, lanes.reached, lanes.step
    for sample in range(times.shape[1]):
        for run in range(2):
            for point in range(points):
                count = steps[sample, run, point]
                if count == 0:
                    continue
                time = times[point, sample]
                ahead = reached[run, point] + count * step[run, point]
                if abs(ahead - time) > TIME_ROUNDINGS * np.spacing(abs(time)):
                    longer = (time - reached[run, point]) / count
                    if change_step(scheme, pairs, g[point], longer, point, run, lanes) > LARGEST_TURN:
                        status[point] = Status.STEP_TOO_LONG
                    ahead = time
                reached[run, point] = ahead
        advance_each(scheme.b, lanes, steps[sample])
        for run in range(2):
            for block in range(S.shape[1]):
                for k in range(CARTESIAN):
                    for lane in range(LANES):
                        now[run, block, k, lane] = S[run, block, k, lane]
            for point in range(points):
                if step[run, point] != 0.0:
                    first = lanes.rotations[run, scheme.b.size]
                    turn_first(first, p_hat.shape[0], point, pairs_in_lanes, BACKWARDS, now[run])
        for point in range(points):
            for p in range(p_hat.shape[0]):
                block, lane = place_of(p, point, pairs_in_lanes)
                n = 0.0
                re = 0.0
                im = 0.0
                for k in range(CARTESIAN):
                    value = now[0, block, k, lane]
                    n += p_hat[p, k] * value
                    re += 0.5 * theta_hat[p, k] * value
                    im += 0.5 * phi_hat[p, k] * value
                    deviation[point] = max(deviation[point], abs(value - now[1, block, k, lane]))
                states[point, sample, 0, p] = n
                states[point, sample, 1, p] = re
                states[point, sample, 2, p] = im
    return 0

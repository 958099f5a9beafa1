"""Third order in g: the average of a double bracket over sampled phases, applied as kicks.

Eliminating chi2 by parts from the third order of exp(L_chi) (docs/averaging.md) leaves

    K3 = < { { K1/2 + (H1 - K1)/3, chi1 }, chi1 } >,

the mean over the phases of the shells. All three functions are quadratic, so their gradients are linear in the
state and a bracket needs no derivative: with omega_F = (dF/dS)/w per pair and L_F the linear part of omega_F,

    omega_{A,B} = omega_A x omega_B + L_A[omega_B x S] - L_B[omega_A x S].

The harmonics of the double bracket are sums of at most four shell frequencies, so the mean over equally spaced
points of a closed line m theta (one integer m_a per shell) is exact when no such sum but those that truly vanish
is 0 modulo the number of points. Commensurate shells take their own frequencies for m; others get integers without
any accidental resonance.

Vectors are local, components along p_hat, theta_hat, phi_hat: S is (n, 2 Re kappa, 2 Im kappa), omega is (h, Re f,
Im f). A displacement of S stands in the blocks like a state, so its kappa part is half of its local vector.
"""

import numpy as np

from pairsweep.analyses.evolution.kernels.averaging.change import chi1_vectors
from pairsweep.analyses.evolution.kernels.averaging.shells import (
    VECTOR,
    VECTORISED,
    add_lanes,
    linear_gradient,
    vector_sums,
)
from pairsweep.kernels.jit import jit
from pairsweep.kernels.lanes import LANES

MOST_PHASES = 4096
MOST_MULTIPLE = 64
COMMENSURATE = 1e-11


@jit()
def _sums_of_two(multiples, combinations):
    """Fill ``combinations`` with all m_b + m_d, indices over 0 and +-a; returns how many."""
    shells = multiples.size
    count = 0
    for b in range(-shells, shells + 1):
        mb = 0 if b == 0 else (multiples[b - 1] if b > 0 else -multiples[-b - 1])
        for d in range(b, shells + 1):
            md = 0 if d == 0 else (multiples[d - 1] if d > 0 else -multiples[-d - 1])
            combinations[count] = mb + md
            count += 1
    return count


@jit()
def _aliased(sums, count, points, seen):
    """Whether two different sums agree modulo ``points``: then a sum of four is a false resonance."""
    seen[:points] = 0
    for i in range(count):
        residue = sums[i] % points
        if seen[residue] == 0:
            seen[residue] = i + 1
        elif sums[seen[residue] - 1] != sums[i]:
            return True
    return False


@jit()
def common_multiples(centre, multiples):
    """Fill ``multiples`` (shells,) with integers in proportion to the energies; returns whether there are any."""
    shells = centre.size
    for k in range(1, MOST_MULTIPLE + 1):
        unit = centre[0] / k
        good = True
        for a in range(shells):
            ratio = centre[a] / unit
            multiples[a] = int(np.rint(ratio))
            if abs(ratio - multiples[a]) > COMMENSURATE * ratio or ratio > 1e6:
                good = False
                break
        if good:
            return True
    return False


@jit()
def phase_line(centre, multiples):
    """Fill ``multiples`` (shells,) and return the number of phases of an exact mean, 0 where it is too large."""
    shells = centre.size
    seen = np.zeros(MOST_PHASES, dtype=np.int64)
    pairs = np.empty((2 * shells + 1) * (shells + 1), dtype=np.int64)
    if common_multiples(centre, multiples):
        count = _sums_of_two(multiples, pairs)
        for points in range(2 * shells + 3, MOST_PHASES):
            if not _aliased(pairs, count, points, seen):
                return points
        return 0
    # no common unit: the next integer of a shell is the least that makes no resonance with those before it
    for a in range(shells):
        multiples[a] = 1 if a == 0 else multiples[a - 1] + 1
        for _ in range(MOST_PHASES):
            if _independent(multiples[: a + 1]):
                break
            multiples[a] += 1
    count = _sums_of_two(multiples, pairs)
    for points in range(2 * shells * (shells + 1) + 1, MOST_PHASES):
        if not _aliased(pairs, count, points, seen):
            return points
    return 0


@jit()
def _independent(multiples):
    """Whether all sums of two of 0, +-m_a differ, except those that agree for every m (m_a - m_a = 0)."""
    shells = multiples.size
    sums = np.empty((2 * shells + 1) * (shells + 1), dtype=np.int64)
    count = _sums_of_two(multiples, sums)
    zeros = 0
    for i in range(count):
        if sums[i] == 0:
            zeros += 1
        else:
            for j in range(i):
                if sums[j] == sums[i]:
                    return False
    return zeros == shells + 1


@jit()
def _phased_vectors(centre, turn, g, sums, J0, complexes, of_q, of_chi):
    """Fill ``of_q`` and ``of_chi`` (shells, VECTOR): l, G of the gradients of Q and of chi1 at one phase.

    Q = K1/2 + (H1 - K1)/3; ``turn`` (shells,) is exp(-i phi_a). The state, or a displacement of it, enters by its
    ``sums`` (shells, VECTOR) and ``J0`` (3,). Both gradients carry one factor g.
    """
    shells = centre.size
    turned, G = complexes[0], complexes[1]
    axis = np.empty(3)
    for a in range(shells):
        for k in range(3):
            turned[a, k] = complex(sums[a, 3 + k], sums[a, 6 + k]) * turn[a]
    chi1_vectors(centre, turned, J0, g, axis, G)
    for k in range(3):
        J = J0[k]
        for a in range(shells):
            J += 2.0 * turned[a, k].real
        for a in range(shells):
            back = turn[a].conjugate()
            of_q[a, k] = g * (4.0 / 3.0 * J + 2.0 / 3.0 * J0[k])
            of_q[a, 3 + k] = g * (4.0 / 3.0 * J * back.real + 2.0 / 3.0 * sums[a, 3 + k])
            of_q[a, 6 + k] = g * (4.0 / 3.0 * J * back.imag + 2.0 / 3.0 * sums[a, 6 + k])
            of_chi[a, k] = axis[k]
            unturned = G[a, k] * back
            of_chi[a, 3 + k] = unturned.real
            of_chi[a, 6 + k] = unturned.imag
    return 0


@jit(forceinline=True, fastmath=VECTORISED)
def _at(geo, b, lane, v, a):
    """Gradient (h, Re f, Im f) of a lane of a block from the vectors ``v[a]`` (VECTOR,) of its shell."""
    h = geo[b, lane] * v[a, 0] + geo[b, 8 + lane] * v[a, 1] + geo[b, 16 + lane] * v[a, 2]
    re = geo[b, 24 + lane] * v[a, 3] + geo[b, 32 + lane] * v[a, 4] + geo[b, 40 + lane] * v[a, 5]
    re -= geo[b, 48 + lane] * v[a, 6] + geo[b, 56 + lane] * v[a, 7] + geo[b, 64 + lane] * v[a, 8]
    im = geo[b, 24 + lane] * v[a, 6] + geo[b, 32 + lane] * v[a, 7] + geo[b, 40 + lane] * v[a, 8]
    im += geo[b, 48 + lane] * v[a, 3] + geo[b, 56 + lane] * v[a, 4] + geo[b, 64 + lane] * v[a, 5]
    return h, re, im


@jit(forceinline=True, fastmath=VECTORISED)
def _cross(a, b):
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@jit(forceinline=True, fastmath=VECTORISED)
def _collect(geo, b, lane, w, v, wide, row):
    """Add the local vector ``v`` of a pair of weight ``w`` to its sums, ``wide[row]`` (VECTOR * LANES,)."""
    wn = w * v[0]
    re = 0.5 * w * v[1]
    im = 0.5 * w * v[2]
    wide[row, lane] += wn * geo[b, lane]
    wide[row, 8 + lane] += wn * geo[b, 8 + lane]
    wide[row, 16 + lane] += wn * geo[b, 16 + lane]
    wide[row, 24 + lane] += re * geo[b, 24 + lane] + im * geo[b, 48 + lane]
    wide[row, 32 + lane] += re * geo[b, 32 + lane] + im * geo[b, 56 + lane]
    wide[row, 40 + lane] += re * geo[b, 40 + lane] + im * geo[b, 64 + lane]
    wide[row, 48 + lane] += im * geo[b, 24 + lane] - re * geo[b, 48 + lane]
    wide[row, 56 + lane] += im * geo[b, 32 + lane] - re * geo[b, 56 + lane]
    wide[row, 64 + lane] += im * geo[b, 40 + lane] - re * geo[b, 64 + lane]


@jit(fastmath=VECTORISED)
def _first_brackets(shells, state, of_q, of_chi, wide, sums):
    """Fill ``sums`` (2, shells, VECTOR) with those of the displacements omega_chi x S and omega_Q x S."""
    first, geo, weight, detuning = shells.first, shells.geometry, shells.weight, shells.detuning
    for a in range(first.size - 1):
        for i in range(VECTOR * LANES):
            wide[0, i] = 0.0
            wide[1, i] = 0.0
        for b in range(first[a], first[a + 1]):
            for lane in range(LANES):
                w = weight[b, lane]
                S = (state[b, lane], 2.0 * state[b, 8 + lane], 2.0 * state[b, 16 + lane])
                h, re, im = _at(geo, b, lane, of_q, a)
                _collect(geo, b, lane, w, _cross(_at(geo, b, lane, of_chi, a), S), wide, 0)
                _collect(geo, b, lane, w, _cross((h - 0.5 * detuning[b, lane], re, im), S), wide, 1)
        for k in range(2):
            add_lanes(wide[k], a, sums[k])
    return 0


@jit(fastmath=VECTORISED)
def _second_brackets(shells, state, of_q, of_chi, q_of_u, chi_of_u, chi_of_v, wide, sums, out):
    """Add the local part of the double bracket to ``out`` and fill ``sums`` with those of its two displacements."""
    first, geo, weight, detuning = shells.first, shells.geometry, shells.weight, shells.detuning
    for a in range(first.size - 1):
        for i in range(VECTOR * LANES):
            wide[0, i] = 0.0
            wide[1, i] = 0.0
        for b in range(first[a], first[a + 1]):
            for lane in range(LANES):
                w = weight[b, lane]
                S = (state[b, lane], 2.0 * state[b, 8 + lane], 2.0 * state[b, 16 + lane])
                h, re, im = _at(geo, b, lane, of_q, a)
                wq = (h - 0.5 * detuning[b, lane], re, im)
                wx = _at(geo, b, lane, of_chi, a)
                u = _cross(wx, S)
                lqu = _at(geo, b, lane, q_of_u, a)
                lxu = _at(geo, b, lane, chi_of_u, a)
                lxv = _at(geo, b, lane, chi_of_v, a)
                # gradient of {Q, chi1}
                c = _cross(wq, wx)
                wg = (c[0] + lqu[0] - lxv[0], c[1] + lqu[1] - lxv[1], c[2] + lqu[2] - lxv[2])
                # of {{Q, chi1}, chi1}: what is local
                sum_q = (wg[0] + lqu[0], wg[1] + lqu[1], wg[2] + lqu[2])
                c1 = _cross(sum_q, wx)
                c2 = _cross(wq, lxu)
                out[b, lane] += c1[0] + c2[0]
                out[b, 8 + lane] += c1[1] + c2[1]
                out[b, 16 + lane] += c1[2] + c2[2]
                # and the displacements that L_Q and L_chi act on
                c1 = _cross(lxu, S)
                c2 = _cross(wx, u)
                _collect(geo, b, lane, w, (c1[0] + c2[0], c1[1] + c2[1], c1[2] + c2[2]), wide, 0)
                c1 = _cross(sum_q, S)
                c2 = _cross(wq, u)
                _collect(geo, b, lane, w, (c1[0] + c2[0], c1[1] + c2[1], c1[2] + c2[2]), wide, 1)
        for k in range(2):
            add_lanes(wide[k], a, sums[k])
    return 0


@jit()
def _total(sums, total):
    """Fill ``total`` (3,) with sum w p n over all shells."""
    for k in range(3):
        total[k] = 0.0
        for a in range(sums.shape[0]):
            total[k] += sums[a, k]
    return 0


@jit()
def kick_scratch(count):
    """Return the scratch arrays of :func:`third_order_gradient` for ``count`` shells."""
    return (
        np.zeros((2, VECTOR * LANES)),
        np.zeros((3, count, VECTOR)),
        np.zeros((7, count, VECTOR)),
        np.zeros((2, count, 3), dtype=np.complex128),
    )


@jit()
def third_order_gradient(shells, g, phases, state, work, out):
    """Fill ``out`` (B, 3 LANES) with the gradient (h, Re f, Im f) of g^3 K3 at ``state``, MeV.

    ``phases``: from :func:`phase_line`; ``work``: :func:`kick_scratch`. The kick over a time s is the rotation of
    every S by s times ``out``.
    """
    centre = shells.centre
    count = centre.size
    wide, sums, vectors, complexes = work
    of_state, pair = sums[2], sums[:2]
    of_q, of_chi, q_of_u, chi_of_u, q_of_v, chi_of_v = (
        vectors[0],
        vectors[1],
        vectors[2],
        vectors[3],
        vectors[4],
        vectors[5],
    )
    linear = vectors[6]
    J0 = np.empty(3)
    moved = np.empty(3)
    turn = np.empty(count, dtype=np.complex128)
    vector_sums(shells, state, wide[0], of_state)
    _total(of_state, J0)
    for k in range(3):
        J0[k] += shells.background[k]
    for b in range(out.shape[0]):
        for i in range(out.shape[1]):
            out[b, i] = 0.0
    for a in range(count):
        for k in range(VECTOR):
            linear[a, k] = 0.0
    for j in range(phases):
        for a in range(count):
            angle = 2.0 * np.pi * ((j * shells.multiples[a]) % phases) / phases
            turn[a] = complex(np.cos(angle), -np.sin(angle))
        _phased_vectors(centre, turn, g, of_state, J0, complexes, of_q, of_chi)
        _first_brackets(shells, state, of_q, of_chi, wide, pair)
        _total(pair[0], moved)
        _phased_vectors(centre, turn, g, pair[0], moved, complexes, q_of_u, chi_of_u)
        _total(pair[1], moved)
        _phased_vectors(centre, turn, g, pair[1], moved, complexes, q_of_v, chi_of_v)
        _second_brackets(shells, state, of_q, of_chi, q_of_u, chi_of_u, chi_of_v, wide, pair, out)
        # L_Q of the first displacement less L_chi of the second, linear and so gathered over the phases
        _total(pair[0], moved)
        _phased_vectors(centre, turn, g, pair[0], moved, complexes, q_of_u, chi_of_u)
        _total(pair[1], moved)
        _phased_vectors(centre, turn, g, pair[1], moved, complexes, q_of_v, chi_of_v)
        for a in range(count):
            for k in range(VECTOR):
                linear[a, k] += q_of_u[a, k] - chi_of_v[a, k]
    gradient = np.empty_like(out)
    linear_gradient(shells, linear, gradient)
    for b in range(out.shape[0]):
        for i in range(out.shape[1]):
            out[b, i] = (out[b, i] + gradient[b, i]) / phases
    return 0

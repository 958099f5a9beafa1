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

from typing import NamedTuple

import numpy as np

from pairsweep.analyses.evolution.kernels.averaging.change import chi1_vectors
from pairsweep.analyses.evolution.kernels.averaging.shells import (
    EPN,
    IM,
    RE,
    VECTOR,
    VECTORISED,
    add_lanes,
    add_vectors,
    gradient_at,
    linear_gradient,
    vector_of,
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


@jit(apart=True)
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


@jit(apart=True)
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
def _cross(a, b):
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@jit(forceinline=True, fastmath=VECTORISED)
def _plus(a, b):
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


@jit(forceinline=True, fastmath=VECTORISED)
def _collect(geo, b, lane, w, v, wide):
    """Add the local vector ``v`` of a pair of weight ``w`` to its sums."""
    add_vectors(geo, b, lane, w * v[0], 0.5 * w * v[1], 0.5 * w * v[2], EPN, wide)


@jit(apart=True, fastmath=VECTORISED)
def _first_brackets(shells, state, work):
    """Fill ``work.pair`` with the sums of the displacements omega_chi x S and omega_Q x S."""
    first, geo, weight, detuning = shells.first, shells.geometry, shells.weight, shells.detuning
    of_first, of_second = work.wide[0], work.wide[1]
    of_q, of_chi = work.of_q, work.of_chi
    for a in range(first.size - 1):
        for i in range(VECTOR * LANES):
            of_first[i] = 0.0
            of_second[i] = 0.0
        q, chi = vector_of(of_q, a), vector_of(of_chi, a)
        for b in range(first[a], first[a + 1]):
            for lane in range(LANES):
                w = weight[b, lane]
                S = (state[b, lane], 2.0 * state[b, RE + lane], 2.0 * state[b, IM + lane])
                h, re, im = gradient_at(geo, b, lane, q)
                _collect(geo, b, lane, w, _cross(gradient_at(geo, b, lane, chi), S), of_first)
                _collect(geo, b, lane, w, _cross((h - 0.5 * detuning[b, lane], re, im), S), of_second)
        add_lanes(of_first, a, work.pair[0])
        add_lanes(of_second, a, work.pair[1])
    return 0


@jit(apart=True, fastmath=VECTORISED)
def _second_brackets(shells, state, work, out):
    """Add the local part of the double bracket to ``out``; fill ``work.pair`` with the sums of its displacements."""
    first, geo, weight, detuning = shells.first, shells.geometry, shells.weight, shells.detuning
    of_first, of_second = work.wide[0], work.wide[1]
    of_q, of_chi, q_of_u = work.of_q, work.of_chi, work.q_of_u
    chi_of_u, chi_of_v = work.chi_of_u, work.chi_of_v
    for a in range(first.size - 1):
        for i in range(VECTOR * LANES):
            of_first[i] = 0.0
            of_second[i] = 0.0
        q, chi, qu = vector_of(of_q, a), vector_of(of_chi, a), vector_of(q_of_u, a)
        chiu, chiv = vector_of(chi_of_u, a), vector_of(chi_of_v, a)
        for b in range(first[a], first[a + 1]):
            for lane in range(LANES):
                w = weight[b, lane]
                S = (state[b, lane], 2.0 * state[b, RE + lane], 2.0 * state[b, IM + lane])
                h, re, im = gradient_at(geo, b, lane, q)
                wq = (h - 0.5 * detuning[b, lane], re, im)
                wx = gradient_at(geo, b, lane, chi)
                u = _cross(wx, S)
                lqu = gradient_at(geo, b, lane, qu)
                lxu = gradient_at(geo, b, lane, chiu)
                lxv = gradient_at(geo, b, lane, chiv)
                # gradient of {Q, chi1}
                c = _cross(wq, wx)
                wg = (c[0] + lqu[0] - lxv[0], c[1] + lqu[1] - lxv[1], c[2] + lqu[2] - lxv[2])
                # of {{Q, chi1}, chi1}: what is local
                sum_q = _plus(wg, lqu)
                local = _plus(_cross(sum_q, wx), _cross(wq, lxu))
                out[b, lane] += local[0]
                out[b, RE + lane] += local[1]
                out[b, IM + lane] += local[2]
                # and the displacements that L_Q and L_chi act on
                _collect(geo, b, lane, w, _plus(_cross(lxu, S), _cross(wx, u)), of_first)
                _collect(geo, b, lane, w, _plus(_cross(sum_q, S), _cross(wq, u)), of_second)
        add_lanes(of_first, a, work.pair[0])
        add_lanes(of_second, a, work.pair[1])
    return 0


@jit()
def _total(sums, total):
    """Fill ``total`` (3,) with sum w p n over all shells."""
    for k in range(3):
        total[k] = 0.0
        for a in range(sums.shape[0]):
            total[k] += sums[a, k]
    return 0


class KickScratch(NamedTuple):
    """Scratch of :func:`third_order_gradient`.

    Attributes
    ----------
    wide : (2, VECTOR LANES)
    complexes : (2, shells, 3) complex
    sums, linear : (shells, VECTOR)
        Sums of the state; what is gathered over the phases.
    pair : (2, shells, VECTOR)
        Sums of two displacements: u = omega_chi x S and v = omega_Q x S, or those of the double bracket.
    of_q, of_chi, q_of_u, chi_of_u, q_of_v, chi_of_v : (shells, VECTOR)
        Gradients of Q and of chi1 at the state, at u and at v.
    """

    wide: np.ndarray
    complexes: np.ndarray
    sums: np.ndarray
    linear: np.ndarray
    pair: np.ndarray
    of_q: np.ndarray
    of_chi: np.ndarray
    q_of_u: np.ndarray
    chi_of_u: np.ndarray
    q_of_v: np.ndarray
    chi_of_v: np.ndarray


@jit()
def kick_scratch(count):
    """Return the :class:`KickScratch` of ``count`` shells."""
    v = np.zeros((10, count, VECTOR))
    wide = np.zeros((2, VECTOR * LANES))
    complexes = np.zeros((2, count, 3), dtype=np.complex128)
    return KickScratch(wide, complexes, v[0], v[1], v[2:4], v[4], v[5], v[6], v[7], v[8], v[9])


@jit(apart=True)
def third_order_gradient(shells, g, phases, state, work, out):
    """Fill ``out`` (B, 3 LANES) with the gradient (h, Re f, Im f) of g^3 K3 at ``state``, MeV.

    ``phases``: from :func:`phase_line`; ``work``: :class:`KickScratch`. The kick over a time s is the rotation of
    every S by s times ``out``.
    """
    centre = shells.centre
    count = centre.size
    sums, linear, complexes = work.sums, work.linear, work.complexes
    of_u, of_v = work.pair[0], work.pair[1]
    J0 = np.empty(3)
    moved = np.empty(3)
    turn = np.empty(count, dtype=np.complex128)
    vector_sums(shells, state, work.wide[0], sums)
    _total(sums, J0)
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
        _phased_vectors(centre, turn, g, sums, J0, complexes, work.of_q, work.of_chi)
        _first_brackets(shells, state, work)
        for again in range(2):
            _total(of_u, moved)
            _phased_vectors(centre, turn, g, of_u, moved, complexes, work.q_of_u, work.chi_of_u)
            _total(of_v, moved)
            _phased_vectors(centre, turn, g, of_v, moved, complexes, work.q_of_v, work.chi_of_v)
            if again == 0:
                _second_brackets(shells, state, work, out)
        # L_Q of the first displacement less L_chi of the second, linear and so gathered over the phases
        for a in range(count):
            for k in range(VECTOR):
                linear[a, k] += work.q_of_u[a, k] - work.chi_of_v[a, k]
    gradient = np.empty_like(out)
    linear_gradient(shells, linear, gradient)
    for b in range(out.shape[0]):
        for i in range(out.shape[1]):
            out[b, i] = (out[b, i] + gradient[b, i]) / phases
    return 0

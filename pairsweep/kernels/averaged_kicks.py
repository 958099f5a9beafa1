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

Vectors here are local: rows along p_hat, theta_hat, phi_hat, so that S is (n, 2 Re kappa, 2 Im kappa) and omega is
(h, Re f, Im f).
"""

import numpy as np

from pairsweep.kernels.averaged_map import chi1_vectors
from pairsweep.kernels.averaged_shells import VECTORISED, linear_gradient, vector_sums
from pairsweep.kernels.jit import jit

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
    """Fill ``multiples`` (shells,) and return the number of phases of an exact mean, or 0 where none is small enough."""
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
def _phased_vectors(centre, turn, g, z, J0, turned, lq, gq, lx, gx):
    """Vectors l and G of the gradients of Q = K1/2 + (H1 - K1)/3 and of chi1 at the phases ``turn`` = exp(-i phi_a).

    ``z``, ``J0`` may belong to a displacement of the state instead. Both gradients carry one factor g.
    """
    shells = centre.size
    for a in range(shells):
        for k in range(3):
            turned[a, k] = z[a, k] * turn[a]
    chi1_vectors(centre, turned, J0, g, lx, gx)
    for k in range(3):
        J = J0[k]
        for a in range(shells):
            J += 2.0 * turned[a, k].real
        lq[k] = g * (4.0 / 3.0 * J + 2.0 / 3.0 * J0[k])
        for a in range(shells):
            back = turn[a].conjugate()
            gq[a, k] = g * (4.0 / 3.0 * J * back + 2.0 / 3.0 * z[a, k])
            gx[a, k] *= back
    return 0


@jit(fastmath=VECTORISED)
def _add_cross(factor, a, b, out):
    """Add factor * a x b to ``out``, all (3, N)."""
    ax, ay, az = a[0], a[1], a[2]
    bx, by, bz = b[0], b[1], b[2]
    ox, oy, oz = out[0], out[1], out[2]
    for q in range(ax.size):
        ox[q] += factor * (ay[q] * bz[q] - az[q] * by[q])
        oy[q] += factor * (az[q] * bx[q] - ax[q] * bz[q])
        oz[q] += factor * (ax[q] * by[q] - ay[q] * bx[q])
    return 0


@jit()
def kick_scratch(count, pairs):
    """Return the scratch arrays of :func:`third_order_gradient`: local vectors, shell vectors."""
    return np.zeros((12, 3, pairs)), np.zeros((7, count, 3), dtype=np.complex128)


@jit()
def third_order_gradient(shells, g, phases, state, vectors, shell_vectors, out):
    """Fill ``out`` (3, N) with the gradient (h, Re f, Im f) of g^3 K3 at ``state``, MeV.

    ``phases``: from :func:`phase_line`. The kick over a time s is the rotation of every S
    by s times ``out``.
    """
    geometry, weight, first, centre = shells.geometry, shells.weight, shells.first, shells.centre
    count = centre.size
    S, wq, wx, u, v = vectors[0], vectors[1], vectors[2], vectors[3], vectors[4]
    qu, xu, xv, wg = vectors[5], vectors[6], vectors[7], vectors[8]
    first_argument, second_argument = vectors[9], vectors[10]
    scrap = vectors[11]
    z, zd, gq, gx = shell_vectors[0], shell_vectors[1], shell_vectors[2], shell_vectors[3]
    gq2, gx2, turned = shell_vectors[4], shell_vectors[5], shell_vectors[6]
    J0 = np.empty(3)
    along = np.empty(3)
    lq = np.empty(3)
    lx = np.empty(3)
    lq2 = np.empty(3)
    lx2 = np.empty(3)
    turn = np.empty(count, dtype=np.complex128)
    for q in range(state.shape[1]):
        S[0, q] = state[0, q]
        S[1, q] = 2.0 * state[1, q]
        S[2, q] = 2.0 * state[2, q]
    vector_sums(geometry, weight, first, S, z, J0)
    for k in range(3):
        J0[k] += shells.background[k]
    out[:, :] = 0.0
    for j in range(phases):
        for a in range(count):
            angle = 2.0 * np.pi * ((j * shells.multiples[a]) % phases) / phases
            turn[a] = complex(np.cos(angle), -np.sin(angle))
        _phased_vectors(centre, turn, g, z, J0, turned, lq, gq, lx, gx)
        linear_gradient(geometry, first, lq, gq, wq)
        wq[0] -= 0.5 * shells.detuning
        linear_gradient(geometry, first, lx, gx, wx)
        u[:, :] = 0.0
        v[:, :] = 0.0
        _add_cross(1.0, wx, S, u)
        _add_cross(1.0, wq, S, v)
        # L_Q[u], L_chi[u], L_chi[v]
        vector_sums(geometry, weight, first, u, zd, along)
        _phased_vectors(centre, turn, g, zd, along, turned, lq2, gq2, lx2, gx2)
        linear_gradient(geometry, first, lq2, gq2, qu)
        linear_gradient(geometry, first, lx2, gx2, xu)
        vector_sums(geometry, weight, first, v, zd, along)
        _phased_vectors(centre, turn, g, zd, along, turned, lq2, gq2, lx2, gx2)
        linear_gradient(geometry, first, lx2, gx2, xv)
        # gradient of {Q, chi1}
        wg[:, :] = qu - xv
        _add_cross(1.0, wq, wx, wg)
        # gradient of {{Q, chi1}, chi1}
        first_argument[:, :] = 0.0
        _add_cross(1.0, xu, S, first_argument)
        _add_cross(1.0, wx, u, first_argument)
        second_argument[:, :] = 0.0
        _add_cross(1.0, qu, S, second_argument)
        _add_cross(1.0, wq, u, second_argument)
        _add_cross(1.0, wg, S, second_argument)
        _add_cross(1.0, wg, wx, out)
        _add_cross(1.0, qu, wx, out)
        _add_cross(1.0, wq, xu, out)
        vector_sums(geometry, weight, first, first_argument, zd, along)
        _phased_vectors(centre, turn, g, zd, along, turned, lq2, gq2, lx2, gx2)
        linear_gradient(geometry, first, lq2, gq2, scrap)
        out += scrap
        vector_sums(geometry, weight, first, second_argument, zd, along)
        _phased_vectors(centre, turn, g, zd, along, turned, lq2, gq2, lx2, gx2)
        linear_gradient(geometry, first, lx2, gx2, scrap)
        out -= scrap
    out /= phases
    return 0

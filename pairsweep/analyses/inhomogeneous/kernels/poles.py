"""The simple poles of the dispersion function W(omega, k): location, strength and vector of every particle pair.

A perturbation exp(i k.x - i omega t) couples the bands at p- and p+ (p+- = p +- k/2 about a centre p, h+- their unit
vectors). With eta = diag(1,-1,-1,-1), V = 2 g J0 and a constant W0 (eta, or eta without the cutoff's Delta),

    W(omega) = W0 - sum_j c_j v_j v_j^dagger/(omega - P_j),    modes: det W = 0,    c = 2 g w F,    |v|^2 = 2.

    family       s  s'  P                                  F
    pair         -  +   +(|p+| + |p-|) - V.(h+ + h-)       1 - rho(p+) - rb(p-)
    conjugate    +  -   -(|p+| + |p-|) + V.(h+ + h-)       rho(p-) + rb(p+) - 1
    neutrino     +  +   |p+| - |p-| - V.(h+ - h-)          rho(p-) - rho(p+)
    antineutrino -  -   -(|p+| - |p-|) + V.(h+ - h-)       rb(p+) - rb(p-)

v v^dagger depends on a = s h- and b = s' h+ alone (derivation: INHOMOGENEOUS.md section 2; the spinors of which it is
made are in the tests). All of it is Hermitian on the real axis.
"""

from typing import NamedTuple

import numpy as np

from pairsweep.kernels.exact import two_sum
from pairsweep.kernels.jit import jit

PAIR, CONJUGATE, NEUTRINO, ANTINEUTRINO = 0, 1, 2, 3
# A momentum this small against its centre is what rounding leaves of none, and has no direction.
FOCUS = 1e-12


class Momenta(NamedTuple):
    """Momenta p of N pairs, and which centre they stand for."""

    energy: np.ndarray  # (N,) MeV
    weight: np.ndarray  # (N,) MeV^3
    p_hat: np.ndarray  # (N, 3)
    # (N,) the centre is p + half_shift k/2: 0 for the points of a quadrature, -1 or 1 for a beam at p that is p+ or p-
    half_shift: np.ndarray


@jit()
def vertex(s, minus, s_prime, plus, out):
    """Fill ``out`` (4,) with the current v of a = s h- and b = s' h+, unit vectors (3,), up to a phase: |v|^2 = 2."""
    same = s * s_prime
    inner = same * (minus[0] * plus[0] + minus[1] * plus[1] + minus[2] * plus[2])
    largest = 0.5 * (1.0 + inner)
    column = 0
    for i in range(3):
        diagonal = 0.5 * (1.0 - inner) + same * minus[i] * plus[i]
        if diagonal > largest:
            largest = diagonal
            column = i + 1
    scale = 0.5 / np.sqrt(largest)
    if column == 0:
        out[0] = scale * (1.0 + inner)
        for j in range(3):
            m = (j + 1) % 3
            n = (j + 2) % 3
            # column 0 of T is the conjugate of its row [a + b - i a x b]/2
            cross = same * (minus[m] * plus[n] - minus[n] * plus[m])
            out[j + 1] = scale * complex(s * minus[j] + s_prime * plus[j], cross)
        return
    j = column - 1
    m = (j + 1) % 3
    n = (j + 2) % 3
    cross = same * (minus[m] * plus[n] - minus[n] * plus[m])
    out[0] = scale * complex(s * minus[j] + s_prime * plus[j], -cross)
    out[j + 1] = scale * (1.0 - inner + 2.0 * same * minus[j] * plus[j])
    # -i eps_lij (a - b)_l: for (i, j) = (m, j) the third index is n and the order (n, m, j) is odd
    symmetric = same * (minus[m] * plus[j] + minus[j] * plus[m])
    out[m + 1] = scale * complex(symmetric, s * minus[n] - s_prime * plus[n])
    symmetric = same * (minus[n] * plus[j] + minus[j] * plus[n])
    out[n + 1] = scale * complex(symmetric, -(s * minus[m] - s_prime * plus[m]))


@jit()
def fill_poles(momenta, k, drift, factor, g, high, low, strength, vector):
    """List the poles of a system; those without strength are left out. Returns their number and their splitting.

    The splitting (MeV) is the largest number that k adds to a location: roundings of the locations are relative to it.
    It is infinite where one of the momenta vanishes.

    Parameters
    ----------
    momenta : Momenta
    k, drift : (3,) MeV
        Wave vector and V.
    factor : (4, N)
        F of the four families, 0 where a family is off.
    g : float, MeV^-2
    high, low : (4 N,) out, MeV
        Location, as a sum of two doubles: at small k and g the splittings are far below an ulp of 2 E.
    strength : (4 N,) out, MeV
        c = 2 g w F.
    vector : (4 N, 4) complex out
    """
    energy, weight, p_hat, half_shift = momenta
    minus = np.empty(3)
    plus = np.empty(3)
    k_squared = k[0] * k[0] + k[1] * k[1] + k[2] * k[2]
    length = np.sqrt(k_squared)
    splitting = 0.0
    count = 0
    for q in range(energy.size):
        E = energy[q]
        to_plus = 0.5 * (half_shift[q] + 1.0)
        to_minus = 0.5 * (half_shift[q] - 1.0)
        pk = 0.0
        plus_squared = 0.0
        minus_squared = 0.0
        for i in range(3):
            p = E * p_hat[q, i]
            pk += p * k[i]
            plus[i] = p + to_plus * k[i]
            minus[i] = p + to_minus * k[i]
            plus_squared += plus[i] * plus[i]
            minus_squared += minus[i] * minus[i]
        e_plus = np.sqrt(plus_squared)
        e_minus = np.sqrt(minus_squared)
        focus = not min(e_plus, e_minus) > FOCUS * E
        if half_shift[q] == 0.0:
            # |p+| + |p-| - 2E with every cancellation taken out
            r = e_plus * e_minus
            excess = 0.5 * E * E * k_squared + 0.0625 * k_squared * k_squared - pk * pk
            offset = (0.5 * k_squared + 2.0 * excess / (r + E * E)) / (e_plus + e_minus + 2.0 * E)
        else:
            offset = (2.0 * to_plus * pk + to_plus * to_plus * k_squared) / (e_plus + E)
            offset += (2.0 * to_minus * pk + to_minus * to_minus * k_squared) / (e_minus + E)
        difference = (2.0 * pk + half_shift[q] * k_squared) / (e_plus + e_minus)
        for i in range(3):
            plus[i] /= e_plus
            minus[i] /= e_minus
            offset -= drift[i] * (plus[i] + minus[i])
            difference -= drift[i] * (plus[i] - minus[i])
        for family in range(4):
            c = 2.0 * g * weight[q] * factor[family, q]
            if c == 0.0:
                continue
            paired = family in (PAIR, CONJUGATE)
            centred = paired and half_shift[q] == 0.0
            splitting = max(splitting, min(length, 0.5 * k_squared / E) if centred else length)
            if focus:
                splitting = np.inf
            if paired:
                total, rest = two_sum(2.0 * E, offset)
            else:
                total, rest = difference, 0.0
            sign = 1.0 if family in (PAIR, NEUTRINO) else -1.0
            high[count] = sign * total
            low[count] = sign * rest
            strength[count] = c
            s = 1.0 if family in (CONJUGATE, NEUTRINO) else -1.0
            s_prime = 1.0 if family in (PAIR, NEUTRINO) else -1.0
            vertex(s, minus, s_prime, plus, vector[count])
            count += 1
    return count, splitting

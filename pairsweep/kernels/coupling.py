"""What couples the pairs at kappa = 0: J0, the frequencies Omega of single pairs, residues of the dispersion.

    J0 = sum_q w_q p_hat_q (n_q + 1),     Omega_q = 2 E_q - 4 g p_hat_q.J0,     c_q = 2 g w_q n_q   (MeV^3, MeV, MeV)

from Eqs. 3-7 and 12-14 of arXiv:2604.25687; growth/kernels/dispersion.py derives the residues. Who changes one of them
changes these places too, which cannot call here, and tests/kernels/test_coupling.py, which compares each with this one:

    growth/kernels/static.py                J0 from filled weights and p_hat.J0 kept per pair, for D(0) at many g
    growth/kernels/batch/dispersion.py      fill_poles: eight points in lanes, Omega as 2 E and its offset
    continuum/kernels/medium.py             direction_shifts: integrals over E in place of sums; s = g p_hat.J0
    continuum/angular.py                    J0 where angles are integrated, along its axis (its own tests)
    inhomogeneous/solver.py, kernels/poles.py   V = 2 g J0, and Omega with a wave vector as the sum of two doubles
    evolution/kernels/equations.py          the full J (kappa too), for the right-hand side
    evolution/kernels/splitting.py          fill_rotations: sum w p_hat of J0 alone, as a rotation vector of every pair
    evolution/kernels/averaging/field.py    J0 from the sums of shells, Omega split into its centre and a detuning
"""

import numpy as np

from pairsweep.kernels.jit import jit
from pairsweep.kernels.matrix3 import add_transverse


@jit()
def fill_j0(weight, p_hat, n, J0):
    """Fill ``J0`` (3,) with sum w p_hat (n + 1), MeV^3, summed in the order of the pairs."""
    J0[:] = 0.0
    for q in range(weight.size):
        for k in range(3):
            J0[k] += weight[q] * p_hat[q, k] * (n[q] + 1.0)


@jit(forceinline=True)
def frequency(energy, g, along):
    """Return Omega = 2 E - 4 g p_hat.J0 of one pair, MeV, whose p_hat.J0 is ``along``."""
    return 2.0 * energy - 4.0 * g * along


@jit()
def oscillators(energy, weight, p_hat, n, g, base, offset, strength):
    """Fill base 2E, offset -4 g p_hat.J0 and strength c = 2 g w n (all (N,), MeV); return 4 g sum w abs(n + 1).

    J0 = sum w p_hat (n + 1) is summed with compensation: symmetric occupations cancel in it, and pairs with equal
    Omega are recognised by offsets that agree to a few roundings of the returned scale.
    """
    J0 = np.zeros(3)
    lost = np.zeros(3)
    scale = 0.0
    for q in range(energy.size):
        filled = weight[q] * (n[q] + 1.0)
        scale += abs(filled)
        for k in range(3):
            term = filled * p_hat[q, k]
            total = J0[k] + term
            if abs(J0[k]) >= abs(term):
                lost[k] += (J0[k] - total) + term
            else:
                lost[k] += (term - total) + J0[k]
            J0[k] = total
    for k in range(3):
        J0[k] += lost[k]
    for q in range(energy.size):
        base[q] = 2.0 * energy[q]
        offset[q] = -4.0 * g * (p_hat[q, 0] * J0[0] + p_hat[q, 1] * J0[1] + p_hat[q, 2] * J0[2])
        strength[q] = 2.0 * g * weight[q] * n[q]
    return 4.0 * abs(g) * scale


@jit()
def add_residue(strength, px, py, pz, sign, column, residue):
    """Add the residue of one pair at its pole +Omega (``sign`` 1) or -Omega (-1) to ``residue[:, column]``."""
    add_transverse(sign * strength, px, py, pz, column, residue)
    residue[6, column] += strength * px
    residue[7, column] += strength * py
    residue[8, column] += strength * pz

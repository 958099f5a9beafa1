"""The dispersion function as it is defined: every pair a pole of its own, nothing merged, cut or expanded."""

import numpy as np

from pairsweep.analyses.growth.kernels.dispersion import RESIDUE, SUMS, determinant, pole_sums
from pairsweep.kernels.coupling import add_residue, oscillators


def dispersion_function(energy, weight, p_hat, n, g, rates, f, df):
    """Fill f(lambda) = det[1 - D(lambda)] and df/dlambda at complex ``rates`` lambda (L,), MeV; both (L,) complex.

    The plain definition, O(N) for each value, with every pair a pole of its own: the twin the solver's clustered and
    compressed evaluation is compared with. At lambda = +-i Omega the result is not finite.
    """
    pairs = energy.size
    base = np.empty(pairs)
    offset = np.empty(pairs)
    strength = np.empty(pairs)
    oscillators(energy, weight, p_hat, n, g, base, offset, strength)
    location = np.empty(2 * pairs)
    residue = np.zeros((RESIDUE, 2 * pairs))
    for q in range(pairs):
        location[q] = base[q] + offset[q]
        location[pairs + q] = -location[q]
        add_residue(strength[q], p_hat[q, 0], p_hat[q, 1], p_hat[q, 2], 1.0, q, residue)
        add_residue(strength[q], p_hat[q, 0], p_hat[q, 1], p_hat[q, 2], -1.0, pairs + q, residue)
    work = np.empty((4, 2 * pairs))
    sums = np.empty(SUMS)
    for i in range(rates.size):
        omega = 1j * rates[i]
        pole_sums(omega.real, omega.imag, location, residue, 2 * pairs, 0.0, 0, -1, work, sums)
        value, slope = determinant(sums, omega, residue, residue, strength, -1)
        f[i] = value
        df[i] = 1j * slope
    return 0

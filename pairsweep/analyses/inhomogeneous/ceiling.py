"""The largest growth that any continuous occupation can have."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pairsweep.physics.grid import Floats


def continuum_ceiling(g: ArrayLike, k: ArrayLike, energy_max: ArrayLike) -> Floats:
    """Bound of the growth of pair modes of any occupation that is integrated over all momenta, MeV.

    A root with Im omega = delta needs norm(2 g Pi) >= 1, and with |n| <= 1 the tensor Pi is dominated by that of the
    vacuum, whose spectral function is known (INHOMOGENEOUS.md section 6). With L^2 = 4 energy_max^2 + k^2

        1 <= (2 pi/3) g { (L^2 + k^2) 2 asinh[(L - k)/(2 delta)] + (L^2 - k^2)/2 + k^2 ln(L/k) },

    solved for delta here. It holds for pairs and their conjugates, without a shift by V (which is a gauge), with the
    vacuum of the grid or without. Infinite where the coupling is too large for a bound, 0 where it underflows.

    Parameters
    ----------
    g : MeV^-2
    k : MeV
        Wave number.
    energy_max : MeV
    """
    g, k, energy_max = np.broadcast_arrays(
        *(np.asarray(value, dtype=np.float64) for value in (g, k, energy_max))
    )
    cutoff = np.hypot(2.0 * energy_max, k)
    logarithm = k**2 * np.log(cutoff / np.where(k > 0.0, k, cutoff))
    rest = 3.0 / (2.0 * np.pi * g) - 0.5 * (cutoff**2 - k**2) - logarithm
    argument = rest / (2.0 * (cutoff**2 + k**2))
    with np.errstate(over="ignore", divide="ignore"):
        bound = 0.5 * (cutoff - k) / np.sinh(np.maximum(argument, 0.0))
    return np.asarray(np.where(argument > 0.0, bound, np.inf))

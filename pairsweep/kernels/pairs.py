"""The pairs of a grid as one argument of kernels, instead of nine."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Pairs(NamedTuple):
    """What kernels want to know of N pairs; ``Grid.pairs`` makes it.

    Kernels that loop over pairs take the arrays out once, before the loop: numba counts references at every look.

    Attributes
    ----------
    energy : (N,) MeV
    weight : (N,) MeV^3
    p_hat, theta_hat, phi_hat : (N, 3)
        Right-handed frame of the neutrino's direction.
    energy_bin : (N,)
        0 to n_energy - 1.
    quadrant : (N,)
        Quadrant of phi, 0 to 3.
    n_energy : int
        Number of energy bins.
    n_beam : int
        Number of pairs that are recorded one by one: 0 for bins, N for beams.
    """

    energy: NDArray[np.float64]
    weight: NDArray[np.float64]
    p_hat: NDArray[np.float64]
    theta_hat: NDArray[np.float64]
    phi_hat: NDArray[np.float64]
    energy_bin: NDArray[np.int64]
    quadrant: NDArray[np.int64]
    n_energy: int
    n_beam: int

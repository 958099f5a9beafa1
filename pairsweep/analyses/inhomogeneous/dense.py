"""The poles of one point as arrays, and all its modes by dense eigenvalues."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairsweep.analyses.inhomogeneous.kernels.modes import Points
from pairsweep.analyses.inhomogeneous.kernels.poles import Momenta, fill_poles
from pairsweep.physics.grid import Floats

# Locations (M,), strengths (M,) and vectors (M, 4) of the poles, MeV, and W0 (4, 4).
Poles = tuple[Floats, Floats, NDArray[np.complex128], Floats]


def poles_of(momenta: Momenta, points: Points, point: int) -> Poles:
    """Poles of one of these points."""
    room = 4 * momenta.energy.size
    high, low, strength = np.empty(room), np.empty(room), np.empty(room)
    vector = np.empty((room, 4), complex)
    count, _ = fill_poles(
        momenta, points.k[point], points.drift[point], points.factor[point], points.g[point],
        high, low, strength, vector,
    )  # fmt: skip
    return high[:count] + low[:count], strength[:count], vector[:count], points.constant[point]


def dense_modes(
    location: Floats, strength: Floats, vector: NDArray[np.complex128], constant: Floats
) -> NDArray[np.complex128]:
    """Eigenvalues of diag(P) + c_j v_j^dagger W0^-1 v_i: all zeros of det W."""
    metric = vector.conj() @ np.linalg.inv(constant) @ vector.T
    return np.asarray(np.linalg.eigvals(np.diag(location) + strength[:, None] * metric))

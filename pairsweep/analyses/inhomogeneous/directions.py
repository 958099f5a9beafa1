"""Wave vectors from their wave numbers and directions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.physics.grid import NAMED_DIRECTIONS, Floats


def wave_vectors(own: Mapping[str, NDArray[Any]]) -> Floats:
    """Wave vectors (P, 3), MeV, from columns (P,) of ``k`` and ``k_direction``, or ``k_theta`` and ``k_phi``."""
    k = np.asarray(own["k"], dtype=np.float64)
    if "k_direction" in own:
        angles = np.array([NAMED_DIRECTIONS[str(name)] for name in own["k_direction"]]).reshape(-1, 2)
        theta, phi = angles.T
    else:
        theta, phi = (np.asarray(own[name], dtype=np.float64) for name in ("k_theta", "k_phi"))
    return k[:, None] * unit_vectors(theta, phi)


def unit_vectors(theta: Floats, phi: Floats) -> Floats:
    """Unit vectors (..., 3) of angles in radians; exact along the axes."""
    x, y, z = np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)
    vectors = np.stack(np.broadcast_arrays(x, y, z), axis=-1)
    # cos(pi/2) is 6e-17 in doubles: a direction along an axis shall be one
    return np.where(np.abs(vectors) < 1e-15, 0.0, vectors)


def angles_of(k: Floats) -> tuple[float, float, float]:
    """Wave number, theta and phi (radians, 0 to 2 pi) of one wave vector (3,); NaN for a vector of NaN."""
    length = float(np.linalg.norm(k))
    if not length > 0.0:
        return length, float("nan"), float("nan")
    return (
        length,
        float(np.arccos(np.clip(k[2] / length, -1.0, 1.0))),
        float(np.arctan2(k[1], k[0]) % (2 * np.pi)),
    )

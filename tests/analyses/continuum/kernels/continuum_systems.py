"""Systems for the tests of the continuum kernels, and slow twins of their integrals."""

from __future__ import annotations

import numpy as np

from pairsweep.analyses.continuum.kernels.medium import Medium, prepare
from pairsweep.analyses.continuum.profile import density_of_linear
from pairsweep.physics.grid import bins

ENERGY_MAX = 20.0


def directions(n_theta, n_phi):
    """Solid angles (D,) and unit vectors (D, 3) of an angular grid."""
    sphere = bins(1, n_theta, n_phi, ENERGY_MAX)
    return np.full(sphere.size, 4 * np.pi / sphere.size), sphere.p_hat


def random_system(seed, n_directions=5, n_pieces=3, g=3e-4, tilted=True):
    """Directions, edges, EPN at both ends of every piece and coupling of a random occupation."""
    random = np.random.default_rng(seed)
    direction = random.normal(size=(n_directions, 3))
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    solid_angle = random.uniform(0.2, 1.0, n_directions)
    solid_angle *= 4 * np.pi / solid_angle.sum()
    inner = np.round(np.sort(random.uniform(0, ENERGY_MAX, n_pieces - 1)), 3)  # on the edges of 20,000 bins
    edges = np.concatenate([[0.0], inner, [ENERGY_MAX]])
    n = random.uniform(-1, 1, (n_directions, n_pieces, 2))
    if not tilted:
        n[:, :, 1] = n[:, :, 0]
    return solid_angle, direction, edges, n, g


def medium_of(solid_angle, direction, edges, n, g, subtracted=False) -> Medium:
    """The medium of an occupation whose EPN is linear between its values ``n`` (D, K, 2) at the ends of pieces."""
    return prepare(solid_angle, direction, edges, density_of_linear(edges, n), g, subtracted)


def nine(numbers):
    """The matrix S + i [a]x of nine numbers."""
    s00, s01, s02, s11, s12, s22, x, y, z = numbers
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.array([[s00, s01, s02], [s01, s11, s12], [s02, s12, s22]]) + 1j * cross


def quadrant(g, n_theta=1, n_phi=4, inside=(0.8,), outside=-0.8, edges=(0.0, ENERGY_MAX)) -> Medium:
    """Constant EPN per piece in the first quadrant of phi, ``outside`` elsewhere."""
    solid_angle, direction = directions(n_theta, n_phi)
    n = np.full((len(solid_angle), len(inside), 2), float(outside))
    first = (direction[:, 0] > 0) & (direction[:, 1] > 0)
    n[first] = np.asarray(inside, dtype=float)[:, None]
    return medium_of(solid_angle, direction, np.asarray(edges, dtype=float), n, g)


def discrete_dispersion(solid_angle, direction, edges, n, g, omega, n_energy):
    """W of the system cut into equal bins with exact volumes and the occupation of their centres: the slow twin."""
    points = np.linspace(edges[0], edges[-1], n_energy + 1)
    energy = 0.5 * (points[1:] + points[:-1])
    volume = np.diff(points**3) / 3
    piece = np.searchsorted(edges, energy) - 1
    share = (energy - edges[piece]) / np.diff(edges)[piece]
    epn = n[:, piece, 0] * (1 - share) + n[:, piece, 1] * share
    weight = solid_angle[:, None] * volume
    J0 = np.einsum("de,dk->k", weight * (epn + 1), direction)
    Omega = 2 * energy - 4 * g * (direction @ J0)[:, None]
    lam = -1j * omega
    pole = -4 * g * weight * epn / (Omega**2 + lam**2)
    D = np.zeros((3, 3), dtype=complex)
    for d, (x, y, z) in enumerate(direction):
        cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        D += (pole[d] * Omega[d]).sum() * (np.eye(3) - np.outer(direction[d], direction[d]))
        D += pole[d].sum() * lam * cross
    return np.eye(3) - D

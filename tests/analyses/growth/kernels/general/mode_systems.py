"""Systems of every awkward kind, and what the dense matrix says of them; shared by tests and scripts/torture_modes."""

from dataclasses import dataclass

import numpy as np

from pairsweep.analyses.growth.kernels.dense import stability_matrix
from pairsweep.analyses.growth.kernels.general.farfield import (
    MAX_ORDER,
    binomials,
    expansion_order,
    moments,
    reach,
)
from pairsweep.analyses.growth.kernels.general.modes import (
    Status,
    coupling_norm,
    mode_table,
    tolerance_floor,
    unstable_modes,
)
from pairsweep.analyses.growth.kernels.general.poles import Clusters, cluster_poles
from pairsweep.analyses.growth.kernels.general.strip import Strip, make_strip
from pairsweep.kernels.coupling import oscillators
from pairsweep.physics.grid import beams, bins

KINDS = (
    "anything",
    "one energy",
    "few energies",
    "near energies",
    "grid",
    "isotropic",
    "all equal",
    "zeros",
    "edge",
    "large g",
    "axes",
    "weak",
)


# a strip without faint poles
NO_FAINT = np.empty((3, 0))


@dataclass
class Modes:
    """What ``unstable_modes`` found."""

    status: Status
    tolerance: float
    rates: np.ndarray
    frequencies: np.ndarray
    multiplicities: np.ndarray

    @property
    def n_unstable(self):
        return int(np.sum(np.where(self.frequencies > 0, 2, 1) * self.multiplicities))


def make_system(kind, rng):
    """Return (grid, n, g) of one of KINDS."""
    pairs = int(rng.integers(1, 40))
    energy = rng.uniform(0.1, 20, pairs)
    weight = rng.uniform(0.1, 1, pairs) * 10 ** rng.uniform(0, 3)
    theta = np.arccos(rng.uniform(-1, 1, pairs))
    phi = rng.uniform(0, 2 * np.pi, pairs)
    n = rng.uniform(-1, 1, pairs)
    strength = 10 ** rng.uniform(-12, -1)
    if kind == "one energy":
        energy[:] = energy[0]
    elif kind == "few energies":
        energy = rng.choice(rng.uniform(1, 20, 3), pairs)
    elif kind == "near energies":
        energy = 5 + rng.uniform(-1, 1, pairs) * strength * 20 * 10 ** rng.uniform(-3, 1)
    elif kind in ("grid", "isotropic"):
        grid = bins(*(int(k) for k in rng.integers(1, 4, 2)), int(rng.choice([1, 2, 4, 6])))
        n = rng.choice(rng.uniform(-1, 1, 3), grid.size)
        if kind == "isotropic":
            n = rng.uniform(-1, 1, grid.shape[0])[grid.energy_bin]
            strength = 10 ** rng.uniform(-12, 1)
        return grid, n, strength / grid.weight.sum() * 20
    elif kind == "all equal":
        energy[:], theta[:], phi[:] = energy[0], theta[0], phi[0]
    elif kind == "zeros":
        n[rng.random(pairs) < 0.3] = 0
        weight[1:][rng.random(pairs - 1) < 0.3] = 0
    elif kind == "edge":
        energy[rng.random(pairs) < 0.4] = 0
    elif kind == "large g":
        strength = 10 ** rng.uniform(-2, 1)
    elif kind == "axes":
        theta = rng.choice([0, np.pi / 2, np.pi], pairs)
        phi = rng.choice([0, np.pi / 2, np.pi, 1.5 * np.pi], pairs)
        energy = rng.choice(rng.uniform(1, 20, 2), pairs)
    elif kind == "weak":
        n *= 10 ** rng.uniform(-4, 0, pairs)
    return beams(energy, weight, theta, phi), n, strength / weight.sum() * 20


def find(grid, n, g, tolerance=None):
    """Run ``unstable_modes``; the default tolerance is 1e-6 of the coupling, or its floor."""
    n = np.ascontiguousarray(n, dtype=float)
    if tolerance is None:
        coupling, scale = coupling_norm(grid.weight, n, g), coupling_norm(grid.weight, n + 1, g)
        tolerance = max(1e-6 * coupling, float(tolerance_floor(coupling, scale)))
    table = mode_table(2 * grid.size)
    status, count, _ = unstable_modes(grid.energy, grid.weight, grid.p_hat, n, g, tolerance, table)
    frequencies = table.references[:count] + table.positions[:count]
    return Modes(Status(status), tolerance, table.rates[:count], frequencies, table.multiplicities[:count])


def dense(grid, n, g):
    """All eigenvalues of M in double precision."""
    matrix = np.empty((2 * grid.size, 2 * grid.size))
    stability_matrix(
        grid.energy, grid.weight, grid.p_hat, grid.theta_hat, grid.phi_hat, np.asarray(n, float), g, matrix
    )
    return np.linalg.eigvals(matrix)


def dense_noise(grid, n, g):
    """How far rounding may move a simple and a double eigenvalue of the dense M, MeV."""
    coupling = coupling_norm(grid.weight, np.asarray(n, float), g)
    single = 1e-15 * grid.size * (2 * grid.energy.max() + coupling)
    return single, np.sqrt(10 * single * coupling)


def clusters_of(grid, n, g) -> Clusters:
    """The poles of a system, cut into strips."""
    base, offset, strength = np.empty((3, grid.size))
    scale = oscillators(grid.energy, grid.weight, grid.p_hat, n, g, base, offset, strength)
    return cluster_poles(base, offset, strength, grid.p_hat, scale, np.zeros(grid.size, np.bool_), 0.0)


def strip_of(clusters, k=0) -> Strip:
    """Strip ``k`` with all that acts on it."""
    order = max(expansion_order(clusters, i, reach(clusters, i)) for i in range(clusters.count))
    return make_strip(clusters, k, moments(clusters, order), binomials(np.int64(MAX_ORDER)))


def one_energy(rng, pairs, strength):
    """Random beams of one energy whose coupling is about ``strength`` MeV."""
    theta, phi = np.arccos(rng.uniform(-1, 1, pairs)), rng.uniform(0, 2 * np.pi, pairs)
    grid = beams(np.full(pairs, 5.0), rng.uniform(0.1, 1, pairs), theta, phi)
    n = rng.uniform(-1, 1, pairs)
    return grid, n, strength / (4 * np.sum(grid.weight * np.abs(n)))


def several_energies(rng, pairs, strength):
    """Random beams of four energies, far apart beside the ``strength`` of their coupling, MeV."""
    grid, n, g = one_energy(rng, pairs, strength)
    energy = np.sort(rng.choice([2.0, 5.0, 9.0, 14.0], pairs))
    return beams(energy, grid.weight, grid.theta, grid.phi), n, g

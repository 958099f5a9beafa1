"""Observables against plain numpy over the full state, compiled and uncompiled."""

import numpy as np
import pytest

from pairsweep.analyses.evolution.kernels.equations import interaction_vector
from pairsweep.analyses.evolution.kernels.observables import invariants, observe, row_layout, row_size
from pairsweep.physics import grid as grids


def _system(kind, rng):
    if kind == "bins":
        grid = grids.bins(3, 2, 8)
    else:  # two beams of one energy, none in the third quadrant of phi
        grid = grids.beams([1.0, 2.0, 1.0], [0.3, 0.2, 1.0], [1.0, 0.4, 2.0], [0.2, 1.8, 5.0])
    rho, rhobar = rng.random(grid.size), rng.random(grid.size)
    shift = 0.1 * rng.standard_normal(grid.size)  # the same for rho and rhobar, as the equations demand
    kappa = rng.standard_normal(grid.size) + 1j * rng.standard_normal(grid.size)
    return grid, rho, rhobar, shift, kappa


@pytest.mark.parametrize("kind", ["bins", "beams"])
def test_row_against_the_definitions(kind, both):
    grid, rho0, rhobar0, shift, kappa = _system(kind, np.random.default_rng(1))
    rho, rhobar = rho0 + shift, rhobar0 + shift
    n = rho + rhobar - 1
    n_energy, n_beam = grid.bin_energy.size, 0 if kind == "bins" else grid.size
    row = np.full(row_size(n_energy, n_beam), 7.0)
    assert observe(grid.pairs, rho0, rhobar0, np.array([n, kappa.real, kappa.imag]), row) == 0
    assert list(row_layout(n_energy, n_beam).values())[-1].stop == row.size
    got = {name: row[place] for name, place in row_layout(n_energy, n_beam).items()}

    def means(values, label, count):
        return [values[label == i].mean() if (label == i).any() else np.nan for i in range(count)]

    expected = {
        "kappa_mean": [np.abs(kappa).mean()],
        "kappa_energy": means(np.abs(kappa), grid.energy_bin, n_energy),
        "kappa_quadrant": means(np.abs(kappa), grid.quadrant, 4),
        "rho_quadrant": means(rho, grid.quadrant, 4),
        "rhobar_quadrant": means(rhobar, grid.quadrant, 4),
        "kappa_beam": np.abs(kappa)[:n_beam],
        "rho_beam": rho[:n_beam],
        "rhobar_beam": rhobar[:n_beam],
        "spin_occupation": -0.5 * grid.weight * (n + 1) @ grid.p_hat,
    }
    for name, value in expected.items():
        np.testing.assert_allclose(got[name], value, rtol=1e-13, atol=1e-15 * grid.weight.sum(), err_msg=name)
    J = np.empty(3)
    interaction_vector(grid.pairs, rho, rhobar, kappa, J)
    np.testing.assert_allclose(got["spin_occupation"] + got["spin_pairing"], -0.5 * J, rtol=1e-12)


def test_invariants_against_the_definitions(both):
    grid, rho, rhobar, _, kappa = _system("bins", np.random.default_rng(2))
    n = rho + rhobar - 1
    S = (
        n[:, None] * grid.p_hat
        + 2 * kappa.real[:, None] * grid.theta_hat
        + 2 * kappa.imag[:, None] * grid.phi_hat
    )
    J = np.empty(3)
    interaction_vector(grid.pairs, rho, rhobar, kappa, J)
    g = 1e-4
    along = np.einsum("pk,pk->p", grid.p_hat, S)
    length = np.empty(grid.size)
    H = invariants(grid.pairs, g, np.array([n, kappa.real, kappa.imag]), length)
    np.testing.assert_allclose(H, np.sum(2 * grid.weight * grid.energy * along) - 2 * g * J @ J, rtol=1e-12)
    np.testing.assert_allclose(length, np.linalg.norm(S, axis=1), rtol=1e-14)

"""Occupations of a continuous energy: exact pieces, refinement, averaged cells, and steps nobody declared."""

import numpy as np
import pytest

from pairsweep.analyses.continuum.profile import DiscontinuityError, spectrum
from pairsweep.physics.grid import bins
from pairsweep.physics.patterns.energy_band import energy_band
from pairsweep.physics.patterns.fermi_dirac import fermi_dirac
from pairsweep.physics.patterns.quadrant import quadrant
from pairsweep.physics.patterns.registry import PATTERNS

BAND = {"e_low": 6.0, "e_high": 14.0, "rho_high": 0.9, "rho_low": 0.1}


def band(grid, **parameters):
    return energy_band(grid, **(BAND | parameters))


def epn(occupation, energy, phi=0.5):
    """EPN of an occupation function at given energies, one direction."""
    grid = bins(1, 1, 4)
    grid = type(grid)(*(np.array(v) for v in (energy, energy, np.full(len(energy), 1.0), np.full(len(energy), phi))),
                      energy_bin=np.arange(len(energy)), bin_energy=energy)  # fmt: skip
    rho, rhobar = occupation(grid)
    return rho + rhobar - 1.0


def interpolated(system, direction, energy):
    """EPN of a spectrum."""
    piece = np.clip(np.searchsorted(system.edges, energy) - 1, 0, len(system.edges) - 2)
    share = (energy - system.edges[piece]) / np.diff(system.edges)[piece]
    return system.n[direction, piece, 0] * (1 - share) + system.n[direction, piece, 1] * share


def test_quadrant_is_one_piece():
    system = spectrum(lambda grid: quadrant(grid, 0.9, 0.1), n_theta=2, n_phi=4, energy_max=20.0)
    np.testing.assert_array_equal(system.edges, [0.0, 20.0])
    np.testing.assert_allclose(system.n[0, 0], 0.8, rtol=1e-15)
    np.testing.assert_allclose(system.n[1:4, 0], -0.8, rtol=1e-15)
    assert system.solid_angle.sum() == pytest.approx(4 * np.pi)
    assert system.error == 0.0


@pytest.mark.parametrize("edge_width", [0.0, 1.5, 8.0])
def test_band_is_exact(edge_width):
    edges = PATTERNS["energy_band"].edges(**BAND, edge_width=edge_width).energy
    system = spectrum(
        lambda grid: band(grid, edge_width=edge_width), n_theta=1, n_phi=4, energy_max=20.0, edges=edges
    )
    energy = np.linspace(0.01, 19.99, 1999)
    expected = epn(lambda grid: band(grid, edge_width=edge_width), energy)
    np.testing.assert_allclose(interpolated(system, 0, energy), expected, atol=1e-13)
    np.testing.assert_allclose(interpolated(system, 2, energy), -0.8, atol=1e-13)


def test_edges_beyond_the_cutoff_do_not_matter():
    parameters = BAND | {"e_high": 30.0}
    edges = PATTERNS["energy_band"].edges(**parameters).energy
    system = spectrum(lambda grid: band(grid, e_high=30.0), n_theta=1, n_phi=4, energy_max=20.0, edges=edges)
    np.testing.assert_array_equal(system.edges, [0.0, 6.0, 20.0])


@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-6])
def test_smooth_occupations_are_refined_to_the_tolerance(tolerance):
    def thermal(grid):
        return fermi_dirac(grid, 1.0, 8.0, 0.5)

    system = spectrum(thermal, n_theta=2, n_phi=1, energy_max=20.0, linear=False, tolerance=tolerance)
    energy = np.linspace(0.01, 19.99, 4001)
    sphere = bins(1, 2, 1)
    for d in range(2):
        mu = 8.0 * (1 + 0.5 * np.cos(sphere.theta[d]))
        expected = 1 / (np.exp(energy - mu) + 1) + 1 / (np.exp(energy + mu) + 1) - 1
        assert np.abs(interpolated(system, d, energy) - expected).max() < 1.5 * tolerance
    assert 0 < system.error <= tolerance


def test_a_declared_step_of_a_smooth_occupation_is_kept():
    def stepped(grid):
        rho = np.where(grid.energy > 7.3, 0.2, 0.8) * np.exp(-grid.energy / 30)
        return rho, rho

    system = spectrum(stepped, n_theta=1, n_phi=1, energy_max=20.0, edges=[7.3], linear=False, tolerance=1e-4)
    at = int(np.flatnonzero(system.edges == 7.3)[0])
    left, right = system.n[0, at - 1, 1], system.n[0, at, 0]
    assert left == pytest.approx(1.6 * np.exp(-7.3 / 30) - 1, abs=1e-9)
    assert right == pytest.approx(0.4 * np.exp(-7.3 / 30) - 1, abs=1e-9)


def test_an_undeclared_step_is_found_and_named():
    def stepped(grid):
        rho = np.where(grid.energy > 7.3, 0.2, 0.8)
        return rho, rho

    with pytest.raises(DiscontinuityError, match=r"jumps at E = 7\.3"):
        spectrum(stepped, n_theta=1, n_phi=1, energy_max=20.0, linear=False)


def test_occupations_outside_their_range_are_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        spectrum(lambda grid: (grid.energy / 10, grid.energy / 10), n_theta=1, n_phi=1, energy_max=20.0)


@pytest.mark.parametrize("n_energy", [1, 7, 200])
def test_cells_hold_exact_volumes_and_averages(n_energy):
    edges = PATTERNS["energy_band"].edges(**BAND, edge_width=1.0).energy
    system = spectrum(
        lambda grid: band(grid, edge_width=1.0), n_theta=1, n_phi=4, energy_max=20.0, edges=edges
    )
    energy, weight, p_hat, n = system.cells(n_energy)
    exact = bins(n_energy, 1, 4, 20.0, "exact")
    np.testing.assert_allclose(energy, exact.energy, rtol=1e-14)
    np.testing.assert_allclose(weight, exact.weight, rtol=1e-12)
    np.testing.assert_allclose(p_hat, exact.p_hat, atol=1e-15)
    # the whole content does not depend on the resolution: E^2 n over both ramps by hand
    fine = np.linspace(0, 20, 200_001)
    middle = 0.5 * (fine[1:] + fine[:-1])
    content = (middle**2 * epn(lambda grid: band(grid, edge_width=1.0), middle)).sum() * fine[1]
    assert (weight * n).reshape(-1, 4)[:, 0].sum() == pytest.approx(np.pi * content, rel=1e-6)
    fine_cells = (fine[:-1] // (20 / n_energy)).astype(int).clip(max=n_energy - 1)
    average = np.bincount(fine_cells, middle**2 * epn(lambda grid: band(grid, edge_width=1.0), middle))
    average /= np.bincount(fine_cells, middle**2)
    np.testing.assert_allclose(n.reshape(-1, 4)[:, 0], average, atol=2e-4)


def test_empty_modes_are_one_more_piece():
    system = spectrum(lambda grid: quadrant(grid, 0.9, 0.1), n_theta=1, n_phi=4, energy_max=20.0)
    wider = system.with_empty_modes(40.0)
    np.testing.assert_array_equal(wider.edges, [0.0, 20.0, 40.0])
    np.testing.assert_array_equal(wider.n[:, 1], -1.0)
    np.testing.assert_array_equal(wider.n[:, :1], system.n)
    with pytest.raises(ValueError, match="above the cutoff"):
        system.with_empty_modes(20.0)

"""Occupations of a continuous energy: exact pieces, refinement, averaged cells, and steps nobody declared."""

import numpy as np
import pytest

from pairsweep.analyses.continuum.profile import (
    DiscontinuityError,
    ProfileError,
    directions_of,
    epn_along,
    uniform_directions,
)
from pairsweep.physics.grid import beams, bins
from tests.analyses.continuum.occupations import along, band, custom, quadrant, thermal

ENERGY = np.linspace(0.01, 19.99, 1999)


def test_directions_are_those_of_the_grid_in_its_order():
    grid = bins(3, 2, 4)
    directions = directions_of(grid)
    np.testing.assert_array_equal(directions.theta, grid.theta[:8])
    np.testing.assert_allclose(directions.unit, grid.p_hat[8:16], atol=1e-15)
    np.testing.assert_allclose(directions.solid_angle, np.pi / 2, rtol=1e-14)
    with pytest.raises(ValueError, match="beams"):
        directions_of(beams(1.0, 1.0, 0.0, 0.0))


def test_quadrant_is_one_piece():
    system = along(quadrant(), 2, 4)
    np.testing.assert_array_equal(system.edges, [0.0, 20.0])
    np.testing.assert_allclose(system.epn(np.array([3.0]))[0], 0.8, rtol=1e-14)
    np.testing.assert_allclose(system.epn(np.array([3.0]))[1:4], -0.8, rtol=1e-14)
    assert system.error == 0.0


@pytest.mark.parametrize("edge_width", [0.0, 1.5, 8.0])
def test_band_is_exact(edge_width):
    system = along(band(edge_width))
    expected = epn_along(band(edge_width), uniform_directions(1, 4), ENERGY)
    np.testing.assert_allclose(system.epn(ENERGY) * ENERGY**2, expected * ENERGY**2, atol=1e-12)


def test_edges_beyond_the_cutoff_do_not_matter():
    np.testing.assert_array_equal(along(band(e_high=30.0)).edges, [0.0, 6.0, 20.0])


@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-6, 1e-8])
def test_smooth_occupations_are_refined_to_the_tolerance(tolerance):
    profile = thermal(1.0, chemical_potential=8.0, dipole=0.5)
    system = along(profile, 2, 1, tolerance)
    expected = epn_along(profile, uniform_directions(2, 1), ENERGY)
    upper = system.edges[np.searchsorted(system.edges, ENERGY)]
    assert (np.abs(system.epn(ENERGY) - expected) * ENERGY**2 / upper**2).max() < 1.5 * tolerance
    assert system.error == tolerance


def test_pieces_grow_slowly_with_the_tolerance():
    """A cubic's error falls with the fourth power of the width: ten thousand times better is ten times the pieces."""
    profile = thermal(1.0, chemical_potential=8.0)
    few, many = (len(along(profile, 1, 1, tolerance).edges) for tolerance in (1e-4, 1e-8))
    assert many < 14 * few


def test_a_declared_step_of_a_smooth_occupation_is_kept():
    profile = custom(
        lambda energy: np.where(energy > 7.3, 0.2, 0.8) * np.exp(-energy / 30), energy_edges=(7.3,)
    )
    system = along(profile, 1, 1)
    left, right = system.epn(np.array([7.3 * (1 - 1e-12), 7.3]))[0]
    assert left == pytest.approx(1.6 * np.exp(-7.3 / 30) - 1, abs=1e-9)
    assert right == pytest.approx(0.4 * np.exp(-7.3 / 30) - 1, abs=1e-9)


def test_an_undeclared_step_is_found_and_named():
    with pytest.raises(DiscontinuityError, match=r"jumps at E = 7\.3"):
        along(custom(lambda energy: np.where(energy > 7.3, 0.2, 0.8)), 1, 1)


def test_occupations_outside_their_range_are_refused():
    with pytest.raises(ProfileError, match="between 0 and 1"):
        along(custom(lambda energy: energy / 10, linear=True), 1, 1)


@pytest.mark.parametrize("n_energy", [1, 7, 200])
def test_cells_hold_exact_volumes_and_averages(n_energy):
    system = along(band(1.0))
    points = np.linspace(0.0, 20.0, n_energy + 1)
    grid, n = system.grid(points), system.cells(points)
    exact = bins(n_energy, 1, 4, 20.0, "exact")
    np.testing.assert_allclose(grid.energy, exact.energy, rtol=1e-14)
    np.testing.assert_allclose(grid.weight, exact.weight, rtol=1e-12)
    np.testing.assert_allclose(grid.p_hat, exact.p_hat, atol=1e-15)
    # the whole content does not depend on the resolution: E^2 n over both ramps by hand
    fine = np.linspace(0, 20, 200_001)
    middle = 0.5 * (fine[1:] + fine[:-1])
    density = middle**2 * epn_along(band(1.0), uniform_directions(1, 4), middle)[0]
    assert (grid.weight * n).reshape(-1, 4)[:, 0].sum() == pytest.approx(
        np.pi * density.sum() * fine[1], rel=1e-6
    )
    cells = (fine[:-1] // (20 / n_energy)).astype(int).clip(max=n_energy - 1)
    average = np.bincount(cells, density) / np.bincount(cells, middle**2)
    np.testing.assert_allclose(n.reshape(-1, 4)[:, 0], average, atol=2e-4)


def test_cells_of_a_smooth_occupation_are_its_averages():
    profile = thermal(1.0, chemical_potential=8.0)
    coarse, fine = along(profile, 1, 1, 1e-6), along(profile, 1, 1, 1e-8)
    few, many = np.linspace(0.0, 20.0, 51), np.linspace(0.0, 20.0, 2001)
    np.testing.assert_allclose(coarse.cells(few), fine.cells(few), atol=1e-5)
    centres = fine.grid(many).bin_energy
    np.testing.assert_allclose(fine.cells(many), fine.epn(centres)[0], atol=1e-4)


def test_empty_modes_are_one_more_piece():
    system = along(quadrant())
    wider = system.with_empty_modes(40.0)
    np.testing.assert_array_equal(wider.edges, [0.0, 20.0, 40.0])
    np.testing.assert_allclose(wider.epn(np.array([25.0, 39.0])), -1.0, rtol=1e-13)
    np.testing.assert_array_equal(wider.density[:, :1], system.density)
    with pytest.raises(ValueError, match="above the cutoff"):
        system.with_empty_modes(20.0)

"""Angles integrated: the density of poles, known roots, grids that converge, occupations turned around."""

import numpy as np
import pytest

import pairsweep as ps
from pairsweep.analyses.continuum import angular
from pairsweep.analyses.continuum.analysis import ContinuumOptions, Verdict
from pairsweep.analyses.continuum.angular import RESOLUTIONS, angular_edges, breakpoints, turned
from pairsweep.analyses.continuum.kernels.angular import turned_medium
from pairsweep.analyses.continuum.kernels.medium import Anchor, dispersion
from pairsweep.analyses.continuum.profile import Directions, epn_along
from pairsweep.analyses.continuum.solver import continuum_modes, settled, solve, solve_turned_profile
from pairsweep.analyses.growth.analysis import GrowthOptions
from pairsweep.physics.grid import bins
from pairsweep.physics.systems import Profile
from tests.analyses.continuum.kernels.continuum_systems import nine
from tests.analyses.continuum.occupations import ENERGY_MAX, along, band, quadrant, systems_of, thermal


def sphere(edge):
    """n = 1 below an energy, -1 above, in all directions."""

    def occupation(energy, theta, phi):
        rho = np.where(energy < edge, 1.0, 0.0)
        return rho, rho

    return Profile(occupation, (edge,), True, (), ())


def patch(turn=0.0, cosine=0.3):
    """A band of energies in a box of angles, with different levels above and below a cone; turned about z."""

    def occupation(energy, theta, phi):
        inside = (np.mod(phi - turn, 2 * np.pi) < 2.0) & (energy > 8.0) & (energy < 12.0)
        rho = np.where(inside, np.where(np.cos(theta) > cosine, 0.95, 0.7), 0.1)
        return rho, rho

    return Profile(occupation, (8.0, 12.0), True, (cosine,), (turn, turn + 2.0))


def quadrature(profile, g, omega, n_theta=100, n_phi=200, n_energy=400):
    """W by product quadrature over a fine grid: no formula in common but the definition."""
    x, w = np.polynomial.legendre.leggauss(n_theta)
    phi = (np.arange(n_phi) + 0.5) * 2 * np.pi / n_phi
    directions = Directions(
        np.repeat(np.arccos(x), n_phi), np.tile(phi, n_theta), np.repeat(w, n_phi) * 2 * np.pi / n_phi
    )
    width = ENERGY_MAX / n_energy
    energy = (np.arange(n_energy) + 0.5) * width
    n = epn_along(profile, directions, energy)
    q = directions.unit
    J0 = (directions.solid_angle * ((n + 1) @ energy**2 * width)) @ q
    shift = g * q @ J0
    parts = angular.components(q)
    W = np.zeros(9, complex)
    W[[0, 3, 5]] = 1.0
    for side in (1, -1):
        z = side * omega / 2 + 2 * shift
        K = (energy**2 * n * width / (z[:, None] - energy)).sum(axis=1)
        total = g * (directions.solid_angle * K) @ parts
        W[:6] -= total[:6]
        W[6:] += side * total[6:]
    return nine(W)


@pytest.mark.parametrize("g", [1e-4, 1e-3])
@pytest.mark.parametrize("profile", [quadrant(), patch(), thermal(2.0, chemical_potential=9.0, dipole=0.7)])
def test_dispersion_is_that_of_product_quadrature(profile, g):
    resolution = RESOLUTIONS[1]
    medium = turned_medium(turned(profile, ENERGY_MAX, resolution), g, resolution.density, False)
    for omega in (21.0 + 3.0j, 5.0 + 2.0j, 39.0 + 4.0j):
        W, dW = np.empty(9, complex), np.empty(9, complex)
        dispersion(medium, Anchor(1, 0.0, 0.0), omega, W, dW)
        expected = quadrature(profile, g, omega)
        assert np.abs(nine(W) - expected).max() < 3e-3 * np.abs(expected - np.eye(3)).max()


@pytest.mark.parametrize(
    ("edge", "g", "expected"),
    [
        (12.0, 1.5e-4, 23.60997 + 1.36062j),
        (15.0, 5e-5, 29.99884 + 0.05875j),
        (15.0, 1e-4, 29.89156 + 0.81952j),
    ],
)
def test_isotropic_gases_have_their_known_roots(edge, g, expected):
    found = solve_turned_profile(sphere(edge), ENERGY_MAX, np.array([g]))
    assert settled(found)[0]
    assert found.growth[0] == pytest.approx(expected.imag, abs=6e-6)
    assert found.frequency[0] == pytest.approx(expected.real, abs=6e-6)
    # no net flow, so K alone decides: 1 = (8 pi g/3) (K(omega/2) + K(-omega/2)), K in closed form
    omega = complex(found.frequency[0], found.growth[0])

    def integral(z):
        def primitive(energy):
            return -(energy**2 / 2 + z * energy + z**2 * np.log(z - energy))

        return 2 * primitive(edge) - primitive(0.0) - primitive(ENERGY_MAX)

    assert 8 * np.pi * g / 3 * (integral(omega / 2) + integral(-omega / 2)) == pytest.approx(1.0, abs=1e-8)


def test_grids_of_finer_angles_converge_to_it():
    g = 3e-4
    found = solve_turned_profile(quadrant(), ENERGY_MAX, np.array([g]))
    assert settled(found)[0]
    assert found.growth[0] == pytest.approx(0.44752, abs=1e-5)
    away = [
        abs(continuum_modes(along(quadrant(), n, n), g).growth_rate - found.growth[0]) for n in (8, 16, 32)
    ]
    assert away[0] > 2 * away[1] > 8 * away[2]
    assert away[2] < 0.05 * found.growth[0]


def test_the_error_is_larger_than_what_finer_integration_still_moves():
    for profile, g in ((quadrant(), 3e-4), (band(e_low=8.0, e_high=12.0), 2e-4), (patch(), 3e-4)):
        found = solve_turned_profile(profile, ENERGY_MAX, np.array([g]), cutoff=False)
        finest = turned_medium(turned(profile, ENERGY_MAX, RESOLUTIONS[2]), g, RESOLUTIONS[2].density, False)
        table = angular_roots(finest)
        assert abs(found.growth[0] - table.max()) <= found.error[0]
        assert found.error[0] < 1e-3 * found.growth[0]


def angular_roots(medium):
    """Growth of all modes of a medium."""
    from pairsweep.analyses.continuum.kernels.roots import continuum_roots, mode_table

    table = mode_table(64)
    outcome = continuum_roots(medium, 1e-9 * medium.coupling, 400_000, table)
    assert outcome.status == 0
    return table.rates[: outcome.modes]


@pytest.mark.parametrize("turn", [0.4, 2.9, 5.5])
def test_turning_an_occupation_about_z_changes_nothing(turn):
    here, there = (
        solve_turned_profile(patch(angle), ENERGY_MAX, np.array([2e-4, 4e-4]), cutoff=False)
        for angle in (0.0, turn)
    )
    assert np.all(here.growth > 0)
    np.testing.assert_allclose(there.growth, here.growth, rtol=1e-5)
    np.testing.assert_allclose(there.frequency, here.frequency, rtol=1e-6)


def test_steps_in_angle_that_nobody_declares_do_not_settle():
    hidden = Profile(patch().occupation, (8.0, 12.0), True)
    found = solve_turned_profile(hidden, ENERGY_MAX, np.array([3e-4]), cutoff=False)
    assert not settled(found)[0] or found.growth[0] == 0.0


def test_edges_of_angles_are_planes_that_circles_touch():
    theta, phi = angular_edges(quadrant())
    assert theta.size == 0
    np.testing.assert_allclose(phi, [0.0, np.pi / 2])
    # J0 lies between the edges: they are touched at 45 degrees, and end at the poles, 90 degrees away
    axis = np.array([1.0, 1.0, 0.0]) / np.sqrt(2)
    np.testing.assert_allclose(
        breakpoints(axis, theta, phi), [-1, -np.sqrt(0.5), 0, np.sqrt(0.5), 1], atol=1e-12
    )
    cone = breakpoints(np.array([0.0, 0.0, 1.0]), np.array([1.1]), np.empty(0))
    np.testing.assert_allclose(cone, [-1.0, np.cos(1.1), 1.0])


def test_content_and_flow_are_those_of_the_momenta():
    found = turned(quadrant(), ENERGY_MAX, RESOLUTIONS[1])
    ball = ENERGY_MAX**3 / 3
    assert found.content == pytest.approx(0.8 * 4 * np.pi * ball)
    # n + 1 is 1.8 in a quarter of the sphere and 0.2 elsewhere: 1.6 times the quarter's net direction
    assert found.flow == pytest.approx(1.6 * ball * np.sqrt(2) * np.pi / 2, rel=1e-10)


def test_vacuum_and_cutoff_of_the_whole_sphere():
    """Empty, bare: static from g E^2 = 3/(8 pi) on; with the constant taken out, never."""
    g = np.array([0.998, 1.002]) * 3 / (8 * np.pi) / ENERGY_MAX**2
    bare = solve_turned_profile(quadrant(0.0, 0.0), ENERGY_MAX, g)
    assert bare.growth[0] == 0.0
    assert bare.growth[1] > 0.0
    assert bare.frequency[1] == 0.0
    assert bare.shift[1] > 1.0
    taken = solve_turned_profile(quadrant(0.0, 0.0), ENERGY_MAX, 100 * g, subtracted=True)
    assert np.all(taken.growth == 0.0)


def test_following_to_twice_the_cutoff_arrives_at_a_mode_of_the_wider_occupation():
    profile, g = quadrant(), 3e-4

    def wider(energy, theta, phi):
        rho, rhobar = profile.occupation(energy, theta, phi)
        return np.where(energy < ENERGY_MAX, rho, 0.0), np.where(energy < ENERGY_MAX, rhobar, 0.0)

    found = solve_turned_profile(profile, ENERGY_MAX, np.array([g]))
    there = turned(
        Profile(wider, (ENERGY_MAX,), True, profile.cos_theta_edges, profile.phi_edges),
        2 * ENERGY_MAX,
        RESOLUTIONS[1],
    )
    rates = angular_roots(turned_medium(there, g, RESOLUTIONS[1].density, False))
    arrived = (1 + found.shift[0]) * found.growth[0]
    assert np.abs(rates - arrived).min() < 2e-3 * arrived


def test_verdicts_of_the_true_continuum():
    """At 1e-4 the quadrant has a root along four directions and along 64, and none where all are there."""
    systems = systems_of(bins(1, 1, 4), quadrant(), [1e-6, 1e-4, 3e-4])
    grid = solve(systems, ContinuumOptions(), GrowthOptions()).arrays
    true = solve(systems, ContinuumOptions(angles="continuous"), GrowthOptions()).arrays
    assert grid["verdict"].tolist() == [Verdict.DISCRETISATION, Verdict.CONTINUUM, Verdict.CONTINUUM]
    assert true["verdict"].tolist() == [Verdict.DISCRETISATION, Verdict.DISCRETISATION, Verdict.CONTINUUM]
    assert 0 < true["continuum_error"][2] < 1e-3 * true["continuum_growth_rate"][2]
    assert np.all(grid["continuum_error"] == 0.0)


def test_a_function_of_ones_own_declares_edges_in_angle_and_sees_azimuths_as_on_a_grid():
    def box(energy, theta, phi, edge):
        inside = (energy < edge) & (np.cos(theta) > 0.3) & (phi < 1.0)
        return (np.where(inside, 1.0, 0.0),) * 2

    def energy_edges(edge):
        return [edge]

    box.energy_edges = energy_edges
    box.cos_theta_edges = lambda edge: [0.3]
    box.phi_edges = lambda edge: [0.0, 1.0]
    tables = {
        "analyses": ["growth", "continuum"],
        "grid": {"kind": "bins", "n_energy": 4, "n_theta": 2, "n_phi": 4, "energy_max": ENERGY_MAX},
        "occupation": {"pattern": "custom", "function": box, "edge": 12.0},
        "coupling": {"g": 5e-4},
        "continuum": {"angles": "continuous"},
    }
    ds = ps.run(tables, scheduler="serial", quiet=True)

    def occupation(energy, theta, phi):
        return box(energy, theta, np.mod(phi, 2 * np.pi), 12.0)

    profile = Profile(occupation, (12.0,), True, (0.3,), (0.0, 1.0))
    found = solve_turned_profile(profile, ENERGY_MAX, np.array([5e-4]))
    assert settled(found)[0]
    assert found.growth[0] > 1.0
    np.testing.assert_allclose(float(ds.continuum_growth_rate), found.growth[0], rtol=1e-6)


def test_edges_that_only_rounding_tells_apart_are_one():
    turns = np.arange(9) * np.pi / 4
    profile = Profile(
        sphere(15.0).occupation, (), True, (0.3, 0.3 + 1e-15), (*turns, *np.nextafter(turns + np.pi, 9.0))
    )
    theta, phi = angular_edges(profile)
    np.testing.assert_allclose(theta, [np.arccos(0.3)])
    np.testing.assert_allclose(phi, turns[:8], atol=1e-12)
    normals, offsets = angular._planes(theta, phi)  # opposite meridians lie in one plane
    assert len(normals) == len(offsets) == 4 + 1

import numpy as np
import pytest

from pairsweep.physics.grid import bins
from pairsweep.physics.patterns.energy_band import energy_band
from pairsweep.physics.patterns.fermi_dirac import fermi_dirac
from pairsweep.physics.patterns.quadrant import quadrant
from pairsweep.physics.patterns.registry import PATTERNS


def test_quadrant_fills_the_first_quarter_of_phi():
    grid = bins(2, 2, 8)
    rho, rhobar = quadrant(grid, 0.9, 0.1)
    np.testing.assert_array_equal(rho == 0.9, (grid.phi > 0) & (grid.phi < np.pi / 2))
    np.testing.assert_array_equal(rho, rhobar)
    assert (rho == 0.9).sum() * 4 == grid.size


def test_antineutrinos_may_differ():
    rho, rhobar = quadrant(bins(1, 1, 4), 0.9, 0.1, rhobar_high=0.8, rhobar_low=0.2)
    np.testing.assert_array_equal(rho, [0.9, 0.1, 0.1, 0.1])
    np.testing.assert_array_equal(rhobar, [0.8, 0.2, 0.2, 0.2])


def test_energy_band_includes_its_edges():
    grid = bins(4, 1, 4)  # 2.5, 7.5, 12.5, 17.5 MeV
    rho, _ = energy_band(grid, 7.5, 12.5, 0.9, 0.1)
    np.testing.assert_array_equal(rho.reshape(4, 4)[:, 0], [0.1, 0.9, 0.9, 0.1])
    assert (rho.reshape(4, 4)[:, 1:] == 0.1).all()


def test_columns_of_parameters_fill_one_row_each():
    grid = bins(1, 1, 4)
    rho, _ = quadrant(grid, np.array([[0.5], [0.6]]), np.array([[0.0], [0.1]]))
    np.testing.assert_array_equal(rho, [[0.5, 0, 0, 0], [0.6, 0.1, 0.1, 0.1]])


def test_fermi_dirac_is_the_thermal_distribution():
    grid = bins(40, 4, 4, 100.0)
    rho, rhobar = fermi_dirac(grid, 5.0, 10.0)
    np.testing.assert_allclose(rho, 1 / (np.exp((grid.energy - 10) / 5) + 1), rtol=1e-9)
    np.testing.assert_allclose(rhobar, 1 / (np.exp((grid.energy + 10) / 5) + 1), rtol=1e-9)


@pytest.mark.parametrize("temperature", [0.01, 1.0, 30.0])
@pytest.mark.parametrize("mu", [-200.0, 0.0, 3.0, 1e4])
def test_isotropic_thermal_gas_has_no_crossing(temperature, mu):
    rho, rhobar = fermi_dirac(bins(50, 2, 4, 100.0), temperature, mu)
    assert (rho + rhobar - 1 <= 0).all()


def test_a_dipole_makes_it_anisotropic_about_the_axis():
    grid = bins(1, 2, 4)
    rho, _ = fermi_dirac(grid, 5.0, 10.0, 0.5)
    up, down = rho[grid.theta < np.pi / 2], rho[grid.theta > np.pi / 2]
    assert up.min() > down.max()


def test_ramps_replace_the_steps_of_a_band():
    grid = bins(40, 1, 4)
    rho, _ = energy_band(grid, 6.0, 14.0, 0.9, 0.1, edge_width=2.0)
    energy, along = grid.bin_energy, rho.reshape(40, 4)[:, 0]
    np.testing.assert_allclose(along[(energy > 7) & (energy < 13)], 0.9)
    np.testing.assert_array_equal(along[(energy < 5) | (energy > 15)], 0.1)
    np.testing.assert_allclose(along, np.interp(energy, [5, 7, 13, 15], [0.1, 0.9, 0.9, 0.1]), atol=1e-15)


def test_a_band_without_width_keeps_its_levels_exactly():
    rho, rhobar = energy_band(bins(40, 1, 4), 6.0, 14.0, 0.9, 0.1, 0.7, 0.3)
    assert set(rho.tolist()) == {0.9, 0.1}
    assert set(rhobar.tolist()) == {0.7, 0.3}


def test_edge_widths_may_differ_from_point_to_point():
    rho, _ = energy_band(bins(40, 1, 4), 6.0, 14.0, 0.9, 0.1, edge_width=np.array([[0.0], [2.0]]))
    np.testing.assert_array_equal(rho[0], energy_band(bins(40, 1, 4), 6.0, 14.0, 0.9, 0.1)[0])
    np.testing.assert_array_equal(rho[1], energy_band(bins(40, 1, 4), 6.0, 14.0, 0.9, 0.1, edge_width=2.0)[0])


def test_patterns_know_their_energy_edges():
    assert PATTERNS["quadrant"].edges().energy == ()
    assert PATTERNS["energy_band"].edges(e_low=6.0, e_high=14.0).energy == (6.0, 14.0)
    assert PATTERNS["energy_band"].edges(e_low=6.0, e_high=14.0, edge_width=2.0).energy == (
        5.0,
        7.0,
        13.0,
        15.0,
    )
    assert PATTERNS["fermi_dirac"].edges(temperature=4.0).energy == ()
    assert not PATTERNS["fermi_dirac"].linear


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"e_low": 6.0, "e_high": 14.0, "edge_width": 8.1}, "edge_width = 8.1"),
        ({"e_low": 6.0, "e_high": 14.0, "edge_width": -1.0}, "edge_width = -1"),
        ({"e_low": 14.0, "e_high": 6.0}, "e_low = 14"),
    ],
)
def test_impossible_bands_are_refused(parameters, reason):
    with pytest.raises(ValueError, match=reason):
        PATTERNS["energy_band"].edges(**parameters)


TYPICAL = {
    "quadrant": {"rho_high": 0.9, "rho_low": 0.1},
    "energy_band": {"rho_high": 0.9, "rho_low": 0.1, "e_low": 5.0, "e_high": 15.0, "edge_width": 1.0},
    "fermi_surface": {"fermi_energy": 12.0, "smearing": 2.0, "rho_high": 1.0, "rho_low": 0.1},
    "moments": {"mean_occupation": 0.3, "flux_factor": 0.2, "flux_theta": 0.5},
    "fermi_dirac": {"temperature": 4.0, "chemical_potential": 8.0, "dipole": 0.3},
}


@pytest.mark.parametrize("name", PATTERNS)
def test_a_profile_is_the_pattern_at_the_pairs_of_a_grid(name):
    grid = bins(8, 3, 8)
    profile = PATTERNS[name].profile(**TYPICAL[name])
    for at_grid, at_momenta in zip(
        PATTERNS[name].function(grid, **TYPICAL[name]),
        profile.occupation(grid.energy, grid.theta, grid.phi),
        strict=True,
    ):
        np.testing.assert_array_equal(at_grid, at_momenta)


@pytest.mark.parametrize("name", PATTERNS)
def test_a_profile_has_no_cutoff_of_its_own(name):
    energy = np.array([1.0, 19.0, 21.0, 1e3, 1e6])
    for values in PATTERNS[name].profile(**TYPICAL[name]).occupation(energy, np.ones(5), np.ones(5)):
        assert values.shape == (5,)
        assert ((values >= 0) & (values <= 1)).all()


@pytest.mark.parametrize("name", PATTERNS)
def test_between_its_edges_a_pattern_is_smooth(name):
    """Values just inside neighbouring edges differ by no more than their distance allows; linear ones by a line."""
    profile = PATTERNS[name].profile(**TYPICAL[name])
    rng = np.random.default_rng(1)

    def stretch(edges, low, high):
        ends = [low, *(e for e in edges if low < e < high), high]
        start = rng.integers(len(ends) - 1)
        return ends[start], ends[start + 1]

    for _ in range(50):
        (e0, e1), (c0, c1), (f0, f1) = (
            stretch(edges, low, high)
            for edges, low, high in (
                (profile.energy_edges, 0.0, 20.0),
                (profile.cos_theta_edges, -1.0, 1.0),
                (profile.phi_edges, 0.0, 2 * np.pi),
            )
        )
        share = np.linspace(0.01, 0.99, 99)
        along = {
            "energy": profile.occupation(
                e0 + share * (e1 - e0), np.full(99, 1.0), np.full(99, 0.5 * (f0 + f1))
            )[0],
            "theta": profile.occupation(
                np.full(99, 0.5 * (e0 + e1)), np.arccos(c0 + share * (c1 - c0)), np.full(99, 0.5 * (f0 + f1))
            )[0],
            "phi": profile.occupation(np.full(99, 0.5 * (e0 + e1)), np.full(99, 1.0), f0 + share * (f1 - f0))[
                0
            ],
        }
        for values in along.values():
            assert np.abs(np.diff(values)).max() < 0.05
        if profile.linear:
            np.testing.assert_allclose(np.diff(along["energy"], 2), 0.0, atol=1e-14)


def test_a_fermi_surface_is_a_step_that_smearing_rounds():
    grid = bins(40, 1, 4)
    sharp, _ = PATTERNS["fermi_surface"].function(grid, 12.0, 0.8, 0.1)
    inside = grid.quadrant == 0
    np.testing.assert_array_equal(sharp[inside], np.where(grid.energy[inside] <= 12.0, 0.8, 0.0))
    np.testing.assert_array_equal(sharp[~inside], 0.1)
    rounded, barred = PATTERNS["fermi_surface"].function(grid, 12.0, 0.8, 0.1, 0.4, 0.2, smearing=2.0)
    np.testing.assert_allclose(rounded[inside], 0.8 / (np.exp((grid.energy[inside] - 12.0) / 2.0) + 1.0))
    np.testing.assert_allclose(barred[inside], 0.5 * rounded[inside])
    assert PATTERNS["fermi_surface"].edges(fermi_energy=12.0, rho_high=1.0).energy == (12.0,)
    assert PATTERNS["fermi_surface"].edges(fermi_energy=12.0, smearing=0.1).energy == ()

"""Does an instability survive the continuum: modes, ladder, cutoff probe and verdict."""

import math

import numpy as np
import pytest

from pairsweep.analyses.continuum import solver as continuum
from pairsweep.analyses.continuum.profile import DiscontinuityError, spectrum
from pairsweep.analyses.continuum.solver import (
    CONTINUUM,
    DISCRETISATION,
    MISSED,
    STABLE,
    UNDETERMINED,
    continuum_modes,
    cutoff_shift,
    examine,
    judge,
    ladder,
    settled_modes,
)
from pairsweep.analyses.growth.solver import fastest_mode
from pairsweep.physics.grid import beams, bins
from pairsweep.physics.patterns.energy_band import energy_band
from pairsweep.physics.patterns.fermi_dirac import fermi_dirac
from pairsweep.physics.patterns.quadrant import quadrant
from pairsweep.physics.patterns.registry import PATTERNS

LEVELS = {"rho_high": 0.9, "rho_low": 0.1}


def band(edge_width=0.0, e_low=6.0, e_high=14.0):
    """A band's occupation function and its edges."""
    parameters = {"e_low": e_low, "e_high": e_high, "edge_width": edge_width} | LEVELS
    return (lambda grid: energy_band(grid, **parameters)), PATTERNS["energy_band"].edges(**parameters).energy


def band_system(edge_width=0.0, n_theta=1, n_phi=4):
    occupation, edges = band(edge_width)
    return spectrum(occupation, n_theta=n_theta, n_phi=n_phi, energy_max=20.0, edges=edges)


def vacuum_system(n_theta, n_phi):
    return spectrum(lambda grid: quadrant(grid, 0.0, 0.0), n_theta=n_theta, n_phi=n_phi, energy_max=20.0)


def thermal(grid):
    return fermi_dirac(grid, 4.0)


def test_ladder_of_a_sharp_band_converges_to_the_continuum_root():
    system = band_system()
    modes = continuum_modes(system, 3e-4)
    assert modes.certified
    rungs = ladder(system, 3e-4, [10, 40, 160], fastest_mode)
    away = np.abs(rungs.growth / modes.growth_rate - 1)
    assert away[0] > 0.1
    assert away[-1] < 1e-3
    assert np.all(np.diff(away) < 0)
    _, frequency, _ = fastest_mode(*system.cells(160), 3e-4)
    assert frequency == pytest.approx(modes.frequency, rel=1e-3)


def test_smoothing_the_edges_kills_the_root():
    rates = [continuum_modes(band_system(width), 3e-4).growth_rate for width in (0.0, 0.5, 2.0, 4.0, 6.0)]
    assert np.all(np.diff(rates[:4]) < 0)
    assert rates[3] > 0.1
    assert rates[4] == 0.0


@pytest.mark.parametrize(("shape", "threshold"), [((1, 4), 0.0796), ((8, 8), 0.1184)])
def test_isotropic_vacuum(shape, threshold):
    system = vacuum_system(*shape)
    assert continuum_modes(system, 0.998 * threshold / 400).growth_rate == 0.0
    g = 1.002 * threshold / 400
    modes = continuum_modes(system, g)
    assert modes.growth_rate > 0
    assert modes.frequency == 0.0
    assert cutoff_shift(system, g, modes) > 1.0


@pytest.mark.parametrize(
    ("levels", "g"),
    [
        ((0.0, 0.0), 0.085 / 400),  # static
        ((0.9, 0.1), 1e-4),
        ((0.9, 0.1), 3e-5),  # grows with 3e-7 MeV and by 7e4 times on the way
    ],
)
def test_following_to_twice_the_cutoff_arrives_at_a_mode_of_the_wider_system(levels, g):
    system = spectrum(lambda grid: quadrant(grid, *levels), n_theta=1, n_phi=4, energy_max=20.0)
    modes = continuum_modes(system, g)
    shift = cutoff_shift(system, g, modes)
    wider = continuum_modes(system.with_empty_modes(40.0), g)
    arrived = (1 + shift) * modes.growth_rate
    assert np.abs(wider.rates - arrived).min() < 1e-9 * arrived


def test_a_mode_that_empty_modes_stabilise_dies_on_the_way():
    modes = continuum_modes(band_system(), 3e-4)
    assert cutoff_shift(band_system(), 3e-4, modes) == -1.0
    assert continuum_modes(band_system().with_empty_modes(40.0), 3e-4).growth_rate != pytest.approx(
        modes.growth_rate
    )


def test_no_mode_no_shift():
    system = vacuum_system(1, 4)
    assert math.isnan(cutoff_shift(system, 1e-6, continuum_modes(system, 1e-6)))


def test_single_positive_bin_falls_with_the_bin_width():
    """One bin at 10 MeV in one quadrant: 6.72 g E^2 dE on every grid, nothing in the continuum."""
    rates = []
    for n_energy in (51, 101, 201):
        width = 20.0 / n_energy
        occupation, edges = band(e_low=10.0 - 0.5 * width, e_high=10.0 + 0.5 * width)
        grid = bins(n_energy, 1, 4)
        found = examine(
            grid,
            occupation,
            energy_max=20.0,
            g=1e-6,
            discrete_growth=fastest_mode,
            refinements=(1, 2),
            edges=edges,
        )
        assert found.verdict == DISCRETISATION
        assert found.continuum_growth_rate == 0.0
        rho, rhobar = occupation(grid)
        rates.append(fastest_mode(grid.energy, grid.weight, grid.p_hat, rho + rhobar - 1, 1e-6)[0])
    exponents = np.diff(np.log(rates)) / np.diff(np.log([51, 101, 201]))
    np.testing.assert_allclose(exponents, -1.0, atol=0.02)
    assert rates[-1] == pytest.approx(6.72e-6 * 100.0 * 20.0 / 201, rel=0.02)


def test_the_letters_system_is_discretisation():
    found = examine(
        bins(1, 1, 4),
        lambda grid: quadrant(grid, 0.9, 0.1),
        energy_max=20.0,
        g=1e-6,
        discrete_growth=fastest_mode,
        refinements=(1, 2, 4, 8),
    )
    assert found.verdict == DISCRETISATION
    assert found.continuum_growth_rate == found.continuum_frequency == 0.0
    assert found.vouched_growth < 1e-20  # ||D|| < 1 down to there
    assert found.ladder_growth[0] == pytest.approx(1.7864e-2, rel=1e-4)
    assert found.ladder_growth[-1] == 0.0
    assert np.isnan(found.ladder_exponent).tolist() == [True, False, False, True]
    assert math.isnan(found.cutoff_shift)
    assert not found.cutoff_sensitive


def test_a_band_that_the_grid_misses():
    """At 1e-4 the band is unstable, but on 20 bins it looks stable."""
    occupation, edges = band()
    common = {"energy_max": 20.0, "g": 1e-4, "discrete_growth": fastest_mode, "edges": edges}
    missed = examine(bins(20, 1, 4, cell_volume="exact"), occupation, refinements=(1, 8), **common)
    assert missed.ladder_growth[0] == 0.0
    assert missed.verdict == MISSED
    seen = examine(bins(160, 1, 4, cell_volume="exact"), occupation, refinements=(1,), **common)
    assert seen.verdict == CONTINUUM
    assert seen.cutoff_sensitive


def test_a_thermal_isotropic_gas_is_stable():
    found = examine(
        bins(10, 2, 4),
        thermal,
        energy_max=20.0,
        g=1e-4,
        discrete_growth=fastest_mode,
        refinements=(1, 2),
        linear=False,
    )
    assert found.verdict == STABLE
    assert found.vouched_growth < 1e-7


def test_a_smooth_occupation_is_refined_until_its_root_stays():
    """A band rounded by tanh: its root lies between those of the sharp band and of none."""

    def rounded(grid):
        share = 0.5 * (np.tanh((grid.energy - 6) / 0.2) - np.tanh((grid.energy - 14) / 0.2))
        rho = 0.1 + 0.8 * share * ((grid.phi > 0) & (grid.phi < np.pi / 2))
        return rho, rho

    def refine(deviation):
        return spectrum(rounded, n_theta=1, n_phi=4, energy_max=20.0, linear=False, tolerance=deviation)

    system, modes, settled = settled_modes(refine, 3e-4)
    assert settled
    finer = continuum_modes(refine(system.error / 5), 3e-4)
    assert modes.growth_rate == pytest.approx(finer.growth_rate, rel=1e-3)
    sharp = continuum_modes(band_system(), 3e-4).growth_rate
    assert 0.8 * sharp < modes.growth_rate < sharp


def test_refinement_that_never_settles_is_not_vouched_for(monkeypatch):
    calls = []

    def refine(deviation):
        calls.append(deviation)
        system = band_system(0.3 * len(calls))
        return type(system)(system.edges, system.n, system.solid_angle, system.direction, deviation)

    _, modes, settled = settled_modes(refine, 3e-4)
    assert modes.certified
    assert not settled
    assert len(calls) == len(continuum.REFINEMENTS)


def _rungs(*growth):
    return continuum.Ladder(
        np.array([10 * 2**k for k in range(len(growth))]), np.array(growth), np.zeros(len(growth))
    )


def test_verdict_table():
    system = band_system()
    unstable = continuum_modes(system, 3e-4)
    root = unstable.growth_rate
    none = continuum_modes(system, 1e-6)
    assert none.growth_rate == 0.0
    assert judge(0.0, none, True, _rungs(0.0), system) == STABLE
    assert judge(1.0, unstable, True, _rungs(root), system) == CONTINUUM
    assert judge(1e-3, none, True, _rungs(1e-3), system) == DISCRETISATION
    assert judge(0.0, unstable, True, _rungs(0.0), system) == MISSED  # 10 bins cannot resolve the root
    assert judge(math.nan, unstable, True, _rungs(root), system) == UNDETERMINED
    assert judge(1.0, unstable, False, _rungs(root), system) == UNDETERMINED


def test_solvers_in_conflict_are_undetermined():
    """640 bins of the ladder do resolve a growth of 1.57 MeV: they must see it too, and nothing else as fast."""
    system = band_system()
    unstable, none = continuum_modes(system, 3e-4), continuum_modes(system, 1e-6)
    blind = _rungs(*[0.0] * 7)
    assert judge(0.0, unstable, True, blind, system) == UNDETERMINED
    assert judge(1.0, none, True, _rungs(*[1.0] * 7), system) == UNDETERMINED
    # a rung without a result is no evidence; the last one that has a result is
    assert judge(1.0, unstable, True, _rungs(*[unstable.growth_rate] * 6, math.nan), system) == CONTINUUM


def test_a_discrete_solver_that_does_not_vouch_leaves_it_open():
    found = examine(
        bins(2, 1, 4),
        lambda grid: quadrant(grid, 0.9, 0.1),
        energy_max=20.0,
        g=1e-6,
        discrete_growth=lambda *_: (0.0, 0.0, False),
        refinements=(1, 2),
    )
    assert found.verdict == UNDETERMINED
    assert np.isnan(found.ladder_growth).all()


def test_an_exhausted_budget_leaves_it_open(monkeypatch):
    monkeypatch.setattr(continuum, "BUDGET", 10)
    modes = continuum_modes(band_system(), 3e-4)
    assert not modes.certified
    assert modes.vouched_growth == math.inf
    assert modes.status.text


def test_bad_input():
    system = band_system()
    with pytest.raises(ValueError, match="g = 0"):
        continuum_modes(system, 0.0)
    with pytest.raises(ValueError, match="growth_tolerance"):
        continuum_modes(system, 1e-4, growth_tolerance=1e-15)
    common = {"energy_max": 20.0, "g": 1e-6, "discrete_growth": fastest_mode}
    with pytest.raises(ValueError, match="beams"):
        examine(beams(1.0, 1.0, 0.0, 0.0), thermal, **common)

    def stepped(grid):
        rho = np.where(grid.energy > 7.3, 0.2, 0.8)
        return rho, rho

    with pytest.raises(DiscontinuityError, match="declare"):
        examine(bins(2, 1, 4), stepped, linear=False, **common)

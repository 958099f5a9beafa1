"""Does an instability survive the continuum: modes, ladder, cutoff probe and verdict."""

import dataclasses
import math
import runpy
from pathlib import Path

import mpmath
import numpy as np
import pytest

from pairsweep.analyses.continuum import solver as continuum
from pairsweep.analyses.continuum.analysis import ContinuumOptions, Doubt, Verdict
from pairsweep.analyses.continuum.kernels.roots import Status
from pairsweep.analyses.continuum.profile import uniform_directions
from pairsweep.analyses.continuum.solver import (
    Ladder,
    any_ceiling,
    continuum_modes,
    in_conflict,
    judge,
    settled,
    solve,
    solve_profile,
)
from pairsweep.analyses.growth.analysis import GrowthOptions
from pairsweep.analyses.growth.solver import fastest_mode, growth_of_systems
from pairsweep.contract.errors import UserCodeError
from pairsweep.physics.grid import beams, bins
from pairsweep.physics.patterns.registry import PATTERNS
from pairsweep.physics.systems import Profile
from tests.analyses.continuum.occupations import (
    ENERGY_MAX,
    along,
    band,
    custom,
    quadrant,
    systems_of,
    thermal,
)

ROOT = Path(__file__).parents[3]


def solved(grid, profiles, g, opts=None, growth=None):
    """Arrays of `solve`, after a look that no system failed."""
    found = solve(systems_of(grid, profiles, g), opts or ContinuumOptions(), growth or GrowthOptions())
    assert not found.failures
    return found.arrays


def shift_of(system, g, subtracted=False):
    """Relative change of the fastest mode's growth with twice the cutoff."""
    answers = solve_profile(lambda _: system, True, np.array([g]), subtracted=subtracted)
    return float(answers.shift[0])


def test_ladder_of_a_sharp_band_converges_to_the_continuum_root():
    modes = continuum_modes(along(band()), 3e-4)
    assert modes.certified
    found = solved(bins(10, 1, 4), band(), 3e-4, ContinuumOptions(ladder_max=160))
    away = np.abs(found["ladder_growth"][0] / modes.growth_rate - 1)
    assert away[0] > 0.1
    assert away[-1] < 1e-3
    assert np.all(np.diff(away) < 0)
    assert found["ladder_approaches"][0] == 1
    fine = along(band())
    points = np.linspace(0.0, ENERGY_MAX, 161)
    grid = fine.grid(points)
    _, frequency, _ = fastest_mode(grid.energy, grid.weight, grid.p_hat, fine.cells(points), 3e-4)
    assert frequency == pytest.approx(modes.frequency, rel=1e-3)


def test_smoothing_the_edges_kills_the_root():
    rates = [continuum_modes(along(band(width)), 3e-4).growth_rate for width in (0.0, 0.5, 2.0, 4.0, 6.0)]
    assert rates[0] == pytest.approx(1.5734, rel=1e-4)
    assert np.all(np.diff(rates[:4]) < 0)
    assert rates[3] == pytest.approx(0.706, rel=1e-3)
    assert rates[4] == 0.0


@pytest.mark.parametrize(("shape", "threshold"), [((1, 4), 0.0796), ((8, 8), 0.1184)])
def test_isotropic_vacuum(shape, threshold):
    system = along(quadrant(0.0, 0.0), *shape)
    assert continuum_modes(system, 0.998 * threshold / 400).growth_rate == 0.0
    g = 1.002 * threshold / 400
    modes = continuum_modes(system, g)
    assert modes.growth_rate > 0
    assert modes.frequency == 0.0
    assert shift_of(system, g) > 1.0


@pytest.mark.parametrize(
    ("levels", "g"),
    [
        ((0.0, 0.0), 0.085 / 400),  # static
        ((0.9, 0.1), 1e-4),
        ((0.9, 0.1), 3e-5),  # grows with 3e-7 MeV and by 7e4 times on the way
    ],
)
def test_following_to_twice_the_cutoff_arrives_at_a_mode_of_the_wider_system(levels, g):
    system = along(quadrant(*levels))
    modes = continuum_modes(system, g)
    wider = continuum_modes(system.with_empty_modes(40.0), g)
    arrived = (1 + shift_of(system, g)) * modes.growth_rate
    assert np.abs(wider.rates - arrived).min() < 1e-9 * arrived


def test_a_mode_that_empty_modes_stabilise_dies_on_the_way():
    modes = continuum_modes(along(band()), 3e-4)
    assert shift_of(along(band()), 3e-4) == -1.0
    wider = continuum_modes(along(band()).with_empty_modes(40.0), 3e-4)
    assert wider.growth_rate != pytest.approx(modes.growth_rate)


def test_no_mode_no_shift():
    assert math.isnan(shift_of(along(quadrant(0.0, 0.0)), 1e-6))


def test_single_positive_bin_falls_with_the_bin_width():
    """One bin at 10 MeV in one quadrant: 6.72 g E^2 dE on every grid, nothing in the continuum."""
    rates = []
    for n_energy in (51, 101, 201):
        width = 20.0 / n_energy
        profile = band(e_low=10.0 - 0.5 * width, e_high=10.0 + 0.5 * width)
        grid = bins(n_energy, 1, 4)
        found = solved(grid, profile, 1e-6)
        assert found["verdict"][0] == Verdict.DISCRETISATION
        assert found["continuum_growth_rate"][0] == 0.0
        n = systems_of(grid, profile, 1e-6).n
        rates.append(growth_of_systems(grid, n, np.array([1e-6])).arrays["growth_rate"][0])
    exponents = np.diff(np.log(rates)) / np.diff(np.log([51, 101, 201]))
    np.testing.assert_allclose(exponents, -1.0, atol=0.02)
    assert rates[-1] == pytest.approx(6.72e-6 * 100.0 * 20.0 / 201, rel=0.02)


def test_the_letters_system_is_discretisation():
    found = solved(bins(1, 1, 4), quadrant(), 1e-6, ContinuumOptions(ladder_max=8))
    assert found["verdict"][0] == Verdict.DISCRETISATION
    assert found["continuum_growth_rate"][0] == found["continuum_frequency"][0] == 0.0
    assert found["vouched_growth"][0] < 1e-40  # ||D|| < 1 down to there, whatever the occupation
    ladder = found["ladder_growth"][0]
    assert ladder[0] == pytest.approx(1.7864e-2, rel=1e-4)
    assert ladder[-1] == 0.0
    assert np.isnan(found["ladder_exponent"][0]).tolist() == [True, False, False, True]
    assert math.isnan(found["cutoff_shift"][0])
    assert found["cutoff_sensitive"][0] == 0


def test_without_a_ladder_none_of_its_variables_is_computed():
    assert not [name for name in solved(bins(1, 1, 4), quadrant(), 1e-6) if name.startswith("ladder")]


def test_weak_coupling_needs_no_occupation():
    """The ceiling holds for any occupation, so nobody asks for this one."""
    systems = systems_of(bins(4, 1, 4), quadrant(), [1e-6, 2e-6])

    def nobody(row):
        raise AssertionError("asked for")

    untouched = type(systems)(
        systems.grid, systems.rho, systems.rhobar, systems.g, systems.energy_max, nobody
    )
    found = solve(untouched, ContinuumOptions(), GrowthOptions())
    assert found.arrays["verdict"].tolist() == [Verdict.DISCRETISATION] * 2


@pytest.mark.parametrize("shape", [(1, 4), (3, 5)])
def test_no_root_lies_above_the_ceiling_of_any_occupation(shape):
    """Random occupations, and the kernel's sharper ceiling of each lies between."""
    random = np.random.default_rng(1)
    directions = uniform_directions(*shape)
    for _ in range(20):
        g = 10 ** random.uniform(-4.8, -3.7)
        values = random.choice([-1.0, 1.0], (directions.size, 3))

        def occupation(energy, theta, phi, values=values):
            which = np.argmin(
                (theta[:, None] - directions.theta) ** 2 + (phi[:, None] - directions.phi) ** 2, axis=1
            )
            rho = 0.5 + 0.5 * values[which, np.searchsorted([5.0, 15.0], energy)]
            return rho, rho

        system = along(Profile(occupation, (5.0, 15.0), linear=True), *shape)
        modes = continuum_modes(system, g)
        medium = continuum.prepare(*system.pieces, g, False)
        assert modes.certified
        highest = any_ceiling(directions, np.array([g]), np.array([ENERGY_MAX]))[0]
        assert modes.growth_rate <= medium.ceiling <= highest * (1 + 1e-12)


def test_the_continuum_obeys_the_options_of_growth():
    """A growth of 0.05 of the coupling does not count with growth_tolerance = 0.1: then it is no artefact either."""
    grid = bins(4, 1, 4)
    strict = solved(grid, quadrant(), 1e-6)
    lax = solved(grid, quadrant(), 1e-6, growth=GrowthOptions(growth_tolerance=0.1))
    assert strict["verdict"][0] == Verdict.DISCRETISATION
    assert lax["verdict"][0] == Verdict.STABLE
    laddered = solved(
        grid, quadrant(), 1e-6, ContinuumOptions(ladder_max=4), GrowthOptions(growth_tolerance=0.1)
    )
    assert laddered["ladder_growth"][0, 0] == 0.0


def test_a_band_that_the_grid_misses():
    """At 1e-4 the band is unstable, but on 20 bins it looks stable."""
    missed = solved(bins(20, 1, 4, cell_volume="exact"), band(), 1e-4, ContinuumOptions(ladder_max=160))
    assert missed["ladder_growth"][0, 0] == 0.0
    assert missed["verdict"][0] == Verdict.MISSED
    assert missed["continuum_growth_rate"][0] == pytest.approx(0.1024, rel=1e-3)
    seen = solved(bins(160, 1, 4, cell_volume="exact"), band(), 1e-4)
    assert seen["verdict"][0] == Verdict.CONTINUUM
    assert seen["cutoff_sensitive"][0] == 1


def test_the_vacuum_moves_the_root_of_a_band():
    """8 to 12 MeV, four directions, 1e-4: bare and with the cutoff's constant taken out (notes, section 4)."""
    narrow = band(e_low=8.0, e_high=12.0)
    bare, taken = (
        solved(bins(20, 1, 4), narrow, 1e-4, ContinuumOptions(vacuum=vacuum))
        for vacuum in ("grid", "subtracted")
    )
    assert bare["continuum_frequency"][0] == pytest.approx(23.14336, abs=1e-5)
    assert bare["continuum_growth_rate"][0] == pytest.approx(0.02721, abs=1e-5)
    assert taken["continuum_frequency"][0] == pytest.approx(23.18258, abs=1e-5)
    assert taken["continuum_growth_rate"][0] == pytest.approx(0.002845, abs=1e-6)


def test_without_the_vacuum_no_mode_is_static():
    """The quadrant at 1e-3 grows statically with 25 MeV; with the constant taken out nothing is left at frequency 0."""
    system = along(quadrant())
    assert continuum_modes(system, 1e-3).frequency == 0.0
    assert np.all(continuum_modes(system, 1e-3, subtracted=True).frequencies > 1.0)
    empty = along(quadrant(0.0, 0.0))
    assert continuum_modes(empty, 1e-3).growth_rate > 50.0
    assert continuum_modes(empty, 1e-3, subtracted=True).growth_rate == 0.0


def test_a_thermal_isotropic_gas_is_stable():
    found = solved(bins(10, 2, 4), thermal(), 1e-4)
    assert found["verdict"][0] == Verdict.STABLE
    assert found["vouched_growth"][0] < 1e-7


def test_a_smooth_occupation_is_refined_until_its_root_stays():
    """A band rounded by tanh: its root lies between those of the sharp band and of none."""

    def rounded(energy, theta, phi):
        share = 0.5 * (np.tanh((energy - 6) / 0.2) - np.tanh((energy - 14) / 0.2))
        rho = 0.1 + 0.8 * share * ((phi > 0) & (phi < np.pi / 2))
        return rho, rho

    profile = Profile(rounded)
    found = solve_profile(lambda deviation: along(profile, tolerance=deviation), False, np.array([3e-4]))
    assert settled(found)[0]
    finer = continuum_modes(along(profile, tolerance=1e-8), 3e-4)
    moved = abs(found.growth[0] - finer.growth_rate)
    assert moved <= found.error[0] + 1e-10
    assert found.error[0] < 1e-3 * found.growth[0]
    sharp = continuum_modes(along(band()), 3e-4).growth_rate
    assert 0.8 * sharp < found.growth[0] < sharp


def test_a_smeared_fermi_surface_has_a_critical_temperature():
    """E_F = 12 MeV in one quadrant of four directions, 1e-4: 0.128 and 0.126 MeV at 0.001 and 0.01, gone at 0.1."""
    rates = []
    for smearing in (0.001, 0.01, 0.1):
        profile = PATTERNS["fermi_surface"].profile(
            fermi_energy=12.0, smearing=smearing, rho_high=1.0, rho_low=0.1
        )
        found = solved(bins(40, 1, 4), profile, 1e-4)
        rates.append(found["continuum_growth_rate"][0])
        expected = Verdict.CONTINUUM if smearing < 0.1 else Verdict.DISCRETISATION
        assert found["verdict"][0] == expected
    np.testing.assert_allclose(rates, [0.1284, 0.1258, 0.0], atol=2e-4)


def test_refinement_that_never_settles_is_not_vouched_for():
    calls = []

    def refine(deviation):
        calls.append(deviation)
        return along(band(0.3 * len(calls)))

    found = solve_profile(refine, False, np.array([3e-4]))
    assert found.status[0] == Status.CERTIFIED
    assert not settled(found)[0]
    reasons = continuum._doubts(np.zeros(1), found.status, settled(found), np.zeros(1, dtype=bool))
    assert reasons.tolist() == [Doubt.UNSETTLED]
    assert len(calls) == len(continuum.REFINEMENTS)


def test_systems_do_not_depend_on_what_is_solved_beside_them():
    grid = bins(6, 1, 4)
    profiles = [band(), quadrant(), band(), band(2.0)]
    g = [1e-4, 2e-4, 3e-4, 3e-4]
    together = solved(grid, profiles, g, ContinuumOptions(ladder_max=12))
    for row in range(4):
        alone = solved(grid, profiles[row : row + 1], g[row : row + 1], ContinuumOptions(ladder_max=12))
        for name, values in together.items():
            np.testing.assert_array_equal(values[row], alone[name][0], err_msg=name)


def test_verdict_table():
    own = np.array([0.0, 1.0, 1e-3, 0.0, math.nan, 1.0])
    root = np.array([0.0, 1.5, 0.0, 1.5, 1.5, 1.5])
    settled_ones = np.array([True] * 5 + [False])
    assert judge(own, root, settled_ones).tolist() == [0, 1, 2, 3, 4, 4]


def test_solvers_in_conflict_are_undetermined():
    """640 bins of the ladder do resolve a growth of 1.57 MeV: they must see it too, and nothing else as fast."""
    root = continuum_modes(along(band()), 3e-4).growth_rate
    n_energy = 10 * 2 ** np.arange(7)
    energy_max = np.array([ENERGY_MAX])

    def conflict(continuum_growth, *rungs):
        return bool(
            in_conflict(np.array([continuum_growth]), Ladder(n_energy, np.array([rungs])), energy_max)[0]
        )

    assert conflict(root, *[0.0] * 7)
    assert conflict(0.0, *[1.0] * 7)
    assert not conflict(root, *[root] * 7)
    # a rung without a result is no evidence; the last one that has a result is
    assert not conflict(root, *[root] * 6, math.nan)
    assert not conflict(root, *[math.nan] * 7)


def test_a_discrete_solver_that_does_not_vouch_leaves_it_open(monkeypatch):
    monkeypatch.setattr(continuum, "vouched_growth", lambda grid, n, g, *options: np.full(g.size, np.nan))
    found = solved(bins(2, 1, 4), quadrant(), 1e-6, ContinuumOptions(ladder_max=12))
    assert found["verdict"][0] == Verdict.UNDETERMINED
    assert found["undetermined_reason"][0] == Doubt.GRID
    assert np.isnan(found["ladder_growth"]).all()


def test_an_exhausted_budget_leaves_it_open(monkeypatch):
    monkeypatch.setattr(continuum, "BUDGET", 10)
    modes = continuum_modes(along(band()), 3e-4)
    assert not modes.certified
    assert modes.vouched_growth == math.inf
    assert modes.status.text
    found = solved(bins(2, 1, 4), band(), 3e-4)
    assert found["verdict"][0] == Verdict.UNDETERMINED
    assert found["undetermined_reason"][0] == Doubt.UNCOUNTED
    assert np.isnan(found["continuum_growth_rate"][0])


@pytest.mark.parametrize("angles", ["grid", "continuous"])
def test_an_occupation_that_cannot_be_had_says_nothing_of_its_point(angles):
    systems = systems_of(bins(4, 1, 4), [quadrant(), quadrant()], [1e-4, 1e-4])

    def broken(row):
        if row == 1:
            raise UserCodeError("its edges cannot be computed")
        return quadrant()

    found = solve(
        dataclasses.replace(systems, profile=broken), ContinuumOptions(angles=angles), GrowthOptions()
    )
    assert list(found.failures) == [1]
    assert found.arrays["verdict"].tolist()[1] == Verdict.UNDETERMINED
    assert np.isnan(found.arrays["continuum_growth_rate"][1])
    assert found.arrays["verdict"][0] != Verdict.UNDETERMINED


def test_a_point_fails_by_its_own_occupation_alone():
    stepped = custom(lambda energy: np.where(energy > 7.3, 0.2, 0.8))
    found = solve(
        systems_of(bins(4, 1, 4), [quadrant(), stepped], [1e-4, 1e-4]), ContinuumOptions(), GrowthOptions()
    )
    assert list(found.failures) == [1]
    assert "declare it" in found.failures[1].reason
    assert found.arrays["verdict"][0] != Verdict.UNDETERMINED


@pytest.mark.parametrize("residue", [1e-17, 1e-12, 1e-9, 1e-6])
def test_tiny_residues_change_nothing(residue):
    """An EPN of rounding size beside normal ones neither fails nor makes a mode."""

    def occupation(energy, theta, phi):
        rho = np.where(energy < 7.0, 0.9, np.where(energy < 13.0, 0.5 + residue, 0.1))
        rho = np.where(phi < 3.0, rho, 0.5 - 0.5 * residue)
        return rho, rho

    g = np.geomspace(1e-5, 1e-3, 7)
    tiny = solved(bins(6, 1, 4), Profile(occupation, (7.0, 13.0), linear=True), g)
    none = residue
    residue = 0.0
    exact = solved(bins(6, 1, 4), Profile(occupation, (7.0, 13.0), linear=True), g)
    assert np.all(tiny["verdict"] != Verdict.UNDETERMINED)
    np.testing.assert_allclose(
        tiny["continuum_growth_rate"],
        exact["continuum_growth_rate"],
        rtol=1e3 * none + 1e-9,
        atol=1e-7 + 20 * none,
    )


def test_bad_input():
    system = along(band())
    with pytest.raises(ValueError, match="g = 0"):
        continuum_modes(system, 0.0)
    with pytest.raises(ValueError, match="growth_tolerance"):
        continuum_modes(system, 1e-4, growth_tolerance=1e-15)
    with pytest.raises(ValueError, match="beams"):
        solve(systems_of(beams(1.0, 1.0, 0.0, 0.0), thermal(), 1e-6), ContinuumOptions(), GrowthOptions())


@pytest.mark.parametrize(
    "kind", ["steps", "ramps", "smooth", "edges", "weak", "static", "double", "residues"]
)
def test_roots_are_those_of_40_digits(kind):
    """A few of the systems of scripts/continuum/torture.py; it runs thousands."""
    torture = runpy.run_path(str(ROOT / "scripts/continuum/torture.py"))
    random = np.random.default_rng(3)
    with mpmath.workdps(torture["DIGITS"]):
        for _ in range(2):
            assert torture["examine"](random, kind, 1).startswith("right")

"""What must come out of the linear theory: closed forms, the Letter's statements, symmetries."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pairsweep as ps
from pairsweep.analyses.growth import solver
from pairsweep.analyses.growth.dense import dense_floor
from pairsweep.analyses.growth.solver import Method, growth_of_systems
from pairsweep.physics.grid import NAMED_DIRECTIONS
from tests.analyses.growth.kernels.batch.bulk_systems import dense_eigenvalues
from tests.analyses.growth.ordinary_systems import FAMILIES, tiny_among_normal
from tests.pairwise import random_system

G = 1e-6
LETTER_CASE_B = "the Letter prints 0.490 mu, which lacks the factor 2 of its own Eq. 16"


def two_pairs(n_x, n_z, mu, energy=1.0):
    theta, phi = zip(NAMED_DIRECTIONS["x"], NAMED_DIRECTIONS["z"], strict=True)
    grid = ps.beams([energy] * 2, [1.0] * 2, theta, phi, names=["x", "z"])
    rho = (np.array([n_x, n_z]) + 1) / 2
    return ps.growth(grid, rho, g=mu)


def equation_15(n_x, n_z, mu, energy=1.0):
    shifted = energy - 2 * mu
    product = 2 * mu * np.sqrt(complex(shifted**2 * n_x * n_z))
    return max((s * 2 * np.sqrt(-(shifted**2) + t * product)).real for s in (1, -1) for t in (1, -1))


def letter(n_energy=1, n_theta=1, n_phi=4, high=0.9, low=0.1, g=G, cell_volume="midpoint"):
    grid = ps.bins(n_energy, n_theta, n_phi, 20.0, cell_volume)
    return ps.growth(grid, *ps.quadrant(grid, high, low), g=g)


@pytest.mark.parametrize("mu", [1e-6, 1e-3, 1e-2, 0.1, 0.3])
@pytest.mark.parametrize(("n_x", "n_z"), [(1, -1), (0.3, -0.8), (-0.5, 0.01), (0.5, 0.5), (-1, -1)])
def test_two_pairs_obey_equation_15(mu, n_x, n_z):
    expected = equation_15(n_x, n_z, mu)
    assert float(two_pairs(n_x, n_z, mu).growth_rate) == pytest.approx(expected, rel=1e-10, abs=1e-10)


def test_case_a_grows_at_two_mu():
    assert float(two_pairs(1, -1, 1e-3).growth_rate) / 1e-3 == pytest.approx(2.0, rel=1e-5)


def test_case_b_grows_at_0980_mu():
    found = float(two_pairs(0.3, -0.8, 1e-3).growth_rate) / 1e-3
    assert found == pytest.approx(2 * math.sqrt(0.24), rel=1e-5), LETTER_CASE_B
    assert f"{found:.3f}" == "0.980"
    assert f"{found / 2:.3f}" == "0.490"


@pytest.mark.parametrize("cell_volume", ["midpoint", "exact"])
@pytest.mark.parametrize("n_energy", range(1, 13))
def test_unstable_for_up_to_four_energy_bins(n_energy, cell_volume):
    found = letter(n_energy, cell_volume=cell_volume)
    assert (float(found.growth_rate) > 0) == (n_energy <= 4)
    if n_energy > 4:
        assert float(found.growth_rate) == 0.0
        assert int(found.n_unstable) == 0
        assert int(found.mode_kind) == 0


def test_known_growth_rates():
    assert float(letter().growth_rate) == pytest.approx(1.3393454e-2, rel=1e-7)
    assert float(letter(cell_volume="exact").growth_rate) == pytest.approx(1.7864e-2, rel=1e-4)
    assert float(letter(1, 8, 8).growth_rate) == pytest.approx(9.2461e-3, rel=1e-5)
    assert int(letter(1, 8, 8).n_unstable) == 6


def test_three_energy_bins_live_in_the_highest():
    found = letter(3)
    assert int(found.n_unstable) == 2
    assert float(found.frequency) == pytest.approx(2 * 50 / 3, rel=1e-2)
    np.testing.assert_allclose(found.energy_weight.sum(), 1)
    assert float(found.energy_weight[2]) > 0.999


def test_one_positive_bin_falls_with_its_phase_space_volume():
    rates = []
    for n_energy in (20, 40, 80):
        grid = ps.bins(n_energy, 1, 4)
        centre = grid.bin_energy[n_energy // 2]
        width = 20.0 / n_energy
        rho, _ = ps.energy_band(grid, centre - width / 4, centre + width / 4, 0.9, 0.1)
        rates.append(float(ps.growth(grid, rho, g=G).growth_rate) / (G * centre**2 * width))
    np.testing.assert_allclose(rates, 6.72, rtol=2e-3)


def test_growth_is_proportional_to_g_at_small_g():
    rates = np.array([float(letter(g=g).growth_rate) / g for g in (1e-9, 1e-7, 1e-6)])
    deviations = rates[1:] / rates[0] - 1
    assert abs(deviations[0]) < 2e-4
    assert deviations[1] / deviations[0] == pytest.approx(
        10, rel=0.02
    )  # and the rest is of the next order in g


def test_at_large_g_the_mode_is_static():
    found = letter(g=1e-2)
    assert int(found.mode_kind) == 2
    assert float(found.frequency) == pytest.approx(0.0, abs=1e-9)


def test_a_crossing_between_energies_alone_is_stable():
    grid = ps.bins(4, 2, 8)
    rho = np.where(grid.energy < 10, 0.9, 0.1)
    found = ps.growth(grid, rho, g=G)
    assert float(found.epn_crossing_strength) > 0
    assert float(found.epn_crossing_strength_bin) == 0
    assert float(found.growth_rate) == 0.0


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.sampled_from([-1.0, 1.0]))
def test_no_instability_without_a_crossing_at_small_g(seed, pairs, sign):
    """All n of one sign: stable while g w is far below every energy (PHYSICS: any g for n > 0 and Omega > 0)."""
    rng = np.random.default_rng(seed)
    grid, *_ = random_system(rng, pairs)
    rho = 0.5 + sign * 0.5 * rng.random(pairs)
    found = ps.growth(grid, rho, g=1e-4)
    assert float(found.epn_crossing_strength) == 0.0
    assert float(found.growth_rate) == 0.0


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_permuting_pairs_and_rotating_the_system_change_nothing(seed):
    rng = np.random.default_rng(seed)
    grid, rho, rhobar, _, g = random_system(rng, 6, g=0.03)
    reference = ps.growth(grid, rho, rhobar, g=g)
    order = rng.permutation(6)
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    rotation *= np.linalg.det(rotation)
    p = grid.p_hat[order] @ rotation.T
    turned = ps.beams(
        grid.energy[order], grid.weight[order], np.arccos(p[:, 2].clip(-1, 1)), np.arctan2(p[:, 1], p[:, 0])
    )
    found = ps.growth(turned, rho[order], rhobar[order], g=g)
    assert int(found.n_unstable) == int(reference.n_unstable)
    for name in ("growth_rate", "frequency", "epn_crossing_strength", "anisotropy"):
        np.testing.assert_allclose(found[name], reference[name], rtol=1e-6, atol=1e-7)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10))
def test_scaling_energies_and_coupling_scales_the_rate(seed, factor):
    """M is homogeneous: E -> c E and g -> c g give lambda -> c lambda."""
    grid, rho, rhobar, _, g = random_system(np.random.default_rng(seed), 4, g=0.03)
    scaled = ps.beams(factor * grid.energy, grid.weight, grid.theta, grid.phi)
    one, other = ps.growth(grid, rho, rhobar, g=g), ps.growth(scaled, rho, rhobar, g=factor * g)
    np.testing.assert_allclose(other.growth_rate, factor * one.growth_rate, rtol=1e-6, atol=1e-7 * factor)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda grid: ps.growth(grid, [0.5], g=G), "shape"),
        (lambda grid: ps.growth(grid, [0.5, 1.5, 0, 0], g=G), "between 0 and 1"),
        (lambda grid: ps.growth(grid, [0.5, np.nan, 0, 0], g=G), "between 0 and 1"),
        (lambda grid: ps.growth(grid, [0.5] * 4, [0.5] * 3, g=G), "rhobar"),
        (lambda grid: ps.growth(grid, [0.5] * 4, g=0.0), "above 0"),
    ],
)
def test_unusable_numbers_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(ps.bins(1, 1, 4))


def solve(grid, n, g, **options):
    n = np.atleast_2d(np.asarray(n, dtype=float))
    return growth_of_systems(grid, n, np.broadcast_to(np.asarray(g, dtype=float), len(n)), **options)


# a plain map whose range passes 0.5
LINSPACE = np.linspace(0.0, 0.7, 15)[10]


@pytest.mark.parametrize("high", [0.3, 0.5, 0.9, 1.0])
def test_an_occupation_that_misses_one_half_by_rounding_is_stable(high):
    grid = ps.bins(10, 4, 8, 20.0)
    assert 0.5 - 1e-15 < LINSPACE < 0.5
    found = ps.growth(grid, *ps.quadrant(grid, high, LINSPACE), g=1e-4)
    assert float(found.growth_rate) == 0.0
    # at rho = 1 some Omega are negative: the signs decide nothing then
    assert (int(found.growth_method_taken) == Method.SIGNS) == (high < 1.0)
    assert 0.0 <= float(found.growth_floor) < 1e-3


@pytest.mark.parametrize("temperature", [1.0, 4.0, 20.0])
@pytest.mark.parametrize("chemical_potential", [-60.0, 0.0, 10.0, 60.0])
@pytest.mark.parametrize("dipole", [0.0, 0.1, 0.9])
def test_a_thermal_gas_is_stable_where_the_signs_say_so(temperature, chemical_potential, dipole):
    grid = ps.bins(1, 8, 4, 50.0)
    rho, rhobar = ps.fermi_dirac(grid, temperature, chemical_potential, dipole)
    found = ps.growth(grid, rho, rhobar, g=1e-6)
    if np.all(rho + rhobar <= 1):
        assert (float(found.growth_rate), float(found.growth_floor)) == (0.0, 0.0)
        assert int(found.growth_method_taken) == Method.SIGNS
    dense = ps.growth(grid, rho, rhobar, g=1e-6, method="dense")
    assert float(found.growth_rate) == pytest.approx(float(dense.growth_rate), abs=float(dense.growth_floor))


def test_every_point_says_what_it_rests_on():
    grid = ps.bins(1, 2, 4)
    n = np.full((3, 8), -0.5)
    n[1, :2] = 0.5
    n[2] = np.nan
    found = solve(grid, n, 1e-6)
    assert found.arrays["growth_method_taken"].tolist() == [Method.SIGNS, Method.BULK, Method.NONE]
    assert found.reasons[:2] == [None, None]
    assert "not finite" in found.reasons[2]
    floor = found.arrays["growth_floor"]
    assert floor[0] == 0.0
    assert floor[1] == pytest.approx(1e-6 * 4e-6 * 0.5 * grid.weight.sum(), rel=1e-9)
    assert np.isnan(floor[2])
    one = solve(grid, n[1:2], 1e-6, method="dispersion")
    assert one.arrays["growth_method_taken"] == Method.DISPERSION
    assert one.arrays["growth_floor"] == floor[1]
    two = solve(grid, n[1:2], 1e-6, method="dense")
    assert two.arrays["growth_method_taken"] == Method.DENSE
    assert two.arrays["growth_rate"] == pytest.approx(
        one.arrays["growth_rate"], abs=two.arrays["growth_floor"][0]
    )


def test_the_reason_of_a_refused_tolerance_names_one_that_works():
    grid = ps.bins(1, 1, 4)
    n = [[0.8, -0.8, -0.8, -0.8]]
    reason = solve(grid, n, 1e-6, method="dispersion", growth_tolerance=1e-12).reasons[0]
    given = float(re.search(r"give growth_tolerance = (\S+) or more", reason).group(1))
    assert solve(grid, n, 1e-6, method="dispersion", growth_tolerance=given).reasons == [None]
    assert solve(grid, n, 1e-6, growth_tolerance=1e-12).reasons == [None]


def test_dense_eigenvalues_vouch_with_their_own_floor_where_no_certificate_is_found(monkeypatch):
    monkeypatch.setattr(solver, "_by_dispersion", lambda problem, found, rows: rows)
    monkeypatch.setattr(solver, "BULK_PAIRS", 0)
    grid = ps.bins(1, 1, 4)
    found = solve(grid, [[0.8, -0.8, -0.8, -0.8]], 1e-6)
    assert found.arrays["growth_method_taken"] == Method.DENSE
    assert found.arrays["growth_floor"] == dense_floor(
        grid, np.array([[0.8, -0.8, -0.8, -0.8]]), np.array([1e-6])
    )
    assert found.arrays["growth_rate"] == pytest.approx(1.3393454e-2, rel=1e-6)


@settings(max_examples=200)
@given(st.sampled_from(FAMILIES), st.integers(0, 2**32 - 1))
def test_no_ordinary_point_fails_or_is_wrong(family, seed):
    grid, n, g = family(np.random.default_rng(seed))
    found = solve(grid, n, g).arrays
    floor = found["growth_floor"][0]
    # one in ten thousand is left to dense eigenvalues, which say so
    assert found["growth_method_taken"][0] != Method.NONE
    if grid.size > 64:
        return
    values = dense_eigenvalues(grid, n, g)[0]
    noise = dense_floor(grid, n[None], np.array([g]))[0]
    assert found["growth_rate"][0] == pytest.approx(max(values.real.max(), 0.0), abs=floor + noise)
    assert np.sum(values.real > floor + noise) <= found["n_unstable"][0]
    assert found["n_unstable"][0] <= np.sum(values.real > 0.9 * floor - noise)


def test_a_doubt_is_looked_at_again_at_a_wider_tolerance(monkeypatch):
    # three levels of a double root that splits by more than the tolerance (seed 101052 of tiny_among_normal)
    grid, n, g = tiny_among_normal(np.random.default_rng(101052))
    strict = solve(grid, n, g, method="dispersion", growth_tolerance=1e-6)
    assert "could not all be accounted for at a tolerance" in strict.reasons[0]
    assert strict.diagnoses[0].attempt == 4
    assert strict.diagnoses[0].real + strict.diagnoses[0].proven < strict.diagnoses[0].zeros
    cure = float(re.search(r"above (\S+) MeV", strict.reasons[0]).group(1))
    dense = solve(grid, n, g, method="dense").arrays
    assert cure == pytest.approx(dense["growth_floor"][0], rel=1e-2)
    found = solve(grid, n, g, method="dispersion")
    assert found.reasons == [None]
    assert found.arrays["growth_floor"] == pytest.approx(1e-5 * 4 * g * np.sum(grid.weight * np.abs(n)))
    # dense eigenvalues do not know it half as well at this coupling
    assert found.arrays["growth_floor"] < 0.1 * dense["growth_floor"]
    monkeypatch.setattr(solver, "WIDER", ())
    assert solve(grid, n, g).arrays["growth_method_taken"] == Method.DENSE


@pytest.mark.parametrize("shape", [(2, 2, 4), (3, 4, 8)])
def test_numbers_do_not_depend_on_the_systems_passed_along(shape):
    grid = ps.bins(*shape, 20.0)
    n, g = np.random.default_rng(0).uniform(-1, 1, (8, grid.size)), np.full(8, 1e-5)
    together = growth_of_systems(grid, n, g, details=True, modes=2).arrays
    for row in range(g.size):
        alone = growth_of_systems(grid, n[row : row + 1], g[:1], details=True, modes=2).arrays
        for name, values in alone.items():
            np.testing.assert_array_equal(values[0], together[name][row], err_msg=name)


@pytest.mark.parametrize("shape", [(3, 1, 4), (4, 4, 8)])
@pytest.mark.parametrize("method", ["auto", "dense"])
def test_growth_rates_alone_are_those_of_the_whole_result(shape, method):
    grid = ps.bins(*shape)
    random = np.random.default_rng(3)
    n = np.concatenate([random.uniform(-1, 1, (6, grid.size)), np.full((1, grid.size), -0.3)])
    g = np.geomspace(1e-6, 1e-3, 7)
    whole = growth_of_systems(grid, n, g, method=method)
    expected = np.where([r is None for r in whole.reasons], whole.arrays["growth_rate"], np.nan)
    np.testing.assert_array_equal(solver.vouched_growth(grid, n, g, method), expected)


def test_a_rate_without_a_certificate_is_not_given(monkeypatch):
    monkeypatch.setattr(solver, "DENSE_PAIRS", 0)
    monkeypatch.setattr(solver, "_some_by_dispersion", _refused)
    grid = ps.bins(4, 4, 8)
    n = np.random.default_rng(3).uniform(-1, 1, (2, grid.size))
    assert np.isnan(solver.vouched_growth(grid, n, np.full(2, 1e-4))).all()


def _refused(problem, found, rows, wider):
    found.growth_rate[rows] = 1.0
    found.reasons.update(dict.fromkeys(rows.tolist(), "no certificate"))
    return rows

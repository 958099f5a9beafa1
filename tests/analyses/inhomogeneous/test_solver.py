"""Growth with a wave number: the table of the derivation, symmetries, limits, and what is refused."""

import dataclasses
import math
import re

import numpy as np
import pytest

from pairsweep.analyses.growth.solver import growth_of_systems
from pairsweep.analyses.inhomogeneous.analysis import InhomogeneousOptions
from pairsweep.analyses.inhomogeneous.block import solve_systems
from pairsweep.analyses.inhomogeneous.ceiling import continuum_ceiling
from pairsweep.analyses.inhomogeneous.kernels.modes import Status, modes_of_points
from pairsweep.analyses.inhomogeneous.occupations import FunctionOccupations, PairOccupations, evaluated
from pairsweep.analyses.inhomogeneous.solver import Inhomogeneous, Medium
from pairsweep.physics.grid import beams, bins
from pairsweep.physics.patterns.registry import PATTERNS
from pairsweep.points.axes import expand
from pairsweep.points.systems import systems_at
from pairsweep.spec.reader import read_spec
from pairsweep.spec.shipped import shipped_sweeps
from tests.analyses.inhomogeneous import reference
from tests.analyses.inhomogeneous.reference import quadrant, smooth

DIAGONAL = np.array([-1.0, 1.0, 0.0]) / np.sqrt(2)
ALONG = np.array([1.0, 1.0, 0.0]) / np.sqrt(2)
Z = np.array([0.0, 0.0, 1.0])

# section 9: grid, k (MeV), abs Re omega, growth
TABLE = [
    ((1, 1, 4), 0.0 * Z, 19.977830291, 1.339345400e-2),
    ((1, 1, 4), 0.4 * ALONG, 19.979665649, 1.349769393e-2),
    ((5, 1, 4), 0.0 * Z, None, 0.0),
    ((5, 1, 4), 1.37 * DIAGONAL, 35.985994026, 9.153661177e-3),
    ((8, 1, 4), 1.625 * DIAGONAL, 37.490708496, 6.231165787e-3),
    ((1, 8, 8), 0.7 * Z, 19.996263465, 1.081917176e-2),
    ((4, 8, 8), 1.1 * Z, 34.993907525, 9.067080292e-3),
    ((4, 8, 8), 0.6 * DIAGONAL, 34.982506660, 5.576935127e-3),
    ((2, 4, 8), np.array([0.3, -0.5, 0.8]), 29.996271352, 1.008185783e-2),
]


def on(grid, *functions):
    """Occupations of systems over a grid."""
    pairs = [evaluated(f, grid.energy, grid.theta, np.mod(grid.phi, 2 * np.pi))[0] for f in functions]
    return FunctionOccupations(functions, *(np.array([pair[i] for pair in pairs]) for i in range(2)))


def gas(grid, occupation, g, **medium):
    return Inhomogeneous(grid, on(grid, occupation), np.array([g]), Medium(**medium))


def at(system, k, modes=1):
    """Result of one system at wave vectors (P, 3)."""
    k = np.atleast_2d(k)
    result = system.solve(np.zeros(len(k), dtype=int), k, modes)
    assert not result.failures
    return result


@pytest.mark.parametrize(("shape", "k", "frequency", "growth"), TABLE)
def test_table_of_the_derivation(shape, k, frequency, growth):
    found = at(gas(bins(*shape), quadrant(), 1e-6), k).arrays
    assert found["inhomogeneous_growth_rate"][0] == pytest.approx(growth, rel=1e-9, abs=1e-300)
    if frequency is not None:
        assert found["inhomogeneous_frequency"][0] == pytest.approx(frequency, rel=3e-11)


@pytest.mark.parametrize(("shape", "k", "frequency", "growth"), TABLE)
def test_table_by_the_twin(shape, k, frequency, growth):
    rate, turning = reference.fastest(reference.poles(bins(*shape), quadrant(), 1e-6, k).modes())
    assert rate == pytest.approx(growth, rel=3e-9, abs=1e-12)
    if frequency is not None:
        assert turning == pytest.approx(frequency, rel=3e-11)


def test_function_values_of_the_derivation():
    omega, k, grid = 30.1 + 0.02j, np.array([0.3, -0.5, 0.8]), bins(2, 4, 8)
    W = gas(grid, quadrant(), 1e-6).matrix(0, k, omega)
    assert -np.linalg.det(W) == pytest.approx(1.721547649196 - 0.258178372999j, abs=1e-11)
    W = gas(grid, smooth, 1e-4, families="all", background="kinetic").matrix(0, k, omega)
    assert -np.linalg.det(W) == pytest.approx(34.138411050759 - 10.410475766341j, abs=1e-11)
    # row and column of the current: a transpose would exchange these
    assert W[0, 1] == pytest.approx(-0.037152325723 + 0.031496389653j, abs=1e-11)
    assert W[1, 0] == pytest.approx(-0.047269284639 - 0.011980063292j, abs=1e-11)
    assert W[1, 2] == pytest.approx(0.277785570108 + 1.166752077880j, abs=1e-11)
    assert W[2, 1] == pytest.approx(-0.209644922766 - 1.191665156735j, abs=1e-11)


@pytest.mark.parametrize("families", ["pair", "all"])
@pytest.mark.parametrize("background", ["shift", "kinetic"])
@pytest.mark.parametrize("subtracted", [False, True])
def test_matrix_of_the_twin(families, background, subtracted):
    grid, k, omega = bins(2, 3, 4), np.array([0.7, 0.4, -0.2]), 21.3 + 0.4j
    vacuum = "subtracted" if subtracted else "grid"
    W = gas(grid, smooth, 3e-5, families=families, background=background, vacuum=vacuum).matrix(0, k, omega)
    chosen = reference.ALL if families == "all" else reference.PAIRING
    twin = reference.poles(grid, smooth, 3e-5, k, chosen, background, subtracted).matrix(omega)
    np.testing.assert_allclose(W, twin, rtol=0, atol=2e-14 * np.abs(twin).max())


def profiles():
    """Occupations of every pattern that is a formula."""
    band = {"e_low": 6.0, "e_high": 14.0, "rho_high": 0.9, "rho_low": 0.1}
    thermal = {"temperature": 5.0, "chemical_potential": 10.0, "dipole": 0.8}
    return {
        "quadrant": quadrant(),
        "band": PATTERNS["energy_band"].profile(**band).occupation,
        "ramp": PATTERNS["energy_band"].profile(**band, edge_width=2.0).occupation,
        "thermal": PATTERNS["fermi_dirac"].profile(**thermal).occupation,
    }


@pytest.mark.parametrize("pattern", ["quadrant", "band", "ramp", "thermal"])
@pytest.mark.parametrize("shape", [(1, 1, 4), (5, 1, 4), (1, 1, 32), (2, 4, 8), (4, 8, 8), (20, 8, 8)])
def test_no_wave_number_is_the_homogeneous_analysis(shape, pattern):
    """At the Letter's coupling, where energies couple, and where the fastest mode is static."""
    grid = bins(*shape)
    for g in (1e-6, 3e-5, 6e-4):
        system = gas(grid, profiles()[pattern], g)
        found = at(system, 0.0 * Z).arrays
        n = system.occupations.rho + system.occupations.rhobar - 1.0
        expected = growth_of_systems(grid, n, np.array([g])).arrays
        floor = found["inhomogeneous_growth_floor"][0]
        growth, frequency = expected["growth_rate"], expected["frequency"]
        assert found["inhomogeneous_growth_rate"] == pytest.approx(growth, rel=1e-9, abs=0.01 * floor)
        assert found["inhomogeneous_frequency"] == pytest.approx(frequency, rel=1e-9, abs=floor)
        np.testing.assert_array_equal(found["inhomogeneous_n_unstable"], expected["n_unstable"])


def places_on_every_grid(sweep, least=8):
    """Positions of a sweep (P, dimensions), ``least`` or more: each of its grids, anywhere along the other axes."""
    deciding = [
        number
        for number, dimension in enumerate(sweep.dimensions)
        if any(m.table == "grid" and not m.name.startswith(("rho_", "rhobar_")) for m in dimension.members)
    ]
    sizes = [sweep.shape[d] for d in deciding]
    grids = np.indices(sizes).reshape(len(sizes), math.prod(sizes)).T
    grids = np.tile(grids, (-(-least // len(grids)), 1))
    positions = np.random.default_rng(1).integers(0, sweep.shape, (len(grids), len(sweep.shape)))
    positions[:, deciding] = grids
    return positions


@pytest.mark.parametrize("name", shipped_sweeps())
def test_no_wave_number_is_the_homogeneous_analysis_on_every_shipped_grid(name):
    """Growth, frequency and number of unstable modes; those of 102,400 pairs take 7 s."""
    sweep = expand(read_spec(name))
    failed, compared = {}, 0
    for rows, systems in systems_at(sweep, places_on_every_grid(sweep), failed):
        still = {key: np.zeros(rows.size) for key in ("k", "k_theta", "k_phi")}
        found, failures = solve_systems(dataclasses.replace(systems, own=still), InhomogeneousOptions())
        assert not failures
        n = systems.rho + systems.rhobar - 1.0
        expected = growth_of_systems(systems.grid, n, systems.g).arrays
        floor = found["inhomogeneous_growth_floor"]
        for one, other, share in (("growth_rate", "growth_rate", 0.01), ("frequency", "frequency", 1.0)):
            off = np.abs(found[f"inhomogeneous_{one}"] - expected[other])
            assert np.all(off <= 1e-9 * expected[other] + share * floor), (name, one, off)
        np.testing.assert_array_equal(found["inhomogeneous_n_unstable"], expected["n_unstable"])
        compared += rows.size
    assert compared >= 4
    assert not failed


@pytest.mark.usefixtures("both")
def test_uncompiled_kernels_give_the_same():
    for shape, k, frequency, growth in TABLE[1:4]:
        found = at(gas(bins(*shape), quadrant(), 1e-6), k).arrays
        assert found["inhomogeneous_growth_rate"][0] == pytest.approx(growth, rel=1e-9, abs=1e-300)
        assert frequency is None or found["inhomogeneous_frequency"][0] == pytest.approx(frequency, rel=3e-11)


def test_growth_is_even_in_k():
    rng = np.random.default_rng(3)
    k = rng.normal(size=(20, 3))
    system = gas(bins(3, 2, 4), smooth, 2e-5)
    there, back = at(system, k, 4), at(system, -k, 4)
    floor = there.arrays["inhomogeneous_growth_floor"]
    assert there.arrays["inhomogeneous_growth_rate"].max() > 0.0
    for one, other, atol in zip(there.modes, back.modes, floor, strict=True):
        # spectrum(-k) = -conj spectrum(k), as a set
        np.testing.assert_allclose(np.sort(one.imag), np.sort(other.imag), rtol=1e-10, atol=1e-3 * atol)
        np.testing.assert_allclose(np.sort(one.real), np.sort(-other.real), rtol=1e-10, atol=1e-3 * atol)


def test_rotating_grid_and_k_together_changes_nothing():
    rng = np.random.default_rng(5)
    weight, rho, rhobar = rng.uniform(0.1, 1.0, 12), rng.random((1, 12)), rng.random((1, 12))
    p_hat, k = rng.normal(size=(12, 3)), np.array([0.05, -0.02, 0.03])
    p_hat /= np.linalg.norm(p_hat, axis=1)[:, None]
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    rotation *= np.linalg.det(rotation)
    modes = []
    for turn in (np.eye(3), rotation):
        turned = p_hat @ turn.T
        theta, phi = np.arccos(turned[:, 2]), np.arctan2(turned[:, 1], turned[:, 0])
        grid = beams(np.ones(12), weight, theta, phi)
        system = Inhomogeneous(grid, PairOccupations(rho, rhobar), np.array([1e-3]), Medium())
        modes.append(at(system, turn @ k, 12).modes[0])
    assert modes[0].imag.max() > 1e-4
    np.testing.assert_allclose(modes[0].imag, modes[1].imag, atol=1e-12)
    np.testing.assert_allclose(np.abs(modes[0].real), np.abs(modes[1].real), atol=1e-12)


def test_the_physical_coupling():
    """Growth/g at k = 1370 sqrt(g) tends to a constant, down to splittings of 1e-9 MeV on top of 36 MeV."""
    scaled = []
    for g in (1e-8, 1e-9, 1e-11, 6.65e-14):
        found = at(gas(bins(5, 1, 4), quadrant(), g), 1370 * np.sqrt(g) * DIAGONAL).arrays
        assert found["inhomogeneous_n_unstable"][0] == 6
        scaled.append(found["inhomogeneous_growth_rate"][0] / g)
    np.testing.assert_allclose(scaled, 9153.155, rtol=1e-5)


def test_subtracted_vacuum():
    grid = bins(1, 1, 4)
    unstable = at(gas(grid, quadrant(), 1e-4, vacuum="subtracted"), 0.0 * Z).arrays
    assert unstable["inhomogeneous_growth_rate"][0] == pytest.approx(0.874073, abs=5e-7)
    stable = at(gas(grid, quadrant(), 5e-4, vacuum="subtracted"), 0.0 * Z).arrays
    assert stable["inhomogeneous_growth_rate"][0] == 0.0


def test_uniform_v_is_removed_in_the_kinetic_reading():
    """V drops out: only n counts, whatever part of it is rho + rhobar; with the shift it does not."""
    grid = bins(3, 1, 4)

    def more(energy, theta, phi):
        rho, rhobar = quadrant()(energy, theta, phi)
        return rho + 0.1, rhobar - 0.1

    k = 0.8 * DIAGONAL
    systems = [gas(grid, f, 1e-6, background="kinetic") for f in (quadrant(), more)]
    np.testing.assert_array_equal([s.drift for s in systems], 0.0)
    growths = [at(s, k).arrays["inhomogeneous_growth_rate"][0] for s in systems]
    assert growths[0] == pytest.approx(growths[1], rel=1e-9)
    shifted = at(gas(grid, quadrant(), 1e-6), k).arrays["inhomogeneous_growth_rate"][0]
    assert abs(shifted - growths[0]) > 1e-4


def random_beams(seed, size=5):
    rng = np.random.default_rng(seed)
    grid = beams(
        rng.uniform(5, 15, size),
        rng.uniform(0.5, 1.5, size),
        np.arccos(rng.uniform(-1, 1, size)),
        rng.uniform(0, 6, size),
    )
    return grid, *rng.random((2, 1, size)), rng.normal(size=3)


def divergence(W, k, omega):
    """K_mu (Pi + Delta)^mu nu and (Pi + Delta)^mu nu K_nu from eta - W = 2 g (Pi + Delta), K = (omega, k)."""
    four_k, response = np.array([omega, *(-k)]), np.diag([1.0, -1.0, -1.0, -1.0]) - W
    return np.array([four_k @ response, response @ four_k]), np.abs(response).max() * abs(omega)


@pytest.mark.parametrize("seed", range(6))
def test_all_families_conserve_the_current_of_beams(seed):
    """k_mu Pi^mu nu = 0 to rounding, the vacuum's part included; without the intraband response it fails."""
    grid, rho, rhobar, k = random_beams(seed)
    omega = 13.0 + 0.7j
    for families, background, conserved in (
        ("all", "kinetic", True),
        ("pair", "kinetic", False),
        ("all", "shift", False),
    ):
        medium = Medium(families, background, "subtracted")
        system = Inhomogeneous(grid, PairOccupations(rho, rhobar), np.array([0.5]), medium)
        left, size = divergence(system.matrix(0, k, omega), k, omega)
        assert (np.abs(left).max() < 1e-14 * size) == conserved, (families, background)


@pytest.mark.parametrize("families", ["pair", "all"])
def test_what_the_grid_lacks_of_a_conserved_current_is_the_constant_of_its_cutoff(families):
    """With ``vacuum = "grid"`` k_mu Pi^mu nu = k.Delta for beams, whatever is occupied; likewise empty bins."""
    grid, rho, rhobar, k = random_beams(7)
    omega, g = 13.0 + 0.7j, 0.5
    lacking = 2 * g * k @ reference.cutoff_constant(grid.energy[:, None] * grid.p_hat, grid.weight, k)
    occupied = PairOccupations(rho, rhobar)
    for occupations in (occupied,) * (families == "all") + (PairOccupations(0 * rho, 0 * rhobar),):
        system = Inhomogeneous(grid, occupations, np.array([g]), Medium(families, "kinetic"))
        left, size = divergence(system.matrix(0, k, omega), k, omega)
        np.testing.assert_allclose(left, np.tile([0.0, *lacking], (2, 1)), atol=1e-14 * size)
    empty = bins(2, 3, 4)
    system = gas(empty, lambda e, t, p: (0 * e, 0 * e), 1e-3, families=families, vacuum="subtracted")
    left, size = divergence(system.matrix(0, k, omega), k, omega)
    assert np.abs(left).max() < 1e-14 * size


def test_beams_of_all_families_are_the_homogeneous_ones_at_k_zero():
    grid = beams([1.0, 1.0], [1.0, 1.0], [np.pi / 2, 0.0], [0.0, 0.0])
    rho, rhobar = np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]])
    for families in ("pair", "all"):
        system = Inhomogeneous(
            grid, PairOccupations(rho, rhobar), np.array([1e-3]), Medium(families=families)
        )
        found = at(system, 0.0 * Z).arrays
        expected = growth_of_systems(grid, rho + rhobar - 1.0, np.array([1e-3])).arrays
        assert found["inhomogeneous_growth_rate"] == pytest.approx(expected["growth_rate"], rel=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_all_modes_of_random_systems(seed):
    """Every unstable mode, its growth and the count, against dense eigenvalues."""
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 4)), int(rng.integers(1, 4)), int(rng.integers(2, 6)))
    grid, g = bins(*shape), 10 ** rng.uniform(-6.5, -4.5)
    values = rng.random((2, 4))

    def patchy(energy, theta, phi):
        patch = (np.cos(theta) > 0).astype(int) + 2 * (phi > np.pi)
        return values[0][patch], values[1][patch]

    families = "all" if seed % 3 == 0 else "pair"
    k = rng.normal(size=3) * rng.uniform(0.05, 1.0)
    found = at(gas(grid, patchy, g, families=families), k, 2 * grid.size)
    chosen = reference.ALL if families == "all" else reference.PAIRING
    dense = reference.poles(grid, patchy, g, k, chosen).modes()
    floor = found.arrays["inhomogeneous_growth_floor"][0]
    unstable = dense[dense.imag > floor]
    assert found.arrays["inhomogeneous_n_unstable"][0] == unstable.size
    modes = found.modes[0]
    np.testing.assert_allclose(
        np.sort(modes.imag)[::-1][: unstable.size], np.sort(unstable.imag)[::-1], atol=0.02 * floor
    )


@pytest.mark.parametrize("length", [1e-4, 1e-3, 1e-2, 0.1])
def test_poles_much_closer_than_the_coupling(length):
    """Without refraction a small k leaves poles k^2/4E apart: 1e-9 MeV and less where the coupling is 0.1 MeV."""
    rng = np.random.default_rng(11)
    k = rng.normal(size=(4, 3))
    k *= length / np.linalg.norm(k, axis=1)[:, None]
    grid = bins(2, 4, 8)
    found = at(gas(grid, quadrant(), 1e-6, background="kinetic"), k).arrays
    for i in range(4):
        dense = reference.poles(grid, quadrant(), 1e-6, k[i], background="kinetic").modes()
        floor = found["inhomogeneous_growth_floor"][i]
        # dense eigenvalues split by the root of their rounding
        assert found["inhomogeneous_growth_rate"][i] == pytest.approx(
            max(dense.imag.max(), 0.0), rel=1e-3, abs=floor
        )
        assert found["inhomogeneous_n_unstable"][i] == (dense.imag > floor).sum()


def test_a_point_does_not_depend_on_the_others():
    rng = np.random.default_rng(8)
    grid, k = bins(2, 2, 4), rng.normal(size=(9, 3))
    occupations = on(grid, quadrant(), smooth, quadrant(0.7, 0.2))
    systems = Inhomogeneous(grid, occupations, np.array([1e-5, 2e-5, 3e-5]), Medium())
    rows = np.repeat([0, 1, 2], 3)
    together = systems.solve(rows, k).arrays
    order = rng.permutation(9)
    mixed = systems.solve(rows[order], k[order]).arrays
    for name, values in together.items():
        np.testing.assert_array_equal(values[order], mixed[name], err_msg=name)
        for i in range(9):
            alone = systems.solve(rows[i : i + 1], k[i : i + 1]).arrays[name]
            np.testing.assert_array_equal(alone, values[i : i + 1], err_msg=name)


def test_ceiling_of_the_derivation():
    found = np.log10(continuum_ceiling(1e-6, [0.0, 1.0, 5.0, 20.0], 20.0))
    np.testing.assert_allclose(found, [-63.1, -63.0, -61.2, -41.7], atol=0.05)
    np.testing.assert_allclose(np.log10(continuum_ceiling([1e-5, 2e-5], 0.0, 20.0)), [-4.8, -1.5], atol=0.05)
    assert continuum_ceiling(6.65e-14, 0.0, 20.0) == 0.0
    assert continuum_ceiling(1.0, 0.0, 20.0) == np.inf


def test_ceiling_solves_its_equation():
    g, E = 2e-5, 20.0
    for k in (0.3, 4.0, 17.0):
        delta = float(continuum_ceiling(g, k, E))
        L = np.hypot(2 * E, k)
        terms = (L**2 + k**2) * 2 * np.arcsinh((L - k) / (2 * delta)) + (L**2 - k**2) / 2
        assert 2 * np.pi / 3 * g * (terms + k**2 * np.log(L / k)) == pytest.approx(1.0, rel=1e-12)


def test_verdict():
    grid = bins(1, 1, 4)
    k = np.array([0.0 * Z])
    assert at(gas(grid, quadrant(), 1e-6), k).arrays["inhomogeneous_verdict"] == 2
    assert at(gas(grid, quadrant(), 1e-4), k).arrays["inhomogeneous_verdict"] == 1
    assert at(gas(grid, quadrant(0.5, 0.1), 1e-6), k).arrays["inhomogeneous_verdict"] == 0
    assert at(gas(grid, quadrant(), 1e-6, families="all"), k).arrays["inhomogeneous_verdict"] == 3


@pytest.mark.parametrize("turn", [0.0, 1e-14])
def test_a_focus_on_the_grid_is_a_failed_point(turn):
    """Whether rounding leaves nothing of a momentum or a little."""
    grid = bins(1, 1, 4)
    k = 2 * grid.energy[0] * (grid.p_hat[[0]] + turn * grid.p_hat[[1]])
    result = gas(grid, quadrant(), 1e-6).solve(np.array([0]), k)
    # p - k/2 vanishes at pair 0, p + k/2 at the opposite one
    assert "k = 20: half of it is the momentum of pair" in result.failures[0].reason
    assert np.isnan(result.arrays["inhomogeneous_growth_rate"][0])


def test_a_focus_of_beams_is_their_own_momentum_with_all_families():
    grid = beams([1.0, 3.0], [1.0, 1.0], [1.3, 0.0], [0.4, 0.0])
    occupied = PairOccupations(np.array([[1.0, 0.2]]), np.array([[0.6, 0.0]]))
    for families, length, reason in (("pair", 2.0, "half of it is the"), ("all", 1.0, "it is the")):
        system = Inhomogeneous(grid, occupied, np.array([1e-3]), Medium(families))
        failed = system.solve(np.array([0]), length * grid.p_hat[[0]]).failures
        assert f"k = {length:g}: {reason} momentum of pair 0 (energy 1)" in failed[0].reason


def test_a_tolerance_below_double_precision_is_refused():
    grid = bins(1, 1, 4)
    occupations = on(grid, quadrant())
    system = Inhomogeneous(grid, occupations, np.array([1e-6]), Medium(), growth_tolerance=1e-12)
    reason = system.solve(np.array([0]), np.ones((1, 3))).failures[0].reason
    named = re.match("growth_tolerance = 1e-12: below what double .* raise it to ([-0-9.e]+), or", reason)
    assert named, reason
    enough = Inhomogeneous(grid, occupations, np.array([1e-6]), Medium(), growth_tolerance=float(named[1]))
    assert not enough.solve(np.array([0]), np.ones((1, 3))).failures
    with pytest.raises(ValueError, match="growth_tolerance = -1"):
        Inhomogeneous(grid, occupations, np.array([1e-6]), Medium(), growth_tolerance=-1.0)


@pytest.fixture
def uncertified(monkeypatch):
    """No count adds up."""

    def never(momenta, points, out):
        modes_of_points(momenta, points, out)
        out.status[:] = Status.NOT_CERTIFIED

    for module in ("solver", "uncertified"):
        monkeypatch.setattr(f"pairsweep.analyses.inhomogeneous.{module}.modes_of_points", never)


@pytest.mark.usefixtures("uncertified")
def test_without_a_certificate_dense_eigenvalues_vouch_with_a_floor_of_their_own():
    grid, g, k = bins(5, 1, 4), 1e-9, 1370 * np.sqrt(1e-9) * DIAGONAL
    found = at(gas(grid, quadrant(), g), k, 12)
    dense = reference.poles(grid, quadrant(), g, k).modes()
    floor = found.arrays["inhomogeneous_growth_floor"][0]
    strength = np.abs(reference.poles(grid, quadrant(), g, k).strength).sum()
    # an ulp of 36 MeV under the root of a double zero
    assert floor == pytest.approx(np.sqrt(8 * 2.2e-16 * 36 * strength), rel=0.1)
    assert floor > 1e-6 * strength
    assert found.arrays["inhomogeneous_n_unstable"][0] == (dense.imag > floor).sum() == 6
    assert found.arrays["inhomogeneous_growth_rate"][0] == pytest.approx(9153.155 * g, abs=floor)


@pytest.mark.usefixtures("uncertified")
def test_dense_eigenvalues_vouch_for_nothing_within_their_rounding():
    """Occupations that all but cancel couple by less than an ulp of the frequencies: stable, whatever LAPACK says."""
    values = np.array([0.77027194, 0.43730681, 0.78709275, 0.65352941])

    def balanced(energy, theta, phi):
        rho = values[(np.cos(theta) > 0).astype(int) + 2 * (phi > np.pi)]
        return rho, 1.0 - rho + 1e-12 * np.cos(phi)

    grid, g, k = bins(3, 4, 8), 3.28e-9, np.array([-0.0269838, 0.00911174, 0.01846906])
    found = at(gas(grid, balanced, g, background="kinetic"), k).arrays
    assert found["inhomogeneous_growth_rate"][0] == 0.0


@pytest.mark.usefixtures("uncertified")
def test_a_tolerance_that_dense_eigenvalues_cannot_keep_names_one_that_they_can():
    grid, g, k = bins(5, 1, 4), 1e-9, 1370 * np.sqrt(1e-9) * DIAGONAL

    def solved(tolerance):
        occupations = on(grid, quadrant())
        return Inhomogeneous(grid, occupations, np.array([g]), Medium(), tolerance).solve(
            np.array([0]), k[None]
        )

    reason = solved(1e-5).failures[0].reason
    named = re.search("falls short .* raise it to ([-0-9.e]+)$", reason)
    assert named, reason
    assert not solved(float(named[1])).failures


def test_large_systems_whose_poles_crowd_are_certified_at_a_larger_tolerance():
    """1024 pairs at a k that leaves poles 1e-10 MeV apart: one pole each, with the floor that this costs."""
    grid, k = bins(4, 16, 16), 7.7e-5 * np.array([[0.6, 0.0, 0.8], [0.0, 0.28, -0.96], [-0.8, 0.6, 0.0]])
    system = gas(grid, quadrant(), 1e-6, background="kinetic")
    found = at(system, k).arrays
    coupling = np.array([np.abs(system.poles(0, vector)[1]).sum() for vector in k])
    share = found["inhomogeneous_growth_floor"] / coupling
    assert np.isclose(share[:, None], [1e-6, 1e-5, 1e-4, 1e-3], rtol=1e-6).any(axis=1).all()
    assert share.max() > 5e-6
    # poles of one energy are stable whatever n is: its signs only mix at much larger k
    np.testing.assert_array_equal(found["inhomogeneous_growth_rate"], 0.0)


@pytest.mark.parametrize(
    ("shape", "occupation", "g", "k", "families", "unstable"),
    [
        # zeros between two poles that are closer than 1e-8 of the coupling: the bound of the determinant around them
        # is far too high, or they are far closer to the axis than matters
        ((4, 16, 16), quadrant(), 2.03e-6, [0.0638, -0.0662, 0.0661], "pair", 292),
        ((4, 16, 16), quadrant(), 2.03e-6, [0.0655, -0.0796, 0.0456], "pair", 248),
        # intraband poles of one direction crowd and hardly couple
        ((2, 16, 20), smooth, 1.29e-6, [-0.0040, -0.0532, -0.0636], "all", 164),
        ((5, 10, 20), smooth, 4.785e-9, [0.0054, -0.0101, -0.0019], "all", 222),
    ],
)
def test_large_systems_whose_poles_crowd_are_certified(shape, occupation, g, k, families, unstable):
    """At the tolerance that is the default; counted once by dense eigenvalues of every energy by itself."""
    system = gas(bins(*shape), occupation, g, families=families, background="kinetic")
    coupling = np.abs(system.poles(0, np.array(k))[1]).sum()
    found = at(system, np.array(k)).arrays
    assert found["inhomogeneous_growth_floor"][0] == pytest.approx(1e-6 * coupling, rel=1e-6)
    assert found["inhomogeneous_n_unstable"][0] == unstable


@pytest.mark.usefixtures("uncertified")
def test_more_poles_than_dense_eigenvalues_can_have_are_said(monkeypatch):
    monkeypatch.setattr("pairsweep.analyses.inhomogeneous.uncertified.DENSE_POLES", 7)
    result = gas(bins(1, 1, 4), quadrant(), 1e-6).solve(np.array([0]), np.ones((1, 3)))
    assert "8 poles are too many for dense eigenvalues (at most 7)" in result.failures[0].reason


def test_unknown_options_are_refused():
    with pytest.raises(ValueError, match="families = 'some': choose one of pair, all"):
        Medium(families="some")

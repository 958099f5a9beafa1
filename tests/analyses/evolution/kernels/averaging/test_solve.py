"""The averaged evolution against an exact integrator of the true variables, and what must not change it."""

import functools

import numpy as np
import pytest

from pairsweep.analyses.evolution import averaged
from pairsweep.analyses.evolution.kernels.averaging.field import Terms
from pairsweep.analyses.evolution.kernels.observables import observe, row_layout
from pairsweep.analyses.evolution.kernels.status import Status
from pairsweep.analyses.evolution.solver import evolve_batch
from pairsweep.physics.grid import beams
from tests.analyses.evolution.kernels.averaging.averaged_systems import (
    averaged_runs,
    exact,
    letter,
    spin_error,
    systems_of,
    trajectory,
)


@functools.cache
def witnessed(shape, g, t_end, phase=0.7):
    system = letter(shape, g, t_end, samples=13)
    return system, exact(*system, phase)


def run(system, tolerance):
    """States and what is known of the run of one system."""
    states, (only,) = averaged_runs(system, tolerance)
    return states[0], only


def solve(system, tolerance):
    """What the method as a whole makes of one system, or of several that share a grid."""
    grid, rho, rhobar, kappa, g, times = system
    rho, rhobar, kappa = (np.atleast_2d(x) for x in (rho, rhobar, kappa))
    options = {"method": "averaged", "tolerance": tolerance, "keep_states": True}
    return evolve_batch(grid, rho, rhobar, kappa, np.atleast_1d(g), times, **options)


@pytest.mark.parametrize(
    ("shape", "t_end"),
    [((1, 1, 4), 1200.0), ((1, 1, 4), 1500.0), ((1, 1, 32), 900.0), ((1, 4, 8), 900.0), ((3, 1, 4), 1200.0)],
)
@pytest.mark.parametrize("tolerance", [1e-3, 1e-4, 1e-5])
def test_error_is_below_its_estimate_below_the_tolerance(shape, t_end, tolerance):
    system, witness = witnessed(shape, 1e-6, t_end)
    states, found = run(system, tolerance)
    error = spin_error(states, witness)
    assert error < found.error
    # an estimate a thousand times too large would be of no use
    assert found.error < 1000 * error
    assert (found.status == Status.OK) == (found.error <= tolerance)
    if shape[0] == 1:
        assert found.status == Status.OK
    if found.status == Status.OK:
        arrays = solve(system, tolerance).arrays
        assert arrays["energy_drift"][0] < tolerance
        assert arrays["norm_drift"][0] < tolerance


@pytest.mark.parametrize(
    ("terms", "panels", "power"), [(Terms.FIRST, 0, 1), (Terms.SECOND, 0, 2), (Terms.SECOND, 24, 3)]
)
def test_error_falls_with_the_power_of_the_coupling(terms, panels, power):
    errors = []
    for g in (4e-6, 5e-7):
        system, witness = witnessed((1, 1, 4), g, 7e-4 / g, 0.5)
        errors.append(spin_error(trajectory(*system, terms, panels), witness))
    assert np.log2(errors[0] / errors[1]) / 3 == pytest.approx(power, abs=0.25)


def test_third_order_of_several_shells():
    errors = []
    for g in (4e-6, 1e-6):
        system, witness = witnessed((2, 1, 4), g, 7e-4 / g, 0.5)
        second, third = (spin_error(trajectory(*system, Terms.SECOND, panels), witness) for panels in (0, 16))
        assert third < 0.1 * second
        errors.append(third)
    assert np.log2(errors[0] / errors[1]) / 2 == pytest.approx(3, abs=0.25)


def random_beams(energies, seed, scale=1.0):
    """Beams in random directions with J0 != 0; growth within g t of a few over the weight."""
    rng = np.random.default_rng(seed)
    pairs = len(energies)
    grid = beams(
        energies,
        scale * rng.uniform(0.5, 1.5, pairs),
        np.arccos(rng.uniform(-1, 1, pairs)),
        rng.uniform(0, 2 * np.pi, pairs),
    )
    rho, rhobar = rng.uniform(0, 1, (2, pairs))
    kappa = 1e-2 * (rng.random(pairs) + 1j * rng.random(pairs))
    return grid, rho, rhobar, kappa


@pytest.mark.parametrize(
    "energies",
    [
        pytest.param([1.0, 1.0, 2.0, 2.0, 3.0, 3.0], id="three waves"),
        pytest.param([1.0, 1.0, 3.0, 3.0, 5.0, 5.0], id="four waves"),
        pytest.param([0.6, 0.6, 1.0, 1.0, np.pi, np.pi], id="incommensurate"),
        pytest.param([2.0, 2.0, 2.0, 1.0, 1.0], id="unsorted"),
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_beams_of_any_energies(energies, seed):
    system = random_beams(energies, seed)
    g = 5e-4
    times = np.linspace(0, 3.0 / g, 7)
    witness = exact(*system, g, times, 0.25)
    for tolerance in (1e-3, 1e-5):
        states, found = run((*system, g, times), tolerance)
        assert found.status == Status.OK
        assert spin_error(states, witness) < found.error <= tolerance


@pytest.mark.parametrize("gap", [0.1, 1.0, 10.0, 100.0])
def test_nearly_equal_energies(gap):
    # gap: energy difference over g w, from one slow phase in a shell to two shells
    g, w = 1e-4, 1.0
    grid, rho, rhobar, kappa = random_beams([1.0, 1.0 + gap * g * w, 1.0 + 2 * gap * g * w], 3)
    times = np.linspace(0, 6.0 / g, 7)
    witness = exact(grid, rho, rhobar, kappa, g, times, 0.5)
    tolerance = 2e-3
    states, found = run((grid, rho, rhobar, kappa, g, times), tolerance)
    assert found.status == Status.OK
    assert spin_error(states, witness) < found.error


def test_seedless_run_starts_from_the_forced_response():
    grid, rho, rhobar, kappa, g, times = letter((1, 1, 4), 1e-6, 1000.0, samples=13)
    system = (grid, rho, rhobar, 0 * kappa, g, times)
    states, found = run(system, 1e-4)
    assert found.status == Status.OK
    assert spin_error(states, exact(*system)) < found.error
    assert np.abs(states[-1]).max() > 0.1


def test_physical_coupling_costs_what_any_other_costs():
    near, far = (solve(letter((1, 1, 4), g, 1.2e-3 / g, samples=13), 1e-6) for g in (1e-8, 6.65e-14))
    assert far.status[0] == Status.OK
    assert far.steps[0] == pytest.approx(near.steps[0], abs=5)
    # n does not turn with the fast phase, so the two agree as the first order does, seeds being equal ... to g
    assert far.arrays["energy_drift"][0] < 1e-12
    assert np.abs(far.states[0, :, 0] - near.states[0, :, 0]).max() < 0.1


def test_no_bit_depends_on_the_batch():
    rng = np.random.default_rng(5)
    grid, rho, rhobar, *_ = letter((1, 1, 8), 1e-6, 900.0, samples=9)
    high = rng.uniform(0.6, 1, 5)[:, None]
    rhos, rhobars = np.where(rho > 0.5, high, 0.1), np.where(rhobar > 0.5, 0.9, high / 10)
    kappa = 1e-5 * (rng.random((5, grid.size)) + 1j * rng.random((5, grid.size)))
    g = 10.0 ** rng.uniform(-7, -6, 5)
    times = 9e-4 / g[:, None] * np.linspace(0, 1, 9)
    together = solve((grid, rhos, rhobars, kappa, g, times), 1e-4)
    assert (together.status == Status.OK).all()
    for i in (3, 0):
        alone = solve((grid, rhos[i], rhobars[i], kappa[i], g[i], times[i]), 1e-4)
        np.testing.assert_array_equal(alone.states[0], together.states[i])
        for name, values in alone.arrays.items():
            np.testing.assert_array_equal(values[0], together.arrays[name][i])


def test_no_bit_depends_on_how_many_samples_are_held_at_once(monkeypatch):
    system = letter((1, 1, 8), 1e-6, 900.0, samples=9)
    for tolerance in (1e-3, 1e-5):  # without and with kicks
        whole = solve(system, tolerance)
        with monkeypatch.context() as patch:
            patch.setattr("pairsweep.analyses.evolution.batch.STATE_NUMBERS", 4 * 3 * 8)
            parts = solve(system, tolerance)
        np.testing.assert_array_equal(parts.states, whole.states)
        for name, values in whole.arrays.items():
            np.testing.assert_array_equal(parts.arrays[name], values)


def test_order_of_pairs_and_orientation_do_not_matter():
    grid, rho, rhobar, kappa = random_beams([1.0, 2.5, 1.0, 2.5, 4.0], 8)
    g, tolerance = 3e-4, 1e-5
    times = np.linspace(0, 3.0 / g, 7)
    states, found = run((grid, rho, rhobar, kappa, g, times), tolerance)
    assert found.status == Status.OK
    order = np.array([3, 0, 4, 2, 1])
    permuted = beams(grid.energy[order], grid.weight[order], grid.theta[order], grid.phi[order])
    again, _ = run((permuted, rho[order], rhobar[order], kappa[order], g, times), tolerance)
    np.testing.assert_allclose(again, states[:, :, order], atol=1e-8)
    turned = beams(grid.energy, grid.weight, grid.theta, grid.phi + 1.0)
    again, _ = run((turned, rho, rhobar, kappa, g, times), tolerance)
    np.testing.assert_allclose(again, states, atol=1e-8)


def test_results_are_the_observables_of_the_states():
    grid, rho, rhobar, kappa, g, times = letter((3, 1, 4), 1e-6, 1000.0, samples=5)
    result = solve((grid, rho, rhobar, kappa, g, times), 1e-4)
    states = result.states
    layout = row_layout(3, 0)
    wanted = np.empty(max(place.stop for place in layout.values()))
    for sample, state in enumerate(states[0]):
        observe(grid.pairs, rho, rhobar, state, wanted)
        for name, place in layout.items():
            if place.stop > place.start:
                np.testing.assert_array_equal(result.arrays[name][0, sample], np.squeeze(wanted[place]))
    np.testing.assert_allclose(states[0, 0, 0], rho + rhobar - 1, atol=1e-9)
    np.testing.assert_allclose(states[0, 0, 1] + 1j * states[0, 0, 2], kappa, atol=1e-9)


def refused(grid, g, t_end=10.0, tolerance=1e-3, kappa=0.01):
    half = np.full(grid.size, 0.9)
    times = np.linspace(0, t_end, 3)
    return solve((grid, half, half / 2, np.full(grid.size, kappa + 0j), g, times), tolerance)


@pytest.mark.parametrize(
    ("energies", "g", "t_end", "reason"),
    [
        ([1.0, 3.0], 0.1, 10.0, Status.NOT_SMALL),
        ([0.0, 3.0], 1e-6, 10.0, Status.NOT_TURNING),
        ([1.0, 2.0, 3.0 + 1e-7], 1e-3, 10.0, Status.NEAR_RESONANCE),
        ([1.0, 3.0], 1e-15, 1e17, Status.PHASE_LOST),
    ],
)
def test_refusals_say_why(energies, g, t_end, reason):
    pairs = len(energies)
    grid = beams(energies, np.ones(pairs), np.linspace(0.3, 2.0, pairs), np.arange(pairs))
    result = refused(grid, g, t_end)
    assert result.status[0] == reason
    assert "averaged" in result.reasons[0]
    if reason in (Status.NOT_SMALL, Status.NEAR_RESONANCE):
        assert float(result.reasons[0].split("ratio ")[1].split()[0]) > 0.2
    assert np.isnan(result.arrays["kappa_mean"]).all()


def test_a_missed_tolerance_is_said():
    # after several saturations no order is of use
    for t_end in (2500.0, 6000.0):
        system = letter((1, 1, 4), 1e-6, t_end, samples=9)
        states, found = run(system, 1e-6)
        assert found.status == Status.TOLERANCE_MISSED
        assert spin_error(states, exact(*system, 0.7)) < found.error <= 2.0


def test_a_coupling_that_is_no_number_is_not_small():
    grid, rho, rhobar, kappa, _, times = letter((1, 1, 4), 1e-6, 100.0, samples=3)
    assert (
        averaged.measured(systems_of(grid, rho, rhobar, kappa, np.nan, times)).status[0] == Status.NOT_SMALL
    )


def test_every_status_has_a_text():
    for status in Status:
        assert status.text

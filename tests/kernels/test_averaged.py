"""The averaged evolution against an exact integrator of the true variables, and what must not change it."""

import functools

import pytest

from pairsweep.kernels.averaged import (
    ENERGY,
    ERROR,
    NORM,
)
from pairsweep.kernels.averaged_run import DONE
from tests.kernels.averaged_systems import averaged, exact, letter, spin_error


@functools.cache
def witnessed(shape, g, t_end, phase=0.7):
    system = letter(shape, g, t_end, samples=13)
    return system, exact(*system, phase)


def run(system, tolerance):
    _, _, states, figures, status = averaged(*system, tolerance)
    return states[0], figures[0], status[0]


@pytest.mark.parametrize(
    ("shape", "t_end"),
    [((1, 1, 4), 1200.0), ((1, 1, 4), 1500.0), ((1, 1, 32), 900.0), ((1, 4, 8), 900.0), ((3, 1, 4), 1200.0)],
)
@pytest.mark.parametrize("tolerance", [1e-3, 1e-4, 1e-5])
def test_error_is_below_its_estimate_below_the_tolerance(shape, t_end, tolerance):
    system, witness = witnessed(shape, 1e-6, t_end)
    states, figures, status = run(system, tolerance)
    error = spin_error(states, witness)
    assert error < figures[ERROR]
    # an estimate a thousand times too large would be of no use
    assert figures[ERROR] < 1000 * error
    assert (status == DONE) == (figures[ERROR] <= tolerance)
    if shape[0] == 1:
        assert status == DONE
    assert figures[ENERGY] < tolerance
    assert figures[NORM] < tolerance


@pytest.mark.parametrize("order", [2, 3])
def test_error_falls_with_the_power_of_the_coupling(order):
    # g = 1e-6, 1e-7 and 1e-8 at one g t: the splitting witness needs a hundred times the steps of the first
    tolerance, errors = {2: 1e-3, 3: 1e-5}[order], []
    for g in (4e-6, 2e-6, 1e-6):
        system, witness = witnessed((1, 1, 4), g, 7e-4 / g)
        states, figures, status = run(system, tolerance if order == 2 else tolerance)
        errors.append(spin_error(states, witness))
    assert errors[0] > errors[1] > errors[2]


def test_near_energies_share_a_shell():
    pass

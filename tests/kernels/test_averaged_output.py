import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairsweep.kernels.averaged_map import change_variables
from pairsweep.kernels.averaged_output import fast_phase, first_order_map, true_state
from tests.kernels.averaged_systems import random_shells, turned

mpmath.mp.prec = 200


@settings(deadline=None, max_examples=200)
@given(st.floats(1e-3, 100), st.floats(0, 1e13))
def test_fast_phase_loses_nothing_over_many_turns(omega, time):
    exact = mpmath.mpf(omega) * mpmath.mpf(time)
    away = (exact - mpmath.mpf(fast_phase(omega, time))) / (2 * mpmath.pi)
    assert abs(float(away - mpmath.nint(away))) < 1e-15
    assert abs(fast_phase(omega, time)) < 3.2


def test_there_and_back():
    # the classical Runge-Kutta step errs by the fifth power of the size of the change
    shells, state = random_shells([1, 1, 3, 3], seed=12)
    left = []
    for g in (0.01, 0.005):
        there = state.copy()
        change_variables(shells, g, -1.0, there)
        change_variables(shells, g, 1.0, there)
        left.append(np.abs(there - state).max())
    assert np.log2(left[0] / left[1]) == pytest.approx(5, abs=0.5)


def test_first_order_map_keeps_lengths_and_misses_the_second_order():
    shells, state = random_shells([1, 1, 3, 3], seed=13)
    missed = []
    for g in (1e-3, 5e-4):
        first, both = state.copy(), state.copy()
        first_order_map(shells, g, first, np.empty_like(state), np.empty_like(state))
        change_variables(shells, g, 1.0, both)
        length = state[0] ** 2 + 4 * (state[1] ** 2 + state[2] ** 2)
        np.testing.assert_allclose(first[0] ** 2 + 4 * (first[1] ** 2 + first[2] ** 2), length, rtol=1e-13)
        missed.append(np.abs(first - both).max())
    assert np.log2(missed[0] / missed[1]) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("full", [True, False])
def test_true_state_turns_first_and_restores_the_order(full):
    shells, state = random_shells([1, 1, 3], seed=14)
    shells = shells._replace(order=np.array([2, 0, 1]))
    true = np.empty_like(state)
    spare = np.empty((2, *state.shape))
    true_state(shells, 1e-3, full, 0.7, state.copy(), spare[0], spare[1], true)
    wanted = turned(shells, state, 0.7)
    if full:
        change_variables(shells, 1e-3, 1.0, wanted)
    else:
        first_order_map(shells, 1e-3, wanted, spare[0], spare[1])
    np.testing.assert_allclose(true[:, shells.order], wanted, atol=1e-14)

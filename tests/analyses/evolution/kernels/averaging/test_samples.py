import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairsweep.analyses.evolution.kernels.averaging.change import change_variables
from pairsweep.analyses.evolution.kernels.averaging.samples import fast_phase, first_order_map, true_state
from pairsweep.analyses.evolution.kernels.averaging.shells import LANES, SUMS
from tests.analyses.evolution.kernels.averaging.averaged_systems import random_shells, turned

mpmath.mp.prec = 200


@settings(max_examples=200)
@given(st.floats(1e-3, 100), st.floats(0, 1e13))
def test_fast_phase_loses_nothing_over_many_turns(omega, time):
    exact = mpmath.mpf(omega) * mpmath.mpf(time)
    away = (exact - mpmath.mpf(fast_phase(omega, time))) / (2 * mpmath.pi)
    assert abs(float(away - mpmath.nint(away))) < 1e-15
    assert abs(fast_phase(omega, time)) < 3.2


def changed(case, g, sign, state):
    packed = case.pack(state)
    change_variables(case.shells, g, sign, packed)
    return case.unpack(packed)


def first_changed(case, g, state):
    packed = case.pack(state)
    first_order_map(case.shells, g, packed, np.empty(SUMS * LANES), np.empty_like(packed))
    return case.unpack(packed)


def test_there_and_back():
    # the classical Runge-Kutta step errs by at least the fifth power of the size of the change
    case, state = random_shells([1, 1, 3, 3], seed=12)
    left = [np.abs(changed(case, g, 1.0, changed(case, g, -1.0, state)) - state).max() for g in (0.04, 0.02)]
    assert np.log2(left[0] / left[1]) > 4.8


def test_first_order_map_keeps_lengths_and_misses_the_second_order():
    case, state = random_shells([1, 1, 3, 3], seed=13)
    square = np.array([[1], [4], [4]])
    missed = []
    for g in (1e-3, 5e-4):
        first = first_changed(case, g, state)
        np.testing.assert_allclose((square * first**2).sum(0), (square * state**2).sum(0), rtol=1e-13)
        missed.append(np.abs(first - changed(case, g, 1.0, state)).max())
    assert np.log2(missed[0] / missed[1]) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("full", [True, False])
def test_true_state_turns_before_it_maps(full):
    case, state = random_shells([1, 1, 3], seed=14)
    packed = case.pack(state)
    true_state(case.shells, 1e-3, full, 0.7, packed, np.empty(SUMS * LANES), np.empty_like(packed))
    wanted = turned(case, state, 0.7)
    wanted = changed(case, 1e-3, 1.0, wanted) if full else first_changed(case, 1e-3, wanted)
    np.testing.assert_allclose(case.unpack(packed), wanted, atol=1e-14)

import itertools

import numpy as np
import pytest

from pairsweep.kernels.averaged_field import FIRST
from pairsweep.kernels.averaged_kicks import kick_scratch, phase_line, third_order_gradient
from tests.kernels.averaged_systems import bracket, field_of_h1, mean_over_phases, random_shells
from tests.kernels.test_averaged_forms import averaged_field, chi1_field


def line(energies):
    multiples = np.zeros(len(energies), dtype=np.int64)
    return phase_line(np.asarray(energies, float), multiples), multiples


@pytest.mark.parametrize(
    "energies",
    [
        [2.0],
        [1.0, 3.0],
        [1.0, 3.0, 5.0, 7.0],
        [1.0, 2.0, 3.0],
        [0.7, 1.0],
        [1.0, np.sqrt(2), np.pi],
        [1.0, 1.01],
    ],
)
def test_no_harmonic_of_k3_is_taken_for_a_mean(energies):
    points, multiples = line(energies)
    assert points > 0
    every = np.concatenate([np.zeros((1, len(energies)), int), np.eye(len(energies), dtype=int)])
    every = np.concatenate([every, -every[1:]])
    for four in itertools.combinations_with_replacement(range(len(every)), 4):
        which = every[list(four)].sum(0)
        stands = abs(which @ np.asarray(energies)) < 1e-9
        assert ((which @ multiples) % points == 0) == stands


def test_one_shell_needs_five_phases():
    assert line([10.0])[0] == 5


@pytest.mark.parametrize("energies", [[1, 1, 1, 1], [1, 1, 3, 3, 5], [1, 1, 2, 2, 3]])
def test_gradient_is_that_of_the_double_bracket(energies):
    shells, state = random_shells(energies, seed=9)
    phases = phase_line(shells.centre, shells.multiples)
    gradient = np.empty_like(state)
    scratch = kick_scratch(shells.centre.size, state.shape[1])
    third_order_gradient(shells, 1.0, phases, state, *scratch, gradient)
    h, re, im = gradient
    n, kr, ki = state
    field = [2 * (ki * re - kr * im), 0.5 * n * im - h * ki, h * kr - 0.5 * n * re]

    K1, chi1 = averaged_field(shells, FIRST), chi1_field(shells)

    def Q(s):
        return K1(s) / 2 + (field_of_h1(shells, s) - K1(s)) / 3

    K3 = mean_over_phases(shells, bracket(bracket(Q, chi1), chi1), state)
    np.testing.assert_allclose(field, K3, atol=1e-10 * np.abs(K3).max())


def test_gradient_sees_the_detuning_inside_a_shell():
    # D = -sum w 2 (E_p - E) n joins H1 and K1: half of the double bracket of D with chi1
    shells, state = random_shells([2, 2, 2], seed=10)
    shells = shells._replace(detuning=np.array([0.3, -0.1, -0.2]))
    phases = phase_line(shells.centre, shells.multiples)
    with_, without = np.empty_like(state), np.empty_like(state)
    scratch = kick_scratch(1, 3)
    third_order_gradient(shells, 1.0, phases, state, *scratch, with_)
    third_order_gradient(shells._replace(detuning=np.zeros(3)), 1.0, phases, state, *scratch, without)
    h, re, im = with_ - without
    n, kr, ki = state
    found = [2 * (ki * re - kr * im), 0.5 * n * im - h * ki, h * kr - 0.5 * n * re]

    def D(s):
        return np.array([0 * s[0], shells.detuning * s[2], -shells.detuning * s[1]])

    chi1 = chi1_field(shells)
    wanted = mean_over_phases(shells, bracket(bracket(D, chi1), chi1), state) / 2
    np.testing.assert_allclose(found, wanted, atol=1e-10 * np.abs(wanted).max())


def test_uncompiled_kernel_does_the_same():
    shells, state = random_shells([1, 1, 3], seed=11)
    phases = phase_line(shells.centre, shells.multiples)
    fast, plain = np.empty_like(state), np.empty_like(state)
    third_order_gradient(shells, 0.1, phases, state, *kick_scratch(2, 3), fast)
    third_order_gradient.py_func(shells, 0.1, phases, state, *kick_scratch(2, 3), plain)
    np.testing.assert_allclose(plain, fast, rtol=1e-11, atol=1e-14)

import itertools

import numpy as np
import pytest

from pairsweep.analyses.evolution.kernels.averaging.field import Terms
from pairsweep.analyses.evolution.kernels.averaging.kicks import (
    kick_scratch,
    phase_line,
    third_order_gradient,
)
from tests.analyses.evolution.kernels.averaging.averaged_systems import (
    bracket,
    field_of_h1,
    mean_over_phases,
    random_shells,
)
from tests.analyses.evolution.kernels.averaging.test_forms import averaged_field, chi1_field


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


def third_order_field(case, state):
    """Field of K3 from its gradient."""
    phases = phase_line(case.shells.centre, case.shells.multiples)
    work = kick_scratch(case.shells.centre.size)
    h, re, im = case.field(lambda s, out: third_order_gradient(case.shells, 1.0, phases, s, work, out), state)
    n, kr, ki = state
    return np.array([2 * (ki * re - kr * im), 0.5 * n * im - h * ki, h * kr - 0.5 * n * re])


@pytest.mark.parametrize("energies", [[1, 1, 1, 1], [1] * 11, [1, 1, 3, 3, 5], [1, 1, 2, 2, 3]])
def test_field_is_that_of_the_double_bracket(energies):
    case, state = random_shells(energies, seed=9)
    K1, chi1 = averaged_field(case, Terms.FIRST), chi1_field(case)

    def weighted(s):
        return K1(s) / 2 + (field_of_h1(case, s) - K1(s)) / 3

    K3 = mean_over_phases(case, bracket(bracket(weighted, chi1), chi1), state)
    np.testing.assert_allclose(third_order_field(case, state), K3, atol=1e-10 * np.abs(K3).max())


def test_field_sees_the_detuning_inside_a_shell(both):
    # D = -sum w 2 (E_p - E) n joins H1 and K1: half of the double bracket of D with chi1
    case, state = random_shells([2, 2, 2], seed=10)
    without = third_order_field(case, state)
    detuning = np.array([0.3, -0.1, -0.2])
    case.shells.detuning[0, :3] = detuning
    found = third_order_field(case, state) - without

    def detuned(s):
        return np.array([0 * s[0], detuning * s[2], -detuning * s[1]])

    chi1 = chi1_field(case)
    wanted = mean_over_phases(case, bracket(bracket(detuned, chi1), chi1), state) / 2
    np.testing.assert_allclose(found, wanted, atol=1e-10 * np.abs(wanted).max())

"""K2, chi1, chi2 and K3 against the equations that define them, with brackets taken by exact differences."""

import numpy as np
import pytest

from pairsweep.analyses.evolution.kernels.averaging.change import generator_rates
from pairsweep.analyses.evolution.kernels.averaging.field import Terms, averaged_rates, scratch
from pairsweep.analyses.evolution.kernels.averaging.forms import Form, add_form, three_waves
from pairsweep.analyses.evolution.kernels.averaging.shells import make_shells, rates, shell_sums
from tests.analyses.evolution.kernels.averaging.averaged_systems import (
    at_time,
    bracket,
    field_of_h1,
    mean_over_phases,
    random_shells,
    slope,
)

SYSTEMS = {"one shell": [1, 1, 1, 1], "bins": [1, 1, 3, 3, 5], "three waves": [1, 1, 2, 2, 3]}


@pytest.fixture(params=SYSTEMS.values(), ids=SYSTEMS.keys())
def system(request):
    return random_shells(request.param, seed=3)


def averaged_field(case, terms, g=1.0):
    def kernel(state, out):
        averaged_rates(case.shells, g, np.int64(terms), state, *scratch(case.shells.centre.size), out)

    return lambda state: case.field(kernel, state)


def form_field(case, form):
    def kernel(state, out):
        wide, sums, coefficients = scratch(case.shells.centre.size)
        shell_sums(case.shells, state, wide, sums)
        add_form(form, case.shells.centre, case.shells.background, 1.0, sums, coefficients)
        rates(case.shells, 1.0, coefficients, state, out)

    return lambda state: case.field(kernel, state)


def chi1_field(case):
    """Field of chi1: the part of that of the change of variables that is odd in g."""

    def odd(state, out):
        minus = np.empty_like(out)
        generator_rates(case.shells, 1.0, state, out)
        generator_rates(case.shells, -1.0, state, minus)
        out[:] = (out - minus) / 2

    return lambda state: case.field(odd, state)


def test_k1_is_the_first_order_equation(both, system):
    # i dk/dtau = -4 p.J0 k + 2 n conj(eps).Z with Z of the pair's own shell
    case, state = system
    eps, kappa, n = case.theta - 1j * case.phi, state[1] + 1j * state[2], state[0]
    J0 = (case.weight * (n + 1) * case.p).sum(1)
    Z = np.array([(eps * case.weight * kappa * (case.energy == E)).sum(1) for E in case.energy]).T
    across = (eps.conj() * Z).sum(0)
    change = -1j * (-4 * (J0 @ case.p) * kappa + 2 * n * across)
    wanted = [-8 * (across * kappa.conj()).imag, change.real, change.imag]
    np.testing.assert_allclose(averaged_field(case, Terms.FIRST)(state), wanted, atol=1e-12)


def test_chi1_removes_what_turns_in_h1(both, system):
    case, state = system
    chi1, K1 = chi1_field(case), averaged_field(case, Terms.FIRST)
    change = slope(lambda t: at_time(case, chi1, t)(state), 1e-3)
    np.testing.assert_allclose(change, field_of_h1(case, state) - K1(state), atol=1e-8)
    np.testing.assert_allclose(mean_over_phases(case, chi1, state), 0, atol=1e-12)


def test_k2_is_the_mean_of_half_the_bracket(system):
    case, state = system
    chi1, K1 = chi1_field(case), averaged_field(case, Terms.FIRST)
    K2 = mean_over_phases(case, bracket(lambda s: field_of_h1(case, s) - K1(s), chi1), state) / 2
    scale = np.abs(K2).max()
    resonant = case.energy[-1] == 3
    fast = averaged_field(case, Terms.RESONANT if resonant else Terms.SECOND)(state) - K1(state)
    np.testing.assert_allclose(fast, K2, atol=1e-11 * scale)
    if resonant:
        without = averaged_field(case, Terms.SECOND)(state) - K1(state)
        assert np.abs(without - K2).max() > 0.1 * scale


def test_chi2_removes_what_turns_at_second_order(system):
    case, state = system
    chi1, K1, first_two = (
        chi1_field(case),
        *(averaged_field(case, t) for t in (Terms.FIRST, Terms.RESONANT)),
    )
    chi2 = form_field(case, Form.CHI2)
    change = slope(lambda t: at_time(case, chi2, t)(state), 1e-3)
    half = bracket(lambda s: field_of_h1(case, s) + K1(s), chi1)(state) / 2
    np.testing.assert_allclose(change, half - (first_two(state) - K1(state)), atol=1e-8 * np.abs(half).max())
    np.testing.assert_allclose(mean_over_phases(case, chi2, state), 0, atol=1e-12)


def test_linear_terms_of_chi2_are_all_of_it_for_small_kappa(both):
    case, state = random_shells([1, 1, 3, 3, 5], seed=4)
    state[1:] *= 1e-6
    fields = [form_field(case, form)(state) for form in (Form.CHI2_LINEAR, Form.CHI2)]
    # what is left out is quadratic in kappa, so its field is of first order
    left_out = np.abs(fields[0] - fields[1]).max() / np.abs(fields[1]).max()
    assert 1e-8 < left_out < 1e-5


def test_averaged_field_keeps_the_sum_of_each_shell(both):
    # K does not know the phases of the shells, so sum w n of every shell is conserved
    case, state = random_shells([1, 1, 3, 3, 5, 5], seed=5)
    change = averaged_field(case, Terms.SECOND, g=0.3)(state)
    per_shell = np.add.reduceat(case.weight * change[0], [0, 2, 4])
    np.testing.assert_allclose(per_shell, 0, atol=1e-12 * np.abs(change).max())


def test_averaged_field_turns_with_the_system():
    case, state = random_shells([1, 1, 2.5, 4, 4], seed=6)
    R = np.linalg.qr(np.random.default_rng(7).normal(size=(3, 3)))[0]
    R *= np.linalg.det(R)
    before = averaged_field(case, Terms.SECOND)(state)
    p_hat, theta_hat, phi_hat = (direction @ R.T for direction in case.directions)
    turned = case.pairs._replace(p_hat=p_hat, theta_hat=theta_hat, phi_hat=phi_hat)
    case.shells = make_shells(turned, np.ones(5), 0.0)
    np.testing.assert_allclose(averaged_field(case, Terms.SECOND)(state), before, rtol=1e-10, atol=1e-10)


def test_three_waves_are_found():
    strength = np.ones(3)
    assert three_waves(np.array([1.0, 2.0, 3.0]), strength, 1e-6)[0]
    assert three_waves(np.array([1.0, 2.0, 5.0]), strength, 1e-6)[0]
    resonant, worst = three_waves(np.array([1.0, 3.0, 5.0]), strength, 1e-6)
    assert not resonant
    assert worst < 1e-10
    resonant, worst = three_waves(np.array([1.0, 2.0 + 1e-9, 7.0]), strength, 1e-4)
    assert not resonant
    assert worst > 10

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairsweep.kernels.averaged_shells import (
    COEFFICIENTS,
    SUMS,
    linear_gradient,
    rates,
    rotate,
    shell_sums,
    smallness,
    sort_into_shells,
    vector_sums,
)
from tests.kernels.averaged_systems import random_shells, to_spins

BOTH = pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "uncompiled"])


def call(kernel, compiled, *arguments):
    return (kernel if compiled else kernel.py_func)(*arguments)


@BOTH
def test_sums_are_those_of_the_definition(compiled):
    shells, state = random_shells([1, 1, 1, 2, 2])
    sums = np.full((2, SUMS), np.nan)
    call(shell_sums, compiled, shells.geometry, shells.weight, shells.first, state, sums)
    p, theta, phi = np.split(shells.geometry, 3)
    eps, kappa = theta - 1j * phi, state[1] + 1j * state[2]
    for a, part in enumerate((slice(0, 3), slice(3, 5))):
        w, n, k = shells.weight[part], state[0, part], kappa[part]
        pp = np.einsum("q,iq,jq->ij", w * n, p[:, part], p[:, part])
        Z = eps[:, part] @ (w * k)
        Y = np.einsum("q,iq,jq->ij", w * k, p[:, part], eps[:, part])
        upper = pp[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]
        wanted = np.concatenate(
            [[w @ n], p[:, part] @ (w * n), upper, Z.real, Z.imag, Y.real.ravel(), Y.imag.ravel()]
        )
        np.testing.assert_allclose(sums[a], wanted, rtol=1e-12, atol=1e-14)


@BOTH
def test_sums_of_a_local_vector(compiled):
    shells, state = random_shells([1, 1, 2])
    z, along = np.empty((2, 3), complex), np.empty(3)
    local = state * np.array([[1], [2], [2]])
    call(vector_sums, compiled, shells.geometry, shells.weight, shells.first, local, z, along)
    sums = np.empty((2, SUMS))
    shell_sums(shells.geometry, shells.weight, shells.first, state, sums)
    np.testing.assert_allclose(z, sums[:, 10:13] + 1j * sums[:, 13:16], atol=1e-14)
    np.testing.assert_allclose(along, sums[:, 1:4].sum(0), atol=1e-14)


@BOTH
def test_rates_turn_every_spin_about_its_gradient(compiled):
    shells, state = random_shells([1, 1, 2, 3])
    coefficients = np.random.default_rng(1).normal(size=(3, COEFFICIENTS))
    detuning = np.array([0.1, -0.2, 0.0, 0.3])
    out = np.empty_like(state)
    call(rates, compiled, shells.geometry, shells.first, detuning, coefficients, state, out)
    # |S| is kept: S.dS = n n' + 4 Re(kappa* kappa')
    np.testing.assert_allclose(state[0] * out[0] + 4 * (state[1] * out[1] + state[2] * out[2]), 0, atol=1e-13)
    # h and f of one pair from the definition
    q, row = 2, coefficients[1]
    p, theta, phi = np.split(shells.geometry[:, q], 3)
    xx, yy, zz, xy, xz, yz = row[4:10]
    Q = np.array([[xx, xy / 2, xz / 2], [xy / 2, yy, yz / 2], [xz / 2, yz / 2, zz]])
    G, T = row[10:13] + 1j * row[13:16], (row[16:25] + 1j * row[25:34]).reshape(3, 3)
    h = row[0] + row[1:4] @ p + p @ Q @ p - detuning[q]
    f = (theta + 1j * phi) @ (G + T @ p)
    n, kappa = state[0, q], state[1, q] + 1j * state[2, q]
    change = -0.5j * n * f + 1j * kappa * h
    wanted = [2 * (kappa * np.conj(f)).imag, change.real, change.imag]
    np.testing.assert_allclose(out[:, q], wanted, rtol=1e-12)


@BOTH
def test_a_rotation_keeps_lengths_and_axis(compiled):
    shells, state = random_shells([1, 1, 2])
    gradient = np.empty_like(state)
    G = np.random.default_rng(2).normal(size=(2, 3)) * (1 + 0.5j)
    call(linear_gradient, compiled, shells.geometry, shells.first, np.array([0.3, -1.0, 0.2]), G, gradient)
    local = state * np.array([[1], [2], [2]])
    after = state.copy()
    call(rotate, compiled, gradient, 0.7, after)
    after *= np.array([[1], [2], [2]])
    np.testing.assert_allclose((after**2).sum(0), (local**2).sum(0), rtol=1e-14)
    np.testing.assert_allclose((after * gradient).sum(0), (local * gradient).sum(0), rtol=1e-12)
    # to first order in the time it is gradient x S
    small = state.copy()
    rotate(gradient, 1e-6, small)
    turn = np.cross(gradient.T, local.T).T * 1e-6
    np.testing.assert_allclose(small * np.array([[1], [2], [2]]) - local, turn, atol=1e-10)
    assert to_spins(shells, state).shape == (3, 3)


def shells_of(energy, weight, g, compiled=True):
    energy, weight = np.asarray(energy, float), np.asarray(weight, float)
    pairs = energy.size
    order, first, centre = np.empty(pairs, int), np.empty(pairs + 1, int), np.empty(pairs)
    count = call(sort_into_shells, compiled, energy, weight, np.ones(pairs), g, order, first, centre)
    return order, first[: count + 1], centre[:count]


@BOTH
def test_pairs_are_sorted_into_shells(compiled):
    order, first, centre = shells_of([3, 1, 3, 2, 1], np.ones(5), 1e-6, compiled)
    assert order.tolist() == [1, 4, 3, 0, 2]
    assert first.tolist() == [0, 2, 3, 5]
    assert centre.tolist() == [1, 2, 3]


@BOTH
def test_near_energies_share_a_shell(compiled):
    mu = 1e-4
    for gap, shells in ((0.01 * mu, 1), (mu, 1), (10 * mu, 1), (200 * mu, 2)):
        _, first, centre = shells_of([1.0, 1.0 + gap], [1.0, 3.0], mu, compiled)
        assert first.size - 1 == shells
        if shells == 1:
            assert centre[0] == pytest.approx(1.0 + 0.75 * gap, rel=1e-14)


def test_without_coupling_equal_energies_still_share_a_shell():
    assert shells_of([1.0, 1.0, 2.0], np.ones(3), 0.0)[1].tolist() == [0, 2, 3]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=8), st.floats(0, 1e-2))
def test_shells_hold_every_pair_once(energies, g):
    order, first, centre = shells_of(energies, np.ones(len(energies)), g)
    assert sorted(order) == list(range(len(energies)))
    assert (np.diff(first) > 0).all()
    assert (np.diff(centre) > 0).all()


@BOTH
def test_smallness_is_proportional_to_g_and_infinite_at_rest(compiled):
    shells, _ = random_shells([1, 1, 3])
    strength = np.array([2.0, 1.0])

    def ratio(g, centre=shells.centre, detuning=shells.detuning):
        return call(smallness, compiled, shells.background, strength, centre, detuning, shells.first, g)

    assert ratio(1e-3) == pytest.approx(1e3 * ratio(1e-6), rel=1e-12)
    most = np.linalg.norm(shells.background) + 3
    assert ratio(1.0) == pytest.approx(4 * (most / 2 + 2 / 4 + 1 / 8 + 1 / 4), rel=1e-12)
    assert ratio(1e-9, detuning=np.array([0.5, 0, 0])) == pytest.approx(0.25)
    assert ratio(1e-6, np.array([0.0, 1.0])) == np.inf
    assert ratio(1e-6, np.array([1.0, 1.0 + 1e-12])) > 1e3

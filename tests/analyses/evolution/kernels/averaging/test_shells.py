import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairsweep.analyses.evolution.kernels.averaging.shells import (
    COEFFICIENTS,
    LANES,
    SUMS,
    VECTOR,
    linear_gradient,
    make_shells,
    rates,
    rotate,
    shell_sums,
    smallness,
    sort_into_shells,
    strength_and_width,
    vector_sums,
)
from tests.analyses.evolution.kernels.averaging.averaged_systems import random_shells

# one shell longer than a block, one shorter
ENERGIES = [1.0] * 11 + [2.0, 2.0]
LOCAL = np.array([[1.0], [2.0], [2.0]])


def sums_of(case, kernel, state, width):
    sums = np.full((case.shells.centre.size, width), np.nan)
    kernel(case.shells, case.pack(state), np.full(SUMS * LANES, np.nan), sums)
    return sums


def test_sums_are_those_of_the_definition(both):
    case, state = random_shells(ENERGIES)
    sums = sums_of(case, shell_sums, state, SUMS)
    vectors = sums_of(case, vector_sums, state, VECTOR)
    eps, kappa = case.theta - 1j * case.phi, state[1] + 1j * state[2]
    for a, part in enumerate((slice(0, 11), slice(11, 13))):
        w, n, k, p = case.weight[part], state[0, part], kappa[part], case.p[:, part]
        pp = np.einsum("q,iq,jq->ij", w * n, p, p)[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]
        Z = eps[:, part] @ (w * k)
        Y = np.einsum("q,iq,jq->ij", w * k, p, eps[:, part]).ravel()
        wanted = np.concatenate([[w @ n], p @ (w * n), pp, Z.real, Z.imag, Y.real, Y.imag])
        np.testing.assert_allclose(sums[a], wanted, rtol=1e-12, atol=1e-13)
        wanted = np.concatenate([p @ (w * n), Z.real, Z.imag])
        np.testing.assert_allclose(vectors[a], wanted, rtol=1e-12, atol=1e-13)


def test_rates_turn_every_spin_about_its_gradient(both):
    case, state = random_shells(ENERGIES)
    coefficients = np.random.default_rng(1).normal(size=(2, COEFFICIENTS))
    case.shells.detuning[:] = np.random.default_rng(2).normal(size=case.place.shape)
    out = case.field(lambda s, o: rates(case.shells, 1.0, coefficients, s, o), state)
    # |S| is kept: S.dS = n n' + 4 Re(kappa* kappa')
    np.testing.assert_allclose(state[0] * out[0] + 4 * (state[1] * out[1] + state[2] * out[2]), 0, atol=1e-12)
    # h and f of one pair, lane 1 of the third block, from the definition
    q, row = 12, coefficients[1]
    p, theta, phi = case.p[:, q], case.theta[:, q], case.phi[:, q]
    xx, yy, zz, xy, xz, yz = row[4:10]
    Q = np.array([[xx, xy / 2, xz / 2], [xy / 2, yy, yz / 2], [xz / 2, yz / 2, zz]])
    G, T = row[10:13] + 1j * row[13:16], (row[16:25] + 1j * row[25:34]).reshape(3, 3)
    h = row[0] + row[1:4] @ p + p @ Q @ p - case.shells.detuning[2, 1]
    f = (theta + 1j * phi) @ (G + T @ p)
    n, kappa = state[0, q], state[1, q] + 1j * state[2, q]
    change = -0.5j * n * f + 1j * kappa * h
    np.testing.assert_allclose(
        out[:, q], [2 * (kappa * np.conj(f)).imag, change.real, change.imag], rtol=1e-11
    )


def test_a_rotation_keeps_lengths_and_axis(both):
    case, state = random_shells(ENERGIES)
    vectors = np.random.default_rng(2).normal(size=(2, VECTOR))
    gradient = case.field(lambda s, o: linear_gradient(case.shells, vectors, o), state)

    def rotated(time):
        packed = case.pack(state)
        rotate(case.pack(gradient), time, packed)
        return case.unpack(packed) * LOCAL

    local = state * LOCAL
    np.testing.assert_allclose((rotated(0.7) ** 2).sum(0), (local**2).sum(0), rtol=1e-13)
    np.testing.assert_allclose((rotated(0.7) * gradient).sum(0), (local * gradient).sum(0), rtol=1e-10)
    # to first order in the time it is gradient x S
    np.testing.assert_allclose(
        rotated(1e-6) - local, np.cross(gradient.T, local.T).T * 1e-6, atol=1e-9 * np.abs(gradient).max() ** 2
    )


def shells_of(energy, weight, g):
    energy, weight = np.asarray(energy, float), np.asarray(weight, float)
    pairs = energy.size
    order, first, centre = np.empty(pairs, int), np.empty(pairs + 1, int), np.empty(pairs)
    count = sort_into_shells(energy, weight, np.ones(pairs), g, order, first, centre)
    return order, first[: count + 1], centre[:count]


def test_pairs_are_sorted_into_shells(both):
    order, first, centre = shells_of([3, 1, 3, 2, 1], np.ones(5), 1e-6)
    assert order.tolist() == [1, 4, 3, 0, 2]
    assert first.tolist() == [0, 2, 3, 5]
    assert centre.tolist() == [1, 2, 3]


def test_near_energies_share_a_shell(both):
    mu = 1e-4
    for gap, shells in ((0.01 * mu, 1), (mu, 1), (10 * mu, 1), (200 * mu, 2)):
        _, first, centre = shells_of([1.0, 1.0 + gap], [1.0, 3.0], mu)
        assert first.size - 1 == shells
        if shells == 1:
            assert centre[0] == pytest.approx(1.0 + 0.75 * gap, rel=1e-14)


def test_without_coupling_equal_energies_still_share_a_shell():
    assert shells_of([1.0, 1.0, 2.0], np.ones(3), 0.0)[1].tolist() == [0, 2, 3]


@settings(max_examples=50)
@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=8), st.floats(0, 1e-2))
def test_shells_hold_every_pair_once(energies, g):
    order, first, centre = shells_of(energies, np.ones(len(energies)), g)
    assert sorted(order) == list(range(len(energies)))
    assert (np.diff(first) > 0).all()
    assert (np.diff(centre) > 0).all()


def test_smallness_is_proportional_to_g_and_infinite_at_rest(both):
    background, strength, centre = np.array([0.3, 0.0, -0.4]), np.array([2.0, 1.0]), np.array([1.0, 3.0])

    def ratio(g, centre=centre):
        return smallness(background, strength, centre, g)

    assert ratio(1e-3) == pytest.approx(1e3 * ratio(1e-6), rel=1e-12)
    assert ratio(1.0) == pytest.approx(4 * (3.5 / 2 + 2 / 4 + 1 / 8 + 1 / 4), rel=1e-12)
    assert ratio(1e-6, np.array([0.0, 1.0])) == np.inf
    assert ratio(1e-6, np.array([1.0, 1.0 + 1e-12])) > 1e3
    assert np.isnan(ratio(np.nan))


def test_shells_keep_every_pair_in_its_place(both):
    case, _ = random_shells(ENERGIES)
    order = np.random.default_rng(3).permutation(13)
    p_hat, theta_hat, phi_hat = (direction[order] for direction in case.directions)
    energy = case.energy[order] + 1e-3 * order
    pairs = case.pairs._replace(
        energy=energy, weight=case.weight[order], p_hat=p_hat, theta_hat=theta_hat, phi_hat=phi_hat
    )
    shells = make_shells(pairs, np.full(13, 0.5), 1.0)
    # 4 g w |S| far above the gaps inside a shell and between the two: one shell with detuning
    assert shells.centre.size == 1
    placed = shells.place[shells.place >= 0]
    assert sorted(placed) == list(range(13))
    assert (shells.weight[shells.place < 0] == 0).all()
    np.testing.assert_allclose(shells.background, (case.weight * case.p).sum(1))
    np.testing.assert_allclose(
        shells.centre[0] + shells.detuning[shells.place >= 0] / 2, energy[placed], rtol=1e-14
    )
    strength = np.empty(1)
    width = strength_and_width(shells, np.full(13, 0.5), strength)
    assert strength[0] == pytest.approx(case.weight.sum() / 2)
    assert width == pytest.approx(np.abs(energy / shells.centre[0] - 1).max())

"""The dispersion function against the determinant of M and against 3 x 3 matrices multiplied out by numpy."""

import numpy as np
import pytest

from pairsweep.analyses.growth.kernels.dense import stability_matrix
from pairsweep.analyses.growth.kernels.dispersion import (
    SUMS,
    determinant,
    pole_sums,
    real_pole_sums,
    residue_adjugate,
)
from pairsweep.kernels.coupling import add_residue
from tests.analyses.growth.kernels.whole_sum import dispersion_function
from tests.pairwise import frame, random_system


def as_matrix(numbers):
    """R = S + i A of nine residue numbers, A = -[a]x."""
    s = numbers[[0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(3, 3)
    a = numbers[6:]
    return s - 1j * np.array([[0, -a[2], a[1]], [a[2], 0, -a[0]], [-a[1], a[0], 0]])


def as_numbers(matrix):
    s, cross = matrix.real, -matrix.imag
    return np.array(
        [s[0, 0], s[0, 1], s[0, 2], s[1, 1], s[1, 2], s[2, 2], cross[2, 1], cross[0, 2], cross[1, 0]]
    )


def test_is_the_determinant_of_m_over_its_poles():
    rng = np.random.default_rng(1)
    grid, rho, rhobar, _, g = random_system(rng, 7, g=0.05)
    n = rho + rhobar - 1
    matrix = np.empty((14, 14))
    stability_matrix(*frame(grid), n, g, matrix)
    omega = 2 * grid.energy - 4 * g * grid.p_hat @ (grid.weight * (n + 1) @ grid.p_hat)
    rates = rng.normal(size=6) + 2j * rng.normal(size=6)
    f, df = np.empty(6, complex), np.empty(6, complex)
    dispersion_function(grid.energy, grid.weight, grid.p_hat, n, g, rates, f, df)
    expected = [np.linalg.det(r * np.eye(14) - matrix) / np.prod(r**2 + omega**2) for r in rates]
    np.testing.assert_allclose(f, expected, rtol=1e-11)
    step = 1e-6
    near = np.empty((2, 6), complex)
    for row, sign in zip(near, (1, -1), strict=True):
        dispersion_function(grid.energy, grid.weight, grid.p_hat, n, g, rates + sign * step, row, df.copy())
    np.testing.assert_allclose(df, (near[0] - near[1]) / (2 * step), rtol=1e-6, atol=1e-9)


def test_symmetries():
    rng = np.random.default_rng(2)
    grid, rho, rhobar, _, g = random_system(rng, 5)
    rate = np.array([0.3 + 0.7j])
    values = []
    for variant in (rate, -rate, rate.conj()):
        f, df = np.empty(1, complex), np.empty(1, complex)
        dispersion_function(grid.energy, grid.weight, grid.p_hat, rho + rhobar - 1, g, variant, f, df)
        values.append(f[0])
    assert values[1] == pytest.approx(values[0], rel=1e-13)
    assert values[2] == pytest.approx(np.conj(values[0]), rel=1e-13)


@pytest.mark.parametrize("pairs", [1, 2, 5])
def test_residues_are_hermitian_of_the_rank_of_their_pairs(pairs):
    rng = np.random.default_rng(pairs)
    residue = np.zeros((9, 1))
    direct = np.zeros((3, 3), complex)
    for _ in range(pairs):
        theta, phi, c = rng.uniform(0, 3, 3)
        p = np.array([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)])
        frame_theta = np.array([np.cos(theta) * np.cos(phi), np.cos(theta) * np.sin(phi), -np.sin(theta)])
        eps = frame_theta - 1j * np.array([-np.sin(phi), np.cos(phi), 0])
        add_residue(c, *p, 1.0, 0, residue)
        direct += c * np.outer(eps, eps.conj())
    np.testing.assert_allclose(as_matrix(residue[:, 0]), direct, atol=1e-14)
    adjugate = np.empty(9)
    rank = min(pairs, 3)
    volume = residue_adjugate(residue, 0, rank, adjugate)
    values = np.linalg.eigvalsh(direct)
    assert volume == pytest.approx(np.prod(values) if rank == 3 else 0.0)
    if rank == 3:
        # the adjugate is kept with the vector part +S a of b = -a
        adjugate[6:] *= -1
        np.testing.assert_allclose(as_matrix(adjugate), volume * np.linalg.inv(direct), rtol=1e-12)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_determinant_with_a_pole_kept_apart(rank):
    rng = np.random.default_rng(rank)
    location = np.sort(rng.normal(size=6))
    vectors = rng.normal(size=(6, 3, 3)) + 1j * rng.normal(size=(6, 3, 3))
    matrices = [v @ np.diag([1.0, -0.6, 0.4]) @ v.conj().T for v in vectors]
    matrices[2] = vectors[2][:, :rank] @ vectors[2][:, :rank].conj().T
    residue = np.array([as_numbers(m) for m in matrices]).T.copy()
    adjugate, volume = np.zeros((9, 6)), np.zeros(6)
    volume[2] = residue_adjugate(residue, 2, rank, adjugate[:, 2])
    work, sums = np.empty((4, 6)), np.empty(SUMS)

    def direct(z):
        return np.linalg.det(np.eye(3) - sum(m / (z - p) for m, p in zip(matrices, location, strict=True)))

    for z in (0.3 + 0.4j, location[2] + 0.01j, -1.0 + 0.2j):
        for skip in (-1, 2):
            pole_sums(z.real, z.imag, location, residue, 6, 0.0, 0, skip, work, sums)
            f, df = determinant(sums, z - location[2], residue, adjugate, volume, skip)
            assert f == pytest.approx(direct(z), rel=1e-11)
            h = 1e-7
            assert df == pytest.approx((direct(z + h) - direct(z - h)) / (2 * h), rel=1e-4)


def test_close_to_a_pole_no_digit_is_lost():
    # rank one: f = D0 - D1/t exactly, however small t
    rng = np.random.default_rng(5)
    location = np.array([0.0, 1.0])
    vectors = rng.normal(size=(2, 3)) + 1j * rng.normal(size=(2, 3))
    matrices = [np.outer(v, v.conj()) for v in vectors]
    residue = np.array([as_numbers(m) for m in matrices]).T.copy()
    adjugate, volume = np.zeros((9, 2)), np.zeros(2)
    work, sums = np.empty((4, 2)), np.empty(SUMS)
    t = 1e-9 + 0j
    pole_sums(t.real, t.imag, location, residue, 2, 0.0, 0, 0, work, sums)
    f, _ = determinant(sums, t, residue, adjugate, volume, 0)
    rest = np.eye(3) - matrices[1] / (t - 1.0)
    pull = vectors[0].conj() @ np.linalg.inv(rest) @ vectors[0]
    assert f == pytest.approx(np.linalg.det(rest) * (1 - pull / t), rel=1e-12)


def test_real_sums_are_the_complex_ones_on_the_axis():
    rng = np.random.default_rng(6)
    location, residue, bound = rng.normal(size=5), rng.normal(size=(9, 5)), rng.random(5)
    work, sums, real = np.empty((4, 5)), np.empty(SUMS), np.empty(9)
    pole_sums(0.3, 0.0, location, residue, 5, 0.0, 0, 1, work, sums)
    size = real_pole_sums(0.3, location, residue, bound, 5, 0.0, 0, 1, work, real)
    np.testing.assert_allclose(real, sums[::4], rtol=1e-13)
    others = np.arange(5) != 1
    assert size == pytest.approx(np.sum((bound / abs(0.3 - location))[others]))

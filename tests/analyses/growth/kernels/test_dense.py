import numpy as np

from pairsweep.analyses.evolution.kernels.equations import right_hand_side
from pairsweep.analyses.growth.kernels.dense import stability_matrices, stability_matrix
from tests.pairwise import frame, pairwise_rhs, random_system


def matrix_of(grid, n, g):
    out = np.full((2 * grid.size, 2 * grid.size), np.nan)
    assert stability_matrix(*frame(grid), n, g, out) == 0
    return out


def test_is_the_jacobian_of_the_pairwise_definition(both):
    grid, rho, rhobar, _, g = random_system(np.random.default_rng(1), 4, g=0.1)
    matrix = matrix_of(grid, rho + rhobar - 1, g)
    # kappa' is quadratic in kappa, so a central difference of any step has no error but rounding
    columns = []
    for direction in np.concatenate([np.eye(4), 1j * np.eye(4)]).astype(complex):
        plus = pairwise_rhs(grid, rho, rhobar, direction, g)[1]
        minus = pairwise_rhs(grid, rho, rhobar, -direction, g)[1]
        columns.append((plus - minus) / 2)
    jacobian = np.array(columns).T
    np.testing.assert_allclose(matrix, np.vstack([jacobian.real, jacobian.imag]), atol=1e-13)


def test_equals_the_letters_equation_14():
    from pairsweep.physics.grid import beams

    energy, mu, nx, nz = 1.0, 1e-2, 0.7, -0.4
    grid = beams([energy] * 2, [1.0] * 2, [np.pi / 2, 0.0], [0.0, 0.0])
    rho = np.array([(nx + 1) / 2, (nz + 1) / 2])
    shifted = energy - 2 * mu
    expected = [
        [0, 2 * shifted, 0, 4 * mu * nx],
        [-2 * shifted, 0, 0, 0],
        [0, 4 * mu * nz, 0, 2 * shifted],
        [0, 0, -2 * shifted, 0],
    ]
    found = matrix_of(grid, 2 * rho - 1, mu)[np.ix_([0, 2, 1, 3], [0, 2, 1, 3])]  # to the Letter's order
    np.testing.assert_allclose(found, expected, atol=1e-15)


def test_is_the_jacobian_of_the_right_hand_side():
    grid, rho, rhobar, _, g = random_system(np.random.default_rng(2), 9, g=0.1)
    matrix = matrix_of(grid, rho + rhobar - 1, g)
    rng = np.random.default_rng(3)
    kappa = rng.normal(size=9) + 1j * rng.normal(size=9)
    drho, plus, minus = np.empty(9), np.empty(9, complex), np.empty(9, complex)
    right_hand_side(grid.pairs, g, rho, rhobar, kappa, drho, plus)
    right_hand_side(grid.pairs, g, rho, rhobar, -kappa, drho, minus)
    applied = matrix @ np.concatenate([kappa.real, kappa.imag])
    np.testing.assert_allclose(applied[:9] + 1j * applied[9:], (plus - minus) / 2, atol=1e-13)


def test_many_points_equal_one_by_one_bitwise():
    grid, _, _, _, _ = random_system(np.random.default_rng(4), 5)
    rng = np.random.default_rng(5)
    n, g = rng.uniform(-1, 1, (3, 5)), rng.uniform(0.01, 0.1, 3)
    out = np.empty((3, 10, 10))
    assert stability_matrices(*frame(grid), n, g, out) == 0
    for point in range(3):
        assert np.array_equal(out[point], matrix_of(grid, n[point], g[point]))

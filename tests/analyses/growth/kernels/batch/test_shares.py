"""Energy weights of the fastest mode against eigenvectors of the matrix."""

import numpy as np
import pytest

import pairsweep as ps
from pairsweep.analyses.growth.kernels.batch.shares import null_projector, principal_root
from pairsweep.kernels.complex_lanes import load, pair, store
from pairsweep.kernels.jit import jit
from pairsweep.kernels.lanes import LANES
from pairsweep.physics import grid as grids
from tests.analyses.growth.kernels.batch.bulk_systems import coupling, dense_matrices, grow


def shares_of_eigenvector(grid, n, g):
    """|u|^2 + |v|^2 per bin of the fastest eigenvector of M, and its growth."""
    values, vectors = np.linalg.eig(dense_matrices(grid, n, g)[0])
    fastest = values.real.argmax()
    real, imaginary = vectors[: grid.size, fastest], vectors[grid.size :, fastest]
    amount = np.abs(real + 1j * imaginary) ** 2 + np.abs(real - 1j * imaginary) ** 2
    shares = np.bincount(grid.energy_bin, amount, grid.bin_energy.size)
    return shares / shares.sum(), values[fastest].real


@pytest.mark.parametrize("shape", [(1, 1, 4), (2, 1, 4), (3, 2, 4)])
def test_shares_of_bins(shape):
    grid = grids.bins(*shape)
    rng = np.random.default_rng(shape[0])
    n = rng.uniform(-1, 1, (40, grid.size))
    g = 10 ** rng.uniform(-7, -1, 40)
    out = grow(grid, n, g)
    unstable = np.flatnonzero(out["growth_rate"] > 0)
    assert unstable.size > 20
    for i in unstable:
        shares, growth = shares_of_eigenvector(grid, n[i], g[i])
        assert out["growth_rate"][i] == pytest.approx(growth, rel=1e-6)
        np.testing.assert_allclose(out["energy_weight"][i], shares, atol=1e-9)
    assert np.isnan(out["energy_weight"][out["growth_rate"] == 0]).all()


def test_shares_of_beams_with_negative_frequency_and_without_weight():
    angles = [0.3, 1.1, 1.9, 2.5], [0.0, 1.0, 3.0, 5.0]
    grid = grids.beams([1.0, 2.0, 3.0, 4.0], [1.0, 0.5, 0.0, 2.0], *angles)
    n = np.random.default_rng(2).uniform(-1, 1, (60, 4))
    out = grow(grid, n, 1.5)
    unstable = np.flatnonzero((out["growth_rate"] > 1e-3) & (out["status"] == 0))
    assert unstable.size > 10
    assert 2 in out["mode_kind"][unstable]
    for i in unstable:
        shares, _ = shares_of_eigenvector(grid, n[i], 1.5)
        np.testing.assert_allclose(out["energy_weight"][i], shares, atol=1e-8)


def test_equally_fast_modes_share_alike():
    # an isotropic vacuum beyond its static threshold: the modes along x and y grow alike and mix the energies alike
    grid = grids.bins(2, 1, 4)
    out = grow(grid, np.full(8, -1.0), 3e-4)
    assert out["status"] == 0
    assert out["mode_kind"] == 2
    values, vectors = np.linalg.eig(dense_matrices(grid, np.full(8, -1.0), 3e-4)[0])
    fastest = values.real > values.real.max() - 1e-6
    assert out["n_unstable"][0] == (values.real > 1e-3).sum()
    amounts = np.abs(vectors[:8, fastest]) ** 2 + np.abs(vectors[8:, fastest]) ** 2
    shares = np.array([np.bincount(grid.energy_bin, column) for column in amounts.T])
    np.testing.assert_allclose(
        out["energy_weight"][0], shares.mean(axis=0) / shares.mean(axis=0).sum(), atol=1e-6
    )


def two_energies_that_grow_almost_alike(ratio):
    """A grid and the EPN of a crossing at either energy, with w n of the second ``ratio`` times that of the first."""
    grid = grids.bins(2, 1, 4)
    crossing = np.array([0.8, -0.5, 0.7, -0.6])
    return grid, np.concatenate([crossing, crossing * ratio * grid.weight[0] / grid.weight[4]])


def test_equally_fast_modes_of_different_frequency_share_alike():
    grid, n = two_energies_that_grow_almost_alike(1.0)
    g = 1e-7
    values, vectors = np.linalg.eig(dense_matrices(grid, n, g)[0])
    fast = np.argsort(-values.real)[:4]
    fast = fast[values[fast].imag > 0]
    # not the same to rounding, but to the tolerance, 1e-6 of the coupling
    gap = abs(np.diff(values[fast].real)[0])
    assert 1e-7 * values.real.max() < gap < 1e-6 * coupling(grid, n[None], np.array([g]))[0]
    assert abs(np.diff(values[fast].imag)[0]) > 1.0
    amounts = np.abs(vectors[:8, fast]) ** 2 + np.abs(vectors[8:, fast]) ** 2
    each = np.array([np.bincount(grid.energy_bin, column) / column.sum() for column in amounts.T])
    np.testing.assert_allclose(grow(grid, n, g)["energy_weight"][0], each.mean(axis=0), atol=1e-9)
    other = ps.growth(grid, (n + 1) / 2, g=g, method="dispersion")
    np.testing.assert_allclose(other.energy_weight, each.mean(axis=0), atol=1e-9)


def test_a_mode_that_is_slower_by_more_than_the_tolerance_does_not_count():
    grid, n = two_energies_that_grow_almost_alike(1.01)
    shares, _ = shares_of_eigenvector(grid, n, 1e-7)
    assert shares.max() > 0.999
    np.testing.assert_allclose(grow(grid, n, 1e-7)["energy_weight"][0], shares, atol=1e-9)


@jit()
def entry(rows, k):
    return pair(load(rows, k, 0), load(rows, k, 1))


@jit()
def project(rows, out):
    xx, yy, zz, xy, xz, yz, x, y, z = null_projector(
        entry(rows, 0), entry(rows, 1), entry(rows, 2),
        entry(rows, 3), entry(rows, 4), entry(rows, 5),
        entry(rows, 6), entry(rows, 7), entry(rows, 8),
    )  # fmt: skip
    store(out, 0, 0, xx)
    store(out, 0, 1, yy)
    store(out, 0, 2, zz)
    store(out, 0, 3, xy)
    store(out, 0, 4, xz)
    store(out, 0, 5, yz)
    store(out, 0, 6, x)
    store(out, 0, 7, y)
    store(out, 0, 8, z)
    return 0


@jit()
def root(s, out):
    real, growth = principal_root(load(s, 0, 0), load(s, 0, 1))
    store(out, 0, 0, real)
    store(out, 0, 1, growth)
    return 0


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_projector_on_the_null_space(rank):
    rng = np.random.default_rng(rank)
    rows, out, expected = np.empty((9, 2, LANES)), np.empty((1, 9, LANES)), []
    for lane in range(LANES):
        left, right = rng.normal(size=(2, 3, rank, 2)) @ [1, 1j]
        W = left @ right.T
        rows[:, 0, lane], rows[:, 1, lane] = W.real.ravel(), W.imag.ravel()
        K = np.eye(3) - np.linalg.pinv(W) @ W
        entries = [K[0, 0], K[1, 1], K[2, 2], K[0, 1], K[0, 2], K[1, 2]]
        axial = [K[1, 2].imag, K[2, 0].imag, K[0, 1].imag]
        expected.append([entry.real for entry in entries] + axial)
    project(rows, out)
    np.testing.assert_allclose(out[0].T, expected, atol=1e-12)


def test_principal_root_is_in_the_upper_half_plane():
    s = np.array([4.0, -4.0, 3 + 4j, 3 - 4j, -3 + 1e-9j, -3 - 1e-9j, 1e-20j, 0.0])
    parts, out = np.stack([s.real, s.imag])[None], np.empty((1, 2, LANES))
    root(parts, out)
    omega = out[0, 0] + 1j * out[0, 1]
    assert (out[0, 1] >= 0).all()
    np.testing.assert_allclose(omega**2, s, rtol=1e-14, atol=1e-300)

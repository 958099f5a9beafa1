"""Packing of poles and zeros: nothing lost, nothing twice, and no lane notices another."""

import numpy as np
import pytest

from pairsweep.analyses.growth.kernels.batch.tables import COUNTED, HI, LO, RESIDUE, STRENGTH, TWICE
from pairsweep.kernels.lanes import LANES
from pairsweep.physics import grid as grids
from pairsweep.physics.patterns import quadrant as pattern
from tests.analyses.growth.kernels.batch.test_dispersion import determinant, prepare


def quadrant(grid):
    rho, rhobar = pattern.quadrant(grid, 0.9, 0.1)
    return rho + rhobar - 1.0


@pytest.mark.parametrize(
    ("shape", "sites", "slots"), [((1, 1, 4), 4, 4), ((1, 4, 4), 5, 11), ((1, 8, 8), 16, 48)]
)
def test_symmetric_grids_are_packed(shape, sites, slots):
    grid = grids.bins(*shape)
    _, poles, packed, places, _ = prepare(grid, quadrant(grid), 1e-6)
    assert packed.shape[0] == sites
    assert places.shape[0] == slots
    positions = packed[:, HI, 0] + packed[:, LO, 0]
    assert set(positions) == set(poles[:, HI, 0] + poles[:, LO, 0])
    assert places[:, COUNTED].sum() == poles[:, COUNTED].sum()


def test_residues_add_up():
    grid = grids.bins(1, 4, 4)
    n = quadrant(grid)
    _, poles, packed, _, _ = prepare(grid, n, 1e-6)
    for m in range(packed.shape[0]):
        here = poles[:, HI, 0] + poles[:, LO, 0] == packed[m, HI, 0] + packed[m, LO, 0]
        strength, twice, hat = poles[here, STRENGTH, 0], poles[here, TWICE, 0], grid.p_hat[here]
        outer = np.einsum("q,qi,qj->ij", strength, hat, hat)
        expected = [*np.diag(outer), outer[0, 1], outer[0, 2], outer[1, 2], *(twice @ hat)]
        scale = np.abs(strength).sum()
        np.testing.assert_allclose(packed[m, RESIDUE:, 0], expected, atol=1e-15 * scale)


def test_packed_function_is_the_determinant():
    grid = grids.bins(2, 2, 4)
    n = quadrant(grid)
    lam = 0.03 + 29.9j
    f = prepare(grid, n, 1e-6, -(lam**2))[-1]
    assert complex(f[0, 0], f[1, 0]) == pytest.approx(determinant(grid, n, 1e-6, lam), rel=1e-9)


def test_lanes_are_padded_with_nothing():
    grid = grids.bins(1, 4, 4)
    rng = np.random.default_rng(0)
    n = np.tile(quadrant(grid), (LANES, 1))
    n[3] = rng.uniform(-1, 1, 16)
    n[5, 4:] = 0.0
    s = -((0.02 + 19.99j) ** 2)
    *_, packed, places, mixed = prepare(grid, n, 1e-6, s)
    assert packed.shape[0] == places.shape[0] == 16
    assert places[:, COUNTED].sum(axis=0).tolist() == [11, 11, 11, 16, 11, 4, 11, 11]
    for lane in (0, 3, 5):
        alone = prepare(grid, np.tile(n[lane], (LANES, 1)), 1e-6, s)[-1]
        np.testing.assert_array_equal(alone[:, lane], mixed[:, lane])

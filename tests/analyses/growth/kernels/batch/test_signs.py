"""Stability by signs: true only where all eigenvalues are imaginary, and true where it ought to be."""

import numpy as np

from pairsweep.analyses.growth.kernels.batch.signs import fill_cuts, stable_by_signs
from pairsweep.kernels.complex_lanes import select, store
from pairsweep.kernels.jit import jit
from pairsweep.kernels.lanes import LANES, splat
from pairsweep.physics import grid as grids
from tests.analyses.growth.kernels.batch.bulk_systems import coupling, dense_eigenvalues
from tests.analyses.growth.kernels.batch.test_dispersion import evaluate


@jit()
def verdict(shared, poles, energy_class, cut, classes, calm, out):
    mask = stable_by_signs(shared, poles, energy_class, cut, classes, calm)
    store(out, 0, 0, select(mask, splat(1.0), 0.0))
    return 0


def verdict_and_strips(grid, n, g):
    """Verdict of eight points that share n (N,) or have one each (8, N), and their calm strips (classes, 8)."""
    shared, poles, _ = evaluate(grid, n, g, 1.0)
    energy_class, cut = np.empty(grid.size, dtype=np.int64), np.empty(grid.size + 1)
    classes = fill_cuts(grid.energy, energy_class, cut)
    out = np.empty((1, 1, LANES))
    calm = np.empty((grid.size, 1, LANES))
    verdict(shared, poles, energy_class, cut, classes, calm, out)
    return out[0, 0] == 1.0, calm[:classes, 0]


def stable(grid, n, g):
    """Verdict of eight points."""
    return verdict_and_strips(grid, n, g)[0]


def test_cuts_lie_between_the_distinct_energies():
    energy = np.array([3.0, 1.0, 3.0, 2.0])
    energy_class, cut = np.empty(4, dtype=np.int64), np.empty(5)
    assert fill_cuts(energy, energy_class, cut) == 3
    assert energy_class.tolist() == [2, 0, 2, 1]
    assert cut[:4].tolist() == [0.0, 3.0, 5.0, np.inf]


def test_one_sign_is_stable_at_any_coupling_if_positive():
    grid = grids.bins(2, 2, 4)
    assert stable(grid, np.full(16, 0.7), np.full(LANES, 10.0)).all()
    assert stable(grid, np.full(16, -0.7), np.full(LANES, 1e-6)).all()


def test_isotropic_vacuum_up_to_its_static_threshold():
    grid = grids.bins(1, 1, 4)
    # the threshold of PHYSICS for this grid: g E_max^2 = 0.0796
    g = np.array([0.5, 0.9, 0.99, 0.999, 1.001, 1.01, 1.1, 2.0]) / (4 * np.pi) / 20.0**2
    assert stable(grid, np.full(4, -1.0), g).tolist() == [True] * 4 + [False] * 4


def test_a_crossing_at_one_energy_is_left_to_the_roots():
    grid = grids.bins(2, 1, 4)
    crossed = np.array([-0.8, -0.8, -0.8, -0.8, 0.8, -0.8, -0.8, -0.8])
    assert not stable(grid, crossed, np.full(LANES, 1e-6)).any()


def test_energies_of_one_sign_each_are_stable_while_they_are_apart():
    grid = grids.bins(2, 1, 4)
    n = np.repeat([0.8, -0.8], 4)
    g = 10.0 ** np.array([-14, -10, -6, -5, -4, -3, -2, -1])
    sure = stable(grid, n, g)
    assert sure[:4].all()
    assert not sure[-2:].any()


def test_strips_of_one_sign_are_calm_beside_a_crossing():
    grid = grids.bins(3, 1, 4)
    n = np.repeat([-0.4, -0.5, -0.6], 4)
    n[4] = 0.8
    g = 10.0 ** np.array([-14, -10, -8, -7, -6, -3, -2, -1])
    sure, calm = verdict_and_strips(grid, n, g)
    assert not sure.any()
    assert calm[:, :5].T.tolist() == [[1, 0, 1]] * 5
    assert not calm[:, -1].any()


def test_never_claims_stability_of_an_unstable_system():
    rng = np.random.default_rng(7)
    claims = 0
    for _ in range(150):
        pairs = rng.integers(2, 7)
        angles = np.arccos(rng.uniform(-1, 1, pairs)), rng.uniform(0, 2 * np.pi, pairs)
        grid = grids.beams(rng.choice([1.0, 1.5, 3.0], pairs), rng.uniform(0.1, 1, pairs), *angles)
        n = rng.uniform(-1, 1, (LANES, pairs)) - rng.choice([0.0, 0.9, -0.9])
        g = 10 ** rng.uniform(-3, 1, LANES)
        sure = stable(grid, n, g)
        growth = dense_eigenvalues(grid, n, g).real.max(axis=1)
        assert (growth[sure] < 1e-6 * np.sqrt((1 + coupling(grid, n, g)) * coupling(grid, n, g))[sure]).all()
        claims += sure.sum()
    assert claims > 100

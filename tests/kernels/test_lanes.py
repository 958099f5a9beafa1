"""The vector type does, compiled, what numpy arrays of eight do uncompiled."""

import numpy as np
import pytest

from pairsweep.kernels.jit import jit
from pairsweep.kernels.lanes import LANES, load, splat, store, total


@jit()
def arithmetic(array, factor, out):
    x = load(array, 0)
    y = load(array, LANES)
    store(out, 0, x + y)
    store(out, LANES, x - y)
    store(out, 2 * LANES, x * splat(factor))
    return total(y)


def test_every_operation_lane_by_lane(both):
    x, y = np.random.default_rng(0).random((2, LANES))
    out = np.empty((3, LANES))
    result = arithmetic(np.stack([x, y]), 0.3, out)
    np.testing.assert_array_equal(out, [x + y, x - y, x * 0.3])
    assert result == pytest.approx(y.sum(), rel=1e-15)


@jit()
def fused(array, out):
    store(out, 0, load(array, 0) * load(array, LANES) + load(array, 2 * LANES))


def test_a_lane_does_not_see_its_neighbours():
    random = np.random.default_rng(1)
    array = random.random((3, LANES))
    out, other = np.empty(LANES), np.empty(LANES)
    fused(array, out)
    changed = random.random((3, LANES))
    changed[:, 5] = array[:, 2]
    fused(changed, other)
    assert other[5] == out[2]

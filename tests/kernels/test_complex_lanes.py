"""Lanes compiled against the same expressions in plain numpy."""

import numpy as np
import pytest

from pairsweep.kernels import complex_lanes as bulk_lanes
from pairsweep.kernels.complex_lanes import any_lane, imag, load, pair, real, select, size, square_root, store
from pairsweep.kernels.jit import jit
from pairsweep.kernels.lanes import LANES, splat


@jit()
def arithmetic(a, b, out):
    for i in range(a.shape[0]):
        x = load(a, i, 0)
        y = load(b, i, 0)
        store(out, i, 0, x + y * 2.0)
        store(out, i, 1, 3.0 - x)
        store(out, i, 2, -x / (1.0 + y * y))
        store(out, i, 3, square_root(size(x)))
        store(out, i, 4, select((x < y) | (x >= 1.0), x, 0.25))
        store(out, i, 5, select(~(x > 0) & (y <= 0.5), splat(7.0), y))
        store(out, i, 6, select(x == y, 1.0, 2.0))
        store(out, i, 7, splat(i) + x)
    return 0


@jit()
def complex_arithmetic(a, b, out):
    for i in range(a.shape[0]):
        c = load(a, i, 0)
        x = pair(c, load(b, i, 0))
        y = pair(load(b, i, 0), c + 1.0)
        results = (
            x + y, x - y, x * y, x + c, c + x, x - c, c - x, x * c,
            c * x, 2.0 + x, x + 2.0, 2.0 - x, x - 2.0, 2.0 * x, x * 2.0,
            select(c > 0.0, x, y), select(c > 0.0, 1.0, y), select(c > 0.0, x, 0.0),
        )  # fmt: skip
        for k in range(18):
            store(out, i, 2 * k, real(results[k]))
            store(out, i, 2 * k + 1, imag(results[k]))
    return 0


@jit()
def any_above(a, limit):
    return any_lane(load(a, 0, 0) > limit)


def test_every_operation_agrees_with_numpy():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 5, 1, LANES))
    b[2, 0, 3] = a[2, 0, 3]
    compiled, plain = np.empty((2, 5, 8, LANES))
    arithmetic(a, b, compiled)
    arithmetic.py_func(a, b, plain)
    np.testing.assert_allclose(compiled, plain, rtol=4e-16, atol=4e-16)


def test_every_complex_operation_agrees_with_numpy():
    a, b = np.random.default_rng(3).normal(size=(2, 4, 1, LANES))
    compiled, plain = np.empty((2, 4, 36, LANES))
    complex_arithmetic(a, b, compiled)
    complex_arithmetic.py_func(a, b, plain)
    np.testing.assert_allclose(compiled, plain, rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize("lane", range(LANES))
def test_any_lane_sees_every_lane(lane):
    a = np.zeros((1, 1, LANES))
    assert not any_above(a, 0.5)
    a[0, 0, lane] = 1.0
    assert any_above(a, 0.5)
    assert any_above.py_func(a, 0.5)


def test_lanes_do_not_mix():
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(2, 3, 1, LANES))
    turned = np.roll(np.arange(LANES), 3)
    straight, rolled = np.empty((2, 3, 8, LANES))
    arithmetic(a, b, straight)
    arithmetic(np.ascontiguousarray(a[..., turned]), np.ascontiguousarray(b[..., turned]), rolled)
    np.testing.assert_array_equal(straight[..., turned], rolled)


def test_loading_copies():
    a = np.ones((1, 1, LANES))
    row = bulk_lanes.load(a, 0, 0)
    row += 1.0
    assert (a == 1.0).all()

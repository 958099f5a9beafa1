"""The merge sort against numpy's stable one."""

import numpy as np
import pytest

from pairsweep.kernels.sorting import ascending


@pytest.mark.parametrize("count", [0, 1, 2, 11, 12, 13, 25, 1000])
@pytest.mark.parametrize("distinct", [3, 10**6])
def test_is_the_stable_order(count, distinct):
    values = np.random.default_rng(count).integers(0, distinct, count + 3).astype(float)
    np.testing.assert_array_equal(ascending(values, count), np.argsort(values[:count], kind="stable"))

"""The schemes meet the order conditions they claim, and miss the next ones."""

import numpy as np
import pytest

from pairsweep.analyses.evolution.kernels.schemes import ABA1084, ABA1086
from tests.analyses.evolution.kernels.order_conditions import order_residual, secular_residual
from tests.analyses.evolution.kernels.peer_schemes import ABA864, ABA1064

SCHEMES = (ABA1084, ABA1086, ABA864, ABA1064)


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_order_conditions(scheme):
    assert scheme.a.size == scheme.stages + 1
    assert scheme.b.size == scheme.stages
    np.testing.assert_array_equal(scheme.a, scheme.a[::-1])
    np.testing.assert_array_equal(scheme.b, scheme.b[::-1])
    # order 4 in h holds at every power of the small part
    for power in range(1, 5):
        order = scheme.orders[min(power, len(scheme.orders)) - 1]
        assert order_residual(scheme.a, scheme.b, power, order) < 5e-16
        assert order_residual(scheme.a, scheme.b, power, order + 1) > 1e-8
    for power, order in zip((2, 3), scheme.secular_orders, strict=True):
        assert secular_residual(scheme.a, scheme.b, power, order) < 5e-16
        assert secular_residual(scheme.a, scheme.b, power, order + 2) > 1e-12


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_secular_conditions_of_two_factors_are_those_of_their_distance(scheme):
    c = np.cumsum(scheme.a)[:-1]
    later, earlier = np.tril_indices(c.size, -1)
    weight, distance = scheme.b[later] * scheme.b[earlier], c[later] - c[earlier]
    for k in range(1, scheme.secular_orders[0] - 1, 2):
        assert weight @ distance**k == pytest.approx(1 / ((k + 1) * (k + 2)), abs=5e-16)


def test_the_conditions_on_schemes_known_by_hand():
    strang = np.array([0.5, 0.5]), np.array([1.0])
    assert order_residual(*strang, 1, 2) == 0.0
    assert order_residual(*strang, 2, 2) == 0.0
    assert order_residual(*strang, 1, 3) == pytest.approx(1 / 3 - 1 / 4)
    gauss = np.array([0.5 - 3**-0.5 / 2, 3**-0.5, 0.5 - 3**-0.5 / 2]), np.array([0.5, 0.5])
    assert order_residual(*gauss, 1, 4) < 1e-16
    # over e^2: only the order 2; the sum over i <= j of b_i b_j c_j against the integral of t_2, 1/3
    c = np.cumsum(gauss[0])
    assert order_residual(*gauss, 2, 3) == pytest.approx(
        max(abs(c[0] / 8 + c[1] / 4 + c[1] / 8 - 1 / 3), abs(c[0] / 8 + c[0] / 4 + c[1] / 8 - 1 / 6))
    )

import math

import numpy as np
import pytest

from pairsweep.analyses.evolution.kernels.averaging.dop853 import ALL_STAGES, E3, E5, STAGES, A, B, C, D


def test_tableau_is_explicit():
    assert (np.triu(A) == 0).all()
    assert A.shape == (ALL_STAGES, ALL_STAGES)
    assert C[STAGES] == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize("power", range(8))
def test_quadrature_conditions_up_to_order_eight(power):
    a, c = A[:STAGES, :STAGES], C[:STAGES]
    assert B @ c**power == pytest.approx(1 / (power + 1), abs=1e-14)
    if power < 7:
        # and those of B A C^k, the second family of trees
        assert B @ a @ c**power == pytest.approx(1 / ((power + 1) * (power + 2)), abs=1e-14)


@pytest.mark.parametrize(("weights", "order"), [(E5, 5), (E3, 3)])
def test_error_estimates_vanish_up_to_their_order(weights, order):
    # the difference of two formulas, the lower of this order: they agree on the powers below it
    c = C[: STAGES + 1]
    for power in range(order):
        assert weights @ c**power == pytest.approx(0, abs=1e-14)
    assert abs(weights @ c**order) > 1e-6 or abs(weights @ c ** (order + 1)) > 1e-6


def step(h):
    """One step of y' = i y from 1, with its dense output at half the step."""
    k = np.zeros(ALL_STAGES, complex)
    y = 1.0 + 0j
    for i in range(ALL_STAGES):
        k[i] = 1j * (y + h * A[i] @ k)
    new = y + h * A[STAGES] @ k
    change = new - y
    F = [change, h * k[0] - change, 2 * change - h * (k[STAGES] + k[0]), *(h * D @ k)]
    value, x = 0.0, 0.5
    for i, f in enumerate(reversed(F)):
        value = (value + f) * (x if i % 2 == 0 else 1 - x)
    return abs(new - np.exp(1j * h)), abs(y + value - np.exp(0.5j * h))


def test_measured_orders_of_step_and_dense_output():
    ends, middles = zip(*(step(h) for h in (0.8, 0.4)), strict=True)
    assert math.log2(ends[0] / ends[1]) == pytest.approx(9, abs=0.4)
    assert math.log2(middles[0] / middles[1]) > 7.6

"""Sums and products of two doubles against fractions."""

from fractions import Fraction

import numpy as np

from pairsweep.kernels.exact import EPSILON, UNIT_ROUNDOFF, two_product, two_sum

NUMBERS = np.random.default_rng(3).normal(size=(50, 2)) * 10.0 ** np.random.default_rng(4).integers(
    -20, 20, (50, 2)
)


def test_the_rounding_of_doubles():
    assert np.spacing(1.0) == EPSILON
    assert 1.0 + UNIT_ROUNDOFF == 1.0


def test_a_sum_and_its_remainder_are_exact(both):
    for a, b in NUMBERS:
        total, rest = two_sum(a, b)
        assert total == a + b
        assert Fraction(total) + Fraction(rest) == Fraction(a) + Fraction(b)


def test_a_product_and_its_remainder_are_exact(both):
    for a, b in NUMBERS:
        product, rest = two_product(a, b)
        assert product == a * b
        assert Fraction(product) + Fraction(rest) == Fraction(a) * Fraction(b)

"""Order conditions of splitting schemes, as ``kernels.schemes`` states them."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def order_residual(a: Floats, b: Floats, power: int, order: int) -> float:
    """Return the largest violation of the conditions of order e^power up to h^order (docstring of the schemes)."""
    c = np.cumsum(a)[:-1]
    worst = 0.0
    for k in itertools.product(range(order - power + 1), repeat=power):
        if power + sum(k) > order:
            continue
        worst = max(worst, abs(_ordered_sum(b, c, k) - _simplex_integral(k)))
    return worst


def secular_residual(a: Floats, b: Floats, power: int, order: int) -> float:
    """Return the largest violation of the secular conditions of e^power up to h^order (docstring of the schemes)."""
    c = np.cumsum(a)[:-1]
    worst = 0.0
    for total in range(order - power + 1):
        # coefficients of the homogeneous polynomial in x_1 ... x_(r-1) that is left with x_r = -(x_1 + ...)
        left: defaultdict[tuple[int, ...], float] = defaultdict(float)
        for k in _exponents(power, total):
            missing = (_ordered_sum(b, c, k) - _simplex_integral(k)) / math.prod(map(math.factorial, k))
            for m in _exponents(power - 1, k[-1]):
                times = math.factorial(k[-1]) // math.prod(map(math.factorial, m))
                left[tuple(i + j for i, j in zip(k, m, strict=False))] += (-1) ** k[-1] * times * missing
        worst = max(worst, *map(abs, left.values()))
    return worst


def _exponents(size: int, total: int) -> Iterator[tuple[int, ...]]:
    """All tuples of ``size`` whole numbers from 0 on whose sum is ``total``."""
    return (k for k in itertools.product(range(total + 1), repeat=size) if sum(k) == total)


def _simplex_integral(k: tuple[int, ...]) -> float:
    """Integral of t_1^k_1 ... t_r^k_r over 0 < t_1 < ... < t_r < 1."""
    return 1.0 / math.prod(sum(k[: i + 1]) + i + 1 for i in range(len(k)))


def _ordered_sum(b: Floats, c: Floats, k: tuple[int, ...]) -> float:
    """Sum of b c^k over ordered tuples of stages, a stage taken m times in a row with weight 1/m!.

    partial[j]: the sum over the first j factors and the stages seen so far; stage i multiplies the generating
    sequence by its exponential.
    """
    partial = [1.0] + [0.0] * len(k)
    for weight, time in zip(b, c, strict=True):
        for upto in range(len(k), 0, -1):
            term = 1.0
            for taken in range(1, upto + 1):
                term *= weight * time ** k[upto - taken] / taken
                partial[upto] += partial[upto - taken] * term
    return partial[-1]

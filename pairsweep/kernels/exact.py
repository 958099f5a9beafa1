"""Rounding: its size, and sums and products of doubles whose rounding error is kept as a second double.

The two algorithms are exact unless a product under- or overflows (Knuth, TAOCP 2, section 4.2.2; Dekker, Numer. Math.
18 (1971) 224). They must never be compiled with reassociation or contraction.
"""

from pairsweep.kernels.jit import jit

EPSILON = 2.0**-52  # distance of 1 from the next double
UNIT_ROUNDOFF = 2.0**-53  # largest relative error of one operation
SPLITTER = 2.0**27 + 1.0  # Veltkamp's: parts a double into two of at most 26 bits


@jit()
def two_sum(a, b):
    """Return a + b rounded and its remainder, which is exact; numbers or lanes."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


@jit()
def two_product(a, b):
    """Return a b rounded and its remainder, which is exact."""
    product = a * b
    t = SPLITTER * a
    a_high = t - (t - a)
    a_low = a - a_high
    t = SPLITTER * b
    b_high = t - (t - b)
    b_low = b - b_high
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low

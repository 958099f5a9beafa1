"""Splitting schemes as data; the tests check them against the conditions here.

A step of size h of a symmetric ABA scheme with s stages is

    A(a_1 h) B(b_1 h) A(a_2 h) ... B(b_s h) A(a_{s+1} h),      a and b palindromes,

where A and B are the exact flows of the two parts and B is smaller than A by a factor e. The stage i acts at
the time c_i h, c_i = a_1 + ... + a_i. In the frame that moves with A both the scheme and the true flow are
time-ordered products of B alone, so the error of order e^r vanishes up to the power h^q exactly if

    sum over i_1 <= ... <= i_r of  b_{i_1} ... b_{i_r} c_{i_1}^{k_1} ... c_{i_r}^{k_r} / (multiplicities)!
        =  integral over 0 < t_1 < ... < t_r < 1 of  t_1^{k_1} ... t_r^{k_r}        for all r + sum k <= q.

A scheme of generalised order (q_1, q_2, q_3) makes an error e h^q_1 + e^2 h^q_2 + e^3 h^q_3 (McLachlan,
BIT 35 (1995) 258).

Not all errors add up. Where A turns the state with frequencies x, an error of order e^r grows with the number of
steps only where the frequencies of its r factors cancel; the rest is a change of variables that comes and goes.
Written as a power series in the x,

    sum over i_1 <= ... <= i_r of  b_{i_1} ... b_{i_r} exp(i (x_1 c_{i_1} + ... + x_r c_{i_r})) / (multiplicities)!

less its integral has to vanish on the plane x_1 + ... + x_r = 0 only, up to the power q - r in x. That is so once all
conditions of lower powers of e are met in full to the same order. For e^2 it is
sum over i < j of b_i b_j (c_j - c_i)^k = 1/((k + 1)(k + 2)) for all odd k < q - 1.

What comes and goes still counts at the start: it shifts kappa, and an instability makes a seed of 1e-5 of the shift.

The tests compare with ABA(8,6,4) and ABA(10,6,4) of Blanes, Casas, Farres, Laskar, Makazaga, Murua, Appl. Numer.
Math. 68 (2013) 58.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Tableau:
    """A symmetric ABA scheme: the first halves of its coefficients (the middle one included) and its orders.

    Attributes
    ----------
    a_half, b_half : leading coefficients of A and of B; the rest follows by symmetry
    orders : (q_1, q_2, q_3), the generalised order; q_3 is also the order in h alone
    secular_orders : orders of the errors of e^2 and of e^3 that add up from step to step
    """

    name: str
    a_half: tuple[float, ...]
    b_half: tuple[float, ...]
    orders: tuple[int, ...]
    secular_orders: tuple[int, int]

    @property
    def stages(self) -> int:
        """Number s of applications of B in a step."""
        # s + 1 and s are of opposite parity, so exactly one of the two palindromes has a middle
        return len(self.a_half) + len(self.b_half) - 1

    @property
    def a(self) -> Floats:
        """Coefficients of A, (s + 1,)."""
        return _palindrome(self.a_half, self.stages + 1)

    @property
    def b(self) -> Floats:
        """Coefficients of B, (s,)."""
        return _palindrome(self.b_half, self.stages)


def _palindrome(half: tuple[float, ...], length: int) -> Floats:
    return np.array([half[min(i, length - 1 - i)] for i in range(length)])


# Both were found here. This one, of nine stages, minimises the error of e^3: at errors of 1e-6 and more it
# needs 0.4 to 0.6 times the stages of ABA(10,6,4) on the Letter's grids.
ABA1084 = Tableau(
    name="ABA(10,8,4), secular",
    a_half=(
        0.047681423096373056,
        0.17301676781209274,
        -0.14700752483479881,
        0.458782312196214,
        -0.03247297826988094,
    ),
    b_half=(
        0.12980527188237553,
        0.22792585769160734,
        -0.017285086513299745,
        0.44622086529311217,
        -0.5733338167075908,
    ),
    orders=(10, 4, 4),
    secular_orders=(8, 4),
)

# Of the one family of eleven stages with these orders, the member with the least errors beyond them. At errors below
# 1e-7 it needs 0.4 to 0.8 times the stages of ABA1084: its e^2 is of order 6 in full, so that a start from seeds is
# not disturbed, and what grows of e^3 is of order 6.
ABA1086 = Tableau(
    name="ABA(10,8,6), secular",
    a_half=(
        0.037610649531160701053,
        0.13692541981474226841,
        0.28454181907540738223,
        0.35457235794350133178,
        -0.11587420008310201698,
        -0.1977760462817096665,
    ),
    b_half=(
        0.093876907283123121275,
        0.19087375983566794214,
        0.357766883916202532,
        -0.036780830004686502384,
        0.11238604185017176125,
        -0.43624552576095770857,
    ),
    orders=(10, 6, 4),
    secular_orders=(8, 6),
)

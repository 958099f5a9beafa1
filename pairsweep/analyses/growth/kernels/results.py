"""What the growth kernels say of each of P points, by name."""

from enum import IntEnum
from typing import NamedTuple

import numpy as np


class ModeKind(IntEnum):
    """Kind of the fastest mode: static modes have Im lambda = 0."""

    STABLE = 0
    OSCILLATING = 1
    STATIC = 2


class PointTable(NamedTuple):
    """Room for the results of P points; what is not certified in ``status`` means nothing.

    Attributes
    ----------
    growth_rate, frequency : (P,) MeV
        Re and abs Im of the fastest eigenvalue of M; exactly 0 for a stable point.
    n_unstable : (P,) int32
        Eigenvalues of M that grow, conjugates and multiplicities counted.
    mode_kind : (P,) int8
        A `ModeKind`.
    status : (P,) int8
        Of the kernel that filled it; 0 is certified.
    share : (P, S)
        Share of each pair, or group of pairs, in the modes as fast as the fastest; NaN for a stable point.
    rates, frequencies : (P, K) MeV
        The K fastest modes, a conjugate pair once, equal ones repeated; 0 beyond the last.
    seen : (P, 5) int64
        A `Diagnosis` of each point.
    """

    growth_rate: np.ndarray
    frequency: np.ndarray
    n_unstable: np.ndarray
    mode_kind: np.ndarray
    status: np.ndarray
    share: np.ndarray
    rates: np.ndarray
    frequencies: np.ndarray
    seen: np.ndarray


class Diagnosis(NamedTuple):
    """How far the count of zeros came in the strip where it ended.

    Attributes
    ----------
    strip : int
        Strip of the complex plane, from the lowest frequency.
    attempt : int
        Attempts made there.
    zeros : int
        Zeros to account for.
    real, proven : int
        Those shown to be on the real axis, or within the tolerance of it; those with a disc of their own off the axis.
    """

    strip: int
    attempt: int
    zeros: int
    real: int
    proven: int


def point_table(points: int, shares: int, modes: int) -> PointTable:
    """Room for P points, S shares and K modes."""
    return PointTable(
        growth_rate=np.empty(points),
        frequency=np.empty(points),
        n_unstable=np.empty(points, np.int32),
        mode_kind=np.empty(points, np.int8),
        status=np.empty(points, np.int8),
        share=np.empty((points, shares)),
        rates=np.empty((points, modes)),
        frequencies=np.empty((points, modes)),
        seen=np.zeros((points, len(Diagnosis._fields)), np.int64),
    )

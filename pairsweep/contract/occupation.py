"""What an occupation may be: one rule, in the same words wherever one is given."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

LIMITS = "occupations lie between 0 and 1"


def allowed(*occupations: Floats) -> NDArray[np.bool_]:
    """Where all of the arrays, of one shape, hold an occupation; what is not a number is none."""
    return np.asarray(np.logical_and.reduce([(values >= 0.0) & (values <= 1.0) for values in occupations]))


def first_fault(rho: Floats, rhobar: Floats) -> tuple[tuple[int, ...], str] | None:
    """Return the first place where one of two arrays holds no occupation, and what is there; None without one."""
    good = allowed(rho, rhobar)
    if good.all():
        return None
    at = tuple(int(i) for i in np.argwhere(~good)[0])
    return at, f"rho = {rho[at]:g}, rhobar = {rhobar[at]:g}: {LIMITS}"


def one_for_each(
    size: int, rho: ArrayLike, rhobar: ArrayLike | None, of: str = "pairs"
) -> tuple[Floats, Floats]:
    """Return the occupations of one system as arrays (``size``,); ``rhobar`` is ``rho`` where left out.

    Raises
    ------
    ValueError
        For another shape, or a value outside [0, 1], by name, place and value.
    """
    rho = np.asarray(rho, dtype=np.float64)
    rhobar = rho if rhobar is None else np.asarray(rhobar, dtype=np.float64)
    for name, values in (("rho", rho), ("rhobar", rhobar)):
        if values.shape != (size,):
            raise ValueError(f"{name} has shape {values.shape}: give one occupation for each of {size} {of}")
    fault = first_fault(rho, rhobar)
    if fault is not None:
        (pair,), what = fault
        raise ValueError(f"occupation of pair {pair}: {what}")
    return rho, rhobar

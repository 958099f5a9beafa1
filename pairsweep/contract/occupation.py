"""What an occupation may be: one rule, in the same words wherever one is given."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
    none = np.isnan(rho[at]) or np.isnan(rhobar[at])
    cure = f"{LIMITS}; nan is a missing value, or moments that no occupation has" if none else LIMITS
    return at, f"rho = {rho[at]:g}, rhobar = {rhobar[at]:g}: {cure}"

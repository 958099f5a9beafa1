"""Edges of the cells of a file along one of its dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pairsweep.contract.errors import SpecError
from pairsweep.physics.grid import Floats

if TYPE_CHECKING:
    import xarray as xr


def edges_along(ds: xr.Dataset, dim: str, factor: float) -> Floats:
    """Edges of the cells along a dimension: bounds as of CF, a variable of edges, or halfway between even centres."""
    size = ds.sizes[dim]
    bounds = ds[dim].attrs.get("bounds") if dim in ds else None
    if bounds in ds:
        low, high = (np.asarray(ds[bounds].values[:, side], dtype=np.float64) for side in (0, 1))
        apart = np.flatnonzero(np.abs(low[1:] - high[:-1]) > 1e-9 * np.ptp([low, high]))
        if apart.size:
            where = f"between cells {apart[0]} and {apart[0] + 1}"
            raise SpecError("occupation.file", None, f"the bounds of {dim} leave a gap or overlap {where}")
        return factor * np.append(low, high[-1])
    for name in (f"{dim}_edges", f"{dim}_edge", f"{dim}_bounds"):
        if name in ds and ds[name].shape == (size + 1,):
            return factor * np.asarray(ds[name].values, dtype=np.float64)
    if dim not in ds or size < 2:
        raise SpecError(
            "occupation.file", None, f"has no edges of {dim}: add a variable {dim}_edges of {size + 1} values"
        )
    centre = np.asarray(ds[dim].values, dtype=np.float64)
    step = np.diff(centre)
    if np.ptp(step) > 1e-6 * np.abs(step).max():
        cure = f"the centres of {dim} are not even: add a variable {dim}_edges of {size + 1} values, or CF bounds"
        raise SpecError("occupation.file", None, cure)
    # with few digits in the centres the ends of the range are meant
    return factor * np.round(np.append(centre - 0.5 * step[0], centre[-1] + 0.5 * step[0]), 12)

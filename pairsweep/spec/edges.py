"""Edges of the cells of a file along one of its dimensions, in the units of a grid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pairsweep.contract.errors import SpecError, suggest
from pairsweep.contract.fields import Field
from pairsweep.physics.grid import Floats
from pairsweep.spec.checks import values_of
from pairsweep.spec.units import unit_among

if TYPE_CHECKING:
    import xarray as xr

BOUNDS_MEET = 1e-9  # how closely, as a share of their range
EVEN = 1e-6  # how closely centres follow one step, as a share of it
EDGE = Field("edge", "number", "edge of a cell")


def edges_along(
    ds: xr.Dataset,
    dim: str,
    edges: Mapping[str, Any],
    units: Mapping[str, str],
    known: Mapping[str, float] | None,
) -> Floats:
    """Edges of the cells along a dimension.

    Those that the specification gives, bounds as of CF, a variable of edges, or halfway between even centres.

    Parameters
    ----------
    ds : the file
    dim : its dimension
    edges : of each dimension what the specification says: numbers, or the name of a variable
    units : of each dimension what the specification says
    known : what a unit is in those of a grid; None where the numbers have none

    Raises
    ------
    SpecError
        For edges that are nowhere, or in no known unit.
    """
    if dim in edges:
        values, name = _given(ds, dim, edges[dim])
    else:
        values, name = _of_file(ds, dim)
    if known is None:
        return values
    return unit_among(ds, (dim, name), units, known) * values


def _given(ds: xr.Dataset, dim: str, given: Any) -> tuple[Floats, str]:
    """Edges that the specification gives, and the variable that they are, if any."""
    place, size = f"occupation.edges.{dim}", ds.sizes[dim] + 1
    if isinstance(given, str):
        if given not in ds.variables:
            raise SpecError(
                place, given, f"is no variable of the file; {suggest(given, map(str, ds.variables))}"
            )
        if ds[given].shape != (size,):
            raise SpecError(place, given, f"has the shape {ds[given].shape}: {size} edges are needed")
        return np.asarray(ds[given].values, dtype=np.float64), given
    values, is_list = values_of(place, given, EDGE)
    if not is_list or len(values) != size:
        raise SpecError(
            place, given, f"give {size} edges of its {size - 1} cells, or the name of their variable"
        )
    return np.array(values, dtype=np.float64), dim


def _of_file(ds: xr.Dataset, dim: str) -> tuple[Floats, str]:
    """Edges that the file has, and the variable that they are or come from."""
    size = ds.sizes[dim]
    bounds = ds[dim].attrs.get("bounds") if dim in ds else None
    if isinstance(bounds, str) and bounds in ds:
        low, high = (np.asarray(ds[bounds].values[:, side], dtype=np.float64) for side in (0, 1))
        apart = np.flatnonzero(np.abs(low[1:] - high[:-1]) > BOUNDS_MEET * np.ptp([low, high]))
        if apart.size:
            where = f"between cells {apart[0]} and {apart[0] + 1}"
            raise SpecError("occupation.file", None, f"the bounds of {dim} leave a gap or overlap {where}")
        return np.append(low, high[-1]), bounds
    there = [name for name in (f"{dim}_edges", f"{dim}_edge", f"{dim}_bounds") if name in ds.variables]
    for name in there:
        if ds[name].shape == (size + 1,):
            return np.asarray(ds[name].values, dtype=np.float64), name
    give = f"give edges = {{ {dim} = [...] }}, {size + 1} values, or add them to the file as {dim}_edges"
    if there:
        cure = f"{there[0]} has the shape {ds[there[0]].shape}, and {dim} has {size} cells: {give}"
        raise SpecError("occupation.file", None, cure)
    if dim not in ds or size < 2:
        raise SpecError("occupation.file", None, f"has no edges of {dim}: {give}")
    centre = np.asarray(ds[dim].values, dtype=np.float64)
    step = np.diff(centre)
    if not np.ptp(step) <= EVEN * np.abs(step).max():
        raise SpecError("occupation.file", None, f"the centres of {dim} are not even: {give}")
    # with few digits in the centres the ends of the range are meant
    return np.round(np.append(centre - 0.5 * step[0], centre[-1] + 0.5 * step[0]), 12), dim

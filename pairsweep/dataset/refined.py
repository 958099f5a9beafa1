"""Stable or not, point by point, and the cells of a refined map that the boundary runs through."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from pairsweep.contract.errors import SpecError, suggest
from pairsweep.contract.fields import Scalar
from pairsweep.contract.template import DONE, FAILED
from pairsweep.contract.variables import POINT
from pairsweep.dataset.mesh import Mesh

FAILED_CLASS = -1
At = tuple[Scalar, ...]  # values on all axes, in the order of the sweep


def boundary_cells(coarse: xr.Dataset, refined: xr.Dataset, along: Sequence[str]) -> list[tuple[At, At]]:
    """Lower and upper corners of the cells that hold the boundary, found again from the points of both maps.

    Both datasets are at one value of every other axis.
    """
    mesh = Mesh([np.sort(np.unique(coarse[name].values)) for name in along], refined.attrs["refined_to"])
    by = refined.attrs.get("refined_by") or None
    known = classes(coarse, tuple(along), by) | classes(refined, tuple(along), by)
    wanted = mesh.coarse()
    while wanted := [place for place in wanted if mesh.coordinates(place) in known]:
        mesh.learn({place: known[mesh.coordinates(place)] for place in wanted})
        wanted = mesh.split()
    return [(low, high) for low, high in mesh.boundary_cells()]


def classes(ds: xr.Dataset, names: Sequence[str], by: str | None = None) -> dict[At, int]:
    """Class of every computed point by its values on the axes.

    ``by`` names a variable: a code is a class each, of a number only matters whether it is above 0. By default the
    verdict where there is one, else whether the growth rate is above 0.
    """
    if by is None:
        by = next((name for name in ("verdict", "growth_rate") if name in ds), None)
    if by is None:
        raise SpecError(
            "analyses", None, "the map has neither growth rates nor verdicts: there is no boundary"
        )
    if by not in ds.data_vars or by == "status" or not set(ds[by].dims) <= set(ds["status"].dims):
        known = [
            str(name) for name in ds.data_vars if name != "status" and ds[name].dims == ds["status"].dims
        ]
        raise SpecError(
            "--by", by, f"is no variable of this map with one value a point; {suggest(by, known)}"
        )
    kinds = ds[by].astype(np.int64) if ds[by].dtype.kind in "iu" else (ds[by] > 0).astype(np.int64)
    kinds = kinds.where(ds["status"] != FAILED, FAILED_CLASS)
    points = xr.Dataset({"kind": kinds, "status": ds["status"]})
    if POINT not in points.dims:
        points = points.stack({POINT: list(names)}, create_index=False)
    columns = [np.broadcast_to(points[name].values, points.sizes[POINT]).tolist() for name in names]
    kind, status = points["kind"].values.tolist(), points["status"].values
    return {at: k for at, k, s in zip(zip(*columns, strict=True), kind, status, strict=True) if s >= DONE}

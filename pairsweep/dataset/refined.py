"""Stable or not, point by point, and the cells of a refined map that the boundary runs through."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from pairsweep.contract.errors import SpecError
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
    known = classes(coarse, tuple(along)) | classes(refined, tuple(along))
    wanted = mesh.coarse()
    while wanted := [place for place in wanted if mesh.coordinates(place) in known]:
        mesh.learn({place: known[mesh.coordinates(place)] for place in wanted})
        wanted = mesh.split()
    return [(low, high) for low, high in mesh.boundary_cells()]


def classes(ds: xr.Dataset, names: Sequence[str]) -> dict[At, int]:
    """Class of every computed point by its values on the axes: the verdict, else unstable or not."""
    if "verdict" in ds:
        kinds = ds["verdict"].astype(np.int64)
    elif "growth_rate" in ds:
        kinds = (ds["growth_rate"] > 0).astype(np.int64)
    else:
        raise SpecError(
            "analyses", None, "the map has neither growth rates nor verdicts: there is no boundary"
        )
    kinds = kinds.where(ds["status"] != FAILED, FAILED_CLASS)
    points = xr.Dataset({"kind": kinds, "status": ds["status"]})
    if POINT not in points.dims:
        points = points.stack({POINT: list(names)}, create_index=False)
    columns = [np.broadcast_to(points[name].values, points.sizes[POINT]).tolist() for name in names]
    kind, status = points["kind"].values.tolist(), points["status"].values
    return {at: k for at, k, s in zip(zip(*columns, strict=True), kind, status, strict=True) if s >= DONE}

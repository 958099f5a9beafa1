"""What a store holds: its dataset, its states, its failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pairsweep.analyses.registry import variables
from pairsweep.contract.errors import StoreError
from pairsweep.contract.fields import Scalar, plain
from pairsweep.contract.variables import STATUS_FLAGS
from pairsweep.dataset.statistics import BINS, statistics
from pairsweep.store import is_foreign, open_dataset, readable

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class LabelledFailure:
    """Why an analysis has no result at a point.

    Attributes
    ----------
    at : the point's values on the axes
    analysis : which one failed; "" where the point took its process down
    reason, traceback : one line, and what Python said where it was a user's function
    """

    at: dict[str, Scalar]
    analysis: str
    reason: str
    traceback: str


@dataclass(frozen=True)
class Progress:
    """How far a sweep is: points by state, and the same for each analysis."""

    points: Mapping[str, int]
    analyses: Mapping[str, Mapping[str, int]]


def status(path: str | Path) -> Progress:
    """Count the points of a store by state, in all and for each analysis.

    Raises
    ------
    StoreError
        If there is no store of a sweep at ``path``.
    """
    with readable(path) as store:
        counts = np.bincount(store.statuses().ravel(), minlength=len(STATUS_FLAGS))
        analyses = store.counts()
    return Progress(
        {name: int(count) for name, count in zip(STATUS_FLAGS, counts, strict=True)},
        {
            analysis: {name: found.get(code, 0) for code, name in enumerate(STATUS_FLAGS)}
            for analysis, found in analyses.items()
        },
    )


def open_store(source: str | Path | xr.Dataset) -> xr.Dataset:
    """Open the results of a sweep, finished or not, as a lazily loaded Dataset.

    Parameters
    ----------
    source : path, address or Dataset
        A store, packed or not; any other zarr folder, zip or netCDF file of results, such as `pairsweep.combine` or
        `xarray.concat` made and a Dataset was saved to; the address of one (http://..., with the extra ``http``); or
        a Dataset, which is returned as it is.

    Raises
    ------
    StoreError
        If there is nothing that can be read, or no results of a sweep in it.
    """
    import xarray as xr

    ds = source if isinstance(source, xr.Dataset) else open_dataset(source)
    if not set(ds.data_vars) & set(variables()):
        place = "Dataset" if isinstance(source, xr.Dataset) else str(source)
        raise StoreError(place, "holds no results of a sweep", "name those of pairsweep run, or made of them")
    return ds


def open_maps(source: str | Path | xr.Dataset) -> tuple[xr.Dataset, xr.Dataset | None]:
    """Open a map and, if it is a refined one, the coarse one it refines and itself."""
    ds = open_store(source)
    if "refines" not in ds.attrs or not isinstance(source, str | Path) or is_foreign(source):
        return ds, None
    coarse = Path(source).parent / str(ds.attrs["refines"])
    packed = coarse.with_name(f"{coarse.name}.zip")
    return open_dataset(packed if not coarse.exists() and packed.exists() else coarse), ds


def reduce(source: str | Path | xr.Dataset, over: str, *, bins: int = BINS) -> xr.Dataset:
    """Reduce an axis of results to statistics with labels: mean, bands and histograms over all seeds, say.

    Pictures draw the result as a line with bands; `to_zarr` and `to_netcdf` store it, and `open_store` opens it again.

    Parameters
    ----------
    source : see `open_store`
    over : str
        The axis, or a coordinate along it.
    bins : int
        Of each histogram.

    Returns
    -------
    xarray.Dataset
        Without that axis; see `dataset.statistics`. Numbers are along ``statistic``: mean, deviation (of the sample),
        minimum, p05, p16, median, p84, p95, maximum of the points that are done. Those with one value a point have
        ``NAME_histogram`` over ``NAME_bin`` with its ends ``NAME_low`` and ``NAME_high``, codes ``NAME_share`` over
        ``NAME_code``; ``count`` is how many points are done.

    Raises
    ------
    UsageError
        For an axis that is none.

    Examples
    --------
    >>> ps.reduce("seeds.zarr", over="seed").kappa_mean.sel(statistic=["p16", "median", "p84"])  # doctest: +SKIP
    """
    return statistics(open_store(source), over, bins)


def errors(path: str | Path) -> list[LabelledFailure]:
    """List what failed in a store: each point with its labels, and for each analysis that failed there the reason.

    Raises
    ------
    StoreError
        If there is no store of a sweep at ``path``.
    """
    with readable(path) as store:
        template, failures = store.template, store.failures()
    axes = [c for c in template.coordinates if len(c.dims) == 1 and c.dims[0] in template.axes]
    return [
        LabelledFailure(
            {c.name: plain(c.values[failure.position[template.axes.index(c.dims[0])]]) for c in axes},
            failure.analysis,
            failure.reason,
            failure.traceback,
        )
        for failure in failures
    ]

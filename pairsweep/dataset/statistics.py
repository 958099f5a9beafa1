"""Mean, quantiles and histograms over an axis: a thousand seeds as a line, a band and a distribution, with labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pairsweep.contract.errors import UsageError
from pairsweep.contract.template import DONE, FAILED, PENDING
from pairsweep.contract.variables import MEDIAN, STATISTIC
from pairsweep.dataset.select import axis, meanings_of, moving_along

Floats = NDArray[np.float64]

QUANTILES = {"minimum": 0.0, "p05": 0.05, "p16": 0.16, MEDIAN: 0.5, "p84": 0.84, "p95": 0.95, "maximum": 1.0}
STORES_OWN = "pairsweep"  # attribute by which the engine knows its stores: what is made of one is none
STATISTICS = ("mean", "deviation", *QUANTILES)
BINS = 20
MOST_BINS = 10_000
DECADES = 100.0  # ratio of the largest to the smallest from which on bins are even in the logarithm


def statistics(ds: xr.Dataset, over: str, bins: int = BINS) -> xr.Dataset:
    """Reduce an axis to statistics of what is done along it.

    Parameters
    ----------
    over : the axis, or a coordinate along it
    bins : of each histogram

    Returns
    -------
    The dataset without that axis. Numbers are along the dimension ``statistic``: mean, deviation (of the sample, with
    n - 1), minimum, quantiles p05, p16, median, p84, p95, and maximum, as they are in the variable; NaN where nothing
    is done. Of numbers with one value a point also ``NAME_histogram``, how many points lie in each bin, along
    ``NAME_bin``, the middle of the bins, with ``NAME_low`` and ``NAME_high`` their ends. Of codes ``NAME_share``, the
    share of the points with each, along ``NAME_code``. ``count`` is the number of points done; ``status`` that of the
    best of them.

    Raises
    ------
    UsageError
        For an axis that is none, or bins that are no count.
    """
    if not (isinstance(bins, int) and 1 <= bins <= MOST_BINS):
        raise UsageError("bins", bins, f"give a whole number from 1 to {MOST_BINS}")
    dim = str(axis(ds, over).dims[0])
    status = ds["status"].load() if "status" in ds else None
    done = status == DONE if status is not None else xr.ones_like(ds[dim], dtype=bool)
    gone = {name for name, coordinate in ds.coords.items() if dim in coordinate.dims}
    found: dict[str, xr.DataArray] = {}
    for name, values in ds.data_vars.items():
        if dim not in values.dims:
            found[str(name)] = values
        elif name != "status":
            found |= _of(values.load(), done, dim, gone, bins)
    count = done.sum(dim) if dim in done.dims else done
    found["count"] = (
        count.astype(np.int32)
        .drop_vars(gone, errors="ignore")
        .assign_attrs(long_name=f"points done along {dim}", units="1")
    )
    if status is not None:
        along = (status == FAILED).all(dim) if dim in status.dims else status == FAILED
        best = count.copy(data=np.where(count.values > 0, DONE, np.where(along.values, FAILED, PENDING)))
        found["status"] = best.astype(np.int8).drop_vars(gone, errors="ignore").assign_attrs(status.attrs)
    attrs = {name: value for name, value in ds.attrs.items() if name != STORES_OWN}
    reduced = xr.Dataset(found, attrs={**attrs, "reduced_over": ", ".join(moving_along(ds, dim))})
    for variable in reduced.variables.values():
        variable.encoding = {}  # chunks and fill values are those of the store it came from
    return reduced


def _of(
    values: xr.DataArray, done: xr.DataArray, dim: str, gone: set[Any], bins: int
) -> dict[str, xr.DataArray]:
    """Statistics of one variable by the names they get."""
    name = str(values.name)
    meanings = meanings_of(values)
    bare = values.drop_vars(gone, errors="ignore")
    here = done.drop_vars(gone, errors="ignore")
    if values.dtype.kind not in "iuf" or values.dtype == bool:
        return {}  # words have no mean
    if meanings:
        shares = [((bare == code) & here).sum(dim) for code in range(len(meanings))]
        share = xr.concat(shares, f"{name}_code") / here.sum(dim).where(here.any(dim))
        share = share.assign_coords({f"{name}_code": (f"{name}_code", list(meanings))})
        share = share.transpose(..., f"{name}_code")
        words = {"long_name": f"share of points by {values.attrs.get('long_name', name)}", "units": "1"}
        return {f"{name}_share": share.assign_attrs(words)}
    numbers = bare.astype(np.float64).where(here).transpose(..., dim)
    reduced = xr.DataArray(
        _along_last(numbers.values),
        dims=(*numbers.dims[:-1], STATISTIC),
        coords={
            **{key: c for key, c in numbers.coords.items() if dim not in c.dims},
            STATISTIC: (STATISTIC, list(STATISTICS), {"long_name": f"statistic over {dim}"}),
        },
        attrs=values.attrs,
    )
    if set(values.dims) - set(done.dims):
        return {name: reduced}
    return {name: reduced, f"{name}_histogram": histogram(numbers, bins)}


def _along_last(values: Floats) -> Floats:
    """`STATISTICS` over the last axis, NaN left out."""
    ordered = np.sort(values, axis=-1)  # NaN come last
    count = np.isfinite(values).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(values, axis=-1) / count
        square = np.nansum((values - mean[..., None]) ** 2, axis=-1)
        found = [mean, np.sqrt(square / np.where(count > 1, count - 1.0, np.nan))]
    for share in QUANTILES.values():
        at = share * np.maximum(count - 1, 0)
        low = np.floor(at).astype(np.int64)
        high = np.minimum(low + 1, np.maximum(count - 1, 0))
        below, above = (np.take_along_axis(ordered, i[..., None], -1)[..., 0] for i in (low, high))
        found.append(below + (at - low) * (above - below))
    return np.stack(found, axis=-1)


def histogram(numbers: xr.DataArray, bins: int) -> xr.DataArray:
    """Counts along the last axis in bins that are the same everywhere, even in the logarithm where values span decades.

    NaN are not counted. The coordinate ``NAME_bin`` is the middle of each bin, ``NAME_low`` and ``NAME_high`` its ends.
    """
    name, dim = str(numbers.name), numbers.dims[-1]
    values = numbers.values
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    log = low > 0 and high > DECADES * low
    edges = np.geomspace(low, high, bins + 1) if log else np.histogram_bin_edges(known, bins, (low, high))
    rows = values.reshape(-1, values.shape[-1])
    counts = np.array([np.histogram(row[np.isfinite(row)], edges)[0] for row in rows], dtype=np.int64)
    units = {"units": numbers.attrs.get("units", "1")}
    along = f"{name}_bin"
    middle = np.sqrt(edges[:-1] * edges[1:]) if log else 0.5 * (edges[:-1] + edges[1:])
    return xr.DataArray(
        counts.reshape(*values.shape[:-1], bins),
        dims=(*numbers.dims[:-1], along),
        coords={
            **{key: c for key, c in numbers.coords.items() if dim not in c.dims},
            along: (along, middle, {"long_name": f"middle of a bin of {name}", **units}),
            f"{name}_low": (along, edges[:-1], {"long_name": "lower end of the bin", **units}),
            f"{name}_high": (along, edges[1:], {"long_name": "upper end of the bin", **units}),
        },
        attrs={"long_name": f"points in each bin of {numbers.attrs.get('long_name', name)}", "units": "1"},
    )

"""Several stores of one kind as one dataset."""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pairsweep.contract.errors import StoreError, UsageError, shorten, suggest
from pairsweep.dataset.select import axes
from pairsweep.store import open_dataset, same_values
from pairsweep.sweep.resume import AXIS

FINGERPRINT = (
    "fingerprint"  # attribute of what is combined, as JSON; a store has it among others of the engine
)
ENGINE = "pairsweep"
PLACE = "combine"
SHOWN = 4  # entries in which two differ


@dataclass(frozen=True, eq=False)
class _Part:
    """One of those to be combined: how it is called, its results, and what they depend on."""

    name: str
    ds: xr.Dataset
    marks: dict[str, str]


def combine(sources: Sequence[str | Path | xr.Dataset], along: str) -> xr.Dataset:
    """Combine stores that differ along one axis alone; codes and counts keep their types.

    Parameters
    ----------
    sources : stores, or datasets opened from stores
        Each has ``along`` as an axis or as a single value.
    along : str
        Name of the axis. Numbers come in rising order.

    Returns
    -------
    xarray.Dataset
        Results of stores as dask arrays, read where they are used. Bins that some do not have are NaN.

    Raises
    ------
    StoreError
        Where they differ in anything else that decides a number, with what differs: a parameter, an option, other axes,
        the code of an analysis.
    UsageError
        For an unknown axis, and for a value that two of them have.
    """
    if not sources:
        raise UsageError(PLACE, None, "give the stores to combine")
    parts = [_with_axis(_part(number, source), along) for number, source in enumerate(sources, start=1)]
    for part in parts[1:]:
        _check_alike(parts[0], part, along)
    _check_labels(parts, along)
    whole = _joined([part.ds for part in parts], along)
    histories = [line for part in parts for line in str(part.ds.attrs.get("history", "")).splitlines()]
    whole.attrs["history"] = "\n".join(sorted(histories))
    whole.attrs[FINGERPRINT] = json.dumps(parts[0].marks)
    whole.attrs.pop(ENGINE, None)
    return whole.drop_encoding()


def _part(number: int, source: str | Path | xr.Dataset) -> _Part:
    if isinstance(source, xr.Dataset):
        ds, name = source, f"dataset {number}"
    else:
        ds, name = _in_chunks(open_dataset(source)), str(source)
    kept = ds.attrs.get(FINGERPRINT) or json.dumps(json.loads(ds.attrs.get(ENGINE, "{}")).get(FINGERPRINT))
    marks = json.loads(kept)
    if marks is None:
        cure = "has no record of what it depends on: give a store, or a dataset with the attributes it was opened with"
        raise UsageError(PLACE, name, cure)
    return _Part(name, ds, marks)


def _in_chunks(ds: xr.Dataset) -> xr.Dataset:
    """Give results as dask arrays of a store's own chunks: what is joined from others would be read at once."""
    sizes = dict(zip(ds["status"].dims, ds["status"].encoding["chunks"], strict=True))
    return ds.assign(
        {name: v.chunk({d: sizes.get(d, -1) for d in v.dims}) for name, v in ds.data_vars.items()}
    )


def _with_axis(part: _Part, along: str) -> _Part:
    """Give ``along`` as a dimension, of one value where it was a single one."""
    ds = part.ds
    entries = [name for name in part.marks if name.rpartition(".")[2] == along]
    if along not in ds.dims:
        if along in ds.coords and ds[along].ndim:
            raise UsageError(
                PLACE, along, f"moves along {ds[along].dims[0]} in {part.name}: combine along that"
            )
        if along not in ds.coords:
            ds = ds.assign_coords({along: _of_beam(part, along)})
        ds = ds.expand_dims(along)
    elif along not in axes(ds):
        raise UsageError(
            PLACE, along, f"is no axis of the sweep; those of {part.name} are {', '.join(axes(ds))}"
        )
    return replace(part, ds=ds, marks=part.marks | dict.fromkeys(entries, AXIS))


def _of_beam(part: _Part, along: str) -> xr.DataArray:
    """Return the single value of a key of a beam, which stands in the tables of all beams."""
    quantity, _, beam = along.partition("_")
    table = part.ds.coords.get(f"beam_{quantity}")
    if table is None or beam not in table["beam"].values:
        known = [str(name) for name, c in part.ds.coords.items() if not c.ndim or name in axes(part.ds)]
        raise UsageError(PLACE, along, suggest(along, known))
    value: xr.DataArray = table.sel(beam=beam, drop=True)
    return value


def _check_alike(first: _Part, part: _Part, along: str) -> None:
    names = sorted(first.marks.keys() | part.marks.keys())
    differing = [name for name in names if first.marks.get(name) != part.marks.get(name)]
    if differing:
        listed = [
            f"{name} {_value(first.marks.get(name))} and {_value(part.marks.get(name))}"
            for name in differing[:SHOWN]
        ]
        more = f", and {len(differing) - SHOWN} more" if len(differing) > SHOWN else ""
        what = f"differs from {first.name} in more than {along}: {'; '.join(listed)}{more}"
        raise StoreError(part.name, what, "combine what was computed alike")
    for name in axes(first.ds):
        if name != along and not same_values(first.ds[name].values, part.ds[name].values):
            what = f"has other values of {name} than {first.name}"
            raise StoreError(part.name, what, f"select those that both have, or combine along {name} first")


def _value(entry: str | None) -> str:
    return "default" if entry is None else shorten(entry).strip("'\"")


def _check_labels(parts: Sequence[_Part], along: str) -> None:
    seen: dict[object, str] = {}
    for part in parts:
        for label in part.ds[along].values.tolist():
            if label in seen:
                cure = f"is in {seen[label]} and in {part.name}: select other values in one of them"
                raise UsageError(PLACE, f"{along} = {label}", cure)
            seen[label] = part.name


def _joined(datasets: Sequence[xr.Dataset], along: str) -> xr.Dataset:
    first = datasets[0]
    varying = [name for name in first.coords if name != along and _varies(name, datasets, along)]
    spread = [_spread(ds, varying, along) for ds in datasets]
    fill: dict[Hashable, Any] = {n: 0 for n, v in first.data_vars.items() if v.dtype.kind in "iu"}
    whole = xr.concat(
        spread,
        dim=along,
        data_vars="minimal",
        coords="minimal",
        compat="override",
        join="outer",
        fill_value=fill,
        combine_attrs="drop_conflicts",
    )
    return whole.sortby(along) if whole[along].dtype.kind in "iuf" else whole


def _varies(name: Hashable, datasets: Sequence[xr.Dataset], along: str) -> bool:
    """Whether a coordinate is not the same in all datasets; those that count bins are as long as the longest."""
    coordinates = [ds[name] for ds in datasets]
    if any(along in c.dims for c in coordinates):
        return True
    if coordinates[0].dims == (name,):
        return False
    return not all(
        np.array_equal(c.values, coordinates[0].values, equal_nan=c.dtype.kind == "f") for c in coordinates
    )


def _spread(ds: xr.Dataset, names: Sequence[Hashable], along: str) -> xr.Dataset:
    """Give coordinates the dimension ``along`` where they lack it."""
    lacking = [name for name in names if along not in ds[name].dims]
    sizes = {along: ds.sizes[along]}
    return ds.assign_coords({name: ds[name].reset_coords(drop=True).expand_dims(sizes) for name in lacking})

"""Files of tables, opened lazily: what xarray reads, and comma separated values."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

HEADING = re.compile(r"(.*\S)\s+[(\[](.*)[)\]]")  # "energy (MeV)" or "energy [MeV]"
PLAIN_HDF5 = (".h5", ".hdf5", ".hdf")


def stamp_of(path: Path) -> tuple[int, int]:
    """Size and time of the last change, of the newest file where it is a folder."""
    found = [file.stat() for file in (sorted(path.rglob("*")) if path.is_dir() else [path]) if file.is_file()]
    return sum(s.st_size for s in found), max((s.st_mtime_ns for s in found), default=0)


@contextmanager
def opened(path: str, stamp: tuple[int, int], values: tuple[str, ...]) -> Iterator[xr.Dataset]:
    """Open a file lazily: what xarray can read, or comma separated ``values`` with a row for each cell."""
    if path.lower().endswith((".csv", ".txt")):
        yield _rows(path, stamp, values)
    else:
        with opened_by_xarray(path) as ds:
            yield ds


@contextmanager
def opened_by_xarray(path: str, indexed: bool = True) -> Iterator[xr.Dataset]:
    """Open what xarray can read; without indexes nothing at all is read, where xarray knows how."""
    import xarray as xr

    options: dict[str, Any] = {"chunks": None, "decode_times": False}
    if not indexed and "create_default_indexes" in inspect.signature(xr.open_dataset).parameters:
        options["create_default_indexes"] = False
    if Path(path).is_dir():
        with xr.open_zarr(path, consolidated=False, **options) as ds:
            yield ds
        return
    if path.lower().endswith(PLAIN_HDF5) and find_spec("h5netcdf") is not None:
        # its dimensions may have no names, for which only this engine needs a word
        options |= {"engine": "h5netcdf", "phony_dims": "sort"}
    with xr.open_dataset(path, **options) as ds:
        yield ds


def with_dimensions(ds: xr.Dataset, first: str, order: Sequence[str]) -> xr.Dataset:
    """Name the dimensions of a variable, of a file that leaves them without names; variables so called are labels."""
    labels = {
        name: ds[name]
        for dim, name in zip(ds[first].dims, order, strict=True)
        if name in ds.variables and ds[name].shape == (ds.sizes[dim],)
    }
    named = ds.drop_vars([name for name in order if name in ds.variables])
    named = named.rename_dims({d: name for d, name in zip(ds[first].dims, order, strict=True) if d != name})
    return named.assign_coords({name: (name, of.values, of.attrs) for name, of in labels.items()})


def headings(columns: Iterable[object]) -> dict[str, str]:
    """Name of each column, and its unit where it is written as in "energy (MeV)"; "" elsewhere."""
    found = {}
    for column in map(str, columns):
        with_unit = HEADING.fullmatch(column.strip())
        name, unit = with_unit.groups() if with_unit else (column.strip(), "")
        if name in found:
            raise ValueError(f"the column {name} stands twice")
        found[name] = unit
    return found


def read_rows(path: str | Path, most: int | None = None) -> tuple[pd.DataFrame, dict[str, str]]:
    """Read comma separated values, at most so many rows, and the units of the columns where their headings tell them.

    Raises
    ------
    ValueError
        For columns of one name, and rows that are longer than their heading.
    """
    import pandas as pd

    options: dict[str, Any] = {"comment": "#", "skipinitialspace": True}
    units = headings(pd.read_csv(path, header=None, nrows=1, dtype=str, **options).iloc[0])
    frame = pd.read_csv(path, nrows=most, **options)
    if not isinstance(frame.index, pd.RangeIndex):
        raise ValueError("its rows have more values than there are names of columns")
    frame.columns = pd.Index(list(units))
    return frame, units


@lru_cache(maxsize=4)
def _rows(path: str, stamp: tuple[int, int], values: tuple[str, ...]) -> xr.Dataset:
    frame, units = read_rows(path)
    dims, along = _dimensions(frame, [name for name in units if name not in values])
    ds: xr.Dataset = frame.set_index(dims)[[name for name in units if name in values]].to_xarray()
    for name, dim in along.items():
        of_labels = frame.drop_duplicates(dim).set_index(dim)[name]
        ds = ds.assign_coords({name: (dim, of_labels.reindex(ds[dim].values).to_numpy())})
    for name, unit in units.items():
        if unit and name in ds.variables:
            ds[name].attrs["units"] = unit
    return ds


def _dimensions(frame: pd.DataFrame, names: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Part columns into dimensions and those that another one decides, which go along with it."""
    counts = {name: frame[name].nunique() for name in names}
    dims: list[str] = []
    along: dict[str, str] = {}
    for name in names:
        decided = (
            dim
            for dim in dims
            if counts[name] > 1 and len(frame[[dim, name]].drop_duplicates()) == counts[dim]
        )
        dim = next(decided, None)
        if dim is None:
            dims.append(name)
        else:
            along[name] = dim
    return dims, along

"""Files of tables, opened lazily: what xarray reads, and comma separated values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr


def stamp_of(path: Path) -> tuple[int, int]:
    """Size and time of the last change, of the newest file where it is a folder."""
    found = [file.stat() for file in (sorted(path.rglob("*")) if path.is_dir() else [path]) if file.is_file()]
    return sum(s.st_size for s in found), max((s.st_mtime_ns for s in found), default=0)


@contextmanager
def opened(path: str, stamp: tuple[int, int], values: tuple[str, ...]) -> Iterator[xr.Dataset]:
    """Open a file lazily: what xarray can read, or comma separated ``values`` with a row for each cell."""
    import xarray as xr

    if path.lower().endswith((".csv", ".txt")):
        yield _rows(path, stamp, values)
    elif Path(path).is_dir():
        with xr.open_zarr(path, chunks=None, consolidated=False) as ds:
            yield ds
    else:
        with xr.open_dataset(path, chunks=None) as ds:
            yield ds


@lru_cache(maxsize=4)
def _rows(path: str, stamp: tuple[int, int], values: tuple[str, ...]) -> xr.Dataset:
    import pandas as pd

    frame = pd.read_csv(path, comment="#", skipinitialspace=True)
    of_rows: xr.Dataset = frame.set_index([n for n in frame.columns if n not in values]).to_xarray()
    return of_rows

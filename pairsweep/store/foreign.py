"""Results that lie elsewhere or are no store of the engine: what xarray opens of zarr and netCDF, to be read only."""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairsweep.contract.errors import StoreError
from pairsweep.store import layout
from pairsweep.store.packed import SUMS
from pairsweep.store.places import address, resolve

if TYPE_CHECKING:
    import xarray

ZIP = ".zip"
NETCDF = (".nc", ".nc4", ".cdf", ".h5", ".hdf5")
ZARR_FILES = ("zarr.json", ".zgroup", ".zmetadata")


def is_foreign(path: str | os.PathLike[str]) -> bool:
    """Return whether something that the engine has not written, or cannot write, is to be read at a path or address."""
    if address(path):
        return True
    root = resolve(path)
    if root.is_dir():
        return not layout.bookkeeping(root).is_dir() and any((root / name).is_file() for name in ZARR_FILES)
    if not root.is_file():
        return False
    if not zipfile.is_zipfile(root):
        return not _begins_as_zip(root)
    with zipfile.ZipFile(root) as archive:
        return SUMS not in archive.namelist()


def _begins_as_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"PK"  # a packed store that was cut short, say


def open_foreign(path: str | os.PathLike[str]) -> xarray.Dataset:
    """Open results lazily.

    Parameters
    ----------
    path : folder of zarr (version 2 or 3), zip of one, netCDF file, or the address of a folder

    Raises
    ------
    StoreError
        For what cannot be read, with the reason; where a package for it is missing, with the command that installs it.
    """
    with _explained(path):
        text = os.fspath(path) if address(path) else str(resolve(path))
        data = _netcdf(text) if _is_netcdf(text) else _zarr(text)
        for coordinate in data.coords.values():  # so that they can be read where the dataset is shown
            coordinate.load()
    return data


def brought_here(path: str | os.PathLike[str]) -> str | os.PathLike[str]:
    """Give a local copy of a file at an address, until this process ends; what is no such file as it is."""
    text = os.fspath(path)
    if not (address(path) and text.split("?")[0].endswith((ZIP, *NETCDF))):
        return path
    with _explained(path):
        import fsspec

        folder = tempfile.mkdtemp(prefix="pairsweep-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        copy = os.path.join(folder, text.split("?")[0].rsplit("/", 1)[1])
        with fsspec.open(text) as there, open(copy, "wb") as here:
            shutil.copyfileobj(there, here)
    return copy


@contextlib.contextmanager
def _explained(path: str | os.PathLike[str]) -> Iterator[None]:
    """Say in one line why results cannot be read."""
    try:
        yield
    except StoreError:
        raise
    except ImportError as error:
        extra = "netcdf" if not address(path) else "http" if str(path).startswith("http") else ""
        cure = f"pip install 'pairsweep[{extra}]'" if extra else " ".join(str(error).split())
        raise StoreError(str(path), "needs a package more", cure) from error
    except Exception as error:  # of whichever package reads this kind of file, each has its own
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        cure = "name a store, or a zarr folder, zip or netCDF file of results, or its address"
        raise StoreError(str(path), f"cannot be read ({reason})", cure) from error


def _is_netcdf(text: str) -> bool:
    return not address(text) and os.path.isfile(text) and not zipfile.is_zipfile(text)


def _netcdf(text: str) -> xarray.Dataset:
    import xarray as xr

    if not any(importlib.util.find_spec(engine) for engine in ("h5netcdf", "netCDF4")):
        raise ImportError
    return xr.open_dataset(text, chunks=None)


def _zarr(text: str) -> xarray.Dataset:
    import xarray as xr
    import zarr

    store: Any = zarr.storage.ZipStore(text, mode="r") if os.path.isfile(text) else text
    group = zarr.open_group(store, mode="r")
    for name, array in group.arrays():
        codecs = (*(array.filters or ()), *(array.compressors or ()))
        if any("pickle" in str(getattr(codec, "codec_id", codec)).lower() for codec in codecs):
            cure = "take it from who wrote it without the codec pickle"
            raise StoreError(text, f"{name} would run code when it is read", cure)
    consolidated = group.metadata.consolidated_metadata is not None
    data: xarray.Dataset = xr.open_zarr(store, chunks=None, consolidated=consolidated)
    return data

"""A result to hand over: one zarr file with its provenance, or netCDF for those who need it."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from pairsweep import __version__
from pairsweep.blocks.layout import FUNCTION
from pairsweep.contract.errors import UsageError
from pairsweep.contract.template import DONE
from pairsweep.store import Store, StoreError, finished, new_file, open_dataset, whole_or_absent
from pairsweep.store import pack as pack_store
from pairsweep.store import unpack as unpack_store
from pairsweep.user_code.function import texts

if TYPE_CHECKING:
    import xarray as xr

ZIP = ".zip"
_README = """{title}

Results of a sweep of pairsweep, a program that maps the pairing instability of dense neutrino gases.
{done:,} of {points:,} points are done. Packed by version {version}; checked byte by byte after writing.

To open it without pairsweep (pip install "xarray>=2025.7.1" "zarr>=3.1.3"):

    import xarray, zarr
    data = xarray.open_zarr(zarr.storage.ZipStore("{name}", mode="r"))

Every variable says its meaning (long_name) and units, every code its words (flag_meanings); status is 1 where a
point is done. This folder has
  specification.toml   what was computed; pairsweep run makes it again
  function/            the user's own function of it, where it has one
  fingerprint.json     what the numbers depend on: parameters, and a digest of the code of each analysis
  SHA256SUMS           of every file in here: unzip it, and sha256sum -c provenance/SHA256SUMS
Names of the hosts that computed it are in status/engine, commands and the folder of a function in zarr.json.
With pairsweep: pairsweep show, plot, view, verify, or unpack to go on with it.

History:
{history}
"""


@dataclass(frozen=True)
class Packed:
    """A packed store: where it is, its size in bytes, the files of the store it holds, and its points."""

    path: Path
    size: int
    files: int
    points: int


def pack(path: str | Path, target: str | Path, *, partial: bool = False, netcdf: bool = False) -> Packed:
    """Write a store into one file that can be deposited: checked after writing, whole or not there.

    Parameters
    ----------
    path : path
        The store.
    target : path
        The file: ``map.zarr.zip``, which `xarray.open_zarr` reads in place as ``zarr.storage.ZipStore(file)`` or
        ``"zip::" + file``, and `unpack` brings back; or ``map.nc``.
    partial : bool
        Pack it although points are pending or failed.
    netcdf : bool
        Write netCDF4 with CF attributes instead, for those who need it. It cannot be unpacked.

    Returns
    -------
    Packed
        Where it is, and how large.

    Raises
    ------
    UsageError
        For an unfinished or damaged store, a place that is taken or cannot be written, another ending of ``target``,
        and where the extra ``netcdf`` is not installed.
    """
    wanted = (".nc", ".nc4") if netcdf else (ZIP,)
    if Path(target).suffix not in wanted:
        cure = f"end it with {' or '.join(wanted)}" + (
            "" if netcdf else ", such as map.zarr.zip; or ask for --netcdf"
        )
        raise UsageError("the packed file", str(target), cure)
    if netcdf:
        return _write_netcdf(path, target, partial)
    store = Store.open(path)
    goal, files = pack_store(path, target, provenance(store, Path(target).name), partial)
    return Packed(goal, goal.stat().st_size, files, store.template.n_points)


def unpack(path: str | Path, target: str | Path | None = None) -> Path:
    """Bring a packed store back as a folder, byte for byte, in which a sweep can go on.

    Parameters
    ----------
    path : path
        The packed file.
    target : path, optional
        The folder; without the file's ending ``.zip`` where left out.

    Raises
    ------
    StoreError
        For a file that is no packed store, or damaged, and a folder that is there already.
    """
    if target is None:
        if Path(path).suffix != ZIP:
            raise StoreError(
                str(path), "does not end with .zip", "name the folder to unpack it into: -o FOLDER"
            )
        target = Path(path).with_suffix("")
    return unpack_store(path, target)


def provenance(store: Store, name: str) -> dict[str, bytes]:
    """Give what a packed store says of itself to people, by the names of its files."""
    attrs, status = store.attrs, store.statuses()
    found = {
        "README.txt": _README.format(
            title=attrs.get("title", "pairsweep results"),
            done=int((status == DONE).sum()),
            points=status.size,
            version=__version__,
            name=name,
            history=attrs.get("history", "none"),
        ),
        "fingerprint.json": json.dumps(store.fingerprint, indent=1, sort_keys=True) + "\n",
    }
    if "specification" in attrs:
        found["specification.toml"] = str(attrs["specification"])
    for path, text in (texts(str(attrs[FUNCTION])) if FUNCTION in attrs else {}).items():
        inside = [part for part in PurePosixPath(path).parts if part not in ("..", "/")]
        found["/".join(["function", *inside])] = text
    return {file: text.encode("utf-8", "surrogateescape") for file, text in found.items()}


def _write_netcdf(path: str | Path, target: str | Path, partial: bool) -> Packed:
    if importlib.util.find_spec("h5netcdf") is None or importlib.util.find_spec("h5py") is None:
        raise UsageError("--netcdf", None, "needs h5netcdf: pip install h5netcdf")
    import xarray as xr

    goal = new_file(target)
    store = finished(path, partial)
    data = as_cf(open_dataset(path), store.fingerprint)
    with whole_or_absent(goal) as draft:
        data.to_netcdf(
            draft, engine="h5netcdf", encoding={name: _encoding(data[name]) for name in data.variables}
        )
        with xr.open_dataset(draft, engine="h5netcdf", decode_cf=False) as written:
            for name in data.variables:
                if not _same(written[name].values, data[name].values):
                    raise StoreError(str(goal), f"{name} was not read back as written", "try another disk")
    return Packed(goal, goal.stat().st_size, 1, store.template.n_points)


def as_cf(data: xr.Dataset, fingerprint: Mapping[str, str]) -> xr.Dataset:
    """Give a dataset whose attributes netCDF and CF know: codes of their variable's own type, a fingerprint as text."""
    data = data.copy()
    data.attrs["fingerprint"] = json.dumps(dict(fingerprint), sort_keys=True)
    for variable in data.variables.values():
        variable.encoding = {}
        if "flag_values" in variable.attrs:
            variable.attrs["flag_values"] = np.asarray(variable.attrs["flag_values"], dtype=variable.dtype)
    return data


def _encoding(variable: xr.DataArray) -> dict[str, object]:
    encoding: dict[str, object] = {} if variable.dtype.kind == "f" else {"_FillValue": None}
    if variable.ndim and variable.dtype.kind in "fiu":
        encoding |= {"zlib": True, "complevel": 1, "shuffle": True, "fletcher32": True}
    return encoding


def _same(left: np.typing.NDArray[np.generic], right: np.typing.NDArray[np.generic]) -> bool:
    return bool(np.array_equal(left, right, equal_nan=right.dtype.kind == "f"))

"""What is said of a data file that cannot be read."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

HDF5 = b"\x89HDF\r\n\x1a\n"
# of the formats that need a package of their own: what may read them, any of which will do
READERS = {"netCDF-4 and HDF5": ("h5netcdf", "netCDF4"), "parquet": ("pyarrow", "fastparquet")}


def unreadable(path: Path, error: Exception) -> str:
    """Say why a file cannot be read: the package that is missing, or what its reader says."""
    needed = _format(path)
    if needed and not any(find_spec(name) for name in READERS[needed]):
        first = READERS[needed][0]
        return f"is {needed}, which nothing here reads: pip install {first}, or write it as {_other(needed)}"
    return f"cannot be read: {' '.join(str(error).split())}"


def _format(path: Path) -> str:
    if path.suffix == ".parquet":
        return "parquet"
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return "netCDF-4 and HDF5" if file.read(len(HDF5)) == HDF5 else ""


def _other(needed: str) -> str:
    return "CSV" if needed == "parquet" else 'netCDF-3 (to_netcdf(path, engine="scipy")), zarr or CSV'

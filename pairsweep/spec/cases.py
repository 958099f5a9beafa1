"""Cases: a file whose rows are points, one axis ``case``, columns the parameters that differ from row to row.

A column called like a parameter, or like ``table.key``, is one; any other is a coordinate that goes along. One that is
almost called like a parameter is refused: it would change nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairsweep.contract.errors import SpecError
from pairsweep.contract.fields import Field, Kind, Parameter
from pairsweep.contract.template import Coordinate
from pairsweep.spec.checks import MAX_AXIS
from pairsweep.spec.files import unreadable

if TYPE_CHECKING:
    import pandas as pd

CASE = "case"
ALMOST = 0.8  # how alike two names are when one is taken for a slip of the other


class Cases(NamedTuple):
    """A file of cases: tables with the columns in their places, its axis, what moves along it, and what goes along."""

    tables: dict[str, Any]
    axis: Parameter
    columns: tuple[str, ...]
    labels: tuple[Coordinate, ...]


def read_cases(name: object, data: Mapping[str, Any], known: Mapping[str, str], folder: Path) -> Cases:
    """Read the file of the key ``cases``.

    Parameters
    ----------
    name : what the specification says
    data : its tables
    known : table of every parameter that a column may be
    folder : that of the specification

    Raises
    ------
    SpecError
        For a file that cannot be read, a column that is given twice or almost called like a parameter.
    """
    if not isinstance(name, str):
        raise SpecError("cases", name, 'give the name of a file: cases = "cases.csv"')
    frame = _frame(name, (folder / Path(name).expanduser()).resolve())
    tables = {key: dict(value) if isinstance(value, Mapping) else value for key, value in data.items()}
    columns, labels = [], []
    for column in map(str, frame.columns):
        if column == CASE:
            continue
        table, _, key = column.rpartition(".")
        table = table or known.get(column, "")
        values = frame[column].to_numpy()
        if values.dtype == object or values.dtype.kind not in "iufb":
            values = frame[column].astype(str).to_numpy(dtype=np.str_)
        if table:
            _put(tables, table, key, values, name)
            columns.append(key)
        else:
            near = difflib.get_close_matches(column, known, n=1, cutoff=ALMOST)
            if near:
                cure = (
                    f"is no parameter; did you mean {near[0]}? Rename it where it is a coordinate of your own"
                )
                raise SpecError(f"cases.{column}", None, cure)
            labels.append(Coordinate(column, (CASE,), values, {"long_name": f"{column} of the case"}))
    if not columns:
        raise SpecError(
            "cases", name, f"has no column that is a parameter; parameters are {', '.join(known)}"
        )
    return Cases(tables, _axis(frame), tuple(columns), tuple(labels))


def _axis(frame: pd.DataFrame) -> Parameter:
    """Label the rows: by the column ``case``, else by their numbers from 0 on."""
    if CASE not in frame:
        names: tuple[Any, ...] = tuple(range(len(frame)))
        kind: Kind = "integer"
    else:
        of_file = frame[CASE].to_numpy()
        kind = {"i": "integer", "u": "integer", "f": "number"}.get(of_file.dtype.kind, "text")  # type: ignore[assignment]
        names = tuple(of_file.tolist() if kind != "text" else frame[CASE].astype(str))
    return Parameter(CASE, "cases", Field(CASE, kind, "case: a row of the file of cases"), names, True)


def _frame(name: str, path: Path) -> pd.DataFrame:
    """Read a file of rows."""
    import pandas as pd

    if not path.is_file():
        raise SpecError("cases", name, f"there is no file {path}")
    try:
        if path.suffix == ".parquet":
            frame = pd.read_parquet(path)
        elif path.suffix in (".nc", ".h5", ".hdf5"):
            import xarray as xr

            with xr.open_dataset(path) as ds:
                frame = ds.to_dataframe().reset_index()
        else:
            frame = pd.read_csv(path, comment="#", skipinitialspace=True, nrows=MAX_AXIS + 1)
            if not isinstance(frame.index, pd.RangeIndex):
                raise ValueError("its rows have more values than there are names of columns")
    except Exception as error:  # whatever a reader of files raises
        raise SpecError("cases", name, unreadable(path, error)) from None
    if not 0 < len(frame) <= MAX_AXIS:
        raise SpecError("cases", name, f"has {len(frame)} rows or more: give between 1 and {MAX_AXIS:.0e}")
    return frame


def _put(tables: dict[str, Any], table: str, key: str, values: NDArray[Any], name: str) -> None:
    """Put a column in its place among the tables."""
    beams = tables.get("grid", {}).get("beams")
    if table == "grid" and isinstance(beams, list):
        quantity, _, beam = key.partition("_")
        tables["grid"] = {
            **tables["grid"],
            "beams": [{**b, quantity: values} if b.get("name") == beam else b for b in beams],
        }
        return
    if not isinstance(tables.setdefault(table, {}), dict):
        raise SpecError(f"cases.{table}.{key}", None, f"[{table}] is no table")
    if key in tables[table]:
        raise SpecError(f"{table}.{key}", None, f"is also a column of {name}: give it in one place")
    tables[table][key] = values


def parameters_by_table(tables: Mapping[str, Iterable[str]], data: Mapping[str, Any]) -> dict[str, str]:
    """Give the table of every parameter that a column may be; of beams those of the ones that are there."""
    known = {key: table for table, keys in tables.items() for key in keys}
    for beam in data.get("grid", {}).get("beams", []):
        if isinstance(beam, Mapping) and isinstance(beam.get("name"), str):
            known |= {f"{quantity}_{beam['name']}": "grid" for quantity in tables.get("beams", ())}
    return {key: table for key, table in known.items() if table != "beams"}

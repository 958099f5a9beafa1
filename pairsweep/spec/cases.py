"""Cases: a file whose rows are points, one axis ``case``, columns the parameters that differ from row to row.

A column called like a parameter, or like ``table.key``, is one; any other is a coordinate that goes along. One that is
almost called like a parameter is refused: it would change nothing.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairsweep.contract.errors import SpecError
from pairsweep.contract.fields import Field, Kind, Parameter
from pairsweep.contract.template import Coordinate
from pairsweep.physics.table_file import opened_by_xarray, read_rows
from pairsweep.spec.checks import MAX_AXIS
from pairsweep.spec.files import unreadable
from pairsweep.spec.schema import LISTED

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


class Place(NamedTuple):
    """Where a parameter stands: its table, and the unit that it is in."""

    table: str
    units: str


def read_cases(name: object, data: Mapping[str, Any], known: Mapping[str, Place], folder: Path) -> Cases:
    """Read the file of the key ``cases``.

    Parameters
    ----------
    name : what the specification says
    data : its tables
    known : place of every parameter that a column may be
    folder : that of the specification

    Raises
    ------
    SpecError
        For a file that cannot be read, a column that is given twice or almost called like a parameter.
    """
    if not isinstance(name, str):
        raise SpecError("cases", name, 'give the name of a file: cases = "cases.csv"')
    frame, units = _frame(name, (folder / Path(name).expanduser()).resolve())
    tables = {key: dict(value) if isinstance(value, Mapping) else value for key, value in data.items()}
    columns, labels = [], []
    for column in map(str, frame.columns):
        if column == CASE:
            continue
        table, _, key = column.rpartition(".")
        if column in known:
            table = known[column].table
        values = frame[column].to_numpy()
        if values.dtype == object or values.dtype.kind not in "iufb":
            values = frame[column].astype(str).to_numpy(dtype=np.str_)
        unit = units.get(column, "")
        if table:
            if unit and key in known and unit != known[key].units:
                cure = f"is its unit, and {key} is in {known[key].units}: convert the column"
                raise SpecError(f"cases.{column}", unit, cure)
            _put(tables, table, key, values, name)
            columns.append(key)
        else:
            near = difflib.get_close_matches(column, known, n=1, cutoff=ALMOST)
            if near:
                cure = (
                    f"is no parameter; did you mean {near[0]}? Rename it where it is a coordinate of your own"
                )
                raise SpecError(f"cases.{column}", None, cure)
            attrs = {"long_name": f"{column} of the case"} | ({"units": unit} if unit else {})
            labels.append(Coordinate(column, (CASE,), values, attrs))
    if not columns:
        raise SpecError(
            "cases",
            name,
            f"has no column that is a parameter, only {', '.join(map(str, frame.columns))}; "
            f"parameters are {', '.join(known)}",
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
        twice = frame[CASE].duplicated()
        if twice.any():
            row = int(twice.to_numpy().argmax())
            raise SpecError(
                f"cases.{CASE}, row {row}", names[row], "stands twice: give every case its own name"
            )
    return Parameter(CASE, "cases", Field(CASE, kind, "case: a row of the file of cases"), names, True)


def _frame(name: str, path: Path) -> tuple[pd.DataFrame, Mapping[str, str]]:
    """Read a file of rows, and the units of its columns that it tells."""
    import pandas as pd

    if not path.is_file():
        raise SpecError("cases", name, f"there is no file {path}")
    units: Mapping[str, str] = {}
    try:
        if path.suffix == ".parquet":
            frame = pd.read_parquet(path)
        elif path.suffix in (".nc", ".h5", ".hdf5"):
            with opened_by_xarray(str(path), indexed=False) as ds:
                _check_count(name, math.prod(ds.sizes.values()))
            with opened_by_xarray(str(path)) as ds:
                frame = ds.to_dataframe().reset_index()
                units = {str(n): str(v.attrs["units"]) for n, v in ds.variables.items() if "units" in v.attrs}
        else:
            frame, units = read_rows(path, MAX_AXIS + 1)
    except SpecError:
        raise
    except Exception as error:  # whatever a reader of files raises
        raise SpecError("cases", name, unreadable(path, error)) from None
    _check_count(name, len(frame))
    return frame, units


def _check_count(name: str, rows: int) -> None:
    if rows == 0:
        raise SpecError("cases", name, "has no rows: give one at least")
    if rows > MAX_AXIS:
        raise SpecError("cases", name, f"has {rows:,} rows or more: give at most {MAX_AXIS:,}")


def _put(tables: dict[str, Any], table: str, key: str, values: NDArray[Any], name: str) -> None:
    """Put a column in its place among the tables."""
    listed = LISTED.get(table, "")
    entries = tables.get(table, {}).get(listed)
    if isinstance(entries, list):
        for number, entry in enumerate(entries):
            suffix = f"_{entry.get('name')}"
            if key.endswith(suffix):
                changed = {**entry, key.removesuffix(suffix): values}
                tables[table] = {
                    **tables[table],
                    listed: [*entries[:number], changed, *entries[number + 1 :]],
                }
                return
    if not isinstance(tables.setdefault(table, {}), dict):
        raise SpecError(f"cases.{table}.{key}", None, f"[{table}] is no table")
    if key in tables[table]:
        raise SpecError(f"{table}.{key}", None, f"is also a column of {name}: give it in one place")
    tables[table][key] = values


def places_of(tables: Mapping[str, Iterable[Field]], data: Mapping[str, Any]) -> dict[str, Place]:
    """Give the place of every parameter that a column may be; of beams and groups those of the ones that are there."""
    known = {
        field.name: Place(table, field.units)
        for table, fields in tables.items()
        for field in fields
        if table not in LISTED.values()
    }
    for table, listed in LISTED.items():
        for entry in data.get(table, {}).get(listed, []):
            if isinstance(entry, Mapping) and isinstance(entry.get("name"), str):
                known |= {
                    f"{field.name}_{entry['name']}": Place(table, field.units)
                    for field in tables.get(listed, ())
                }
    return known

"""The pattern ``table``: what a file of occupations must have, said in one line where it has not.

Only labels are read here, and the bytes once for their digest; the values are read where points are computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pairsweep.contract.errors import SpecError, suggest
from pairsweep.contract.fields import Field, Kind, Parameter, Scalar
from pairsweep.contract.template import Coordinate
from pairsweep.contract.view import Cells
from pairsweep.physics.grid import cells
from pairsweep.physics.table import ROLES, Table, density_factors
from pairsweep.physics.table_file import opened, stamp_of
from pairsweep.spec.checks import known_keys, values_of
from pairsweep.spec.edges import edges_along
from pairsweep.spec.files import unreadable
from pairsweep.spec.units import ANGLES, ENERGIES, density_unit, refuse_densities, unit_of
from pairsweep.user_code.function import bytes_digest

if TYPE_CHECKING:
    import xarray as xr

TABLE_KEYS = {
    "file": Field(
        "file", "text", "netCDF, HDF5, zarr or CSV file, from the folder of the specification on", axis=False
    ),
    "rho": Field("rho", "text", "its variable of the neutrinos", axis=False, required=False, default="rho"),
    "rhobar": Field(
        "rhobar", "text", "its variable of the antineutrinos", axis=False, required=False, default="rhobar"
    ),
    "quantity": Field(
        "quantity",
        "text",
        "what the variables hold: occupations, or numbers of neutrinos in a volume, of each cell",
        axis=False,
        required=False,
        default="occupation",
        choices=("occupation", "number_density"),
    ),
    "rhobar_direction": Field(
        "rhobar_direction",
        "text",
        "whose direction the angles of rhobar are: the antineutrino's own, or that of the pair's neutrino",
        axis=False,
        required=False,
        default="own",
        choices=("own", "pair"),
    ),
}
MAPPINGS = ("dims", "units")


class TableFile(NamedTuple):
    """A file of occupations, its other dimensions as axes, and the coordinates that go along with them."""

    table: Table
    parameters: tuple[Parameter, ...]
    labels: tuple[Coordinate, ...]


def read_table(data: Mapping[str, Any], folder: Path) -> TableFile:
    """Read the table [occupation] of the pattern and the labels of its file."""
    given = given_words(data, TABLE_KEYS)
    path = path_of(given["file"], folder)
    with dataset_with(path, given["file"], {key: given[key] for key in ("rho", "rhobar")}) as ds:
        return _of_dataset(ds, data, given, path)


def _of_dataset(ds: xr.Dataset, data: Mapping[str, Any], given: Mapping[str, str], path: Path) -> TableFile:
    renamed, units = (words_of(data, key) for key in MAPPINGS)
    known_keys("occupation.dims", renamed, (*ROLES, "theta"))
    found = _dims(ds, given, renamed)
    edges, falling = _edges(ds, found, units)
    named = tuple(found.get(role, "") for role in ROLES)
    dims = (named[0], found.get("theta", named[1]), named[2])
    others = [str(dim) for dim in ds[given["rho"]].dims if dim not in dims]
    known_keys("occupation", data, ("pattern", *TABLE_KEYS, *MAPPINGS, *others))
    axes = {dim: labels_of(ds, dim) for dim in others}
    factors: tuple[float, ...] = ()
    refuse_densities(ds, (given["rho"], given["rhobar"]), given["quantity"])
    if given["quantity"] == "number_density":
        unit = density_unit(ds, given["rho"], given["rhobar"], units)
        factors = tuple(unit * factor for factor in density_factors(edges.energy_edges))
    table = Table(
        path=str(path),
        name=given["file"],
        digest=bytes_digest(path),
        stamp=stamp_of(path),
        rho=given["rho"],
        rhobar=given["rhobar"],
        dims=dims,
        edges=edges,
        falling=falling,
        factors=factors,
        own_direction=given["rhobar_direction"] == "own",
        axes=tuple(axes.items()),
    )
    return with_axes(table, ds, data)


def with_axes(table: Table, ds: xr.Dataset, data: Mapping[str, Any]) -> TableFile:
    """Make axes of the other dimensions of a file, whole or what the specification chooses of them."""
    known = dict(table.axes)
    parameters = tuple(axis_of(dim, labels, data, ds) for dim, labels in known.items())
    whole = {
        parameter.name for parameter in parameters if len(parameter.values) == len(known[parameter.name])
    }
    coordinates = tuple(
        Coordinate(str(name), tuple(map(str, label.dims)), label.values, dict(label.attrs))
        for name, label in ds.coords.items()
        if label.dims and name not in known and set(label.dims) <= whole
    )
    name = str(data["pattern"])
    pattern = Field("pattern", "text", "occupation pattern", choices=(name,))
    return TableFile(
        table, (Parameter("pattern", "occupation", pattern, (name,), False), *parameters), coordinates
    )


def given_words(data: Mapping[str, Any], keys: Mapping[str, Field]) -> dict[str, str]:
    """Read keys that are one word for the whole sweep; those that are left out have their defaults, if any."""
    given: dict[str, str] = {}
    for name, field in keys.items():
        if name in data:
            values, is_axis = values_of(f"occupation.{name}", data[name], field)
            if is_axis:
                raise SpecError(
                    f"occupation.{name}", data[name], "is one value for the whole sweep, never an axis"
                )
            given[name] = str(values[0])
        elif field.required:
            raise SpecError("occupation.file", None, "is missing: give the file of the table")
        elif field.default is not None:
            given[name] = str(field.default)
    return given


def path_of(file: str, folder: Path) -> Path:
    """Find a file from the folder of the specification on."""
    path = (folder / Path(file).expanduser()).resolve()
    if not path.exists():
        raise SpecError("occupation.file", file, f"there is no file {path}")
    return path


@contextmanager
def dataset_with(path: Path, file: str, names: Mapping[str, str]) -> Iterator[xr.Dataset]:
    """Open a file that has these variables, by the keys that name them, over the same places."""
    with ExitStack() as stack:
        try:
            ds = stack.enter_context(opened(str(path), stamp_of(path), tuple(names.values())))
        except Exception as error:  # whatever a reader of files raises
            raise SpecError("occupation.file", file, unreadable(path, error)) from None
        _check_names(ds, file, names)
        yield ds


def _check_names(ds: xr.Dataset, file: str, names: Mapping[str, str]) -> None:
    for key, name in names.items():
        if name not in ds.data_vars:
            cure = f"is no variable of {file}; {suggest(name, map(str, ds.data_vars))}"
            raise SpecError(f"occupation.{key}", name, cure)
    (_, of_neutrinos), (second, of_antineutrinos) = list(names.items())[:2]
    if set(ds[of_neutrinos].dims) != set(ds[of_antineutrinos].dims):
        raise SpecError(f"occupation.{second}", of_antineutrinos, f"has other dimensions than {of_neutrinos}")


def words_of(data: Mapping[str, Any], key: str) -> dict[str, str]:
    words = data.get(key, {})
    if not isinstance(words, Mapping) or not all(isinstance(word, str) for word in words.values()):
        raise SpecError(f"occupation.{key}", words, f'give a table of names: {key} = {{ energy = "..." }}')
    return dict(words)


def _dims(ds: xr.Dataset, given: Mapping[str, str], renamed: Mapping[str, str]) -> dict[str, str]:
    """Give the dimension of each role that the file has."""
    there = [str(dim) for dim in ds[given["rho"]].dims]
    for role, dim in renamed.items():
        if dim not in there:
            raise SpecError(
                f"occupation.dims.{role}", dim, f"is no dimension of {given['rho']}; {suggest(dim, there)}"
            )
    taken = set(renamed.values())
    found = dict(renamed) | {
        role: role
        for role in (*ROLES, "theta")
        if role in there and role not in renamed and role not in taken
    }
    if "energy" not in found:
        cure = f'{given["file"]} has no dimension energy: give dims = {{ energy = "..." }}, one of {", ".join(there)}'
        raise SpecError("occupation.file", None, cure)
    if "theta" in found and "cos_theta" in found:
        raise SpecError("occupation.dims", None, "the file has both theta and cos_theta: name one of them")
    return found


def _edges(ds: xr.Dataset, found: Mapping[str, str], units: Mapping[str, str]) -> tuple[Cells, bool]:
    """Read the edges of the cells, and tell whether cos(theta) falls along the file."""
    energy = edges_along(ds, found["energy"], unit_of(ds, found["energy"], units, ENERGIES))
    cosine, falling = np.array([-1.0, 1.0]), False
    if "theta" in found:
        theta = edges_along(ds, found["theta"], unit_of(ds, found["theta"], units, ANGLES))
        cosine, falling = np.round(np.cos(theta)[::-1], 15), True
    elif "cos_theta" in found:
        cosine = edges_along(ds, found["cos_theta"], 1.0)
    phi = np.array([0.0, 2.0 * np.pi])
    if "phi" in found:
        phi = edges_along(ds, found["phi"], unit_of(ds, found["phi"], units, ANGLES))
    try:
        grid = cells(energy, cosine, phi)
    except ValueError as error:
        raise SpecError("occupation.file", None, f"its edges cannot be: {error}") from None
    assert grid.edges is not None, "cells have edges"
    return Cells(*(tuple(edges.tolist()) for edges in grid.edges)), falling


def labels_of(ds: xr.Dataset, dim: str) -> tuple[Scalar, ...]:
    labels = ds[dim].values.tolist() if dim in ds.coords else list(range(ds.sizes[dim]))
    if not all(isinstance(label, int | float | str) for label in labels):
        raise SpecError(
            "occupation.file", None, f"the labels of {dim} are no numbers and no words: make them such"
        )
    if len(set(labels)) < len(labels):
        raise SpecError("occupation.file", None, f"a label of {dim} stands twice: make them different")
    return tuple(labels)


def axis_of(dim: str, labels: tuple[Scalar, ...], data: Mapping[str, Any], ds: xr.Dataset) -> Parameter:
    """Make an axis of another dimension of the file, whole or what the specification chooses of it."""
    kind: Kind = (
        "text" if isinstance(labels[0], str) else "integer" if isinstance(labels[0], int) else "number"
    )
    attrs = ds[dim].attrs if dim in ds.coords else {}
    field = Field(dim, kind, str(attrs.get("long_name", f"{dim} of the table")), str(attrs.get("units", "1")))
    if dim not in data:
        return Parameter(dim, "occupation", field, labels, True)
    values, is_axis = values_of(f"occupation.{dim}", data[dim], field)
    for value in values:
        if value not in set(labels):
            near = suggest(value, map(str, labels[:1000]))
            raise SpecError(f"occupation.{dim}", value, f"is no label of the table; {near}")
    return Parameter(dim, "occupation", field, values, is_axis)

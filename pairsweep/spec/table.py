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
from pairsweep.physics.grid import Floats, cells
from pairsweep.physics.table import ROLES, Table, density_factors
from pairsweep.physics.table_file import opened, stamp_of, with_dimensions
from pairsweep.spec.checks import known_keys, values_of
from pairsweep.spec.edges import edges_along
from pairsweep.spec.files import unreadable
from pairsweep.spec.schema import CELLS
from pairsweep.spec.units import ANGLES, ENERGIES, density_unit, refuse_densities
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
TOLD = ("dims", "units", "edges")  # what a specification may tell of a file beside its keys


class Told(NamedTuple):
    """What a specification tells of the dimensions of a file, by their names.

    ``order`` names all dimensions of its first variable where the file does not, ``dims`` those of some meaning where
    they are called otherwise, ``units`` and ``edges`` are what the file lacks.
    """

    order: tuple[str, ...]
    dims: Mapping[str, str]
    units: Mapping[str, str]
    edges: Mapping[str, Any]


class TableFile(NamedTuple):
    """A file of occupations, its other dimensions as axes, and the coordinates that go along with them."""

    table: Table
    parameters: tuple[Parameter, ...]
    labels: tuple[Coordinate, ...]


def read_table(data: Mapping[str, Any], folder: Path) -> TableFile:
    """Read the table [occupation] of the pattern and the labels of its file."""
    given, told = given_words(data, TABLE_KEYS), told_of(data)
    path = path_of(given["file"], folder)
    names = {key: given[key] for key in ("rho", "rhobar")}
    with dataset_with(path, given["file"], names, told) as ds:
        return _of_dataset(ds, data, given, told, path)


def _of_dataset(
    ds: xr.Dataset, data: Mapping[str, Any], given: Mapping[str, str], told: Told, path: Path
) -> TableFile:
    known_keys("occupation.dims", told.dims, (*ROLES, "theta"))
    found = _dims(ds, given, told.dims)
    edges, falling = _edges(ds, found, told)
    named = tuple(found.get(role, "") for role in ROLES)
    dims = (named[0], found.get("theta", named[1]), named[2])
    others = [str(dim) for dim in ds[given["rho"]].dims if dim not in dims]
    known_keys("occupation", data, ("pattern", *TABLE_KEYS, *TOLD, *others))
    factors: tuple[float, ...] = ()
    refuse_densities(ds, (given["rho"], given["rhobar"]), given["quantity"])
    if given["quantity"] == "number_density":
        unit = density_unit(ds, given["rho"], given["rhobar"], told.units)
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
        axes=tuple((dim, labels_of(ds, dim)) for dim in others),
        order=told.order,
    )
    return with_axes(table, ds, data)


def with_axes(table: Table, ds: xr.Dataset, data: Mapping[str, Any]) -> TableFile:
    """Make axes of the other dimensions of a file, whole or what the specification chooses of them."""
    parameters = tuple(axis_of(dim, labels, data, ds) for dim, labels in table.axes)
    places = {dim: {label: at for at, label in enumerate(labels)} for dim, labels in table.axes}
    chosen = {
        p.name: [places[p.name][v] for v in p.values] if p.is_axis else places[p.name][p.values[0]]
        for p in parameters
    }
    there = {
        str(name): label.isel({dim: chosen[str(dim)] for dim in label.dims})
        for name, label in ds.coords.items()
        if label.dims and name not in places and set(label.dims) <= places.keys()
    }
    coordinates = tuple(
        Coordinate(name, tuple(map(str, label.dims)), label.values, dict(label.attrs))
        for name, label in there.items()
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
def dataset_with(path: Path, file: str, names: Mapping[str, str], told: Told) -> Iterator[xr.Dataset]:
    """Open a file that has these variables, by the keys that name them, over the same places."""
    with ExitStack() as stack:
        try:
            ds = stack.enter_context(opened(str(path), stamp_of(path), tuple(names.values())))
        except Exception as error:  # whatever a reader of files raises
            raise SpecError("occupation.file", file, unreadable(path, error)) from None
        _check_names(ds, file, names)
        if told.order:
            first = next(iter(names.values()))
            if len(told.order) != ds[first].ndim:
                cure = f"{first} has {ds[first].ndim} dimensions, {ds[first].shape}: name each of them once"
                raise SpecError("occupation.dims", list(told.order), cure)
            ds = with_dimensions(ds, first, told.order)
        for key in ("units", "edges"):
            known_keys(f"occupation.{key}", getattr(told, key), map(str, (*ds.variables, *ds.dims)))
        yield ds


def _check_names(ds: xr.Dataset, file: str, names: Mapping[str, str]) -> None:
    for key, name in names.items():
        if name not in ds.data_vars:
            cure = f"is no variable of {file}; {suggest(name, map(str, ds.data_vars))}"
            raise SpecError(f"occupation.{key}", name, cure)
    (_, of_neutrinos), (second, of_antineutrinos) = list(names.items())[:2]
    if set(ds[of_neutrinos].dims) != set(ds[of_antineutrinos].dims):
        raise SpecError(f"occupation.{second}", of_antineutrinos, f"has other dimensions than {of_neutrinos}")


def told_of(data: Mapping[str, Any]) -> Told:
    """Read the keys ``dims``, ``units`` and ``edges``."""
    dims, units, edges = (data.get(key, {}) for key in TOLD)
    order: tuple[str, ...] = ()
    if isinstance(dims, list) and dims and all(isinstance(name, str) for name in dims):
        order, dims = tuple(dims), {}
        if len(set(order)) < len(order):
            raise SpecError("occupation.dims", data["dims"], "names a dimension twice")
    for key, words in (("dims", dims), ("units", units)):
        if not isinstance(words, Mapping) or not all(isinstance(word, str) for word in words.values()):
            raise SpecError(
                f"occupation.{key}", words, f'give a table of names: {key} = {{ energy = "..." }}'
            )
    if not isinstance(edges, Mapping):
        raise SpecError("occupation.edges", edges, "give a table: edges = { energy = [...] }")
    return Told(order, dims, units, edges)


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
        cure = (
            f'{given["rho"]} has no dimension energy: name it, dims = {{ energy = "..." }}, one of {", ".join(there)}, '
            f"or name all {len(there)} of them in their order, dims = [...]"
        )
        raise SpecError("occupation.file", None, cure)
    if "theta" in found and "cos_theta" in found:
        raise SpecError("occupation.dims", None, "the file has both theta and cos_theta: name one of them")
    return found


def _edges(ds: xr.Dataset, found: Mapping[str, str], told: Told) -> tuple[Cells, bool]:
    """Read the edges of the cells, and tell whether cos(theta) falls along the file."""

    def along(role: str, known: Mapping[str, float] | None) -> Floats:
        return edges_along(ds, found[role], told.edges, told.units, known)

    energy = along("energy", ENERGIES)
    cosine, falling = np.array([-1.0, 1.0]), False
    if "theta" in found:
        cosine, falling = np.round(np.cos(along("theta", ANGLES))[::-1], 15), True
    elif "cos_theta" in found:
        cosine = along("cos_theta", None)
    phi = along("phi", ANGLES) if "phi" in found else np.array([0.0, 2.0 * np.pi])
    return checked_cells(energy, cosine, phi), falling


def checked_cells(energy: Floats, cosine: Floats, phi: Floats) -> Cells:
    """Cells of a file, if they can be."""
    try:
        grid = cells(energy, cosine, phi)
    except ValueError as error:
        raise SpecError("occupation.file", None, f"its edges cannot be: {error}") from None
    most = CELLS["energy_edges"].maximum
    if most is not None and energy[-1] > most:
        cure = f"its energies reach {energy[-1]:.3g} MeV: give the unit that they have by units"
        raise SpecError("occupation.file", None, cure)
    assert grid.edges is not None, "cells have edges"
    return Cells(*(tuple(edges.tolist()) for edges in grid.edges))


def labels_of(ds: xr.Dataset, dim: str) -> tuple[Scalar, ...]:
    """Labels of another dimension of a file; numbers from 0 on where it has none."""
    there = ds[dim].values if dim in ds.coords else np.arange(ds.sizes[dim])
    labels = there.tolist()
    if there.dtype.kind in "Mm" or not all(isinstance(label, int | float | str) for label in labels):
        raise SpecError(
            "occupation.file", None, f"the labels of {dim} are no numbers and no words: make them such"
        )
    if not labels or any(label != label for label in labels):
        what = "has a label that is no number" if labels else "is empty"
        raise SpecError("occupation.file", None, f"{dim} {what}: leave such places out")
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

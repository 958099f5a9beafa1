"""The dataset of a sweep before any number is known: its arrays and labels, from the declarations of its analyses."""

from __future__ import annotations

import math

import numpy as np

from pairsweep.contract.template import ArrayPlan, Coordinate, Template
from pairsweep.contract.variables import COMPONENTS, GRID_LABELS, POINT, QUADRANTS, STATUS, Label, Variable
from pairsweep.physics.grid import Floats, bin_energies, bins, cells
from pairsweep.points.axes import Sweep
from pairsweep.spec.cases import CASE
from pairsweep.spec.schema import BEAM

FUNCTION = "function"  # root attribute: the user's own function as text
FOLDER = "specification_folder"  # root attribute: where files of occupations or cases are looked for
# A quantity that moves along several long axes is not written out at all their places: the axes say it.
LARGEST_TABLE = 2**23


def make_template(sweep: Sweep, block_shape: tuple[int, ...]) -> Template:
    """Lay out the dataset of a sweep: axes, coordinates, arrays and root attributes."""
    coordinates, custom = _coordinates(sweep), sweep.spec.custom
    return Template(
        axes=sweep.names,
        shape=sweep.shape,
        block_shape=block_shape,
        coordinates=coordinates,
        arrays=_arrays(sweep, coordinates),
        attrs={
            "title": sweep.spec.title or "pairsweep results",
            "Conventions": "CF-1.11",
            "specification": sweep.spec.text,
            "specification_digest": sweep.spec.digest,
        }
        | ({} if custom is None else {FUNCTION: custom.record})
        | ({} if sweep.spec.table is None and CASE not in sweep.spec else {FOLDER: sweep.spec.folder}),
    )


def result_arrays(sweep: Sweep) -> tuple[ArrayPlan, ...]:
    """Return the arrays that a sweep computes."""
    return _arrays(sweep, _coordinates(sweep))


def _computed(sweep: Sweep) -> list[tuple[str, Variable]]:
    """Return the variables of a sweep, each with its analysis."""
    spec = sweep.spec
    found = [("", STATUS)]
    for analysis in spec.declared():
        found += [(analysis.name, v) for v in analysis.computed(spec.options[analysis.name], spec.kind)]
    return found


def _arrays(sweep: Sweep, coordinates: tuple[Coordinate, ...]) -> tuple[ArrayPlan, ...]:
    sizes = {c.name: c.values.size for c in coordinates if c.dims == (c.name,)}
    return tuple(
        ArrayPlan(
            v.name, v.trailing, tuple(sizes[d] for d in v.trailing), v.dtype, v.fill_value, v.attrs, analysis
        )
        for analysis, v in _computed(sweep)
    )


def _coordinates(sweep: Sweep) -> tuple[Coordinate, ...]:
    spec = sweep.spec
    coordinates = []
    for parameter in spec.parameters:
        if spec.kind == "beams" and parameter.table == "grid" and not parameter.is_axis:
            continue  # its place is in the table of all beams
        dimension = sweep.dimension_of(parameter.name)
        dims = () if dimension is None else (sweep.names[dimension],)
        values = parameter.column if parameter.is_axis else np.asarray(parameter.column[0])
        units = "" if values.dtype.kind == "U" else parameter.field.units
        attrs = Label(parameter.name, parameter.field.meaning, units).attrs
        if parameter.field.label:
            attrs["label"] = parameter.field.label
        coordinates.append(Coordinate(parameter.name, dims, values, attrs))
    coordinates += [_of_file(sweep, own) for own in spec.labels]
    if sweep.names == (POINT,):
        coordinates.append(_indexed(POINT, np.arange(sweep.n_points)))
    used = {dim for _, variable in _computed(sweep) for dim in variable.trailing}
    if spec.kind == "beams":
        coordinates.append(_indexed("beam", np.array(spec.beams)))
        coordinates += [_table_of_beams(sweep, quantity) for quantity in BEAM]
    if "energy_bin" in used:
        coordinates += _energy_coordinates(sweep)
    for angle in ("theta", "phi"):
        if f"{angle}_bin" in used:
            coordinates += _angle_coordinates(sweep, angle)
    fixed = {"quadrant": QUADRANTS, "component": COMPONENTS}
    coordinates += [_indexed(name, np.array(values)) for name, values in fixed.items() if name in used]
    for analysis in spec.declared():
        coordinates += analysis.dimensions(spec.options[analysis.name], sweep)
    return tuple(coordinates)


def _of_file(sweep: Sweep, own: Coordinate) -> Coordinate:
    """Coordinate of a file along its axes; where two of these move together, at the places that they pass."""
    along = [d for dim in own.dims if (d := sweep.dimension_of(dim)) is not None]
    dims = list(dict.fromkeys(along))
    at = np.ogrid[tuple(slice(sweep.shape[d]) for d in dims)]
    values = own.values[tuple(at[dims.index(d)] for d in along)]
    return Coordinate(own.name, tuple(sweep.names[d] for d in dims), values, own.attrs)


def _indexed(name: str, values: np.typing.NDArray[np.generic]) -> Coordinate:
    return Coordinate(name, (name,), values, GRID_LABELS[name].attrs)


def _energy_coordinates(sweep: Sweep) -> list[Coordinate]:
    """Energies of the bins, NaN beyond the last bin of a system with fewer."""
    spec = sweep.spec
    dims: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    if spec.cells is not None:
        values = cells(*spec.cells).bin_energy[None, :]
    elif spec.kind == "bins":
        dims, shape, columns = sweep.columns_over(("n_energy", "energy_max"))
        counts = columns["n_energy"]
        values = np.full((counts.size, int(counts.max())), np.nan)
        for count in np.unique(counts).tolist():
            rows = np.flatnonzero(counts == count)
            values[rows, :count] = bin_energies(count, columns["energy_max"][rows, None])
    else:
        moving = _moving(sweep, "energy")
        dims, shape = tuple(sweep.names[d] for d in moving), tuple(sweep.shape[d] for d in moving)
        given = [spec[f"energy_{name}"] for name in spec.beams]
        # an axis that gets values must not make another number of bins
        size = len({p.values[0] for p in given if not p.is_axis}) + sum(p.is_axis for p in given)
        values = np.sort(sweep.beams("energy", sweep.places(moving)), axis=1)
        values[:, 1:][np.diff(values, axis=1) == 0] = np.nan
        values = np.sort(values, axis=1)[:, :size]  # NaN last
    return _binned("energy", "energy_bin", dims, shape, values)


def _table_of_beams(sweep: Sweep, quantity: str) -> Coordinate:
    """Values of a quantity along ``beam``, and along the axes where one of them moves.

    Beyond `LARGEST_TABLE` those that move are NaN: their values stand on their axes.
    """
    label, beams, moving = GRID_LABELS[f"beam_{quantity}"], len(sweep.spec.beams), _moving(sweep, quantity)
    shape = tuple(sweep.shape[d] for d in moving)
    if math.prod(shape) * beams <= LARGEST_TABLE:
        dims = tuple(sweep.names[d] for d in moving)
        values = sweep.beams(quantity, sweep.places(moving))
        return Coordinate(label.name, (*dims, "beam"), values.reshape(*shape, beams), label.attrs)
    stays = [dimension is None for dimension in sweep.beam_dimensions(quantity)]
    values = np.where(stays, sweep.beams(quantity, sweep.places(())), np.nan)
    return Coordinate(label.name, ("beam",), values[0], label.attrs)


def _moving(sweep: Sweep, quantity: str) -> tuple[int, ...]:
    """Numbers of the dimensions along which any beam changes a quantity."""
    return tuple(sorted({d for d in sweep.beam_dimensions(quantity) if d is not None}))


def _angle_coordinates(sweep: Sweep, name: str) -> list[Coordinate]:
    """Angles of the bins, NaN beyond the last bin of a system with fewer."""
    if sweep.spec.cells is not None:
        grid = cells(*sweep.spec.cells)
        assert grid.shape is not None, "cells are bins"
        angles = getattr(grid, name).reshape(grid.shape)[0]
        return _binned(
            name, f"{name}_bin", (), (), np.atleast_2d(angles[:, 0] if name == "theta" else angles[0])
        )
    dims, shape, columns = sweep.columns_over((f"n_{name}",))
    counts = columns[f"n_{name}"]
    values = np.full((counts.size, int(counts.max())), np.nan)
    for count in np.unique(counts).tolist():
        sphere = bins(1, count, 1) if name == "theta" else bins(1, 1, count)
        values[counts == count, :count] = getattr(sphere, name)
    return _binned(name, f"{name}_bin", dims, shape, values)


def _binned(
    name: str, dim: str, dims: tuple[str, ...], shape: tuple[int, ...], values: Floats
) -> list[Coordinate]:
    size = values.shape[1]
    return [
        _indexed(dim, np.arange(size)),
        Coordinate(name, (*dims, dim), values.reshape(*shape, size), GRID_LABELS[name].attrs),
    ]

"""From points to a template and blocks: what a run will compute, what it takes and what it leaves behind."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pairsweep.contract.template import ArrayPlan, Coordinate, Template
from pairsweep.contract.vocab import (
    COMPONENTS,
    LABELS,
    POINT,
    QUADRANTS,
    TIME_IN_MU,
    Label,
    Variable,
    variables_of,
)
from pairsweep.physics.grid import bins
from pairsweep.points.axes import Sweep
from pairsweep.spec.reader import ContinuumOptions, Spec

# A block of about this long loses little when a worker dies, and hides what a task costs beside its points.
BLOCK_SECONDS = 3.0
BLOCK_BYTES = 2**25
BLOCK_POINTS = 2**18
# Even a short sweep is cut into some blocks, for both workers and for a resume.
MIN_BLOCKS = 8
SHAPE_NAMES = ("n_energy", "n_theta", "n_phi")


@dataclass(frozen=True)
class Plan:
    """A sweep with its template and the seconds that one worker would need for it."""

    sweep: Sweep
    template: Template
    seconds: float

    @property
    def bytes_per_point(self) -> int:
        """Uncompressed size of one point's results."""
        return bytes_per_point(self.template.arrays)


def bytes_per_point(arrays: tuple[ArrayPlan, ...]) -> int:
    """Uncompressed size of one point's results."""
    return sum(np.dtype(a.dtype).itemsize * math.prod(a.trailing_shape) for a in arrays)


@dataclass(frozen=True)
class SystemSize:
    """The points of a sweep whose systems have ``pairs`` pairs; ``at`` is where one of them is, per dimension."""

    pairs: int
    points: int
    at: Mapping[int, int]


def system_sizes(sweep: Sweep) -> tuple[SystemSize, ...]:
    """Sizes of system that occur in a sweep, the smallest first."""
    if sweep.spec.kind == "beams":
        return (SystemSize(len(sweep.spec.beams), sweep.n_points, {}),)
    dims = shape_dimensions(sweep)
    shape = tuple(sweep.shape[d] for d in dims)
    index = np.indices(shape).reshape(len(dims), math.prod(shape))
    positions = np.zeros((math.prod(shape), len(sweep.shape)), dtype=np.int64)
    positions[:, dims] = index.T
    pairs = np.ones(len(positions), dtype=np.int64)
    for name in SHAPE_NAMES:
        pairs = pairs * sweep.values(name, positions)
    sizes, first, counts = np.unique(pairs, return_index=True, return_counts=True)
    repeats = sweep.n_points // len(positions)
    return tuple(
        SystemSize(int(size), int(count) * repeats, {d: int(positions[row, d]) for d in dims})
        for size, row, count in zip(sizes, first, counts, strict=True)
    )


def shape_dimensions(sweep: Sweep) -> tuple[int, ...]:
    """Dimensions along which the number of pairs changes."""
    if sweep.spec.kind == "beams":
        return ()
    found = {sweep.dimension_of(name) for name in SHAPE_NAMES}
    return tuple(sorted(d for d in found if d is not None))


def make_plan(sweep: Sweep, seconds_per_point: Mapping[int, float]) -> Plan:
    """Cut a sweep into blocks of about ``BLOCK_SECONDS``, given the cost of a point by its number of pairs."""
    seconds = sum(size.points * seconds_per_point[size.pairs] for size in system_sizes(sweep))
    arrays = _arrays(sweep)
    longest = max(seconds_per_point.values())
    points = min(
        BLOCK_SECONDS / longest if longest > 0 else math.inf,
        BLOCK_BYTES / bytes_per_point(arrays),
        BLOCK_POINTS,
        max(1.0, sweep.n_points / MIN_BLOCKS),
    )
    block_shape = _block_shape(sweep, max(1, int(points)))
    return Plan(sweep, make_template(sweep, block_shape), seconds)


def _block_shape(sweep: Sweep, points: int) -> tuple[int, ...]:
    """Rectangle of at most ``points`` points; one system size each, so that a block's cost is known."""
    fixed = () if sweep.names == (POINT,) else shape_dimensions(sweep)
    shape = [1] * len(sweep.shape)
    left = points
    for d in reversed(range(len(shape))):
        if d in fixed:
            continue
        shape[d] = min(sweep.shape[d], max(1, left))
        left //= shape[d]
    return tuple(shape)


def make_template(sweep: Sweep, block_shape: tuple[int, ...]) -> Template:
    """Lay out the dataset of a sweep: axes, coordinates, arrays and root attributes."""
    return Template(
        axes=sweep.names,
        shape=sweep.shape,
        block_shape=block_shape,
        coordinates=_coordinates(sweep),
        arrays=_arrays(sweep),
        attrs={
            "title": sweep.spec.title or "pairsweep results",
            "Conventions": "CF-1.11",
            "specification": sweep.spec.text,
            "specification_digest": sweep.spec.digest,
        },
    )


def _trailing_sizes(sweep: Sweep) -> dict[str, int]:
    spec = sweep.spec
    sizes = {"quadrant": len(QUADRANTS), "component": len(COMPONENTS), "beam": len(spec.beams)}
    if spec.kind == "bins":
        for name in ("energy", "theta", "phi"):
            sizes[f"{name}_bin"] = max(int(n) for n in spec[f"n_{name}"].values)
    else:
        energies = [spec[f"energy_{name}"] for name in spec.beams]
        fixed = {p.values[0] for p in energies if not p.is_axis}
        sizes["energy_bin"] = len(fixed) + sum(p.is_axis for p in energies)
    sizes["mode"] = spec.growth.modes
    sizes["ladder_angle"] = len(angle_factors(spec.continuum))
    if "continuum" in spec.analyses:
        sizes["ladder"] = len(refinements(spec.continuum, min(int(n) for n in spec["n_energy"].values)))
    if spec.evolution is not None:
        sizes["time"] = spec.evolution.samples
    return sizes


def computed_variables(spec: Spec) -> tuple[Variable, ...]:
    """Variables that a sweep computes."""
    options = spec.growth
    angles = spec.continuum.angle_rungs > 0
    return variables_of(spec.analyses, spec.kind, options.details, options.modes > 0, angles)


def refinements(options: ContinuumOptions, n_energy: int) -> tuple[int, ...]:
    """Rungs of a ladder that starts at ``n_energy`` bins, in units of it."""
    return tuple(2**rung for rung in range(max(1, options.ladder_max // n_energy).bit_length()))


def angle_factors(options: ContinuumOptions) -> tuple[int, ...]:
    """Rungs of the ladder of angles, in units of n_theta and n_phi; none where it is not asked for."""
    return tuple(2**rung for rung in range(options.angle_rungs + 1)) if options.angle_rungs else ()


def _arrays(sweep: Sweep) -> tuple[ArrayPlan, ...]:
    sizes = _trailing_sizes(sweep)
    return tuple(
        ArrayPlan(v.name, v.trailing, tuple(sizes[d] for d in v.trailing), v.dtype, v.fill_value, v.attrs)
        for v in computed_variables(sweep.spec)
    )


def _coordinates(sweep: Sweep) -> tuple[Coordinate, ...]:
    spec = sweep.spec
    coordinates = []
    for parameter in spec.parameters:
        dimension = sweep.dimension_of(parameter.name)
        dims = () if dimension is None else (sweep.names[dimension],)
        values = np.asarray(parameter.values if parameter.is_axis else parameter.values[0])
        label = Label(
            parameter.name, parameter.field.meaning, "" if values.dtype.kind == "U" else parameter.field.units
        )
        coordinates.append(Coordinate(parameter.name, dims, values, label.attrs))
    if sweep.names == (POINT,):
        coordinates.append(Coordinate(POINT, (POINT,), np.arange(sweep.n_points), LABELS[POINT].attrs))
    used = {dim for array in _arrays(sweep) for dim in array.trailing}
    if "energy_bin" in used:
        coordinates += _energy_coordinates(sweep)
    if "theta_bin" in used:
        coordinates += _angle_coordinates(sweep)
    if "ladder" in used:
        coordinates += _ladder_coordinates(sweep)
    if "time" in used:
        coordinates += _time_coordinates(sweep)
    fixed = {"quadrant": np.array(QUADRANTS), "component": np.array(COMPONENTS), "beam": np.array(spec.beams)}
    fixed["mode"] = np.arange(spec.growth.modes)
    fixed["ladder_angle"] = np.array(angle_factors(spec.continuum))
    for name in fixed:
        if name in used:
            coordinates.append(Coordinate(name, (name,), fixed[name], LABELS[name].attrs))
    return tuple(coordinates)


def _over(
    sweep: Sweep, names: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[int, ...], list[dict[str, float]]]:
    """Dimensions that any of these parameters moves along, their sizes, and the values at each place."""
    moving = sorted({d for d in (sweep.dimension_of(name) for name in names) if d is not None})
    shape = tuple(sweep.shape[d] for d in moving)
    rows = []
    for index in np.ndindex(*shape):
        position = np.zeros((1, len(sweep.shape)), dtype=np.int64)
        position[0, moving] = index
        rows.append({name: sweep.values(name, position)[0].item() for name in names})
    return tuple(sweep.names[d] for d in moving), shape, rows


def _energy_coordinates(sweep: Sweep) -> list[Coordinate]:
    """Energies of the bins, NaN beyond the last bin of a system with fewer."""
    size = _trailing_sizes(sweep)["energy_bin"]
    if sweep.spec.kind == "bins":
        dims, shape, rows = _over(sweep, ("n_energy", "energy_max"))
        energies = [bins(int(row["n_energy"]), 1, 1, row["energy_max"]).bin_energy for row in rows]
    else:
        dims, shape, rows = _over(sweep, tuple(f"energy_{name}" for name in sweep.spec.beams))
        energies = [np.unique(list(row.values())) for row in rows]
    values = np.full((len(rows), size), np.nan)
    for row, energy in zip(values, energies, strict=True):
        row[: energy.size] = energy
    return [
        Coordinate("energy_bin", ("energy_bin",), np.arange(size), LABELS["energy_bin"].attrs),
        Coordinate("energy", (*dims, "energy_bin"), values.reshape(*shape, size), LABELS["energy"].attrs),
    ]


def _angle_coordinates(sweep: Sweep) -> list[Coordinate]:
    """Angles of the bins, NaN beyond the last bin of a system with fewer."""
    found = []
    for name in ("theta", "phi"):
        size = _trailing_sizes(sweep)[f"{name}_bin"]
        dims, shape, rows = _over(sweep, (f"n_{name}",))
        values = np.full((len(rows), size), np.nan)
        for row, at in zip(values, rows, strict=True):
            count = int(at[f"n_{name}"])
            grid = bins(1, count, 1) if name == "theta" else bins(1, 1, count)
            row[:count] = getattr(grid, name)
        dim = f"{name}_bin"
        found.append(Coordinate(dim, (dim,), np.arange(size), LABELS[dim].attrs))
        found.append(Coordinate(name, (*dims, dim), values.reshape(*shape, size), LABELS[name].attrs))
    return found


def _ladder_coordinates(sweep: Sweep) -> list[Coordinate]:
    """Energy bins of each rung, 0 beyond the last rung of a longer start."""
    size = _trailing_sizes(sweep)["ladder"]
    dims, shape, rows = _over(sweep, ("n_energy",))
    values = np.zeros((len(rows), size), dtype=np.int64)
    for row, at in zip(values, rows, strict=True):
        n_energy = int(at["n_energy"])
        rungs = refinements(sweep.spec.continuum, n_energy)
        row[: len(rungs)] = n_energy * np.array(rungs)
    return [
        Coordinate("ladder", ("ladder",), np.arange(size), LABELS["ladder"].attrs),
        Coordinate(
            "ladder_n_energy",
            (*dims, "ladder"),
            values.reshape(*shape, size),
            LABELS["ladder_n_energy"].attrs,
        ),
    ]


def _time_coordinates(sweep: Sweep) -> list[Coordinate]:
    options = sweep.spec.evolution
    assert options is not None, "an evolution variable implies the table"
    time = np.linspace(0.0, options.t_end, options.samples)
    if not options.in_mu:
        return [Coordinate("time", ("time",), time, LABELS["time"].attrs)]
    dims, shape, rows = _over(sweep, ("g", "energy_max"))
    in_mev = np.array([time / mu_prime(row["g"], row["energy_max"]) for row in rows])
    return [
        Coordinate("time", ("time",), time, TIME_IN_MU.attrs),
        Coordinate("time_mev", (*dims, "time"), in_mev.reshape(*shape, time.size), LABELS["time_mev"].attrs),
    ]


def mu_prime(g: float, energy_max: float) -> float:
    """The Letter's mu' = g' energy_max^3, MeV."""
    return g * energy_max**3

"""Points of a sweep as systems: grids built, occupations filled and checked, points that share a grid together."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.analyses.base import PointFailure
from pairsweep.contract.errors import UserCodeError
from pairsweep.contract.occupation import allowed, first_fault
from pairsweep.physics.grid import Floats, Grid, beams, bins, cells
from pairsweep.physics.patterns.registry import PATTERNS
from pairsweep.physics.systems import Profile, Systems
from pairsweep.physics.table import Table
from pairsweep.points.axes import Positions, Sweep
from pairsweep.spec.schema import CUSTOM
from pairsweep.user_code.function import UserFunction
from pairsweep.user_code.module import Loaded, load
from pairsweep.user_code.trial import Trial, raised, try_function

# Occupation numbers held at once: a block is solved in slices of this size, whatever its number of points.
SLICE_NUMBERS = 2**21
BINS_PARAMETERS = ("n_energy", "n_theta", "n_phi", "energy_max", "cell_volume")


def grouped(
    sweep: Sweep, positions: Positions, wanted: Callable[[str, str], bool]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Group positions that agree in every parameter for which ``wanted(name, table)`` holds.

    Returns
    -------
    (G,) first row of each group, (P,) group of each row
    """
    key = np.zeros(len(positions), dtype=np.int64)
    for number, dimension in enumerate(sweep.dimensions):
        names = frozenset(member.name for member in dimension.members if wanted(member.name, member.table))
        if names:
            key = key * dimension.size + sweep.codes(number, names)[positions[:, number]]
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    return first, group


def systems_at(
    sweep: Sweep, positions: Positions, failed: dict[int, PointFailure], own: Sequence[str] = ()
) -> Iterator[tuple[NDArray[np.int64], Systems]]:
    """Cut positions into groups that share a grid and a pattern, with occupations filled and checked.

    Yields the rows of each group and its systems; ``own`` names parameters that come along. Points without an
    occupation are left out, and their rows get a reason in ``failed``.
    """

    def decides_the_grid(name: str, table: str) -> bool:
        return name == "pattern" or (table == "grid" and not name.startswith(("rho_", "rhobar_")))

    first, group = grouped(sweep, positions, decides_the_grid)
    for number in range(first.size):
        rows = np.flatnonzero(group == number)
        grid = build_grid(sweep, positions[rows[:1]])
        step = max(1, SLICE_NUMBERS // grid.size)
        for start in range(0, rows.size, step):
            part = rows[start : start + step]
            rho, rhobar = _occupations(sweep, grid, positions[part], part, failed)
            good = _checked_occupations(rho, rhobar, part, failed)
            kept = part[good]
            yield kept, _systems(sweep, grid, positions[kept], rho[good], rhobar[good], own)


def _systems(
    sweep: Sweep, grid: Grid, positions: Positions, rho: Floats, rhobar: Floats, own: Sequence[str]
) -> Systems:
    def column(name: str) -> NDArray[Any]:
        return np.array(np.broadcast_to(sweep.values(name, positions), len(positions)))

    @cache
    def same_occupation() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return grouped(sweep, positions, lambda name, table: table == "occupation")

    @cache
    def profile_of(number: int) -> Profile:
        first, _ = same_occupation()
        return profile_at(sweep, positions[first[number], None])

    return Systems(
        grid=grid,
        rho=rho,
        rhobar=rhobar,
        g=column("g").astype(np.float64),
        energy_max=column("energy_max") if "energy_max" in sweep.spec else np.full(len(positions), np.nan),
        profile=lambda row: profile_of(int(same_occupation()[1][row])),
        own={name: column(name) for name in own},
    )


def build_grid(sweep: Sweep, position: Positions) -> Grid:
    """Grid of the system at one position, (1, dimensions)."""

    def value(name: str) -> Any:
        return sweep.values(name, position)[0].item()

    if sweep.spec.cells is not None:
        return cells(*sweep.spec.cells)
    if sweep.spec.kind == "bins":
        return bins(**{name: value(name) for name in BINS_PARAMETERS})
    energy, weight, theta, phi = (
        sweep.beams(key, position)[0] for key in ("energy", "weight", "theta", "phi")
    )
    return beams(energy, weight, theta, phi, names=sweep.spec.beams)


def _occupations(
    sweep: Sweep, grid: Grid, positions: Positions, rows: NDArray[np.int64], failed: dict[int, PointFailure]
) -> tuple[Floats, Floats]:
    """Occupations (P, N) of points on one grid with one pattern."""

    def column(name: str) -> Floats:
        return np.broadcast_to(sweep.values(name, positions), rows.shape)[:, None]

    spec = sweep.spec
    if spec.kind == "beams":
        return sweep.beams("rho", positions), sweep.beams("rhobar", positions)
    pattern = str(sweep.values("pattern", positions)[0])
    if pattern == CUSTOM:
        return _custom_occupations(sweep, grid, positions, rows, failed)
    if spec.table is not None:
        return _table_occupations(sweep, spec.table, grid, positions, rows, failed)
    declared = sweep.spec.pattern(pattern)
    parameters = {field.name: column(field.name) for field in declared.fields if field.name in spec}
    rho, rhobar = declared.function(grid, **parameters)
    shape = (rows.size, grid.size)
    return np.broadcast_to(rho, shape), np.broadcast_to(rhobar, shape)


def _custom_occupations(
    sweep: Sweep, grid: Grid, positions: Positions, rows: NDArray[np.int64], failed: dict[int, PointFailure]
) -> tuple[Floats, Floats]:
    """Call the user's function once for each combination of its parameters."""
    custom = _function_of(sweep)
    rho, rhobar = (np.full((rows.size, grid.size), np.nan) for _ in range(2))

    def fails(points: NDArray[np.int64], error: Exception) -> None:
        failure = PointFailure(raised(custom, error), traceback.format_exc())
        failed.update((int(row), failure) for row in rows[points])
        rho[points] = np.nan

    try:
        function = load(custom)
        names = parameter_names(sweep, function)
    except Exception as error:  # whatever a user's code does is recorded, and the sweep goes on
        fails(np.arange(rows.size), error)
        return rho, rhobar
    first, group = grouped(sweep, positions, lambda name, table: name in names)
    with function.entered():
        for number in range(first.size):
            members = np.flatnonzero(group == number)
            parameters = {name: sweep.values(name, positions[members[:1]])[0].item() for name in names}
            try:
                pair = function(grid.energy.copy(), grid.theta.copy(), grid.phi.copy(), **parameters)
                for target, values in zip((rho, rhobar), pair, strict=True):
                    target[members] = np.asarray(values, dtype=np.float64)
            except Exception as error:
                fails(members, error)
    return rho, rhobar


def _table_occupations(
    sweep: Sweep,
    table: Table,
    grid: Grid,
    positions: Positions,
    rows: NDArray[np.int64],
    failed: dict[int, PointFailure],
) -> tuple[Floats, Floats]:
    """Read each place of a file once, whatever else differs between the points there."""
    first, group = grouped(sweep, positions, lambda name, table: table == "occupation")
    labels = {
        name: np.broadcast_to(sweep.values(name, positions[first]), first.shape) for name, _ in table.axes
    }
    try:
        rho, rhobar = table.on(grid, labels)
    except (UserCodeError, OSError) as error:  # a file that has gone, or is another by now
        reason = " ".join(str(error).split())
        failed.update((int(row), PointFailure(reason)) for row in rows)
        nothing = np.full((rows.size, grid.size), np.nan)
        return nothing, nothing
    return rho[group], rhobar[group]


def _function_of(sweep: Sweep) -> UserFunction:
    custom = sweep.spec.custom
    assert custom is not None, "a custom pattern has its function"
    return custom


def parameter_names(sweep: Sweep, function: Loaded) -> list[str]:
    """Names of the keys that a user's function is called with: all of the table but those that name it.

    Where another pattern stands on the same axis, of its keys only those that the function has by name.
    """
    named = [PATTERNS[str(name)] for name in sweep.spec["pattern"].values if name in PATTERNS]
    others = {field.name for pattern in named for field in pattern.fields} - set(function.parameters)
    own = [p.name for p in sweep.spec.parameters if p.table == "occupation" and p.name != "pattern"]
    return [name for name in own if name not in others]


def rehearse(sweep: Sweep) -> Trial:
    """Call the user's function at the first point that has it; see `pairsweep.user_code.trial.try_function`."""
    dimension, column = sweep.dimension_of("pattern"), sweep.spec["pattern"].column
    position = np.zeros((1, len(sweep.shape)), dtype=np.int64)
    if dimension is not None:
        position[0, dimension] = int(np.flatnonzero(column == CUSTOM)[0])
    grid = build_grid(sweep, position)

    def parameters(function: Loaded) -> dict[str, Any]:
        return {name: sweep.values(name, position)[0].item() for name in parameter_names(sweep, function)}

    return try_function(_function_of(sweep), (grid.energy, grid.theta, grid.phi), parameters)


def profile_at(sweep: Sweep, position: Positions) -> Profile:
    """Occupation of the bins at one position (1, dimensions) as a function of momentum.

    A custom function may declare its steps: ``function.energy_edges(**parameters)``, energies in MeV, and likewise
    ``cos_theta_edges`` and ``phi_edges`` (radians).

    Raises
    ------
    UserCodeError
        For a band whose edges are out of order or wider than itself, and for what a custom function raises.
    """

    def value(name: str) -> Any:
        return sweep.values(name, position)[0].item()

    pattern = str(value("pattern"))
    if pattern == CUSTOM:
        return _custom_profile(sweep, position)
    if sweep.spec.table is not None:
        return sweep.spec.table.profile({name: value(name) for name, _ in sweep.spec.table.axes})
    declared = sweep.spec.pattern(pattern)
    parameters = {field.name: value(field.name) for field in declared.fields if field.name in sweep.spec}
    try:
        return declared.profile(**parameters)
    except ValueError as error:
        raise UserCodeError(str(error)) from None


def _custom_profile(sweep: Sweep, position: Positions) -> Profile:
    custom = _function_of(sweep)
    with _user_code(custom):
        function = load(custom)
        parameters = {
            name: sweep.values(name, position)[0].item() for name in parameter_names(sweep, function)
        }
        edges = {
            name: tuple(float(edge) for edge in declared(**parameters))
            for name in ("energy_edges", "cos_theta_edges", "phi_edges")
            if (declared := function.attribute(name)) is not None
        }

    def called(energy: Floats, theta: Floats, phi: Floats) -> tuple[Floats, Floats]:
        with _user_code(custom):
            # from 0 to 2 pi, as on a grid: a function may say `phi < 1.0`
            rho, rhobar = function(energy, theta, np.mod(phi, 2.0 * np.pi), **parameters)
            return np.asarray(rho, dtype=np.float64), np.asarray(rhobar, dtype=np.float64)

    return Profile(
        called,
        edges.get("energy_edges", ()),
        cos_theta_edges=edges.get("cos_theta_edges"),
        phi_edges=edges.get("phi_edges"),
    )


@contextmanager
def _user_code(custom: UserFunction) -> Iterator[None]:
    """Turn whatever a user's function raises into a `UserCodeError`."""
    try:
        yield
    except Exception as error:
        raise UserCodeError(raised(custom, error), traceback.format_exc()) from error


def _checked_occupations(
    rho: Floats, rhobar: Floats, rows: NDArray[np.int64], failed: dict[int, PointFailure]
) -> NDArray[np.bool_]:
    """Which points have occupations in [0, 1]; the others fail with the first value that is not."""
    good = np.asarray(allowed(rho, rhobar).all(axis=1))
    for point in np.flatnonzero(~good):
        fault = first_fault(rho[point], rhobar[point])
        if fault is not None and int(rows[point]) not in failed:
            (pair,), what = fault
            failed[int(rows[point])] = PointFailure(f"occupation of pair {pair}: {what}")
    return good

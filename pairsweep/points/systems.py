"""Points of a sweep as systems: grids built, occupations filled and checked, points that share a grid together."""

from __future__ import annotations

import traceback
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.analyses.base import PointFailure
from pairsweep.contract.errors import UserCodeError
from pairsweep.physics.grid import Floats, Grid, beams, bins
from pairsweep.physics.patterns.registry import PATTERNS
from pairsweep.physics.systems import Profile, Systems
from pairsweep.points.axes import Positions, Sweep
from pairsweep.spec.model import CustomOccupation
from pairsweep.spec.schema import CUSTOM

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

    return Systems(
        grid=grid,
        rho=rho,
        rhobar=rhobar,
        g=column("g").astype(np.float64),
        energy_max=column("energy_max") if "energy_max" in sweep.spec else np.full(len(positions), np.nan),
        profile=lambda row: profile_at(sweep, positions[row, None]),
        own={name: column(name) for name in own},
    )


def build_grid(sweep: Sweep, position: Positions) -> Grid:
    """Grid of the system at one position, (1, dimensions)."""

    def value(name: str) -> Any:
        return sweep.values(name, position)[0].item()

    if sweep.spec.kind == "bins":
        return bins(**{name: value(name) for name in BINS_PARAMETERS})
    names = sweep.spec.beams
    energy, weight, theta, phi = (
        [value(f"{key}_{name}") for name in names] for key in ("energy", "weight", "theta", "phi")
    )
    return beams(energy, weight, theta, phi, names=names)


def _occupations(
    sweep: Sweep, grid: Grid, positions: Positions, rows: NDArray[np.int64], failed: dict[int, PointFailure]
) -> tuple[Floats, Floats]:
    """Occupations (P, N) of points on one grid with one pattern."""

    def column(name: str) -> Floats:
        return np.broadcast_to(sweep.values(name, positions), rows.shape)[:, None]

    spec = sweep.spec
    if spec.kind == "beams":
        rho = np.concatenate([column(f"rho_{name}") for name in spec.beams], axis=1)
        rhobar_names = [
            f"rhobar_{name}" if f"rhobar_{name}" in spec else f"rho_{name}" for name in spec.beams
        ]
        return rho, np.concatenate([column(name) for name in rhobar_names], axis=1)
    pattern = str(sweep.values("pattern", positions)[0])
    if pattern == CUSTOM:
        return _custom_occupations(sweep, grid, positions, rows, failed)
    declared = PATTERNS[pattern]
    parameters = {field.name: column(field.name) for field in declared.fields if field.name in spec}
    rho, rhobar = declared.function(grid, **parameters)
    shape = (rows.size, grid.size)
    return np.broadcast_to(rho, shape), np.broadcast_to(rhobar, shape)


def _custom_occupations(
    sweep: Sweep, grid: Grid, positions: Positions, rows: NDArray[np.int64], failed: dict[int, PointFailure]
) -> tuple[Floats, Floats]:
    """Call the user's function once for each combination of its parameters."""
    custom = sweep.spec.custom
    assert custom is not None, "a custom pattern has its source"
    names = _custom_parameters(sweep)
    first, group = grouped(sweep, positions, lambda name, table: name in names)
    rho, rhobar = (np.full((rows.size, grid.size), np.nan) for _ in range(2))
    for number in range(first.size):
        members = np.flatnonzero(group == number)
        parameters = {name: sweep.values(name, positions[members[:1]])[0].item() for name in names}
        try:
            function = load_function(custom)
            pair = function(grid.energy.copy(), grid.theta.copy(), grid.phi.copy(), **parameters)
            for target, values in zip((rho, rhobar), pair, strict=True):
                target[members] = np.asarray(values, dtype=np.float64)
        except Exception as error:  # whatever a user's function does is recorded, and the sweep goes on
            reason = f"{custom.reference} raised {type(error).__name__}: {' '.join(str(error).split())}"
            for row in rows[members]:
                failed[int(row)] = PointFailure(reason, traceback.format_exc())
            rho[members] = np.nan
    return rho, rhobar


def _custom_parameters(sweep: Sweep) -> list[str]:
    others = {field.name for pattern in PATTERNS.values() for field in pattern.fields} | {"pattern"}
    return [p.name for p in sweep.spec.parameters if p.table == "occupation" and p.name not in others]


def profile_at(sweep: Sweep, position: Positions) -> Profile:
    """Occupation of the bins at one position (1, dimensions) as a function of momentum.

    A custom function may declare its steps: ``function.energy_edges(**parameters)``, energies in MeV.

    Raises
    ------
    UserCodeError
        For a band whose edges are out of order or wider than itself, and for what a custom function raises.
    """

    def value(name: str) -> Any:
        return sweep.values(name, position)[0].item()

    pattern = str(value("pattern"))
    custom = sweep.spec.custom
    if pattern == CUSTOM:
        assert custom is not None, "a custom pattern has its source"
        parameters = {name: value(name) for name in _custom_parameters(sweep)}
        function = load_function(custom)
        declared = getattr(function, "energy_edges", None)
        with _user_code(custom.reference):
            edges = () if declared is None else tuple(declared(**parameters))

        def called(energy: Floats, theta: Floats, phi: Floats) -> tuple[Floats, Floats]:
            with _user_code(custom.reference):
                rho, rhobar = function(energy, theta, phi, **parameters)
                return rho, rhobar

        return Profile(called, edges, linear=False)
    named = PATTERNS[pattern]
    try:
        return named.profile(
            **{field.name: value(field.name) for field in named.fields if field.name in sweep.spec}
        )
    except ValueError as error:
        raise UserCodeError(str(error)) from None


@contextmanager
def _user_code(reference: str) -> Iterator[None]:
    """Turn whatever a user's function raises into a `UserCodeError`."""
    try:
        yield
    except Exception as error:
        reason = f"{reference} raised {type(error).__name__}: {' '.join(str(error).split())}"
        raise UserCodeError(reason, traceback.format_exc()) from error


@lru_cache(maxsize=8)
def load_function(custom: CustomOccupation) -> Callable[..., Any]:
    """Execute the user's source as a module of its own and return the function."""
    module = types.ModuleType("pairsweep_custom")
    exec(compile(custom.source, custom.reference.split(":")[0], "exec"), module.__dict__)
    function: Callable[..., Any] = getattr(module, custom.function)
    return function


def _checked_occupations(
    rho: Floats, rhobar: Floats, rows: NDArray[np.int64], failed: dict[int, PointFailure]
) -> NDArray[np.bool_]:
    """Which points have occupations in [0, 1]; the others fail with the first value that is not."""
    inside = (rho >= 0) & (rho <= 1) & (rhobar >= 0) & (rhobar <= 1)
    good = np.asarray(inside.all(axis=1))
    for point in np.flatnonzero(~good):
        if int(rows[point]) in failed:
            continue
        pair = int(np.flatnonzero(~inside[point])[0])
        failed[int(rows[point])] = PointFailure(
            f"occupation of pair {pair}: rho = {rho[point, pair]:g}, rhobar = {rhobar[point, pair]:g}: "
            "occupations lie between 0 and 1"
        )
    return good

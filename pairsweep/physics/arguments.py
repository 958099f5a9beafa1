"""A system given by hand: the grid, occupations of any unambiguous shape, the coupling."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairsweep.contract.arguments import number
from pairsweep.contract.errors import shorten
from pairsweep.contract.occupation import first_fault
from pairsweep.physics.grid import Floats, Grid

# A coupling 4 g sum w (MeV) beyond this has no finite square.
STRONGEST = 1e150


def checked_grid(grid: Any) -> Grid:
    """Return a grid in which something couples.

    Raises
    ------
    ValueError
        For anything else, such as occupations in its place.
    """
    if not isinstance(grid, Grid):
        kind = type(grid).__name__
        raise ValueError(f"grid is of type {kind}: give the pairs first, from ps.bins, ps.cells or ps.beams")
    if not np.any(grid.weight):
        raise ValueError(
            f"weight: all {grid.size} pairs have weight 0, so nothing couples: give one a weight"
        )
    return grid


def of_pairs(grid: Grid, name: str, values: Any, dtype: type = np.float64) -> NDArray[Any]:
    """Return one value for each pair, (N,), from that, from a single one, or from (n_energy, n_theta, n_phi).

    Sizes of 1 are stretched: (n_energy, 1, 1) depends on energy alone.

    Raises
    ------
    ValueError
        For another shape or what are no numbers, with the name.
    """
    try:
        given: NDArray[Any] = np.asarray(values, dtype=dtype)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} = {shorten(values)}: give numbers, one for each of {grid.size} pairs"
        ) from None
    shape = (grid.size,) if grid.shape is None or given.ndim < 3 else grid.shape
    try:
        if given.ndim > len(shape) or (given.ndim == 1 and given.shape != (grid.size,)):
            raise ValueError
        return np.array(np.broadcast_to(given, shape)).ravel()
    except ValueError:
        shapes = f"({grid.size},)" if grid.shape is None else f"({grid.size},) or {grid.shape}"
        cure = f"give {shapes}, or one for all pairs"
        if grid.shape is not None and given.shape == grid.shape[:1]:
            cure += f"; {name}[:, None, None] depends on energy alone"
        raise ValueError(f"{name} has shape {given.shape}: {cure}") from None


def checked_occupations(grid: Grid, rho: Any, rhobar: Any = None) -> tuple[Floats, Floats]:
    """Return rho and rhobar (the antineutrino of momentum -p), (N,), from any unambiguous shape.

    Raises
    ------
    ValueError
        With the pair and the values of the first that is not between 0 and 1.
    """
    if rho is None:
        raise ValueError("rho is missing: give the occupations of the pairs")
    found = of_pairs(grid, "rho", rho), of_pairs(grid, "rhobar", rho if rhobar is None else rhobar)
    fault = first_fault(*found)
    if fault is not None:
        (pair,), what = fault
        raise ValueError(f"occupation of pair {pair} (E = {grid.energy[pair]:g} MeV): {what}")
    return found


def checked_coupling(grid: Grid, g: Any, minimum: float | None = 0.0) -> float:
    """Return g in MeV^-2, above ``minimum``.

    Raises
    ------
    ValueError
        For what is no positive number, or so large that no MeV can hold it.
    """
    coupling = number("g", g, "a coupling in MeV^-2", minimum=minimum, open_below=True)
    strength = 4.0 * abs(coupling) * float(np.sum(np.abs(grid.weight)))
    if not strength < STRONGEST:
        raise ValueError(
            f"g = {coupling:g}: 4 g sum w comes to {strength:g} MeV: give g in MeV^-2, at most 1 or so"
        )
    return coupling


def checked_times(name: str, values: ArrayLike) -> Floats:
    """Return times as an array, (T,), 1/MeV.

    Raises
    ------
    ValueError
        For what are no numbers.
    """
    try:
        return np.atleast_1d(np.asarray(values, dtype=np.float64))
    except (TypeError, ValueError):
        raise ValueError(f"{name} = {shorten(values)}: give times in 1/MeV, a list of numbers") from None

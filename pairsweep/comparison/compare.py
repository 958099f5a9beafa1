"""`ps.compare`: one system in pairsweep and in another code, term by term."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairsweep.comparison.inputs import compare_inputs
from pairsweep.comparison.operators import compare_matrix, compare_rates
from pairsweep.comparison.report import Comparand, Comparison, Difference
from pairsweep.comparison.search import Explanation
from pairsweep.comparison.terms import System
from pairsweep.comparison.trajectory import compare_trajectory
from pairsweep.contract.errors import shorten, suggest
from pairsweep.kernels.compiling import announced
from pairsweep.physics.arguments import checked_coupling, checked_grid, checked_occupations
from pairsweep.physics.grid import Grid
from pairsweep.physics.units import mu_prime

INPUTS = ("energy", "weight", "direction", "theta", "phi", "rho", "rhobar", "epn", "g")
RATES = ("dkappa", "drho", "drhobar")
KNOWN = (*INPUTS, "matrix", "kappa", *RATES, "time")


@announced()
def compare(
    grid: Grid,
    rho: ArrayLike,
    rhobar: ArrayLike | None = None,
    *,
    g: float,
    other: Mapping[str, ArrayLike],
    tolerance: float = 1e-9,
) -> Comparison:
    """Compare a system with what another code has of it, term by term, and name differences of convention.

    Parameters
    ----------
    grid, rho, rhobar, g
        The system, as for ``ps.growth``; ``ps.beams`` makes a grid of any energies, weights and directions.
    other : mapping
        What the other code has, as much of it as there is, in its own order and units:

        - ``energy``, ``weight``, ``direction`` (N, 3) or ``theta`` and ``phi``, ``rho``, ``rhobar``, ``epn``, ``g``:
          what went into it;
        - ``matrix`` (2N, 2N): of the linearised equation, of real and imaginary parts or of kappa and conj(kappa), for
          d/dt or for i d/dt; (N, N) where it has no conj(kappa);
        - ``kappa`` (N,) with ``dkappa``, ``drho``, ``drhobar``, as many as there are: its right-hand side at ``rho``,
          ``rhobar`` and this kappa. All terms are seen where kappa is some 0.1 and differs from pair to pair;
        - ``time`` (T,) with ``kappa`` (T, N) and, if there, ``rho`` and ``rhobar`` (T, N): a run of it, from its first
          sample on.
    tolerance : float
        What counts as equal, relative to the size of the terms: 1e-9 for double precision, more for files of fewer
        digits. A run agrees where kappa and the occupations keep within 1e-4 (or ``tolerance``, if that is more).

    Returns
    -------
    Comparison
        Printed it is a page. ``agrees``, ``explained``, ``comparands`` (every term with its verdict and factor),
        ``differences`` (each with a ``kind``) and ``left_over`` are for programs.

    Raises
    ------
    ValueError
        For an unusable system, an unknown name in ``other``, an array of another shape or with values not finite.

    Notes
    -----
    The terms are those of Eqs. 3-7 and 12-14 of arXiv:2604.25687. Their factors are found by least squares, for every
    order, conjugation, frame and layout that is usual, and the explanation with the fewest differences is taken. What
    is not explained is said to be so.

    Examples
    --------
    >>> grid = ps.bins(2, 2, 4)
    >>> print(ps.compare(grid, *ps.quadrant(grid, 0.9, 0.1), g=1e-6, other={"matrix": M}))
    """
    rho, rhobar = checked_occupations(checked_grid(grid), rho, rhobar)
    g = checked_coupling(grid, g)
    theirs = _checked(grid, other)
    eps = grid.theta_hat - 1j * grid.phi_hat
    ours = System(grid.energy, grid.weight, grid.p_hat, eps, rho, rhobar, g)
    mu = None if grid.edges is None else float(mu_prime(g, grid.edges.energy[-1]))
    run = "time" in theirs
    into = {name: values for name, values in theirs.items() if values.ndim < 2 or name == "direction"}
    comparands, differences = compare_inputs(grid, rho, rhobar, g, into, tolerance)
    alternatives: dict[str, tuple[tuple[Difference, ...], ...]] = {}
    left_over: dict[str, float] = {}

    def add(part: str, found: tuple[list[Comparand], list[Explanation], dict[str, float]]) -> None:
        comparands.extend(found[0])
        left_over.update(found[2])
        if found[1]:
            differences.extend(found[1][0].differences)
        if len(found[1]) > 1:
            alternatives[part] = tuple(explanation.differences for explanation in found[1][1:])

    if "matrix" in theirs:
        matrix = np.asarray(theirs["matrix"], np.complex128)
        add("matrix", compare_matrix(grid, ours, matrix, tolerance, mu))
    if any(name in theirs for name in RATES):
        add("right-hand side", compare_rates(grid, ours, theirs, tolerance, mu))
    if run:
        in_run, named, over = compare_trajectory(grid, ours, theirs, max(tolerance, 1e-4), mu)
        comparands += in_run
        differences += named
        left_over |= over
    title = f"Comparison with another code: {grid.size} pairs, g = {g:.6g} MeV^-2"
    return Comparison(title, tuple(comparands), tuple(differences), alternatives, left_over, tolerance)


def _checked(grid: Grid, other: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
    """What is there, as arrays of the right shapes."""
    if not isinstance(other, Mapping) or not other:
        raise ValueError(
            f"other = {shorten(other)}: give a mapping of what the other code has, such as {{'matrix': M}}"
        )
    size = grid.size
    theirs: dict[str, NDArray[Any]] = {}
    for name, given in other.items():
        if name not in KNOWN:
            raise ValueError(f"other[{name!r}]: {suggest(name, KNOWN)}")
        theirs[name] = np.asarray(given)
        if theirs[name].dtype.kind not in "iufc" or not np.isfinite(theirs[name]).all():
            raise ValueError(f"other[{name!r}]: give finite numbers")
    run = "time" in theirs
    shapes: dict[str, tuple[tuple[int, ...], ...]] = dict.fromkeys(KNOWN, ((size,),))
    shapes |= {"g": ((),), "direction": ((size, 3),), "matrix": ((2 * size, 2 * size), (size, size))}
    if run:
        times = theirs["time"].shape
        if len(times) != 1 or times[0] < 2 or np.any(np.diff(theirs["time"]) <= 0):
            raise ValueError(f"other['time'] has shape {times}: give at least two times that rise")
        shapes |= {"time": (times,), "kappa": ((*times, size),)}
        shapes |= dict.fromkeys(("rho", "rhobar"), ((*times, size), (size,)))
    for name, values in theirs.items():
        if values.size == size and shapes[name] == ((size,),):
            theirs[name] = values.ravel()
        elif values.shape not in shapes[name]:
            wanted = " or ".join(str(shape) for shape in shapes[name])
            raise ValueError(f"other[{name!r}] has shape {values.shape}: give {wanted} for {size} pairs")
        if name not in ("matrix", "kappa", "dkappa") and np.iscomplexobj(values):
            raise ValueError(f"other[{name!r}]: give real numbers")
    rates = [name for name in RATES if name in theirs]
    if rates and run:
        raise ValueError(
            "other['time']: a run and a right-hand side have a kappa each: compare one after the other"
        )
    if (rates or run) and "kappa" not in theirs:
        raise ValueError(f"other['kappa'] is missing: {'time' if run else rates[0]} is compared at it")
    if "kappa" in theirs and not (rates or run):
        raise ValueError("other['kappa']: give dkappa or drho at it, or time for a run")
    return _directions(theirs)


def _directions(theirs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Replace theta and phi by the direction they give."""
    theta, phi = (theirs.pop(name, None) for name in ("theta", "phi"))
    if theta is None and phi is None:
        return theirs
    if theta is None or phi is None:
        raise ValueError("other['theta'], other['phi']: give both, or direction")
    sine = np.sin(theta)
    theirs["direction"] = np.stack([sine * np.cos(phi), sine * np.sin(phi), np.cos(theta)], axis=1)
    return theirs

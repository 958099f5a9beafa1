"""Systems of a block to arrays by the declared names: at their wave vectors, or where the search finds the fastest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.analyses.base import PointFailure
from pairsweep.analyses.inhomogeneous.analysis import InhomogeneousOptions
from pairsweep.analyses.inhomogeneous.directions import angles_of, wave_vectors
from pairsweep.analyses.inhomogeneous.ladder import ladder_growth, rungs
from pairsweep.analyses.inhomogeneous.occupations import FunctionOccupations, Occupations, PairOccupations
from pairsweep.analyses.inhomogeneous.search import largest_growth
from pairsweep.analyses.inhomogeneous.solver import Inhomogeneous, Medium
from pairsweep.contract.errors import UserCodeError
from pairsweep.physics.grid import Floats
from pairsweep.physics.systems import Systems

Arrays = dict[str, NDArray[Any]]
OF_SEARCH = ("k_of_largest", "k_theta_of_largest", "k_phi_of_largest")


def solve_systems(systems: Systems, options: InhomogeneousOptions) -> tuple[Arrays, dict[int, PointFailure]]:
    """Results of P systems by name, and failures by row."""
    occupations, failures = _occupations(systems)
    medium = Medium(options.families, options.background, options.vacuum)
    inhomogeneous = Inhomogeneous(systems.grid, occupations, systems.g, medium, options.growth_tolerance)
    if options.search:
        k, arrays = _searched(inhomogeneous, systems.size, failures)
        at_rest = np.where(np.isnan(k), 0.0, k)
    else:
        k = at_rest = wave_vectors(systems.own)
        arrays = {}
    found = inhomogeneous.solve(np.arange(systems.size), at_rest, options.modes)
    arrays |= found.arrays
    failures |= {row: failure for row, failure in found.failures.items() if row not in failures}
    if options.modes:
        arrays["inhomogeneous_mode_growth_rate"] = found.modes.imag.copy()
        arrays["inhomogeneous_mode_frequency"] = found.modes.real.copy()
        low, high = inhomogeneous.pole_bands(np.arange(systems.size), at_rest)
        arrays["inhomogeneous_pole_low"], arrays["inhomogeneous_pole_high"] = low, high
    if options.ladder_max and systems.grid.edges is not None:
        factors = rungs(systems.grid.bin_energy.size, options.ladder_max)
        arrays["inhomogeneous_ladder_growth"] = np.array(
            [
                np.full(len(factors), np.nan)
                if row in failures
                else ladder_growth(inhomogeneous, row, k[row], factors)
                for row in range(systems.size)
            ]
        )
    return arrays, failures


def _occupations(systems: Systems) -> tuple[Occupations, dict[int, PointFailure]]:
    """Occupations as functions of momentum; those of beams belong to their pairs."""
    if systems.grid.kind == "beams":
        return PairOccupations(systems.rho, systems.rhobar), {}
    failures: dict[int, PointFailure] = {}
    functions = []
    for row in range(systems.size):
        try:
            functions.append(systems.profile(row).occupation)
        except UserCodeError as error:
            failures[row] = PointFailure(str(error), error.traceback)
            functions.append(_nowhere)
    return FunctionOccupations(tuple(functions), systems.rho, systems.rhobar), failures


def _nowhere(energy: Floats, theta: Floats, phi: Floats) -> tuple[Floats, Floats]:
    nothing = np.full(energy.shape, np.nan)
    return nothing, nothing


def _searched(
    inhomogeneous: Inhomogeneous, size: int, failures: dict[int, PointFailure]
) -> tuple[Floats, Arrays]:
    """Wave vectors (P, 3) of the largest growth of each system, NaN where none, and what the search says of itself."""
    k = np.full((size, 3), np.nan)
    names = (*OF_SEARCH, "inhomogeneous_unstable_share", "inhomogeneous_k_step")
    arrays = {name: np.full(size, np.nan) for name in names}
    for row in range(size):
        if row in failures:
            continue
        largest = largest_growth(inhomogeneous, row)
        k[row] = largest.k
        values = (*angles_of(largest.k), largest.unstable_share, largest.step)
        for name, value in zip(names, values, strict=True):
            arrays[name][row] = value
    return k, arrays

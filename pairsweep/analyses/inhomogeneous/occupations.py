"""Occupations of several systems at the momenta of the particles: what a mode with a wave number needs."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pairsweep.analyses.base import PointFailure
from pairsweep.contract.errors import UserCodeError
from pairsweep.contract.occupation import first_fault
from pairsweep.physics.grid import Floats

Rows = NDArray[np.intp]
Occupation = Callable[[Floats, Floats, Floats], tuple[Floats, Floats]]


@dataclass(frozen=True, eq=False)
class PairOccupations:
    """Occupations (P, N) that belong to the pairs of beams, whatever k is; rhobar in the label of its pair."""

    rho: Floats
    rhobar: Floats


@dataclass(frozen=True, eq=False)
class FunctionOccupations:
    """Occupations of P systems as functions of momentum, one each.

    Attributes
    ----------
    functions : f(energy, theta, phi) -> (rho, rhobar), MeV and radians, phi in [0, 2 pi); rhobar in its pair's label
    rho, rhobar : (P, N), their values at the pairs of the grid
    faults : why systems have no occupation somewhere; NaN there
    """

    functions: tuple[Occupation, ...]
    rho: Floats
    rhobar: Floats
    faults: dict[int, PointFailure] = field(default_factory=dict)

    def at(self, rows: Rows, energy: Floats, theta: Floats, phi: Floats) -> tuple[Floats, Floats]:
        """(rho, rhobar) of systems ``rows`` (R,) at momenta (R, N); one call for each function."""
        momenta = energy, theta, phi
        rho, rhobar = np.empty(energy.shape), np.empty(energy.shape)
        identity = np.array([id(function) for function in self.functions])[rows]
        for one in np.unique(identity):
            together = np.flatnonzero(identity == one)
            function = self.functions[rows[together[0]]]
            pair, fault = evaluated(function, *(at[together] for at in momenta))
            rho[together], rhobar[together] = pair
            if fault is None:
                continue
            # what fails at the momenta of one system shall not fail the others
            for i in together:
                (rho[i], rhobar[i]), fault = evaluated(function, *(at[i] for at in momenta))
                if fault is not None:
                    self.faults[int(rows[i])] = fault
        return rho, rhobar


def evaluated(
    function: Occupation, energy: Floats, theta: Floats, phi: Floats
) -> tuple[tuple[Floats, Floats], PointFailure | None]:
    """Occupations at momenta of any shape, or why there are none; a function sees one list of momenta."""
    nothing = np.full(energy.shape, np.nan), np.full(energy.shape, np.nan)
    cure = "modes with a wave number need it at every p + k/2 and p - k/2, off the grid and above energy_max"
    try:
        pair = function(energy.ravel(), theta.ravel(), phi.ravel())
        rho, rhobar = (np.broadcast_to(values, energy.size).reshape(energy.shape) for values in pair)
    except UserCodeError as error:
        return nothing, PointFailure(f"{error}: {cure}", error.traceback)
    except Exception as error:  # whatever a user's function does is recorded
        reason = f"the occupation raised {type(error).__name__}: {' '.join(str(error).split())}: {cure}"
        return nothing, PointFailure(reason, traceback.format_exc())
    outside = first_fault(rho, rhobar)
    if outside is not None:
        at, what = outside
        place = f"occupation at energy {energy[at]:g}, theta {theta[at]:g}, phi {phi[at]:g}"
        return nothing, PointFailure(f"{place}: {what}; {cure}")
    return (rho, rhobar), None


Occupations = PairOccupations | FunctionOccupations

"""`ps.examine`: is the instability of one system real, or made by the bins of its grid?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from pairsweep.analyses.continuum.analysis import CONTINUUM, LADDER_N_ENERGY, ContinuumOptions
from pairsweep.analyses.continuum.solver import solve
from pairsweep.analyses.growth.analysis import METHODS, GrowthOptions
from pairsweep.contract.arguments import choice, number, whole
from pairsweep.contract.waiting import interruptibly
from pairsweep.kernels.compiling import announced
from pairsweep.physics.arguments import checked_coupling, checked_grid, checked_occupations
from pairsweep.physics.grid import MAX_PAIRS, Floats, Grid
from pairsweep.physics.systems import Profile, Systems
from pairsweep.physics.table import steps

if TYPE_CHECKING:
    import xarray as xr

EDGES = ("energy_edges", "cos_theta_edges", "phi_edges")
FunctionOfMomentum = Callable[[Floats, Floats, Floats], tuple[ArrayLike, ArrayLike]]


@announced()
def examine(
    grid: Grid,
    rho: FunctionOfMomentum | ArrayLike,
    rhobar: ArrayLike | None = None,
    *,
    g: float,
    angles: str = "grid",
    vacuum: str = "grid",
    ladder_max: int = 0,
    angle_rungs: int = 0,
    method: str = "auto",
    growth_tolerance: float | None = None,
) -> xr.Dataset:
    """Verdict on one system: what its grid shows against what there is with continuous energy.

    Parameters
    ----------
    grid : Grid
        The pairs, from ``ps.bins`` or ``ps.cells``.
    rho, rhobar : (N,), (n_energy, n_theta, n_phi) or one number
        Occupations, 0 to 1, taken as constant in each cell of the grid. rho of the neutrino of momentum p, rhobar of
        its partner, the antineutrino of momentum -p; ``rhobar`` defaults to ``rho``. Or, as ``rho`` alone, a function
        f(energy, theta, phi) -> (rho, rhobar) of arrays in MeV and radians (phi from 0 to 2 pi). It may declare its
        steps and kinks as a custom function does: ``f.energy_edges()``, ``f.cos_theta_edges()``, ``f.phi_edges()``.
    g : float
        Coupling, MeV^-2.
    angles : {"grid", "continuous"}
        Energy is continuous along the directions of the grid, or angles are integrated as well.
    vacuum : {"grid", "subtracted"}
        As the grid has it, or with the constant that belongs to its cutoff taken out.
    ladder_max : int
        Largest number of energy bins of a ladder, which doubles n_energy rung by rung; 0 for none.
    angle_rungs : int
        Rungs of a ladder of angles, which doubles n_theta and n_phi rung by rung.
    method, growth_tolerance
        How the growth on the grid is found, as for ``ps.growth``.

    Returns
    -------
    xarray.Dataset
        ``verdict`` with its meanings in ``flag_meanings``, ``continuum_growth_rate`` (MeV), ``continuum_frequency``,
        ``continuum_error``, ``vouched_growth``, ``cutoff_shift``, ``cutoff_sensitive`` and the ladders asked for,
        labelled as in a sweep.

    Raises
    ------
    ValueError
        For beams, which have single energies, occupations outside [0, 1] or of another shape than the grid, a g that is
        not positive, unknown options, or ladders of too many pairs.
    RuntimeError
        Where the occupation could not be followed; the message says what it did.

    Notes
    -----
    The determinant of 1 - D(omega) with its integral over energy in closed form; docs/continuum.md says how.
    """
    import xarray as xr

    if checked_grid(grid).edges is None:
        raise ValueError("grid: beams have single energies: a continuum needs ps.bins or ps.cells")
    assert grid.edges is not None
    g = checked_coupling(grid, g)
    options = ContinuumOptions(
        angles=choice("angles", angles, ("grid", "continuous")),
        vacuum=choice("vacuum", vacuum, ("grid", "subtracted")),
        ladder_max=whole("ladder_max", ladder_max, "how many energy bins at most", 0),
        angle_rungs=whole("angle_rungs", angle_rungs, "how many rungs", 0),
    )
    _check_ladders(grid, options)
    if growth_tolerance is not None:
        what = "a fraction of the coupling"
        growth_tolerance = number("growth_tolerance", growth_tolerance, what, minimum=0.0, open_below=True)
    growth = GrowthOptions(method=choice("method", method, METHODS), growth_tolerance=growth_tolerance)
    (at_rho, at_rhobar), profile = _occupation(grid, rho, rhobar)
    system = Systems(
        grid,
        at_rho[None],
        at_rhobar[None],
        g=np.array([g]),
        energy_max=grid.edges.energy[-1:],
        profile=lambda row: profile,
    )
    # a user's own function stays in this thread
    solution = (
        solve(system, options, growth)
        if callable(rho)
        else interruptibly(partial(solve, system, options, growth))
    )
    if solution.failures:
        raise RuntimeError(solution.failures[0].reason)
    data = {
        variable.name: (variable.trailing, solution.arrays[variable.name][0], variable.attrs)
        for variable in CONTINUUM.computed(options, grid.kind)
    }
    coords: dict[str, Any] = {"g": g}
    if options.ladder_max:
        n_energy = grid.bin_energy.size * np.array(options.refinements(grid.bin_energy.size))
        coords["ladder_n_energy"] = ("ladder", n_energy, LADDER_N_ENERGY.attrs)
    if options.angle_factors:
        coords["ladder_angle"] = list(options.angle_factors)
    return xr.Dataset(data, coords=coords)


def _check_ladders(grid: Grid, options: ContinuumOptions) -> None:
    """Refuse a rung that is a larger system than is ever solved."""
    directions = grid.size // grid.bin_energy.size
    for name, pairs in (
        ("ladder_max", options.ladder_max * directions),
        ("angle_rungs", grid.size * 4**options.angle_rungs),
    ):
        if pairs > MAX_PAIRS:
            raise ValueError(
                f"{name} = {getattr(options, name)}: makes {pairs} pairs; at most {MAX_PAIRS:.0e}"
            )


def _occupation(grid: Grid, rho: Any, rhobar: Any) -> tuple[tuple[Floats, Floats], Profile]:
    """Occupations of the pairs, checked, and what they are samples of."""
    assert grid.edges is not None
    assert grid.shape is not None
    if not callable(rho):
        pairs = checked_occupations(grid, rho, rhobar)
        edges = list(grid.edges)
        return pairs, steps([(each.reshape(1, *grid.shape), edges) for each in pairs])
    if rhobar is not None:
        raise ValueError("rhobar: a function returns both, f(energy, theta, phi) -> (rho, rhobar)")

    def occupation(energy: Floats, theta: Floats, phi: Floats) -> tuple[Floats, Floats]:
        both = rho(energy, theta, np.mod(phi, 2.0 * np.pi))
        one, other = (np.broadcast_to(np.asarray(each, dtype=np.float64), energy.shape) for each in both)
        return one, other

    declared: dict[str, Any] = {
        name: tuple(map(float, getattr(rho, name)())) for name in EDGES if hasattr(rho, name)
    }
    at_pairs = occupation(grid.energy, grid.theta, grid.phi)
    return checked_occupations(grid, *at_pairs), Profile(occupation, **declared)

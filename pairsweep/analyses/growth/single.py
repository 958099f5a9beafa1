"""`ps.growth`: one system, its results labelled as in a sweep."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from pairsweep.analyses.growth.analysis import GROWTH
from pairsweep.analyses.growth.solver import growth_of_systems
from pairsweep.contract.arguments import number, whole
from pairsweep.contract.variables import GRID_LABELS
from pairsweep.contract.waiting import interruptibly
from pairsweep.kernels.compiling import announced
from pairsweep.physics.arguments import checked_coupling, checked_grid, checked_occupations
from pairsweep.physics.grid import Grid

if TYPE_CHECKING:
    import xarray as xr

# Solved within some milliseconds: a thread for Ctrl-C would cost the smallest half as much again.
QUICK_PAIRS = 512


@announced()
def growth(
    grid: Grid,
    rho: ArrayLike,
    rhobar: ArrayLike | None = None,
    *,
    g: float,
    method: str = "auto",
    growth_tolerance: float | None = None,
    modes: int = 0,
) -> xr.Dataset:
    """Growth rate of the pairing instability of one system, the shape of its fastest mode and its EPN crossing.

    Parameters
    ----------
    grid : Grid
        The pairs, from ``ps.bins``, ``ps.cells`` or ``ps.beams``.
    rho, rhobar : (N,), (n_energy, n_theta, n_phi) or one number
        Occupations, 0 to 1. rho of the neutrino of momentum p, rhobar of its partner, the antineutrino of momentum -p;
        ``rhobar`` defaults to ``rho``.
    g : float
        Coupling, MeV^-2.
    method : {"auto", "dense", "dispersion"}
        "auto" takes the cheapest proof there is: signs of the EPN, the certified zeros of the dispersion function at
        O(N), and all eigenvalues of M at O(N^3) where those leave a doubt and N is at most 1024. "dispersion" leaves
        the last out, "dense" takes it alone. ``growth_method_taken`` says which it was.
    growth_tolerance : float, optional
        Smallest growth rate that counts, as a fraction of the coupling 4 g sum w abs(n); 1e-6 unless given. Where
        double precision cannot vouch for it, "auto" takes the smallest it can vouch for and "dispersion" refuses;
        ``growth_floor`` says what it came to. Not used by "dense", which knows its own floor.
    modes : int
        Number of modes in ``mode_growth_rate`` and ``mode_frequency``, fastest first, a conjugate pair once.

    Returns
    -------
    xarray.Dataset
        ``growth_rate`` (MeV, 0 where no mode grows faster than ``growth_floor``), ``frequency``, ``n_unstable``,
        ``mode_kind``, ``growth_method_taken``, ``energy_weight``, the crossing measures, ``angular_weight`` (bins),
        ``participation_ratio``, ``static_criterion``, ``g_static`` and the ``modes`` asked for, labelled as in a sweep.

    Raises
    ------
    ValueError
        For occupations outside [0, 1] or of another shape than the grid, weights that are all 0, g not positive, an
        unknown method, or more pairs than dense eigenvalues can hold.
    RuntimeError
        Where no growth rate can be vouched for; the message has the numbers and a cure.

    Notes
    -----
    The Letter's Eqs. 12-14 (arXiv:2604.25687): the largest Re(lambda) over the eigenvalues of M.
    """
    import xarray as xr

    rho, rhobar = checked_occupations(checked_grid(grid), rho, rhobar)
    g = checked_coupling(grid, g)
    modes = whole("modes", modes, "how many modes to return", 0)
    if growth_tolerance is not None:
        what = "a fraction of the coupling"
        growth_tolerance = number("growth_tolerance", growth_tolerance, what, minimum=0.0, open_below=True)
    solve = partial(
        growth_of_systems,
        grid,
        (rho + rhobar - 1.0)[None],
        np.array([g]),
        method=method,
        growth_tolerance=growth_tolerance,
        modes=modes,
        details=True,
    )
    quick = grid.size <= QUICK_PAIRS and method != "dense"
    result = solve() if quick else interruptibly(solve)
    if result.reasons[0] is not None:
        raise RuntimeError(result.reasons[0])
    variables = {variable.name: variable for variable in GROWTH.variables}
    data = {
        name: (variables[name].trailing, values[0], variables[name].attrs)
        for name, values in result.arrays.items()
    }
    coords: dict[str, Any] = {
        "energy": (("energy_bin",), grid.bin_energy, GRID_LABELS["energy"].attrs),
        "g": g,
    }
    if grid.shape is not None:
        theta, phi = (angle.reshape(grid.shape)[0] for angle in (grid.theta, grid.phi))
        coords["theta"] = (("theta_bin",), theta[:, 0], GRID_LABELS["theta"].attrs)
        coords["phi"] = (("phi_bin",), phi[0], GRID_LABELS["phi"].attrs)
    return xr.Dataset(data, coords=coords)

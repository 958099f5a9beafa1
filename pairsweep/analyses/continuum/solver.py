"""Does an instability survive the continuum in energy? Roots, ladder, cutoff probe and verdict of one system.

Angles stay discretised: every statement is about the continuum in energy along the directions of a grid.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairsweep.analyses.continuum.analysis import VERDICTS
from pairsweep.analyses.continuum.kernels.count import strength
from pairsweep.analyses.continuum.kernels.medium import Anchor, prepare
from pairsweep.analyses.continuum.kernels.roots import (
    Status,
    continuum_roots,
    follow,
    mode_table,
)
from pairsweep.analyses.continuum.profile import Occupation, Spectrum, spectrum
from pairsweep.physics.grid import Floats, Grid

STABLE, CONTINUUM, DISCRETISATION, MISSED, UNDETERMINED = range(len(VERDICTS))

# Growth of the fastest mode of a discrete system: (energy, weight, p_hat, n, g) -> (rate, frequency, certified), MeV.
DiscreteGrowth = Callable[[Floats, Floats, Floats, Floats, float], tuple[float, float, bool]]

GROWTH_TOLERANCE = 1e-9  # smallest growth looked for, as a share of the coupling 4 g int |n| d^3p
# The ladder has arrived within this share of the root, or closes in on it by this factor a rung.
ARRIVED, CLOSING = 1e-3, 0.75
ANGLE_DEVIATION = 1e-4  # of a smooth occupation from its pieces, on the ladder of angles
SMALLEST_TOLERANCE = 1e-12  # rounding decides below
BUDGET = 400_000  # evaluations of the dispersion function for one system
MOST_MODES = 512
SETTLED = 1e-3  # relative change of the fastest root at which the refinement of a smooth occupation ends
REFINEMENTS = (1e-2, 1e-3, 1e-4, 1e-5)  # deviations from piecewise linear that are tried in turn
RESOLVED = 4.0  # a mode whose growth is this many bin spacings of 2 E must show on the grid
AGREEMENT = 0.2  # relative difference up to which a resolved ladder and the continuum agree
CUTOFF_SENSITIVE = 0.1
MOST_CUTOFFS = 500


@dataclass(frozen=True, eq=False)
class ContinuumModes:
    """All unstable modes of a spectrum, fastest first.

    Attributes
    ----------
    rates, frequencies : (M,) MeV
        Im omega and abs(Re omega).
    multiplicities : (M,) int
    anchors : (M, 3), offsets : (M,) complex
        Each mode to all digits: sign, energy and shift of the anchor, and the offset from it (MeV).
    vouched_growth : float, MeV
        There is no other mode that grows faster; infinite if not certified.
    status : Status
    """

    rates: Floats
    frequencies: Floats
    multiplicities: NDArray[np.int64]
    anchors: Floats
    offsets: NDArray[np.complex128]
    vouched_growth: float
    status: Status

    @property
    def certified(self) -> bool:
        """Whether these are certainly all modes above ``vouched_growth``."""
        return self.status == Status.CERTIFIED

    @property
    def growth_rate(self) -> float:
        """Growth of the fastest mode, MeV; 0 where there is none."""
        return float(self.rates[0]) if self.rates.size else 0.0

    @property
    def frequency(self) -> float:
        """Frequency of the fastest mode, MeV; 0 where there is none."""
        return float(self.frequencies[0]) if self.rates.size else 0.0


@dataclass(frozen=True, eq=False)
class Ladder:
    """Growth of one occupation on finer and finer grids.

    Attributes
    ----------
    n_energy : (R,) int
    growth : (R,) MeV
        NaN where the solver could not vouch for it.
    exponent : (R,)
        d ln(growth)/d ln(n_energy) from the rung before; NaN on the first, and where either growth is 0 or NaN.
    """

    n_energy: NDArray[np.int64]
    growth: Floats
    exponent: Floats


@dataclass(frozen=True, eq=False)
class Examination:
    """What the continuum analysis says about one system; the fields are the variables of a sweep."""

    verdict: int
    continuum_growth_rate: float
    continuum_frequency: float
    vouched_growth: float
    ladder_growth: Floats
    ladder_exponent: Floats
    ladder_approaches: bool
    ladder_angle_growth: Floats
    cutoff_shift: float
    cutoff_sensitive: bool
    modes: ContinuumModes


def continuum_modes(system: Spectrum, g: float, growth_tolerance: float = GROWTH_TOLERANCE) -> ContinuumModes:
    """All unstable modes of a spectrum at coupling ``g`` (MeV^-2), certified to be all.

    Parameters
    ----------
    system : Spectrum
    g : float, MeV^-2
    growth_tolerance : float
        Smallest growth looked for, as a share of the coupling 4 g int |n| d^3p; at least `SMALLEST_TOLERANCE`.

    Raises
    ------
    ValueError
        For a coupling that is not positive, or a tolerance below what double precision can vouch for.
    """
    if not (math.isfinite(g) and g > 0):
        raise ValueError(f"g = {g}: give a positive coupling in MeV^-2")
    if not SMALLEST_TOLERANCE <= growth_tolerance < 1:
        raise ValueError(f"growth_tolerance = {growth_tolerance:g}: between {SMALLEST_TOLERANCE:g} and 1")
    medium = prepare(system.solid_angle, system.direction, system.edges, system.n, g)
    table = mode_table(MOST_MODES)
    status, count, vouched = continuum_roots(medium, growth_tolerance * strength(medium), BUDGET, table)
    order = np.lexsort((table.frequencies[:count], -table.rates[:count]))
    return ContinuumModes(
        table.rates[order],
        table.frequencies[order],
        table.multiplicities[order],
        table.anchors[order],
        table.offsets[order],
        vouched,
        Status(status),
    )


def settled_modes(
    refine: Callable[[float], Spectrum], g: float, growth_tolerance: float = GROWTH_TOLERANCE
) -> tuple[Spectrum, ContinuumModes, bool]:
    """Modes of an occupation that is not piecewise linear, refined until the fastest one stops moving.

    ``refine`` returns the spectrum for a largest deviation; one that is exact is solved once. The last value says
    whether the root did settle.
    """
    system = refine(REFINEMENTS[0])
    modes = continuum_modes(system, g, growth_tolerance)
    if system.error == 0.0 or not modes.certified:
        return system, modes, modes.certified
    for deviation in REFINEMENTS[1:]:
        system, before = refine(deviation), modes
        modes = continuum_modes(system, g, growth_tolerance)
        change = abs(modes.growth_rate - before.growth_rate)
        if not modes.certified or change <= SETTLED * modes.growth_rate:
            return system, modes, modes.certified
    return system, modes, False


def ladder(system: Spectrum, g: float, n_energy: Sequence[int], discrete_growth: DiscreteGrowth) -> Ladder:
    """Growth on grids of ``n_energy`` bins, the occupation held fixed as a function of momentum.

    Cells have their exact volume and their averaged occupation (`Spectrum.cells`).
    """
    growth = np.full(len(n_energy), np.nan)
    for rung, bins_of_rung in enumerate(n_energy):
        rate, _, certified = discrete_growth(*system.cells(bins_of_rung), g)
        if certified:
            growth[rung] = rate
    counts = np.asarray(n_energy, dtype=np.int64)
    exponent = np.full(len(counts), np.nan)
    both = (growth[1:] > 0) & (growth[:-1] > 0)
    steps = np.log(counts[1:] / counts[:-1])
    exponent[1:][both] = np.log(growth[1:][both] / growth[:-1][both]) / steps[both]
    return Ladder(counts, growth, exponent)


def approaches(rungs: Ladder, root: float) -> bool:
    """Whether the finest rung with a result is at the continuum root (MeV), or clearly nearer than the one before."""
    distance = np.abs(rungs.growth[~np.isnan(rungs.growth)] - root)
    if not distance.size or math.isnan(root):
        return False
    return bool(distance[-1] <= max(ARRIVED * root, CLOSING * distance[-2] if distance.size > 1 else 0.0))


def angular_ladder(
    systems: Callable[[int], Spectrum],
    g: float,
    n_energy: int,
    factors: Sequence[int],
    discrete_growth: DiscreteGrowth,
) -> Floats:
    """Growth (MeV, NaN where not vouched for) with n_theta and n_phi multiplied by each factor, n_energy held fixed.

    ``systems(factor)`` gives the occupation on so many times the directions.
    """
    growth = np.full(len(factors), np.nan)
    for rung, factor in enumerate(factors):
        rate, _, certified = discrete_growth(*systems(factor).cells(n_energy), g)
        if certified:
            growth[rung] = rate
    return growth


def cutoff_shift(system: Spectrum, g: float, modes: ContinuumModes) -> float:
    """Relative change of the fastest mode's growth when empty modes are added up to twice the cutoff.

    The mode is followed through intermediate cutoffs, predicted from the two before and close enough that each
    prediction is right to a third of the growth. -1 if it dies on the way, NaN if there is none or it is lost.
    """
    if modes.rates.size == 0:
        return math.nan
    sign, energy, shift = modes.anchors[0]
    anchor = Anchor(int(sign), float(energy), float(shift))
    start = offset = complex(modes.offsets[0])
    floor = modes.vouched_growth
    largest = start.imag
    reached, speed = 0.0, 0.0j  # logarithmic: near a step of the occupation a mode moves exponentially
    smallest = 1e-9 * start.imag / system.energy_max
    step = min(0.05, 1e7 * smallest)
    for _ in range(MOST_CUTOFFS):
        step = min(step, 1.0 - reached)
        wider = system.with_empty_modes(system.energy_max * (1.0 + reached + step))
        medium = prepare(wider.solid_angle, wider.direction, wider.edges, wider.n, g)
        guess = offset * cmath.exp(speed * step)
        guess = complex(guess.real, max(guess.imag, 0.2 * offset.imag))
        moved, found = follow(medium, anchor, guess, floor, BUDGET)
        error = abs(moved - guess) / offset.imag
        if found and error < 1.0 / 3.0:
            speed = cmath.log(moved / offset) / step
            reached, offset = reached + step, moved
            largest = max(largest, offset.imag)
            if reached >= 1.0:
                return float(offset.imag / start.imag) - 1.0
            if error < 0.1:
                step *= 2.0
        elif step < smallest:
            break
        else:
            step /= 3.0
    return -1.0 if offset.imag < max(0.01 * largest, 10.0 * floor) else math.nan


def judge(grid_growth: float, modes: ContinuumModes, settled: bool, rungs: Ladder, system: Spectrum) -> int:
    """Verdict of a system from its own grid's growth (MeV, NaN if not vouched for), the continuum and the ladder.

    Grid and continuum are compared by stable or not. They are in conflict, and nothing is vouched for, where the finest
    rung resolves a mode (its growth is several spacings of 2 E) and the continuum says something else.
    """
    if math.isnan(grid_growth) or not settled:
        return UNDETERMINED
    continuum = modes.growth_rate
    with_result = np.flatnonzero(~np.isnan(rungs.growth))
    if with_result.size:
        finest = float(rungs.growth[with_result[-1]])
        spacing = 2.0 * system.energy_max / float(rungs.n_energy[with_result[-1]])
        larger = max(continuum, finest)
        if larger > RESOLVED * spacing and abs(continuum - finest) > AGREEMENT * larger:
            return UNDETERMINED
    if continuum > 0.0:
        return CONTINUUM if grid_growth > 0.0 else MISSED
    return DISCRETISATION if grid_growth > 0.0 else STABLE


def examine(
    grid: Grid,
    occupation: Occupation,
    *,
    energy_max: float,
    g: float,
    discrete_growth: DiscreteGrowth,
    refinements: Sequence[int] = (1, 2, 4, 8, 16, 32, 64, 128),
    edges: Sequence[float] = (),
    linear: bool = True,
    angle_factors: Sequence[int] = (),
    growth_tolerance: float = GROWTH_TOLERANCE,
) -> Examination:
    """Say whether the instability of one system is real.

    Parameters
    ----------
    grid : Grid
        Bins, from `pairsweep.physics.grid.bins`.
    occupation : Callable
        Takes a `Grid`, returns (rho, rhobar).
    energy_max : float
        Cutoff of the grid, MeV.
    g : float, MeV^-2
    discrete_growth : Callable
        The solver for discrete systems.
    refinements : sequence of int
        Rungs of the ladder, in units of the grid's own number of energy bins.
    edges : sequence of float
        Energies (MeV) of the occupation's steps and kinks (`pairsweep.physics.patterns.base.Edges`).
    linear : bool
        Whether the occupation is linear in E between them; refined piecewise where not.
    angle_factors : sequence of int
        Rungs of the ladder of angles, in units of the grid's own n_theta and n_phi; none by default.
    growth_tolerance : float
        See `continuum_modes`.

    Raises
    ------
    ValueError
        For a grid of beams, an occupation outside [0, 1], or steps that were not declared (`DiscontinuityError`).
    """
    if grid.shape is None:
        raise ValueError("beams have single energies: a continuum needs a grid of bins")
    n_energy, n_theta, n_phi = grid.shape

    def refine(deviation: float, factor: int = 1) -> Spectrum:
        return spectrum(
            occupation,
            n_theta=n_theta * factor,
            n_phi=n_phi * factor,
            energy_max=energy_max,
            edges=edges,
            linear=linear,
            tolerance=deviation,
        )

    system, modes, settled = settled_modes(refine, g, growth_tolerance)
    rungs = ladder(system, g, [n_energy * factor for factor in refinements], discrete_growth)
    rho, rhobar = (np.broadcast_to(v, grid.energy.shape) for v in occupation(grid))
    own, _, certified = discrete_growth(grid.energy, grid.weight, grid.p_hat, rho + rhobar - 1.0, g)
    shift = cutoff_shift(system, g, modes) if settled else math.nan
    return Examination(
        verdict=judge(own if certified else math.nan, modes, settled, rungs, system),
        continuum_growth_rate=modes.growth_rate if settled else math.nan,
        continuum_frequency=modes.frequency if settled else math.nan,
        vouched_growth=modes.vouched_growth,
        ladder_growth=rungs.growth,
        ladder_exponent=rungs.exponent,
        ladder_approaches=settled and approaches(rungs, modes.growth_rate),
        ladder_angle_growth=angular_ladder(
            lambda factor: refine(ANGLE_DEVIATION, factor), g, n_energy, angle_factors, discrete_growth
        ),
        cutoff_shift=shift,
        # a mode that cannot be followed to twice the cutoff is no evidence that the cutoff does not matter
        cutoff_sensitive=bool(modes.rates.size and settled and not abs(shift) <= CUTOFF_SENSITIVE),
        modes=modes,
    )

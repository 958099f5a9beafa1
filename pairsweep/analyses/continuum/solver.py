"""Does an instability survive the continuum? Roots, verdicts and the evidence that is asked for, of P systems at once.

A point whose coupling is below the proven ceiling of any occupation costs nothing; the others are grouped by
occupation, which is prepared once and solved at all its couplings by one compiled call.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.analyses.base import PointFailure, Solution
from pairsweep.analyses.continuum.analysis import ContinuumOptions, Doubt, Verdict
from pairsweep.analyses.continuum.angular import RESOLUTIONS, components, turned
from pairsweep.analyses.continuum.kernels.angular import SPHERE
from pairsweep.analyses.continuum.kernels.couplings import (
    Answers,
    Pieces,
    Task,
    room_for,
    solve_couplings,
    solve_turned,
)
from pairsweep.analyses.continuum.kernels.medium import prepare, spectral_norm
from pairsweep.analyses.continuum.kernels.roots import Status, continuum_roots, mode_table
from pairsweep.analyses.continuum.profile import (
    Directions,
    ProfileError,
    Spectrum,
    directions_of,
    spectrum,
)
from pairsweep.analyses.continuum.vacuum import subtracted_growth
from pairsweep.analyses.growth.analysis import GrowthOptions
from pairsweep.analyses.growth.dense import coupling_of
from pairsweep.analyses.growth.solver import vouched_growth
from pairsweep.contract.errors import UserCodeError
from pairsweep.physics.grid import Floats, Grid, Ints, divided, finer_sphere
from pairsweep.physics.systems import Profile, Systems

GROWTH_TOLERANCE = 1e-9  # smallest growth looked for, as a share of the coupling 4 g int |n| d^3p
SMALLEST_TOLERANCE = 1e-12  # rounding decides below
BUDGET = 400_000  # evaluations of the dispersion function for one system
MOST_MODES = 512
SETTLED = 1e-3  # relative change of the fastest root at which the refinement of an occupation ends
REFINEMENTS = (1e-3, 1e-5, 1e-7)  # deviations from piecewise cubic; each is compared with the one before
# The ladder has arrived within this share of the root, or closes in on it by this factor a rung.
ARRIVED, CLOSING = 1e-3, 0.75
RESOLVED = 4.0  # a mode whose growth is this many bin spacings of 2 E must show on the grid
AGREEMENT = 0.2  # relative difference up to which a resolved ladder and the continuum agree
CUTOFF_SENSITIVE = 0.1
RUNG_NUMBERS = 2**21  # occupation numbers of a rung of the ladder that are held at once
USER_ERRORS = (ProfileError, UserCodeError)  # what a user's occupation does fails its points
NOTHING = Pieces(np.empty(0), np.empty((0, 3)), np.empty(0), np.empty((0, 0, 4)))


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


def continuum_modes(
    system: Spectrum, g: float, growth_tolerance: float = GROWTH_TOLERANCE, subtracted: bool = False
) -> ContinuumModes:
    """All unstable modes of a spectrum at coupling ``g`` (MeV^-2), certified to be all.

    Parameters
    ----------
    system : Spectrum
    g : float, MeV^-2
    growth_tolerance : float
        Smallest growth looked for, as a share of the coupling 4 g int |n| d^3p; at least `SMALLEST_TOLERANCE`.
    subtracted : bool
        Without the vacuum's cutoff constant.

    Raises
    ------
    ValueError
        For a coupling that is not positive, or a tolerance below what double precision can vouch for.
    """
    if not (math.isfinite(g) and g > 0):
        raise ValueError(f"g = {g}: give a positive coupling in MeV^-2")
    if not SMALLEST_TOLERANCE <= growth_tolerance < 1:
        raise ValueError(f"growth_tolerance = {growth_tolerance:g}: between {SMALLEST_TOLERANCE:g} and 1")
    medium = prepare(*system.pieces, g, subtracted)
    table = mode_table(MOST_MODES)
    status, count, vouched = continuum_roots(medium, growth_tolerance * medium.coupling, BUDGET, table)
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


def settled(answers: Answers) -> NDArray[np.bool_]:
    """Which answers are certified and no longer move with the refinement of the occupation."""
    return np.asarray((answers.status == Status.CERTIFIED) & (answers.error <= SETTLED * answers.growth))


def solve_profile(
    refine: Callable[[float], Spectrum],
    exact: bool,
    g: Floats,
    *,
    subtracted: bool = False,
    cutoff: bool = True,
) -> Answers:
    """Modes of one occupation at couplings ``g`` (M,), refined until the fastest one stops moving.

    ``refine`` returns the spectrum for a largest deviation; one that is ``exact`` is solved once.
    """
    task = Task(GROWTH_TOLERANCE, subtracted, cutoff, BUDGET)
    answers: Answers = room_for(g.size)
    if exact:
        solve_couplings(refine(REFINEMENTS[0]).pieces, NOTHING, g, task, answers)
        return answers
    left = np.arange(g.size)
    coarse = refine(REFINEMENTS[0])
    for deviation in REFINEMENTS[1:]:
        fine = refine(deviation)
        part = room_for(left.size)
        solve_couplings(fine.pieces, coarse.pieces, g[left], task, part)
        left = _take(answers, part, left)
        coarse = fine
        if left.size == 0:
            break
    return answers


def solve_turned_profile(
    profile: Profile, energy_max: float, g: Floats, *, subtracted: bool = False, cutoff: bool = True
) -> Answers:
    """Modes of one occupation with angles integrated at couplings ``g`` (M,), refined until the fastest stays."""
    task = Task(GROWTH_TOLERANCE, subtracted, cutoff, BUDGET)
    answers: Answers = room_for(g.size)
    left = np.arange(g.size)
    coarse = turned(profile, energy_max, RESOLUTIONS[0])
    for before, resolution in itertools.pairwise(RESOLUTIONS):
        fine = turned(profile, energy_max, resolution)
        part = room_for(left.size)
        accuracy = np.array([resolution.density, before.density])
        solve_turned(fine, coarse, accuracy, g[left], task, part)
        left = _take(answers, part, left)
        coarse = fine
        if left.size == 0:
            break
    return answers


def _take(answers: Answers, part: Answers, rows: Ints) -> Ints:
    """Copy answers into their rows; return those that refinement may still settle."""
    for whole, column in zip(answers, part, strict=True):
        whole[rows] = column
    moving: NDArray[np.bool_] = ~settled(part) & (part.status == Status.CERTIFIED)
    return rows[moving]


def any_ceiling(directions: Directions | None, g: Floats, energy_max: Floats) -> Floats:
    """Growth (P,), MeV, that no occupation along these directions, or in all (None), exceeds at couplings (P,).

    `kernels.medium.ceiling` for |n| <= 1 and the largest shift that there can be: for a proof without an occupation.
    """
    norm, solid_angle = SPHERE, 4.0 * np.pi
    if directions is not None:
        total = directions.solid_angle @ components(directions.unit)
        norm, solid_angle = spectral_norm(total), float(directions.solid_angle.sum())
    square = energy_max**2
    shift = g * 2.0 / 3.0 * square * energy_max * solid_angle
    resonant = 2.0 * g * norm * (square + np.minimum(square, 16.0 * shift**2))
    other = g * norm * square
    with np.errstate(over="ignore"):
        found = energy_max / np.sinh((1.0 - other) / resonant)
    return np.where(other < 1.0, found, np.inf)


@dataclass(frozen=True, eq=False)
class Ladder:
    """Growth of P occupations on finer and finer grids.

    Attributes
    ----------
    n_energy : (R,) int
    growth : (P, R) MeV
        NaN where the solver could not vouch for it.
    """

    n_energy: NDArray[np.int64]
    growth: Floats

    @property
    def exponent(self) -> Floats:
        """d ln(growth)/d ln(n_energy) from the rung before, (P, R); NaN where there is none or a growth is 0 or NaN."""
        found = np.full(self.growth.shape, np.nan)
        before, after = self.growth[:, :-1], self.growth[:, 1:]
        both = (after > 0) & (before > 0)
        steps = np.broadcast_to(np.log(self.n_energy[1:] / self.n_energy[:-1]), both.shape)
        found[:, 1:][both] = np.log(after[both] / before[both]) / steps[both]
        return found

    def finest(self) -> tuple[Floats, Floats]:
        """Growth and number of bins of each system's finest rung with a result; NaN where there is none, (P,)."""
        growth, n_energy = (np.full(len(self.growth), np.nan) for _ in range(2))
        for rung, bins in enumerate(self.n_energy):
            known = ~np.isnan(self.growth[:, rung])
            growth[known] = self.growth[known, rung]
            n_energy[known] = bins
        return growth, n_energy

    def approaches(self, root: Floats) -> NDArray[np.bool_]:
        """Whether the finest rung with a result is at the root (P,), or clearly nearer than the one before."""
        distance = np.abs(self.growth - root[:, None])
        said = np.zeros(root.size, dtype=bool)
        for row, away in enumerate(distance):
            known = away[~np.isnan(away)]
            if known.size:
                closing = CLOSING * known[-2] if known.size > 1 else 0.0
                said[row] = known[-1] <= max(ARRIVED * root[row], closing)
        return said


@dataclass(frozen=True, eq=False)
class _Roots:
    """Fastest modes of P systems with continuous energy, as `Answers`, and which of them are settled."""

    answers: Answers
    settled: NDArray[np.bool_]


def solve(systems: Systems, options: ContinuumOptions, growth: GrowthOptions) -> Solution:
    """Verdicts of P systems on one grid, and the evidence that is asked for, under the options of [growth]."""
    failures: dict[int, PointFailure] = {}
    directions = directions_of(systems.grid)
    if options.subtracted:
        own, own_frequency = subtracted_growth(systems.grid, systems.n, systems.g, growth.growth_tolerance)
    else:
        own = _vouched_growth(systems.grid, systems.n, systems.g, growth, subtracted=False)
    roots = _roots(systems, directions, options, failures)
    found = roots.answers
    missing = np.where(roots.settled, 0.0, np.nan)  # what is not settled is not said
    arrays: dict[str, NDArray[Any]] = {
        "continuum_growth_rate": found.growth + missing,
        "continuum_frequency": found.frequency + missing,
        "continuum_error": found.error + missing,
        "vouched_growth": found.vouched,
        "cutoff_shift": found.shift,
        # a mode that cannot be followed to twice the cutoff is no evidence that the cutoff does not matter
        "cutoff_sensitive": (
            roots.settled & (found.growth > 0) & ~(np.abs(found.shift) <= CUTOFF_SENSITIVE)
        ).astype(np.int8),
    }
    if options.subtracted:
        arrays |= {"subtracted_growth_rate": own, "subtracted_frequency": own_frequency}
    conflict = np.zeros(systems.size, dtype=bool)
    factors = options.refinements(len(systems.grid.bin_energy))
    if factors:
        rungs = _ladder(systems, factors, (options, growth), failures)
        arrays |= {
            "ladder_growth": rungs.growth,
            "ladder_exponent": rungs.exponent,
            "ladder_approaches": (roots.settled & rungs.approaches(found.growth)).astype(np.int8),
        }
        conflict = in_conflict(found.growth, rungs, systems.energy_max)
    if options.angle_factors:
        arrays["ladder_angle_growth"] = _angular_ladder(systems, (options, growth), failures)
    doubts = _doubts(own, found.status, roots.settled, conflict)
    arrays |= {
        "undetermined_reason": doubts,
        "verdict": judge(own, found.growth, doubts == Doubt.NONE),
    }
    return Solution(arrays, failures)


def judge(own: Floats, continuum: Floats, settled: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Verdicts (P,) from the growth on the grid (MeV, NaN if not vouched for) and the growth with continuous energy."""
    on_grid = own > 0.0
    found = np.where(
        continuum > 0.0,
        np.where(on_grid, Verdict.CONTINUUM, Verdict.MISSED),
        np.where(on_grid, Verdict.DISCRETISATION, Verdict.STABLE),
    )
    return np.where(settled & ~np.isnan(own), found, Verdict.UNDETERMINED).astype(np.int8)


def _doubts(
    own: Floats, status: Ints, settled: NDArray[np.bool_], conflict: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """Why (P,) points are undetermined, the first reason of several."""
    found = np.select(
        [status != Status.CERTIFIED, ~settled, np.isnan(own), conflict],
        [Doubt.UNCOUNTED, Doubt.UNSETTLED, Doubt.GRID, Doubt.LADDER],
        Doubt.NONE,
    )
    return found.astype(np.int8)


def in_conflict(continuum: Floats, rungs: Ladder, energy_max: Floats) -> NDArray[np.bool_]:
    """Whether the finest rung resolves a mode (its growth is several spacings of 2 E) and the continuum disagrees."""
    finest, n_energy = rungs.finest()
    larger = np.fmax(continuum, finest)
    with np.errstate(invalid="ignore"):
        resolved = larger > RESOLVED * 2.0 * energy_max / n_energy
        return np.asarray(resolved & (np.abs(continuum - finest) > AGREEMENT * larger))


def _vouched_growth(grid: Grid, n: Floats, g: Floats, growth: GrowthOptions, subtracted: bool) -> Floats:
    """Growth (P,) on a grid, MeV; NaN where the solver cannot vouch for it."""
    if subtracted:
        return subtracted_growth(grid, n, g, growth.growth_tolerance)[0]
    return vouched_growth(grid, n, g, growth.method, growth.growth_tolerance)


def _roots(
    systems: Systems,
    directions: Directions,
    options: ContinuumOptions,
    failures: dict[int, PointFailure],
) -> _Roots:
    """Fastest modes with continuous energy: none below the ceiling, the others by occupation."""
    highest = any_ceiling(None if options.continuous_angles else directions, systems.g, systems.energy_max)
    coupling = coupling_of(systems.grid, systems.n, systems.g)
    found = room_for(systems.size)
    found.status[:] = Status.CERTIFIED
    found.vouched[:] = np.minimum(highest, coupling)
    for column in (found.growth, found.frequency, found.error):
        column[:] = 0.0
    rows = np.flatnonzero(highest > GROWTH_TOLERANCE * coupling)
    found.status[rows] = Status.UNDECIDED  # until they are solved
    for profile, energy_max, members in _by_profile(systems, rows, failures):
        along = profile.along(systems.grid)

        def refine(deviation: float, profile: Profile = along, energy_max: float = energy_max) -> Spectrum:
            return spectrum(profile, directions, energy_max, deviation)

        g = systems.g[members]
        try:
            if options.continuous_angles:
                part = solve_turned_profile(profile, energy_max, g, subtracted=options.subtracted)
            else:
                part = solve_profile(refine, along.linear, g, subtracted=options.subtracted)
        except USER_ERRORS as error:
            _record(error, members, failures)
            continue
        for whole, column in zip(found, part, strict=True):
            whole[members] = column
    return _Roots(found, settled(found))


def _by_profile(
    systems: Systems, rows: Ints, failures: dict[int, PointFailure]
) -> Iterator[tuple[Profile, float, Ints]]:
    """Profile, cutoff (MeV) and rows of the systems among ``rows`` that share them."""
    found: dict[tuple[int, float], tuple[Profile, list[int]]] = {}
    for row in (int(r) for r in rows if int(r) not in failures):
        try:
            profile = systems.profile(row)
        except USER_ERRORS as error:
            _record(error, np.array([row]), failures)
            continue
        key = (id(profile), float(systems.energy_max[row]))
        found.setdefault(key, (profile, []))[1].append(row)
    for (_, energy_max), (profile, members) in found.items():
        yield profile, energy_max, np.array(members)


def _record(error: Exception, rows: Ints, failures: dict[int, PointFailure]) -> None:
    for row in rows:
        failures[int(row)] = PointFailure(str(error), getattr(error, "traceback", ""))


def _ladder(
    systems: Systems,
    factors: Sequence[int],
    options: tuple[ContinuumOptions, GrowthOptions],
    failures: dict[int, PointFailure],
) -> Ladder:
    """Growth on grids whose energy bins are divided by ``factors``, the occupations held fixed in momentum space.

    Cells have their exact volume and their averaged occupation (`Spectrum.cells`).
    """
    assert systems.grid.edges is not None, "directions_of has refused beams"
    n_energy = len(systems.grid.bin_energy) * np.asarray(factors, dtype=np.int64)
    rates = np.full((systems.size, n_energy.size), np.nan)
    for rows, occupations in _spectra(systems, systems.grid, failures):
        for rung, factor in enumerate(factors):
            points = divided(systems.grid.edges.energy, factor)
            rates[rows, rung] = _growth_of_cells(occupations, points, systems.g[rows], options)
    return Ladder(n_energy, rates)


def _angular_ladder(
    systems: Systems,
    options: tuple[ContinuumOptions, GrowthOptions],
    failures: dict[int, PointFailure],
) -> Floats:
    """Growth (P, R), MeV, NaN where not vouched for, with n_theta and n_phi multiplied by each factor."""
    assert systems.grid.edges is not None, "directions_of has refused beams"
    points = systems.grid.edges.energy
    factors = options[0].angle_factors
    rates = np.full((systems.size, len(factors)), np.nan)
    for rung, factor in enumerate(factors):
        for rows, occupations in _spectra(systems, finer_sphere(systems.grid, factor), failures):
            rates[rows, rung] = _growth_of_cells(occupations, points, systems.g[rows], options)
    return rates


def _spectra(
    systems: Systems, grid: Grid, failures: dict[int, PointFailure]
) -> Iterator[tuple[Ints, Spectrum]]:
    """Rows of systems that share an occupation, and it along the directions of a grid."""
    directions = directions_of(grid)
    for profile, energy_max, members in _by_profile(systems, np.arange(systems.size), failures):
        try:
            yield members, spectrum(profile.along(grid), directions, energy_max, REFINEMENTS[1])
        except USER_ERRORS as error:
            _record(error, members, failures)


def _growth_of_cells(
    occupation: Spectrum, points: Floats, g: Floats, options: tuple[ContinuumOptions, GrowthOptions]
) -> Floats:
    """Growth (M,) of one occupation cut into bins between energies ``points`` at M couplings, MeV."""
    grid = occupation.grid(points)
    n = np.array(np.broadcast_to(occupation.cells(points), (g.size, grid.size)), order="C")
    rates = np.empty(g.size)
    step = max(1, RUNG_NUMBERS // grid.size)
    for start in range(0, g.size, step):
        part = slice(start, start + step)
        rates[part] = _vouched_growth(grid, n[part], g[part], options[1], options[0].subtracted)
    return rates

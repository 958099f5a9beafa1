"""The analysis ``inhomogeneous``: growth of modes exp(i k.x), at given k or where it is largest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pairsweep.analyses.base import Analysis, Findings, Solution, WarmUp, index_coordinate
from pairsweep.contract.errors import SpecError
from pairsweep.contract.fields import Field, option
from pairsweep.contract.template import Coordinate
from pairsweep.contract.variables import Label, Variable
from pairsweep.contract.view import SpecView, SweepView
from pairsweep.physics.systems import Systems

if TYPE_CHECKING:
    import xarray as xr

FAMILIES = ("pair", "all")
BACKGROUNDS = ("shift", "kinetic")
VACUA = ("grid", "subtracted")
VERDICTS = ("stable", "possible", "discretisation", "undetermined")
DIRECTIONS = ("x", "y", "z")
ANGLES = ("k_theta", "k_phi")


@dataclass(frozen=True, kw_only=True)
class InhomogeneousOptions:
    """What takes part, whether k is searched, and how much is stored of the modes."""

    families: str = option(
        "text",
        "pairs and their conjugates, or the intraband response too",
        default="pair",
        choices=FAMILIES,
    )
    background: str = option(
        "text",
        "refraction at first order as in the Letter's M, or none: occupations of kinetic momentum",
        default="shift",
        choices=BACKGROUNDS,
    )
    vacuum: str = option(
        "text",
        "the vacuum as the grid has it, or without the constant that belongs to its cutoff",
        default="grid",
        choices=VACUA,
    )
    search: bool = option(
        "flag", "find the largest growth over all k and directions in place of given ones", default=False
    )
    modes: int = option(
        "integer",
        "number of fastest modes that are stored along the dimension wave_mode, with the bands of the poles",
        default=0,
        minimum=0,
        maximum=1000,
    )
    ladder_max: int = option(
        "integer",
        "largest number of energy bins of a ladder at the same k, which doubles n_energy rung by rung; 0 for none",
        default=0,
        minimum=0,
        maximum=10**5,
    )
    growth_tolerance: float | None = option(
        "number",
        "smallest growth rate that counts, as a fraction of the coupling 2 g sum w abs(F); 1e-6 where left out",
        minimum=1e-9,
        maximum=0.1,
    )


def _searches(options: InhomogeneousOptions) -> bool:
    return options.search


def _modes(options: InhomogeneousOptions) -> bool:
    return options.modes > 0


def _climbs(options: InhomogeneousOptions) -> bool:
    return options.ladder_max > 0


AXES = (
    Field("k", "number", "wave number of the mode", "MeV", required=False, minimum=0.0),
    Field(
        "k_theta",
        "number",
        "polar angle of the wave vector",
        "rad",
        required=False,
        minimum=0.0,
        maximum=float(np.pi),
    ),
    Field("k_phi", "number", "azimuth of the wave vector", "rad", required=False),
    Field("k_direction", "text", "direction of the wave vector", required=False, choices=DIRECTIONS),
)
MODE = Label("wave_mode", "mode at this wave vector, fastest first")
RUNG = Label("k_ladder", "factor of the number of energy bins")
VARIABLES = (
    Variable("inhomogeneous_growth_rate", "largest growth rate at this k, 0 where stable", "MeV"),
    Variable("inhomogeneous_frequency", "oscillation frequency abs(Re omega) of that mode", "MeV"),
    Variable("inhomogeneous_n_unstable", "number of unstable omega at this k", dtype="int32"),
    Variable("inhomogeneous_growth_floor", "no mode grows faster where the growth rate is 0", "MeV"),
    Variable("inhomogeneous_ceiling", "largest growth rate of any continuous occupation at this k", "MeV"),
    Variable("inhomogeneous_verdict", "can the instability be real", dtype="int8", flags=VERDICTS),
    Variable(
        "inhomogeneous_resolution",
        "2 dE or k times the step in angle, over the growth rate: well below 1 for a grid that resolves it",
    ),
    Variable(
        "k_of_largest",
        "wave number of the largest growth found, NaN where none",
        "MeV",
        when=_searches,
        condition="search = true",
    ),
    Variable("k_theta_of_largest", "its polar angle", "rad", when=_searches, condition="search = true"),
    Variable("k_phi_of_largest", "its azimuth", "rad", when=_searches, condition="search = true"),
    Variable(
        "inhomogeneous_unstable_share",
        "share of the wave vectors of the scan that are unstable",
        when=_searches,
        condition="search = true",
    ),
    Variable(
        "inhomogeneous_k_step",
        "step of the scan in k: narrower bands may have been missed",
        "MeV",
        when=_searches,
        condition="search = true",
    ),
    Variable(
        "inhomogeneous_mode_growth_rate",
        "growth rates of the fastest modes, 0 beyond the last",
        "MeV",
        ("wave_mode",),
        when=_modes,
        condition="modes > 0",
    ),
    Variable(
        "inhomogeneous_mode_frequency",
        "their Re omega, of either sign",
        "MeV",
        ("wave_mode",),
        when=_modes,
        condition="modes > 0",
    ),
    Variable(
        "inhomogeneous_pole_low",
        "lowest pair energy abs(p + k/2) + abs(p - k/2), with refraction, of each energy bin",
        "MeV",
        ("energy_bin",),
        when=_modes,
        condition="modes > 0",
    ),
    Variable(
        "inhomogeneous_pole_high",
        "highest pair energy of each energy bin",
        "MeV",
        ("energy_bin",),
        when=_modes,
        condition="modes > 0",
    ),
    Variable(
        "inhomogeneous_ladder_growth",
        "growth rate at the same k on finer energy bins, NaN beyond ladder_max",
        "MeV",
        ("k_ladder",),
        kinds=("bins",),
        when=_climbs,
        condition="ladder_max > 0",
    ),
)


def _bins_of(spec: SpecView) -> list[int]:
    return [int(n) for n in spec["n_energy"].values] if "n_energy" in spec else [1]


def _dimensions(options: InhomogeneousOptions, sweep: SweepView) -> tuple[Coordinate, ...]:
    from pairsweep.analyses.inhomogeneous.ladder import rungs

    found = []
    if options.modes:
        found.append(index_coordinate(MODE, np.arange(options.modes)))
    if options.ladder_max:
        factors = max((rungs(n, options.ladder_max) for n in _bins_of(sweep.spec)), key=len)
        found.append(index_coordinate(RUNG, factors))
    return tuple(found)


def _check(options: InhomogeneousOptions, spec: SpecView) -> None:
    """Refuse wave vectors that are not said, said twice, or beyond the momenta of the grid."""
    name = INHOMOGENEOUS.name
    given = [key for key in ("k", *ANGLES, "k_direction") if key in spec]
    if options.search:
        if given:
            cure = "search = true finds k and its direction by itself: leave it out, or search = false"
            raise SpecError(f"{name}.{given[0]}", None, cure)
    else:
        _check_wave_vector(spec)
    if options.ladder_max:
        if spec.kind == "beams":
            raise SpecError(
                f"{name}.ladder_max", options.ladder_max, "beams have single energies: leave it out"
            )
        if options.ladder_max < min(_bins_of(spec)):
            cure = f"is below n_energy = {min(_bins_of(spec))}: give at least twice that, or 0"
            raise SpecError(f"{name}.ladder_max", options.ladder_max, cure)


def _check_wave_vector(spec: SpecView) -> None:
    name = INHOMOGENEOUS.name
    if "k" not in spec:
        raise SpecError(f"{name}.k", None, "is missing: give a wave number in MeV, or search = true")
    angles = [key for key in ANGLES if key in spec]
    if "k_direction" in spec and angles:
        cure = f"the direction of k is given twice: leave out k_direction, or {' and '.join(angles)}"
        raise SpecError(f"{name}.k_direction", spec["k_direction"].values[0], cure)
    if "k_direction" not in spec and len(angles) < 2:
        missing = [key for key in ANGLES if key not in angles]
        cure = f'is missing: give {" and ".join(ANGLES)} in radians, or k_direction = "x", "y" or "z"'
        raise SpecError(f"{name}.{missing[0]}", None, cure)
    if "energy_max" in spec:
        largest, reach = max(map(float, spec["k"].values)), min(map(float, spec["energy_max"].values))
        if largest > 2.0 * reach:
            cure = (
                f"is above 2 energy_max = {2 * reach:g}: every p + k/2 or p - k/2 lies beyond the grid, where the "
                "occupation is only continued: lower k or raise energy_max"
            )
            raise SpecError(f"{name}.k", largest, cure)


def _solve(systems: Systems, options: InhomogeneousOptions) -> Solution:
    from pairsweep.analyses.inhomogeneous.block import solve_systems

    found, failures = solve_systems(systems, options)
    wanted = {variable.name for variable in INHOMOGENEOUS.computed(options, systems.grid.kind)}
    return Solution({name: values for name, values in found.items() if name in wanted}, failures)


def _summary(ds: xr.Dataset, unit: str) -> Findings:
    from pairsweep.analyses.inhomogeneous.findings import findings

    return findings(ds, VERDICTS, unit)


INHOMOGENEOUS = Analysis(
    name="inhomogeneous",
    meaning="largest growth rate of modes with a wave vector k, at given k or over all of them",
    options=InhomogeneousOptions,
    axes=AXES,
    variables=VARIABLES,
    labels=(MODE, RUNG),
    dimensions=_dimensions,
    check=_check,
    solve=_solve,
    summary=_summary,
    pictures="pairsweep.analyses.inhomogeneous.pictures",
    code=("pairsweep.analyses.inhomogeneous.block",),
    warm_up=(
        *(
            WarmUp(
                options=InhomogeneousOptions(
                    families=families, background=background, vacuum=vacuum, modes=2
                ),
                own={"k": 1.0, "k_direction": "x"},
            )
            for families in FAMILIES
            for background in BACKGROUNDS
            for vacuum in VACUA
        ),
        WarmUp(options=InhomogeneousOptions(search=True)),
    ),
)

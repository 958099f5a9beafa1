"""The analysis ``growth``: largest growth rate of the linearised equation, shape of its mode, EPN crossing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pairsweep.analyses.base import Analysis, Findings, PointFailure, Solution, WarmUp, index_coordinate
from pairsweep.contract.errors import SpecError
from pairsweep.contract.fields import option
from pairsweep.contract.template import Coordinate
from pairsweep.contract.variables import Label, Variable
from pairsweep.contract.view import SpecView, SweepView
from pairsweep.physics.grid import most_pairs
from pairsweep.physics.systems import Systems

if TYPE_CHECKING:
    import xarray as xr

METHODS = ("auto", "dispersion", "dense")
METHODS_TAKEN = ("none", "signs", "bulk", "dispersion", "dense")
MODE_KINDS = ("stable", "oscillating", "static")
# A dense matrix may take this much memory, bytes, before it is refused.
DENSE_BYTES = 2**33


@dataclass(frozen=True, kw_only=True)
class GrowthOptions:
    """How growth rates are found, and how much is stored of the modes."""

    method: str = option(
        "text",
        "certified zeros of the dispersion function, all eigenvalues of dense M, or what is cheaper",
        default="auto",
        choices=METHODS,
    )
    growth_tolerance: float | None = option(
        "number",
        "smallest growth rate that counts, as a fraction of the coupling 4 g sum w abs(n); 1e-6 where left out",
        minimum=1e-9,
        maximum=0.1,
    )
    modes: int = option(
        "integer",
        "number of fastest modes that are stored along the dimension mode",
        default=0,
        minimum=0,
        maximum=1000,
    )
    details: bool = option(
        "flag",
        "store also the direction and participation of the fastest mode and the static criterion",
        default=False,
    )


def _details(options: GrowthOptions) -> bool:
    return options.details


def _modes(options: GrowthOptions) -> bool:
    return options.modes > 0


VARIABLES = (
    Variable("growth_rate", "largest growth rate, 0 where stable", "MeV"),
    Variable("frequency", "oscillation frequency of the fastest mode, 0 where stable", "MeV"),
    Variable("n_unstable", "number of unstable modes, conjugates counted", dtype="int32"),
    Variable("mode_kind", "kind of the fastest mode", dtype="int8", flags=MODE_KINDS),
    Variable("growth_floor", "no mode grows faster where growth_rate is 0", "MeV"),
    Variable("growth_method_taken", "what the growth rate rests on", dtype="int8", flags=METHODS_TAKEN),
    Variable("energy_weight", "share of the fastest mode in each energy bin", trailing=("energy_bin",)),
    Variable("epn_crossing_strength", "EPN crossing strength sqrt(I+ I-)", "MeV^3"),
    Variable("epn_crossing_strength_bin", "largest EPN crossing strength within a single energy", "MeV^3"),
    Variable("epn_crossing_depth", "EPN crossing depth min(I+, I-)/max(I+, I-)"),
    Variable(
        "epn_crossing_width", "EPN crossing width, share of phase space where the EPN has its rarer sign"
    ),
    Variable("max_epn", "largest EPN rho + rhobar - 1 of all pairs"),
    Variable(
        "epn_crossing_distance",
        "how far rho + rhobar of some pair would have to change for the EPN to reach 0, 0 where it does",
    ),
    Variable("anisotropy", "anisotropy of the EPN, abs(sum w n p)/sum w abs(n)"),
    Variable(
        "participation_ratio",
        "number of pairs that take part in the fastest mode",
        when=_details,
        condition="details = true",
    ),
    Variable(
        "angular_weight",
        "share of the fastest mode in each direction",
        trailing=("theta_bin", "phi_bin"),
        kinds=("bins",),
        when=_details,
        condition="details = true",
    ),
    Variable(
        "mode_growth_rate",
        "growth rates of the fastest modes, 0 beyond the last",
        "MeV",
        ("mode",),
        when=_modes,
        condition="modes > 0",
    ),
    Variable(
        "mode_frequency",
        "their oscillation frequencies",
        "MeV",
        ("mode",),
        when=_modes,
        condition="modes > 0",
    ),
    Variable(
        "static_criterion",
        "largest eigenvalue of D(0), above 1 for a static instability",
        when=_details,
        condition="details = true",
    ),
    Variable(
        "g_static",
        "coupling at which the static criterion first exceeds 1",
        "MeV^-2",
        when=_details,
        condition="details = true",
    ),
)
MODE = Label("mode", "mode, fastest first")


def dense_bytes(pairs: int) -> int:
    """Memory that all eigenvalues of a dense M take, bytes: the matrix, LAPACK's copy, eigenvectors."""
    return 8 * (2 * pairs) ** 2 * 4


def _dimensions(options: GrowthOptions, sweep: SweepView) -> tuple[Coordinate, ...]:
    return (index_coordinate(MODE, np.arange(options.modes)),) if options.modes else ()


def _check(options: GrowthOptions, spec: SpecView) -> None:
    """Refuse matrices that no memory holds."""
    pairs = most_pairs(spec)
    memory = dense_bytes(pairs)
    if options.method == "dense" and memory > DENSE_BYTES:
        cure = f'would take {memory / 2**30:,.0f} GiB for {pairs:,} pairs: use "auto" or "dispersion"'
        raise SpecError("growth.method", "dense", cure)


def _solve(systems: Systems, options: GrowthOptions) -> Solution:
    from pairsweep.analyses.growth.solver import growth_of_systems

    found = growth_of_systems(
        systems.grid,
        systems.n,
        systems.g,
        method=options.method,
        growth_tolerance=options.growth_tolerance,
        modes=options.modes,
        details=options.details or options.modes > 0,
    )
    wanted = {variable.name for variable in GROWTH.computed(options, systems.grid.kind)}
    failures = {
        row: PointFailure(reason, seen=seen._asdict() if seen is not None else {})
        for row, (reason, seen) in enumerate(zip(found.reasons, found.diagnoses, strict=True))
        if reason is not None
    }
    return Solution(
        {name: values for name, values in found.arrays.items() if name in wanted},
        failures,
    )


def _summary(ds: xr.Dataset, unit: str) -> Findings:
    from pairsweep.analyses.growth.derived import findings

    return findings(ds, unit)


GROWTH = Analysis(
    name="growth",
    meaning="largest growth rate of the pairing instability, the shape of its fastest mode, and the EPN crossing",
    options=GrowthOptions,
    variables=VARIABLES,
    labels=(MODE,),
    dimensions=_dimensions,
    check=_check,
    solve=_solve,
    summary=_summary,
    pictures="pairsweep.analyses.growth.pictures",
    code=("pairsweep.analyses.growth.solver",),
    warm_up=(
        WarmUp(options=GrowthOptions(details=True, modes=2)),
        WarmUp(options=GrowthOptions(method="dispersion")),
        WarmUp(options=GrowthOptions(method="dense")),
    ),
)

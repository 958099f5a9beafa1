"""The analysis ``continuum``: is an instability real, or made by the bins of its grid?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pairsweep.analyses.base import Analysis, Findings, Solution, WarmUp, index_coordinate
from pairsweep.analyses.growth.analysis import GROWTH, GrowthOptions
from pairsweep.contract.errors import SpecError
from pairsweep.contract.fields import option
from pairsweep.contract.template import DONE, Coordinate
from pairsweep.contract.variables import Label, Variable
from pairsweep.contract.view import SpecView, SweepView
from pairsweep.physics.grid import MAX_PAIRS
from pairsweep.physics.systems import Systems

if TYPE_CHECKING:
    import xarray as xr


class Verdict(IntEnum):
    """What the grid shows against what there is in the continuum."""

    STABLE = 0
    CONTINUUM = 1
    DISCRETISATION = 2
    MISSED = 3
    UNDETERMINED = 4


class Doubt(IntEnum):
    """Why a point is undetermined."""

    NONE = 0
    UNCOUNTED = 1  # the continuum modes could not be counted, or fewer were found
    UNSETTLED = 2  # the fastest one still moves when the occupation is refined
    GRID = 3  # the growth on the grid is not certain
    LADDER = 4  # a ladder that resolves the mode does not agree


VERDICTS = tuple(verdict.name.lower() for verdict in Verdict)
DOUBTS = tuple(doubt.name.lower() for doubt in Doubt)
_YES_NO = ("no", "yes")


@dataclass(frozen=True, kw_only=True)
class ContinuumOptions:
    """What the continuum is, and which evidence is wanted beside it."""

    angles: str = option(
        "text",
        "integrated over angles as well as energy, or along the directions of the grid",
        default="grid",
        choices=("grid", "continuous"),
    )
    vacuum: str = option(
        "text",
        "as the grid has it, or with the constant that belongs to its cutoff taken out",
        default="grid",
        choices=("grid", "subtracted"),
    )
    ladder_max: int = option(
        "integer",
        "largest number of energy bins of a ladder, which doubles n_energy rung by rung; 0 for none",
        default=0,
        minimum=0,
        maximum=10**6,
    )
    angle_rungs: int = option(
        "integer",
        "rungs of a ladder of angles, which doubles n_theta and n_phi rung by rung",
        default=0,
        minimum=0,
        maximum=8,
    )

    def refinements(self, n_energy: int) -> tuple[int, ...]:
        """Rungs of a ladder that starts at ``n_energy`` bins, in units of it; none where it is not asked for."""
        if self.ladder_max == 0:
            return ()
        return tuple(2**rung for rung in range(max(1, self.ladder_max // n_energy).bit_length()))

    @property
    def angle_factors(self) -> tuple[int, ...]:
        """Rungs of the ladder of angles, in units of n_theta and n_phi; none where it is not asked for."""
        return tuple(2**rung for rung in range(self.angle_rungs + 1)) if self.angle_rungs else ()

    @property
    def continuous_angles(self) -> bool:
        """Whether angles are integrated, too."""
        return self.angles == "continuous"

    @property
    def subtracted(self) -> bool:
        """Whether the constant of the vacuum is taken out."""
        return self.vacuum == "subtracted"


def _ladder(options: ContinuumOptions) -> bool:
    return options.ladder_max > 0


def _angles(options: ContinuumOptions) -> bool:
    return options.angle_rungs > 0


def _subtracted(options: ContinuumOptions) -> bool:
    return options.subtracted


VARIABLES = (
    Variable(
        "verdict", "is the instability real", dtype="int8", flags=VERDICTS, unknown=Verdict.UNDETERMINED.value
    ),
    Variable("undetermined_reason", "what leaves the verdict open", dtype="int8", flags=DOUBTS),
    Variable("continuum_growth_rate", "largest growth rate in the continuum, 0 where none", "MeV"),
    Variable(
        "continuum_frequency",
        "oscillation frequency of the fastest mode in the continuum, 0 where none",
        "MeV",
    ),
    Variable(
        "continuum_error", "how far that growth rate moved in the last refinement, 0 where exact", "MeV"
    ),
    Variable("vouched_growth", "smallest growth rate that the continuum analysis vouches for", "MeV"),
    Variable(
        "subtracted_growth_rate",
        "growth rate on the grid with the constant of the vacuum taken out",
        "MeV",
        when=_subtracted,
        condition='vacuum = "subtracted"',
    ),
    Variable(
        "subtracted_frequency",
        "oscillation frequency of that mode, 0 where static or none",
        "MeV",
        when=_subtracted,
        condition='vacuum = "subtracted"',
    ),
    Variable(
        "ladder_growth",
        "growth rate on finer energy bins",
        "MeV",
        ("ladder",),
        when=_ladder,
        condition="ladder_max > 0",
    ),
    Variable(
        "ladder_exponent",
        "d ln(growth)/d ln(n_energy) along the ladder",
        trailing=("ladder",),
        when=_ladder,
        condition="ladder_max > 0",
    ),
    Variable(
        "ladder_approaches",
        "does the ladder approach the growth rate with continuous energy",
        dtype="int8",
        flags=_YES_NO,
        when=_ladder,
        condition="ladder_max > 0",
    ),
    Variable("cutoff_shift", "relative change of the growth rate with empty modes up to twice energy_max"),
    Variable(
        "cutoff_sensitive",
        "does the growth rate change by more than 10 % with the cutoff",
        dtype="int8",
        flags=_YES_NO,
    ),
    Variable(
        "ladder_angle_growth",
        "growth rate on finer angles",
        "MeV",
        ("ladder_angle",),
        when=_angles,
        condition="angle_rungs > 0",
    ),
)
LADDER = Label("ladder", "rung of the ladder of energy bins")
LADDER_ANGLE = Label("ladder_angle", "factor of n_theta and n_phi on the ladder of angles")
LADDER_N_ENERGY = Label("ladder_n_energy", "number of energy bins of the rung")


def _dimensions(options: ContinuumOptions, sweep: SweepView) -> tuple[Coordinate, ...]:
    """Rungs of the ladders; energy bins of each rung, 0 beyond the last rung of a longer start."""
    found = []
    if options.ladder_max > 0:
        dims, shape, rows = sweep.over(("n_energy",))
        rungs = [int(at["n_energy"]) * np.array(options.refinements(int(at["n_energy"]))) for at in rows]
        size = max(len(rung) for rung in rungs)
        values = np.zeros((len(rows), size), dtype=np.int64)
        for row, rung in zip(values, rungs, strict=True):
            row[: len(rung)] = rung
        found += [
            index_coordinate(LADDER, np.arange(size)),
            Coordinate(
                LADDER_N_ENERGY.name,
                (*dims, LADDER.name),
                values.reshape(*shape, size),
                LADDER_N_ENERGY.attrs,
            ),
        ]
    if options.angle_factors:
        found.append(index_coordinate(LADDER_ANGLE, options.angle_factors))
    return tuple(found)


def _check(options: ContinuumOptions, spec: SpecView) -> None:
    """Refuse beams, and a ladder whose finest rung is a larger system than is ever solved."""
    if spec.kind == "beams":
        raise SpecError("analyses", "continuum", 'needs kind = "bins": beams have single energies')
    most = {name: max(int(n) for n in spec[name].values) for name in ("n_energy", "n_theta", "n_phi")}
    directions = most["n_theta"] * most["n_phi"]
    finest = max(options.ladder_max, most["n_energy"]) * directions
    if finest > MAX_PAIRS:
        raise SpecError(
            "continuum.ladder_max", options.ladder_max, f"makes {finest} pairs; at most {MAX_PAIRS:.0e}"
        )
    coarsest = most["n_energy"] * directions * 4**options.angle_rungs
    if coarsest > MAX_PAIRS:
        raise SpecError(
            "continuum.angle_rungs", options.angle_rungs, f"makes {coarsest} pairs; at most {MAX_PAIRS:.0e}"
        )


def _solve(systems: Systems, options: ContinuumOptions, growth: GrowthOptions) -> Solution:
    from pairsweep.analyses.continuum.solver import solve

    return solve(systems, options, growth)


def _summary(ds: xr.Dataset, unit: str) -> Findings:
    if "verdict" not in ds:
        return Findings(numbers={"verdicts": {}})
    codes = ds["verdict"].values[ds["status"].values == DONE]
    counts = _counted(codes, VERDICTS)
    told = _told(counts)
    if counts["undetermined"] and "undetermined_reason" in ds:  # stores of other versions have none
        open_ones = ds["undetermined_reason"].values[ds["status"].values == DONE]
        told += f" ({_told(_counted(open_ones[codes == Verdict.UNDETERMINED], DOUBTS))})"
    return Findings((f"  verdicts     {told}",) if told else (), {"verdicts": counts})


def _counted(codes: NDArray[np.int8], names: tuple[str, ...]) -> dict[str, int]:
    return {name: int((codes == code).sum()) for code, name in enumerate(names)}


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)


CONTINUUM = Analysis(
    name="continuum",
    meaning="is an instability real, or made by the bins of its grid",
    options=ContinuumOptions,
    needs=(GROWTH,),
    variables=VARIABLES,
    labels=(LADDER, LADDER_ANGLE, LADDER_N_ENERGY),
    dimensions=_dimensions,
    check=_check,
    solve=_solve,
    summary=_summary,
    code=("pairsweep.analyses.continuum.solver",),
    warm_up=tuple(
        WarmUp(
            options=ContinuumOptions(angles=angles, vacuum=vacuum, ladder_max=4),
            needed=(GrowthOptions(),),
        )
        for angles in ("grid", "continuous")
        for vacuum in ("grid", "subtracted")
    ),
)

"""The one list of analyses, and what the declarations say together."""

from __future__ import annotations

from collections.abc import Iterator

from pairsweep.analyses.base import Analysis
from pairsweep.analyses.continuum.analysis import CONTINUUM
from pairsweep.analyses.evolution.analysis import EVOLUTION
from pairsweep.analyses.growth.analysis import GROWTH
from pairsweep.analyses.inhomogeneous.analysis import INHOMOGENEOUS
from pairsweep.contract.variables import GRID_LABELS, STATUS, Label, Variable

ANALYSES: dict[str, Analysis] = {
    analysis.name: analysis
    for analysis in (
        GROWTH,
        EVOLUTION,
        CONTINUUM,
        INHOMOGENEOUS,
    )
}


def owners() -> Iterator[tuple[str, Variable]]:
    """Yield every variable with the name of its analysis, "" for what belongs to none."""
    yield "", STATUS
    for analysis in ANALYSES.values():
        for variable in analysis.variables:
            yield analysis.name, variable


def variables() -> dict[str, Variable]:
    """Return every variable by name."""
    return {variable.name: variable for _, variable in owners()}


def labels() -> dict[str, Label]:
    """Return every label by name; of several of one name the first."""
    found = dict(GRID_LABELS)
    for analysis in ANALYSES.values():
        for label in analysis.labels:
            found.setdefault(label.name, label)
    return found

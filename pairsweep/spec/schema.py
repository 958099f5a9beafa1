"""The keys of a sweep specification: type, units, limits, default, meaning.

``spec.py`` checks a file against these tables and the documentation prints them; a key stands nowhere else.
"""

from __future__ import annotations

from pairsweep.contract.fields import Field
from pairsweep.physics.grid import CELL_VOLUMES
from pairsweep.physics.patterns.base import occupation_field

CUSTOM = "custom"  # the pattern that is a user's own function
TABLE = "table"  # the pattern that stands in a file
MOMENTS = "moments"  # the one whose parameters may stand in a file


def _table(*fields: Field) -> dict[str, Field]:
    return {field.name: field for field in fields}


def _count(name: str, meaning: str) -> Field:
    return Field(name, "integer", meaning, minimum=1, maximum=10**7)


TOP_LEVEL = ("title", "analyses", "zip", "cases")
TABLES = ("grid", "occupation", "coupling", "sample", "cluster")  # besides those of the analyses
KINDS = ("bins", "beams", "cells")

GRID = _table(
    _count("n_energy", "number of energy bins"),
    _count("n_theta", "number of bins in cos(theta)"),
    _count("n_phi", "number of bins in phi"),
    Field("energy_max", "number", "energy cutoff", "MeV", minimum=0.0, maximum=1e6, open_below=True),
    Field(
        "cell_volume",
        "text",
        "volume of a cell: E^2 dE at the bin centre, or the exact integral",
        required=False,
        default="midpoint",
        choices=CELL_VOLUMES,
    ),
)

CELLS = _table(
    Field(
        "energy_edges",
        "number",
        "edges of the cells in energy, rising",
        "MeV",
        axis=False,
        minimum=0.0,
        maximum=1e6,
    ),
    Field(
        "cos_theta_edges",
        "number",
        "edges of the cells in cos(theta), from -1 to 1",
        axis=False,
        minimum=-1.0,
        maximum=1.0,
    ),
    Field("phi_edges", "number", "edges of the cells in phi, once around", "rad", axis=False),
)

BEAM = _table(
    Field("energy", "number", "energy of the beam", "MeV", minimum=0.0, maximum=1e6),
    Field(
        "weight",
        "number",
        "phase-space volume of the beam; mu = g weight",
        "MeV^3",
        minimum=0.0,
        maximum=1e18,
    ),
    occupation_field("rho", "neutrino occupation of the beam"),
    occupation_field(
        "rhobar",
        "occupation of the partners, antineutrinos of momentum -p; rho where left out",
        required=False,
    ),
    Field("theta", "number", "polar angle of the beam", "rad"),
    Field("phi", "number", "azimuth of the beam", "rad"),
)

COUPLING = _table(Field("g", "number", "coupling constant", "MeV^-2", minimum=1e-30, maximum=1e3))

SAMPLE = _table(
    Field(
        "count",
        "integer",
        "number of draws, points along the axis sample",
        axis=False,
        minimum=1,
        maximum=10**7,
    ),
    Field(
        "method",
        "text",
        "how they fill the space of what is drawn",
        axis=False,
        required=False,
        default="sobol",
        choices=("sobol", "latin_hypercube", "random"),
    ),
    Field(
        "seed",
        "integer",
        "seed of the draws",
        axis=False,
        required=False,
        default=0,
        minimum=0,
        maximum=2**63 - 1,
    ),
)

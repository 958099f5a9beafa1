"""The keys of a sweep specification: type, units, limits, default, meaning.

``spec.py`` checks a file against these tables and the documentation prints them; a key stands nowhere else.
"""

from __future__ import annotations

from pairsweep.contract.fields import Field
from pairsweep.physics.grid import CELL_VOLUMES, NAMED_DIRECTIONS
from pairsweep.physics.patterns.base import occupation_field

CUSTOM = "custom"  # the pattern that is a user's own function
TABLE = "table"  # the pattern that stands in a file
LISTED = {"grid": "beams", "occupation": "groups"}  # keys that are lists of tables, each with a name
MOMENTS = "moments"  # the one whose parameters may stand in a file


def _table(*fields: Field) -> dict[str, Field]:
    return {field.name: field for field in fields}


def _count(name: str, meaning: str) -> Field:
    return Field(name, "integer", meaning, minimum=1, maximum=10**7)


INCLUDE = "include"
TITLE_KEYS = {
    "title": "one line for people; it decides no number",
    "analyses": "list of what is computed",
    "cases": "CSV, parquet or netCDF file whose rows are points along one axis `case`: a column called like a "
    "parameter, or like `table.key`, is one, any other a coordinate",
    "zip": 'groups of axes that move together, such as `[["rho_high", "rho_low"]]`',
    INCLUDE: "file, or list of files, read first: the keys of this file win",
}
"""Keys above the first table, and what they mean."""
TOP_LEVEL = tuple(name for name in TITLE_KEYS if name != INCLUDE)  # once the files are one
TABLES = ("grid", "occupation", "coupling", "sample", "cluster")  # besides those of the analyses
KINDS = ("bins", "beams", "cells")

CUSTOM_KEYS = {
    "function": '"file.py:f", looked for beside the specification, or "module:f"',
    "data": "files that the function reads and that are not found by themselves, as where a C library opens them",
    "units": 'units of its parameters: { radius = "km" }',
    "labels": "how pictures write its parameters, TeX between $: { radius = '$r$' }",
}
"""Keys of the pattern "custom"; all others are passed to the function."""
WORDS = {
    "": TITLE_KEYS,
    "grid": {"kind": f"what the momenta are: {', '.join(KINDS)}"},
    "grid.beams": {
        "name": "letters, digits and underscores; it ends the names of the beam's axes, such as rho_x",
        "direction": f"{', '.join(NAMED_DIRECTIONS)}, instead of theta and phi",
    },
    "occupation": {"pattern": "one of the patterns, or a list of them, which is an axis"},
    "occupation, pattern custom": CUSTOM_KEYS,
    "a range": {
        "start": "its first value",
        "stop": "its last value",
        "num": "how many values, both ends included",
        "spacing": '"linear" (default), or "log" for equal ratios',
    },
    "a parameter that is drawn": {
        "low": "the lower end of its values; needs a table [sample]",
        "high": "the upper end of its values",
    },
}
"""Keys that are no physical number and no option, by their table: what they mean."""

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

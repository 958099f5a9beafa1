"""The keys of a sweep specification: type, units, limits, default, meaning.

``spec.py`` checks a file against these tables and the documentation prints them; a key stands nowhere else.
"""

from __future__ import annotations

from pairsweep.contract.fields import Field
from pairsweep.physics.grid import CELL_VOLUMES, NAMED_DIRECTIONS
from pairsweep.physics.patterns.base import occupation_field

GROWTH_METHODS = ("auto", "dispersion", "dense")
CUSTOM = "custom"  # the pattern that is a user's own function
METHODS = ("auto", "splitting", "averaged", "reference")
OCCUPATION_LIMITS = "occupations lie between 0 and 1"


def _table(*fields: Field) -> dict[str, Field]:
    return {field.name: field for field in fields}


def _count(name: str, meaning: str) -> Field:
    return Field(name, "integer", meaning, minimum=1, maximum=10**7)


TOP_LEVEL = ("title", "analyses", "zip")
TABLES = ("grid", "occupation", "coupling", "growth", "evolution", "continuum", "cluster")

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
    occupation_field("rhobar", "antineutrino occupation of the beam, rho where left out", required=False),
    Field("theta", "number", "polar angle of the beam", "rad"),
    Field("phi", "number", "azimuth of the beam", "rad"),
)
DIRECTIONS = tuple(NAMED_DIRECTIONS)

COUPLING = _table(Field("g", "number", "coupling constant", "MeV^-2", minimum=1e-30, maximum=1e3))

GROWTH = _table(
    Field(
        "method",
        "text",
        "certified zeros of the dispersion function, all eigenvalues of dense M, or what is cheaper",
        axis=False,
        required=False,
        default="auto",
        choices=GROWTH_METHODS,
    ),
    Field(
        "growth_tolerance",
        "number",
        "smallest growth rate that counts, as a fraction of the coupling 4 g sum w abs(n); 1e-6 where left out",
        axis=False,
        required=False,
        minimum=1e-9,
        maximum=0.1,
    ),
    Field(
        "modes",
        "integer",
        "number of fastest modes that are stored along the dimension mode",
        axis=False,
        required=False,
        default=0,
        minimum=0,
        maximum=1000,
    ),
    Field(
        "details",
        "flag",
        "store also the direction and participation of the fastest mode and the static criterion",
        axis=False,
        required=False,
        default=False,
    ),
)

CONTINUUM = _table(
    Field(
        "ladder_max",
        "integer",
        "largest number of energy bins of the ladder, which doubles n_energy rung by rung",
        axis=False,
        required=False,
        default=2048,
        minimum=1,
        maximum=10**6,
    ),
    Field(
        "angle_rungs",
        "integer",
        "rungs of a ladder of angles, which doubles n_theta and n_phi rung by rung",
        axis=False,
        required=False,
        default=0,
        minimum=0,
        maximum=8,
    ),
)

EVOLUTION = _table(
    Field(
        "t_end",
        "number",
        "end of the run",
        "MeV^-1",
        axis=False,
        required=False,
        minimum=0.0,
        open_below=True,
    ),
    Field(
        "t_end_mu",
        "number",
        "end of the run in units of 1/mu', mu' = g energy_max^3",
        axis=False,
        required=False,
        minimum=0.0,
        open_below=True,
    ),
    Field("samples", "integer", "number of samples, both ends", axis=False, minimum=2, maximum=10**6),
    Field("perturbation", "number", "size of the random initial kappa; 0 is legal", minimum=0.0, maximum=1.0),
    Field(
        "seed",
        "integer",
        "seed of the random initial kappa",
        required=False,
        default=0,
        minimum=0,
        maximum=2**53,
    ),
    Field("method", "text", "integrator", axis=False, required=False, default="auto", choices=METHODS),
    Field(
        "tolerance",
        "number",
        "largest error of any component of any S over the run",
        axis=False,
        required=False,
        default=1e-8,
        minimum=1e-12,
        maximum=0.1,
    ),
)

"""Every dimension, coordinate and result variable once: name, dimensions, type, units, meaning.

Nobody else types the attributes of a dataset; the dataset reference in the documentation is made from here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

STATUS_FLAGS = ("pending", "done", "failed")
MODE_KINDS = ("stable", "oscillating", "static")
GROWTH_METHODS_TAKEN = ("none", "signs", "bulk", "dispersion", "dense")
INTEGRATORS = ("none", "splitting", "averaged", "reference")
VERDICTS = ("stable", "continuum", "discretisation", "missed", "undetermined")
ANALYSES = ("growth", "evolution", "continuum")
COMPONENTS = ("x", "y", "z")
QUADRANTS = (1, 2, 3, 4)
POINT = "point"


@dataclass(frozen=True)
class Variable:
    """A result variable.

    ``trailing`` are its dimensions after the axes of the sweep; ``analysis`` is the one that computes it (""
    for all); ``kinds`` the kinds of grid that have it; ``flags`` the meanings of an integer code, from 0 on.
    """

    name: str
    meaning: str
    units: str = "1"
    analysis: str = ""
    trailing: tuple[str, ...] = ()
    dtype: str = "float64"
    flags: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("bins", "beams")

    @property
    def attrs(self) -> dict[str, object]:
        """CF attributes; flag values are given as a list, as zarr's JSON metadata keeps them."""
        attrs: dict[str, object] = {"long_name": self.meaning}
        if self.flags:
            attrs["flag_values"] = list(range(len(self.flags)))
            attrs["flag_meanings"] = " ".join(self.flags)
        else:
            attrs["units"] = self.units
        return attrs

    @property
    def fill_value(self) -> float | int:
        """What a pending cell holds: NaN, or 0 for integers."""
        return float("nan") if self.dtype == "float64" else 0


@dataclass(frozen=True)
class Label:
    """A dimension or coordinate that is not a result."""

    name: str
    meaning: str
    units: str = "1"
    attrs: dict[str, object] = field(init=False, hash=False)

    def __post_init__(self) -> None:
        attrs: dict[str, object] = {"long_name": self.meaning}
        if self.units:
            attrs["units"] = self.units
        object.__setattr__(self, "attrs", attrs)


def _by_name(*variables: Variable) -> dict[str, Variable]:
    return {variable.name: variable for variable in variables}


VARIABLES = _by_name(
    Variable("status", "state of the point", dtype="int8", flags=STATUS_FLAGS),
    Variable("growth_rate", "largest growth rate, 0 where stable", "MeV", "growth"),
    Variable("frequency", "oscillation frequency of the fastest mode, 0 where stable", "MeV", "growth"),
    Variable("n_unstable", "number of unstable modes, conjugates counted", "1", "growth", dtype="int32"),
    Variable("mode_kind", "kind of the fastest mode", "1", "growth", dtype="int8", flags=MODE_KINDS),
    Variable("growth_floor", "no mode grows faster where growth_rate is 0", "MeV", "growth"),
    Variable(
        "growth_method_taken",
        "what the growth rate rests on",
        "1",
        "growth",
        dtype="int8",
        flags=GROWTH_METHODS_TAKEN,
    ),
    Variable("energy_weight", "share of the fastest mode in each energy bin", "1", "growth", ("energy_bin",)),
    Variable("epn_crossing_strength", "EPN crossing strength sqrt(I+ I-)", "MeV^3", "growth"),
    Variable(
        "epn_crossing_strength_bin", "largest EPN crossing strength within a single energy", "MeV^3", "growth"
    ),
    Variable("epn_crossing_depth", "EPN crossing depth min(I+, I-)/max(I+, I-)", "1", "growth"),
    Variable("anisotropy", "anisotropy of the EPN, abs(sum w n p)/sum w abs(n)", "1", "growth"),
    Variable("kappa_mean", "mean pairing correlation abs(kappa)", "1", "evolution", ("time",)),
    Variable(
        "kappa_energy",
        "mean abs(kappa) in each energy bin",
        "1",
        "evolution",
        ("time", "energy_bin"),
        kinds=("bins",),
    ),
    Variable(
        "kappa_quadrant",
        "mean abs(kappa) in each phi quadrant",
        "1",
        "evolution",
        ("time", "quadrant"),
        kinds=("bins",),
    ),
    Variable(
        "rho_quadrant",
        "mean neutrino occupation in each phi quadrant",
        "1",
        "evolution",
        ("time", "quadrant"),
        kinds=("bins",),
    ),
    Variable(
        "rhobar_quadrant",
        "mean antineutrino occupation in each phi quadrant",
        "1",
        "evolution",
        ("time", "quadrant"),
        kinds=("bins",),
    ),
    Variable("kappa_beam", "abs(kappa) of each beam", "1", "evolution", ("time", "beam"), kinds=("beams",)),
    Variable(
        "rho_beam", "neutrino occupation of each beam", "1", "evolution", ("time", "beam"), kinds=("beams",)
    ),
    Variable(
        "rhobar_beam",
        "antineutrino occupation of each beam",
        "1",
        "evolution",
        ("time", "beam"),
        kinds=("beams",),
    ),
    Variable(
        "spin_occupation",
        "spin angular momentum carried by the occupations",
        "MeV^3",
        "evolution",
        ("time", "component"),
    ),
    Variable(
        "spin_pairing",
        "spin angular momentum carried by the pairing",
        "MeV^3",
        "evolution",
        ("time", "component"),
    ),
    Variable("energy_drift", "largest relative drift of the energy over the run", "1", "evolution"),
    Variable("norm_drift", "largest change of any abs(S) over the run", "1", "evolution"),
    Variable("error_estimate", "estimated largest error of any component of any S", "1", "evolution"),
    Variable("method_taken", "integrator that was taken", "1", "evolution", dtype="int8", flags=INTEGRATORS),
    Variable("growth_rate_fit", "growth rate fitted to the linear phase", "MeV", "evolution"),
    Variable("kappa_max", "mean abs(kappa) at its first maximum", "1", "evolution"),
    Variable("time_of_max", "time of the first maximum of mean abs(kappa)", "MeV^-1", "evolution"),
    Variable("period", "period of the pair oscillation", "MeV^-1", "evolution"),
    Variable(
        "verdict", "is the instability real", "1", "continuum", dtype="int8", flags=VERDICTS, kinds=("bins",)
    ),
    Variable(
        "continuum_growth_rate",
        "largest growth rate with continuous energy, 0 where none",
        "MeV",
        "continuum",
        kinds=("bins",),
    ),
    Variable(
        "continuum_frequency", "its oscillation frequency, 0 where none", "MeV", "continuum", kinds=("bins",)
    ),
    Variable(
        "vouched_growth",
        "smallest growth rate that the continuum analysis vouches for",
        "MeV",
        "continuum",
        kinds=("bins",),
    ),
    Variable(
        "ladder_growth", "growth rate on finer energy bins", "MeV", "continuum", ("ladder",), kinds=("bins",)
    ),
    Variable(
        "ladder_exponent",
        "d ln(growth)/d ln(n_energy) along the ladder",
        "1",
        "continuum",
        ("ladder",),
        kinds=("bins",),
    ),
    Variable(
        "ladder_approaches",
        "does the ladder approach the growth rate with continuous energy",
        "1",
        "continuum",
        dtype="int8",
        flags=("no", "yes"),
        kinds=("bins",),
    ),
    Variable(
        "cutoff_shift",
        "relative change of the growth rate with empty modes up to twice energy_max",
        "1",
        "continuum",
        kinds=("bins",),
    ),
    Variable(
        "cutoff_sensitive",
        "does the growth rate change by more than 10 % with the cutoff",
        "1",
        "continuum",
        dtype="int8",
        flags=("no", "yes"),
        kinds=("bins",),
    ),
)

LABELS = {
    label.name: label
    for label in (
        Label("energy_bin", "energy bin, from the lowest"),
        Label("energy", "energy of the bin", "MeV"),
        Label("theta_bin", "bin in cos(theta)"),
        Label("theta", "polar angle of the bin", "rad"),
        Label("phi_bin", "bin in phi"),
        Label("phi", "azimuth of the bin", "rad"),
        Label("mode", "mode, fastest first"),
        Label("ladder", "rung of the ladder of energy bins"),
        Label("ladder_angle", "factor of n_theta and n_phi on the ladder of angles"),
        Label("ladder_n_energy", "number of energy bins of the rung"),
        Label("time", "time", "MeV^-1"),
        Label("time_mev", "time", "MeV^-1"),
        Label("quadrant", "phi quadrant"),
        Label("beam", "name of the beam", ""),
        Label("component", "component of the vector", ""),
        Label(POINT, "point of a refined map"),
    )
}

# What the continuum analysis adds where its table asks for rungs of finer angles.
ANGLE_LADDER = _by_name(
    Variable(
        "ladder_angle_growth",
        "growth rate on finer angles",
        "MeV",
        "continuum",
        ("ladder_angle",),
        kinds=("bins",),
    ),
)

# What ``ps.growth`` adds for one system, and a sweep where its table [growth] asks for it.
GROWTH_DETAILS = _by_name(
    Variable("participation_ratio", "number of pairs that take part in the fastest mode", "1", "growth"),
    Variable(
        "angular_weight",
        "share of the fastest mode in each direction",
        "1",
        "growth",
        ("theta_bin", "phi_bin"),
        kinds=("bins",),
    ),
    Variable(
        "mode_growth_rate", "growth rates of the fastest modes, 0 beyond the last", "MeV", "growth", ("mode",)
    ),
    Variable("mode_frequency", "their oscillation frequencies", "MeV", "growth", ("mode",)),
    Variable(
        "static_criterion", "largest eigenvalue of D(0), above 1 for a static instability", "1", "growth"
    ),
    Variable("g_static", "coupling at which the static criterion first exceeds 1", "MeV^-2", "growth"),
)

TIME_IN_MU = Label("time", "time in units of 1/mu', mu' = g energy_max^3")

# A parameter must not be called like one of these: it would hide them in the dataset.
RESERVED_NAMES = (
    frozenset(VARIABLES) | frozenset(GROWTH_DETAILS) | frozenset(ANGLE_LADDER) | frozenset(LABELS)
)


def variables_of(
    analyses: tuple[str, ...], kind: str, details: bool = False, modes: bool = False, angles: bool = False
) -> tuple[Variable, ...]:
    """Variables that these analyses over this kind of grid compute, in the order of the vocabulary.

    ``details`` and ``modes`` add what ``GROWTH_DETAILS`` holds, the second what lies along ``mode``; ``angles`` adds
    ``ANGLE_LADDER``.
    """
    extra = [v for v in GROWTH_DETAILS.values() if (modes if "mode" in v.trailing else details)]
    extra += ANGLE_LADDER.values() if angles else ()
    return tuple(
        variable
        for variable in (*VARIABLES.values(), *extra)
        if variable.analysis in ("", *analyses) and kind in variable.kinds
    )

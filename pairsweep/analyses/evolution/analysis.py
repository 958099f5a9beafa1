"""The analysis ``evolution``: the pairs followed in time from a random seed of kappa."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.analyses.base import Analysis, Findings, PointFailure, Solution, WarmUp
from pairsweep.contract.errors import SpecError
from pairsweep.contract.fields import Field, option
from pairsweep.contract.template import Coordinate
from pairsweep.contract.variables import Label, Variable
from pairsweep.contract.view import SpecView, SweepView
from pairsweep.physics.grid import Floats
from pairsweep.physics.systems import Systems
from pairsweep.physics.units import mu_prime

if TYPE_CHECKING:
    import xarray as xr

METHODS = ("auto", "splitting", "averaged", "reference")
INTEGRATORS = ("none", "splitting", "averaged", "reference")


@dataclass(frozen=True, kw_only=True)
class EvolutionOptions:
    """How long, how often sampled and how accurately the pairs are followed."""

    t_end: float | None = option("number", "end of the run", "MeV^-1", minimum=0.0, open_below=True)
    t_end_mu: float | None = option(
        "number",
        "end of the run in units of 1/mu', mu' = g energy_max^3",
        minimum=0.0,
        open_below=True,
    )
    samples: int = option("integer", "number of samples, both ends", required=True, minimum=2, maximum=10**6)
    method: str = option("text", "integrator", default="auto", choices=METHODS)
    tolerance: float = option(
        "number",
        "largest error of any component of any S over the run",
        default=1e-8,
        minimum=1e-12,
        maximum=0.1,
    )

    @property
    def in_mu(self) -> bool:
        """Whether time is in units of 1/mu'."""
        return self.t_end is None

    @property
    def time(self) -> Floats:
        """Samples (T,) in 1/MeV, or in 1/mu' where ``in_mu``."""
        end = self.t_end_mu if self.t_end is None else self.t_end
        return np.linspace(0.0, float(end or 0.0), self.samples)


AXES = (
    Field(
        "perturbation",
        "number",
        "size of the random initial kappa; 0 is legal",
        required=False,
        default=1e-5,
        minimum=0.0,
        maximum=1.0,
    ),
    Field(
        "seed",
        "integer",
        "seed of the random initial kappa",
        required=False,
        default=0,
        minimum=0,
        maximum=2**53,
    ),
)
_BINS, _BEAMS = ("bins",), ("beams",)
_QUADRANT = ("time", "quadrant")
_BEAM = ("time", "beam")
VARIABLES = (
    Variable("kappa_mean", "mean pairing correlation abs(kappa)", trailing=("time",)),
    Variable(
        "kappa_energy", "mean abs(kappa) in each energy bin", trailing=("time", "energy_bin"), kinds=_BINS
    ),
    Variable("kappa_quadrant", "mean abs(kappa) in each phi quadrant", trailing=_QUADRANT, kinds=_BINS),
    Variable(
        "rho_quadrant", "mean neutrino occupation in each phi quadrant", trailing=_QUADRANT, kinds=_BINS
    ),
    Variable(
        "rhobar_quadrant",
        "mean antineutrino occupation in each phi quadrant",
        trailing=_QUADRANT,
        kinds=_BINS,
    ),
    Variable("kappa_beam", "abs(kappa) of each beam", trailing=_BEAM, kinds=_BEAMS),
    Variable("rho_beam", "neutrino occupation of each beam", trailing=_BEAM, kinds=_BEAMS),
    Variable("rhobar_beam", "antineutrino occupation of each beam", trailing=_BEAM, kinds=_BEAMS),
    Variable(
        "spin_occupation",
        "spin angular momentum carried by the occupations",
        "MeV^3",
        ("time", "component"),
    ),
    Variable("spin_pairing", "spin angular momentum carried by the pairing", "MeV^3", ("time", "component")),
    Variable("energy_drift", "largest relative drift of the energy over the run"),
    Variable("norm_drift", "largest change of any abs(S) over the run"),
    Variable("error_estimate", "estimated largest error of any component of any S"),
    Variable("method_taken", "integrator that was taken", dtype="int8", flags=INTEGRATORS),
    Variable("growth_rate_fit", "growth rate fitted to the linear phase", "MeV"),
    Variable("kappa_max", "mean abs(kappa) at its first maximum"),
    Variable("time_of_max", "time of the first maximum of mean abs(kappa)", "MeV^-1"),
    Variable("period", "period of the pair oscillation", "MeV^-1"),
)
TIME = Label("time", "time", "MeV^-1")
TIME_MEV = Label("time_mev", "time", "MeV^-1")
TIME_IN_MU = Label("time", "time in units of 1/mu', mu' = g energy_max^3")


def _dimensions(options: EvolutionOptions, sweep: SweepView) -> tuple[Coordinate, ...]:
    time = options.time
    if not options.in_mu:
        return (Coordinate("time", ("time",), time, TIME.attrs),)
    dims, shape, rows = sweep.over(("g", "energy_max"))
    in_mev = np.array([time / mu_prime(row["g"], row["energy_max"]) for row in rows])
    return (
        Coordinate("time", ("time",), time, TIME_IN_MU.attrs),
        Coordinate("time_mev", (*dims, "time"), in_mev.reshape(*shape, time.size), TIME_MEV.attrs),
    )


def _check(options: EvolutionOptions, spec: SpecView) -> None:
    if (options.t_end is None) == (options.t_end_mu is None):
        raise SpecError("evolution.t_end", options.t_end, "give one of t_end (1/MeV) and t_end_mu (1/mu')")
    if options.in_mu and "energy_max" not in spec:
        raise SpecError(
            "evolution.t_end_mu", options.t_end_mu, "beams have no energy_max: give t_end in 1/MeV"
        )


def _solve(systems: Systems, options: EvolutionOptions) -> Solution:
    from pairsweep.analyses.evolution.solver import evolve_batch

    time = options.time
    if options.in_mu:
        time = time * (1.0 / mu_prime(systems.g, systems.energy_max))[:, None]
    kappa = _initial_kappa(systems.own["perturbation"], systems.own["seed"], systems.grid.size)
    found = evolve_batch(
        systems.grid,
        systems.rho,
        systems.rhobar,
        kappa,
        systems.g,
        time,
        method=options.method,
        tolerance=options.tolerance,
    )
    wanted = {variable.name for variable in EVOLUTION.computed(options, systems.grid.kind)}
    return Solution(
        {name: values for name, values in found.arrays.items() if name in wanted},
        {row: PointFailure(reason) for row, reason in enumerate(found.reasons) if reason is not None},
    )


def perturbed_kappa(n_pairs: int, perturbation: float, seed: int) -> NDArray[np.complex128]:
    """Initial kappa (N,): Re and Im uniform in [0, perturbation], pairs ordered (energy, theta, phi)."""
    random = np.random.default_rng(seed)
    return np.asarray(perturbation * (random.random(n_pairs) + 1j * random.random(n_pairs)))


def _initial_kappa(sizes: NDArray[Any], seeds: NDArray[Any], pairs: int) -> NDArray[np.complex128]:
    """Random initial kappa (P, N) of each point: by its seed alone, whatever its place in the sweep."""
    distinct, group = np.unique(
        np.stack([sizes, seeds.astype(np.float64)], axis=1), axis=0, return_inverse=True
    )
    drawn = [perturbed_kappa(pairs, float(size), int(seed)) for size, seed in distinct]
    return np.array(drawn, dtype=np.complex128).reshape(-1, pairs)[group.reshape(-1)]


def _summary(ds: xr.Dataset, unit: str) -> Findings:
    energy, norm = (_largest(ds, name) for name in ("energy_drift", "norm_drift"))
    lines = () if np.isnan(norm) else (f"  drifts       energy {energy:.1e}, |S| {norm:.1e} at most",)
    return Findings(lines, {"largest_energy_drift": energy, "largest_norm_drift": norm})


def _largest(ds: xr.Dataset, name: str) -> float:
    known = ds[name].values[np.isfinite(ds[name].values)] if name in ds else np.empty(0)
    return float(known.max()) if known.size else float("nan")


EVOLUTION = Analysis(
    name="evolution",
    meaning="the pairs followed in time from a random seed of kappa",
    options=EvolutionOptions,
    axes=AXES,
    variables=VARIABLES,
    labels=(TIME, TIME_MEV),
    dimensions=_dimensions,
    check=_check,
    solve=_solve,
    summary=_summary,
    pictures="pairsweep.analyses.evolution.pictures",
    code=("pairsweep.analyses.evolution.solver", "pairsweep.analyses.evolution.single"),
    # of averaging both orders: third-order kicks are code of their own
    warm_up=tuple(
        WarmUp(
            options=EvolutionOptions(t_end=100.0, samples=11, method=method, tolerance=tolerance),
            own={"perturbation": 1e-5, "seed": 0},
        )
        for method, tolerance in ((*((method, 1e-4) for method in METHODS), ("averaged", 0.05)))
    ),
)

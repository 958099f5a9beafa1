"""The figures of the report: which sweep, which picture of it, and what it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ReportFigure:
    """One figure: ``options`` are those of `plot.draw` for this ``kind`` on the results of ``sweep``."""

    name: str
    title: str
    sweep: str
    kind: str
    caption: str
    options: Mapping[str, Any] = field(default_factory=dict)


FIGURES = (
    ReportFigure(
        "fig1",
        "Fig. 1 of the Letter: two pairs, case A above and case B below",
        "fig1",
        "evolution",
        "From kappa = 0 the pairs of the x direction convert to the z direction and back. Dashed: exp(growth_rate t) "
        "of the linear theory, 2 mu in case A and 0.980 mu in case B. The Letter prints 0.490 mu for case B; its "
        "Eqs. 15 and 16 give 0.980 mu.",
        {"x": "time_mu", "facet": "rhobar_x"},
    ),
    ReportFigure(
        "fig2a",
        "Fig. 2(a) of the Letter: mean pairing on three angular grids",
        "fig2",
        "evolution",
        "Mean pairing correlation for (1, 1, 4), (1, 1, 32) and (1, 8, 8); dashed: growth of the fastest mode. On "
        "(1, 8, 8) the start excites mostly a slower mode: without kappa the gas first settles into its forced "
        "response, which has the mirror symmetry cos(theta) -> -cos(theta) of the occupations, and the fastest mode of "
        "this grid has not.",
        {"x": "time_mev", "y": "kappa_mean"},
    ),
    ReportFigure(
        "fig2b",
        "Fig. 2(b) of the Letter: occupations by quadrant",
        "fig2",
        "evolution",
        "Mean neutrino occupation of each phi quadrant for (1, 1, 32): the first is converted to the others. "
        "Quadrants 2 and 4 differ only through the random perturbation.",
        {"x": "time_mev", "y": "rho_quadrant", "select": {"n_phi": 32}},
    ),
    ReportFigure(
        "fig3a",
        "Fig. 3(a) of the Letter: mean pairing for one to four energy bins",
        "fig3",
        "evolution",
        "Growth and saturation fall with the number of energy bins.",
        {"x": "time_mev", "y": "kappa_mean"},
    ),
    ReportFigure(
        "fig3b",
        "Fig. 3(b) of the Letter: pairing in each of three energy bins",
        "fig3",
        "evolution",
        "Only the bin of the highest energy takes part in the instability.",
        {"x": "time_mev", "y": "kappa_energy", "select": {"n_energy": 3}},
    ),
    ReportFigure(
        "growth_vs_epn",
        "Growth rate against EPN crossing",
        "epn_crossing",
        "growth-vs-epn",
        "Every point of the sweep: both couplings fall on each other, so the rate is proportional to g; the angular "
        "grids do not quite, and all lie below the law of two perpendicular pairs. Systems with a crossing may be "
        "stable (grey).",
    ),
    ReportFigure(
        "instability_map",
        "Instability map over the occupations",
        "epn_crossing",
        "growth-map",
        "Instability needs an EPN crossing (dashed) but begins a little later.",
        {"x": "rho_high", "y": "rho_low", "select": {"g": 1e-6}},
    ),
    ReportFigure(
        "energy_bins",
        "The ladder of energy bins",
        "energy_bins",
        "growth-vs-bins",
        "The set-up of the Letter is unstable for 1 to 4 energy bins and stable for more, whatever the cell volume.",
    ),
    ReportFigure(
        "anisotropy",
        "The anisotropy that the persistent bin needs",
        "anisotropy",
        "growth-vs-bins",
        "Pairs above half filling in one energy bin and a sector of azimuths of this opening (degrees). A narrow "
        "sector and a narrow gap are equally anisotropic; at 360 degrees the gas is isotropic, and stable.",
        {"x": "opening", "y": "g"},
    ),
    ReportFigure(
        "coupling",
        "Growth rate against the coupling",
        "coupling",
        "growth-vs-bins",
        "Proportional to g while g is small; at large g a static mode takes over.",
        {"x": "g", "y": "g"},
    ),
    ReportFigure(
        "phase_diagram",
        "The regime of large coupling",
        "phase_diagram",
        "phase-diagram",
        "Static modes need no EPN crossing. Empty modes couple too, and without the constant that belongs to the "
        "cutoff (right) the static regime is gone but for points where refraction brings an Omega near 0.",
    ),
    ReportFigure(
        "growth_vs_k",
        "Where the instability goes: growth against the wave number",
        "inhomogeneous_bins",
        "growth-vs-k",
        "The quadrant with 1 to 32 energy bins, k across the occupied quadrant. Stable at k = 0 for more than four "
        "bins, it is unstable where k^2/4E makes up for the refraction that separates the directions. The largest "
        "rate falls like 1/N_E: nothing of it is left in the continuum.",
    ),
    ReportFigure(
        "dispersion",
        "The dispersion relation of five energy bins",
        "inhomogeneous_bins",
        "dispersion",
        "Frequency of the unstable mode in the band of the pair energies of the highest bin, from twice its energy.",
        {"select": {"n_energy": 5}},
    ),
    ReportFigure(
        "k_polar",
        "Growth over the direction of k",
        "inhomogeneous_directions",
        "k-polar",
        "Five energy bins at k = 1.37 MeV, seen along z in equal areas: unstable across the flux of the occupied "
        "quadrant.",
    ),
    ReportFigure(
        "spin_budget",
        "The spin budget of case A",
        "fig1",
        "conservation",
        "Spin angular momentum of the occupations, of the pairing correlations, and of both: the pairing does not "
        "make up for what the occupations lose.",
        {"x": "time_mu", "select": {"rhobar_x": 1.0}},
    ),
)

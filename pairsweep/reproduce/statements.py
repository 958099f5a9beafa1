"""Every quantitative statement of the Letter (arXiv:2604.25687) beside what the sweeps give.

Each check reads datasets of the shipped sweeps and nothing else, so the table is remade with the data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr

from pairsweep.analyses.evolution.derived import rate_of
from pairsweep.analyses.growth.analysis import MODE_KINDS
from pairsweep.analyses.inhomogeneous.analysis import VERDICTS as K_VERDICTS
from pairsweep.dataset.select import mu, select
from pairsweep.physics.grid import Floats

Results = Mapping[str, xr.Dataset]
Outcome = Literal["agrees", "differs", "answers"]
STATIC = MODE_KINDS.index("static")
DISCRETE = K_VERDICTS.index("discretisation")


@dataclass(frozen=True)
class Statement:
    """What the Letter says in one place, what was found, and whether these agree.

    ``outcome`` is "answers" for a question that the Letter leaves open; ``remark`` explains a difference or
    adds to what was found.
    """

    place: str
    says: str
    found: str
    outcome: Outcome
    remark: str = ""


def _judge(agrees: bool) -> Outcome:
    return "agrees" if agrees else "differs"


# --- two pairs --------------------------------------------------------------------------------------------


def _two_pairs(results: Results) -> tuple[Floats, Floats, Floats, float, float]:
    """Growth rate (MeV) and both EPNs over the plane of occupations, and mu and E (MeV)."""
    plane = results["two_pairs"].isel(g=0)
    epn = plane["beam_rho"] + plane["beam_rhobar"] - 1.0
    n_x, n_z = xr.broadcast(*(epn.sel(beam=name, drop=True) for name in ("x", "z")))
    growth = plane["growth_rate"].transpose(*n_x.dims)
    return growth.values, n_x.values, n_z.values, float(mu(plane)), float(plane["beam_energy"].sel(beam="x"))


def eigenvalues_of_two_pairs(results: Results) -> Statement:
    growth, n_x, n_z, strength, energy = _two_pairs(results)
    shifted = energy - 2.0 * strength
    root = np.sqrt((shifted**2 * n_x * n_z).astype(np.complex128))
    exact = np.max([(2.0 * np.sqrt(-(shifted**2) + s * 2.0 * strength * root)).real for s in (1, -1)], axis=0)
    error = float(np.abs(growth - np.maximum(exact, 0.0)).max() / growth.max())
    return Statement(
        "Eq. 15",
        "eigenvalues of two perpendicular pairs in closed form",
        f"largest difference {error:.0e} of the largest rate, over {growth.size} systems",
        _judge(error < 1e-9),
    )


def growth_of_two_pairs(results: Results) -> Statement:
    growth, n_x, n_z, strength, energy = _two_pairs(results)
    unstable = growth > 0
    law = 2.0 * strength * np.sqrt(np.abs(n_x * n_z))
    error = float(np.abs(growth / np.where(unstable, law, 1.0) - 1.0)[unstable].max())
    return Statement(
        "Eq. 16",
        "growth rate 2 mu sqrt(|n_x n_z|) for E >> mu",
        f"largest relative difference {error:.1e} at mu/E = {strength / energy:g}",
        _judge(error < 1e-5),
    )


def criterion_of_two_pairs(results: Results) -> Statement:
    growth, n_x, n_z, _, _ = _two_pairs(results)
    crossing = n_x * n_z < -1e-12
    exceptions = int(((growth > 0) != crossing).sum())
    return Statement(
        "after Eq. 15",
        "two pairs are unstable if and only if their EPNs have different signs",
        f"{exceptions} exceptions in {growth.size} systems",
        _judge(exceptions == 0),
    )


def frequency_of_two_pairs(results: Results) -> Statement:
    plane = results["two_pairs"].isel(g=0)
    oscillating = plane["frequency"].where(plane["growth_rate"] > 0) / (
        2.0 * plane["beam_energy"].sel(beam="x", drop=True)
    )
    low, high = float(oscillating.min()), float(oscillating.max())
    return Statement(
        "after Eq. 15",
        "kappa oscillates with twice the neutrino energy, |Im lambda| = 2 E for E >> mu",
        f"|Im lambda|/2E = {low:.4f} to {high:.4f} for all unstable systems",
        _judge(abs(low - 1.0) < 0.005 and abs(high - 1.0) < 0.005),
        "2 (E - 2 mu) by Eq. 15",
    )


def _case(results: Results, name: Literal["A", "B"]) -> xr.Dataset:
    return select(results["fig1"], {"rhobar_x": {"A": 1.0, "B": 0.3}[name]}).load()


def growth_of_case_a(results: Results) -> Statement:
    case = _case(results, "A")
    rate, fit = (float(case[name] / mu(case)) for name in ("growth_rate", "growth_rate_fit"))
    return Statement(
        "Fig. 1(b)",
        "case A grows at 2 mu",
        f"{rate:.4f} mu from M, {fit:.3f} mu fitted to |kappa|",
        _judge(abs(rate - 2.0) < 1e-3),
    )


def growth_of_case_b(results: Results) -> Statement:
    case = _case(results, "B")
    rate, fit = (float(case[name] / mu(case)) for name in ("growth_rate", "growth_rate_fit"))
    return Statement(
        "Fig. 1(b)",
        "case B grows at 0.490 mu",
        f"{rate:.4f} mu from M, {fit:.3f} mu fitted to |kappa|",
        _judge(abs(rate - 0.490) < 0.005),
        "Eqs. 15 and 16 give 0.980 mu; the printed number lacks the factor 2 of Eq. 16, sqrt(0.24) = 0.490",
    )


def growth_in_time_of_two_pairs(results: Results) -> Statement:
    cases = {name: _case(results, name) for name in ("A", "B")}
    ratios = {name: float(case["growth_rate_fit"] / case["growth_rate"]) for name, case in cases.items()}
    return Statement(
        "Fig. 1(b), p. 4",
        "from kappa = 0 a small kappa is generated and then grows at the rate of linear theory, for both cases",
        "fitted to |kappa| over largest eigenvalue: "
        + ", ".join(f"{ratio:.3f} in case {name}" for name, ratio in ratios.items()),
        _judge(all(abs(ratio - 1.0) < 0.02 for ratio in ratios.values())),
    )


def conversion_of_case_a(results: Results) -> Statement:
    case = _case(results, "A")
    most = float(case["rho_beam"].sel(beam="z").max())
    return Statement(
        "Fig. 1(a)",
        "case A converts fully to the perpendicular direction and back, periodically",
        f"largest rho_z = {most:.4f}, period {float(case['period'] * mu(case)):.2f}/mu",
        _judge(most > 0.999 and bool(np.isfinite(case["period"]))),
    )


def pairing_of_case_a(results: Results) -> Statement:
    case = _case(results, "A")
    x, z = (case["kappa_beam"].sel(beam=beam) for beam in "xz")
    at = int(x.values.argmax())
    rho = [float(case["rho_beam"].sel(beam=beam)[at]) for beam in "xz"]
    return Statement(
        "p. 3",
        "case A pairs most when both directions hold the same number of pairs",
        f"largest |kappa_x| = {float(x.max()):.4f}, |kappa_z| = {float(z.max()):.4f}, "
        f"with rho_x = {rho[0]:.3f}, rho_z = {rho[1]:.3f}",
        _judge(abs(rho[0] - rho[1]) < 0.05),
    )


def conversion_of_case_b(results: Results) -> Statement:
    case = _case(results, "B")
    start, limit = 0.1, 0.3
    most = float(case["rho_beam"].sel(beam="z").max())
    return Statement(
        "Fig. 1(a)",
        "the conversion of case B is limited by rhobar_x = 0.3",
        f"largest rho_z = {most:.4f}, {most - start:.4f} more than at the start",
        _judge(abs(most - start - limit) < 0.005),
    )


def pairing_of_case_b(results: Results) -> Statement:
    case = _case(results, "B")
    kappa, rho = case["kappa_beam"].sel(beam="z"), case["rho_beam"].sel(beam="x")
    cycle = case["time"].values < 1.5 * float(case["time_of_max"])  # the first oscillation
    times = [case["time"].values[np.where(cycle, v, -1).argmax()] for v in (kappa.values, 1.0 - rho.values)]
    lag = abs(times[1] - times[0]) / float(case["time_of_max"])
    return Statement(
        "p. 3",
        "case B: |kappa_z| is largest when most x pairs have been converted",
        f"|kappa_z| up to {float(kappa.max()):.4f}, at a time that differs by {lag:.1%} from that of the "
        "smallest rho_x",
        _judge(lag < 0.02),
    )


def spin_budget(results: Results) -> Statement:
    case = _case(results, "A")
    occupation, pairing = case["spin_occupation"], case["spin_pairing"]
    total = np.linalg.norm((occupation + pairing).values, axis=-1)
    turned = occupation.isel(time=int(case["rho_beam"].sel(beam="z").values.argmax())).values
    weight = float(case["beam_weight"].sel(beam="x"))
    kept = total.max() < 1.01 * total.min()
    start, end = (_vector(part / weight) for part in (occupation.isel(time=0).values, turned))
    return Statement(
        "p. 3",
        "do the pairing correlations carry the angular momentum that the occupations lose?",
        f"{'yes' if kept else 'no'}: the occupations go from {start} to {end} per phase-space volume, the pairing part "
        f"reaches {float(np.abs(pairing).max()) / weight:.2f}, and the length of the sum varies between "
        f"{total.min() / weight:.2f} and {total.max() / weight:.2f}",
        "answers",
        "the equations of the homogeneous mean field conserve every |S_p| and the energy, not the total spin",
    )


def conserved_quantities(results: Results) -> Statement:
    worst = {
        name: max(float(results[fig][name].max()) for fig in ("fig1", "fig2", "fig3"))
        for name in ("energy_drift", "norm_drift")
    }
    apart = results["fig1"]["rho_beam"] - results["fig1"]["rhobar_beam"]
    lepton = float(np.abs(apart - apart.isel(time=0)).max())
    return Statement(
        "p. 3",
        "energy, momentum and lepton number are conserved",
        f"energy to {worst['energy_drift']:.0e}, |S| of every pair to {worst['norm_drift']:.0e}, rho - rhobar of "
        f"every pair, and so momentum and lepton number, {f'to {lepton:.0e}' if lepton else 'exactly'}",
        _judge(worst["energy_drift"] < 1e-6 and worst["norm_drift"] < 1e-8 and lepton < 1e-12),
    )


def _vector(values: Floats) -> str:
    return "(" + ", ".join(f"{value + 0.0:.2f}" for value in np.round(values, 2)) + ")"


# --- many directions --------------------------------------------------------------------------------------


def interaction_scale(results: Results) -> Statement:
    strength = float(mu(results["fig2"]))
    ratio = 10.0 / strength
    return Statement(
        "p. 4",
        "mu' = 0.008 MeV, about 10^4 times smaller than the energies",
        f"mu' = {strength:g} MeV; the energy 10 MeV of the single bin is {ratio:.0f} times larger",
        _judge(abs(np.log10(ratio) - 4) < 0.5),
        "the energies up to 20 MeV are 10^3 times larger than mu', not 10^4",
    )


def saturation_over_angles(results: Results) -> Statement:
    runs = results["fig2"]
    most = runs["kappa_mean"].max("time").values
    return Statement(
        "Fig. 2(a)",
        "<|kappa|> reaches 0.1 or more on all three angular grids",
        ", ".join(f"{value:.3f} on {grid}" for value, grid in zip(most, _grids(runs), strict=True)),
        _judge(bool(np.all(most >= 0.1))),
    )


def _grids(runs: xr.Dataset) -> list[str]:
    columns = xr.broadcast(*(runs[name] for name in ("n_energy", "n_theta", "n_phi")))
    return [str(grid) for grid in zip(*(column.values.ravel().tolist() for column in columns), strict=True)]


def _measured_over_predicted(runs: xr.Dataset) -> list[float]:
    """Growth of the highest bin's pairing in its linear phase over the largest eigenvalue; NaN without a phase."""
    axis = runs["growth_rate"].dims[0]
    ratios = []
    for i in range(runs.sizes[axis]):
        run = runs.isel({axis: i}).load()
        curve = run["kappa_energy"].isel(energy_bin=int(run["n_energy"]) - 1).values
        ratios.append(rate_of(run["time_mev"].values, curve) / float(run["growth_rate"]))
    return ratios


def growth_in_time(results: Results) -> Statement:
    named = {
        grid: ratio
        for name in ("fig2", "fig3")
        for grid, ratio in zip(_grids(results[name]), _measured_over_predicted(results[name]), strict=True)
    }
    return Statement(
        "p. 4",
        "the growth of <|kappa|> in the linear regime matches the real part of the eigenvalue of M",
        "measured over largest eigenvalue: "
        + ", ".join(f"{ratio:.2f} on {grid}" for grid, ratio in named.items()),
        _judge(all(abs(ratio - 1.0) < 0.1 for ratio in named.values())),
        "a run first settles into its forced response; on finer angular grids that excites slower modes of M more than "
        "the fastest one, and the curve grows at their rate until it saturates",
    )


def conversion_between_quadrants(results: Results) -> Statement:
    rho = select(results["fig2"], {"n_phi": 32})["rho_quadrant"].load()
    change = (rho - rho.isel(time=0)).values
    return Statement(
        "Fig. 2(b)",
        "occupations of the first quadrant are converted to the others",
        f"(1, 32): first quadrant {change[:, 0].min():+.2f}, the others up to "
        f"{', '.join(f'{value:+.2f}' for value in change[:, 1:].max(0))}",
        _judge(bool(change[:, 0].min() < -0.1 and np.all(change[:, 1:].max(0) > 0.02))),
    )


def symmetry_of_quadrants(results: Results) -> Statement:
    rho = select(results["fig2"], {"n_phi": 32})["rho_quadrant"].load()
    apart = np.abs(rho.sel(quadrant=4) - rho.sel(quadrant=2))
    return Statement(
        "Fig. 2(b)",
        "the fourth quadrant evolves as the second",
        f"(1, 32): their occupations differ by up to {float(apart.max()):.2g}",
        _judge(float(apart.max()) < 0.01),
        "the equations and occupations have this symmetry, random perturbations have not, and the difference grows",
    )


def pairing_everywhere(results: Results) -> Statement:
    peaks = results["fig2"]["kappa_quadrant"].max("time")
    return Statement(
        "p. 4",
        "pair oscillations occur for all angular pairs",
        f"the quadrant that pairs least still reaches <|kappa|> = {float(peaks.min()):.3f} (seed: 1e-5)",
        _judge(float(peaks.min()) > 0.01),
    )


# --- many energies ----------------------------------------------------------------------------------------


def stable_above_four_bins(results: Results) -> Statement:
    ladder = results["energy_bins"].load()
    few = ladder["n_energy"] <= 4
    unstable = bool((ladder["growth_rate"].where(few, drop=True) > 0).all())
    stable = bool((ladder["growth_rate"].where(~few, drop=True) == 0).all())
    return Statement(
        "p. 4",
        "unstable for 1 to 4 energy bins, stable for more than 4",
        f"1 to 4: {'all' if unstable else 'not all'} unstable; 5 to {int(ladder['n_energy'].max())}: growth rate "
        f"{'exactly 0' if stable else 'not always 0'}, for both cell volumes",
        _judge(unstable and stable),
    )


def growth_falls_with_bins(results: Results) -> Statement:
    rates = (
        results["energy_bins"].sel(n_energy=[1, 2, 3, 4])["growth_rate"].transpose("cell_volume", "n_energy")
    )
    falls = [bool(np.all(np.diff(line) < 0)) for line in rates.values]
    return Statement(
        "Fig. 3(a)",
        "the growth rate tends to decrease with the number of energy bins",
        "; ".join(
            f"{volume}: {', '.join(f'{1e3 * rate:.2f}' for rate in line)} x 10^-3 MeV"
            for volume, line in zip(rates["cell_volume"].values.tolist(), rates.values, strict=True)
        ),
        _judge(any(falls)),
        ""
        if all(falls)
        else "the Letter does not say which cell volume it took: only the exact one falls throughout",
    )


def saturation_falls_with_bins(results: Results) -> Statement:
    kappa = results["fig3"]["kappa_mean"].transpose("n_energy", "time").values
    most, turned = kappa.max(axis=1), kappa[:, -1] < 0.95 * kappa.max(axis=1)
    return Statement(
        "Fig. 3(a)",
        "the saturated <|kappa|> tends to decrease with the number of energy bins",
        f"largest values {', '.join(f'{value:.3f}' for value in most)} for 1 to 4 bins",
        _judge(bool(np.all(np.diff(most) < 0) and turned.all())),
    )


def mode_in_the_highest_bin(results: Results) -> Statement:
    ladder = results["energy_bins"].sel(cell_volume="midpoint", n_energy=[2, 3, 4])
    shares = [float(ladder["energy_weight"].isel(n_energy=i, energy_bin=i + 1)) for i in range(3)]
    return Statement(
        "Fig. 3(b)",
        "the instability is confined to the bin of the highest energy",
        f"its share of the unstable mode is {', '.join(f'{share:.6f}' for share in shares)} for 2, 3, 4 bins",
        _judge(min(shares) > 0.99),
    )


def law_of_the_persistent_bin(results: Results) -> Statement:
    bins = results["persistent_bin"].sel(n_theta=1, n_phi=4).load()
    width = bins["energy_max"] / bins["n_energy"]
    inside = (bins["energy"] >= bins["e_low"]) & (bins["energy"] <= bins["e_high"])
    energy = bins["energy"].where(inside).mean("energy_bin")
    law = (bins["growth_rate"] / (bins["g"] * energy**2 * width)).values
    return Statement(
        "p. 4",
        "a single positive bin stays unstable at large N_E, with a rate proportional to E_i^2 dE",
        f"growth/(g E_i^2 dE) = {law.min():.4g} to {law.max():.4g} for N_E = {int(bins['n_energy'].min())} to "
        f"{int(bins['n_energy'].max())}",
        _judge(bool(law.min() > 0 and law.max() < 1.02 * law.min())),
        "proportional to the bin width, so it vanishes in the continuum",
    )


def anisotropy_of_the_persistent_bin(results: Results) -> Statement:
    grids = results["persistent_bin"].isel(n_energy=-1).load()
    unstable = grids["growth_rate"] > 0
    rates = grids["growth_rate"] / grids["growth_rate"].sel(n_theta=1, n_phi=4)
    return Statement(
        "p. 4",
        "it also stays with finer angles, as long as the anisotropy remains large enough",
        f"{int(unstable.sum())} of {unstable.size} angular grids unstable at N_E = {int(grids['n_energy'])}; rates "
        f"{float(rates.min()):.2f} to {float(rates.max()):.2f} of that of (1, 4), EPN anisotropy "
        f"{float(grids['anisotropy'].min()):.2g} to {float(grids['anisotropy'].max()):.2g}",
        _judge(bool(unstable.all())),
    )


def anisotropy_that_is_needed(results: Results) -> Statement:
    sectors = results["anisotropy"].load()
    energy = sectors["energy"]
    inside = (energy >= sectors["from_energy"]) & (energy <= sectors["to_energy"])
    share = (energy**2).where(inside).sum() / (energy**2).sum()  # of the bin in the volume of all
    of_the_bin, unstable = sectors["anisotropy"] / share, sectors["growth_rate"] > 0
    found = []
    for n_theta in sectors["n_theta"].values.tolist():
        here = {"n_theta": n_theta}
        values, grows = of_the_bin.sel(here).values, unstable.sel(here).values
        found.append(
            f"({n_theta}, {int(sectors['n_phi'])}): stable up to {values[~grows].max():.3f}, unstable from "
            f"{values[grows].min():.3f} on"
        )
    return Statement(
        "p. 4",
        "how large is the anisotropy that the positive bin needs?",
        f"|sum w n p|/sum w |n| inside the bin, on {'; on '.join(found)}",
        "answers",
        "sectors of azimuths filled to 0.9 from 10 to 11 MeV, all else to 0.1; isotropic is stable, and the finer grid "
        "needs less",
    )


# --- crossing, coupling, thermal --------------------------------------------------------------------------


def crossing_and_instability(results: Results) -> Statement:
    sweep = results["epn_crossing"]
    crossing, unstable = sweep["epn_crossing_strength"].values > 0, sweep["growth_rate"].values > 0
    without, stable = int((unstable & ~crossing).sum()), int((~unstable & crossing).sum())
    return Statement(
        "p. 4, 5",
        "is an EPN crossing necessary and sufficient?",
        f"necessary here: {without} of {int((~crossing).sum())} systems without a crossing are unstable; not "
        f"sufficient: {stable} of {int(crossing.sum())} with one are stable",
        "answers",
        "homogeneous modes; for those with a wave number see the next line",
    )


def shifted_to_inhomogeneous_modes(results: Results) -> Statement:
    beams = results["inhomogeneous_crossing"].load()
    crossing = beams["epn_crossing_strength"].values > 0
    still, moving = beams["growth_rate"].values > 0, beams["inhomogeneous_growth_rate"].values > 0
    bins = results["inhomogeneous_bins"].load()
    largest = bins["inhomogeneous_growth_rate"].max("k").where(bins["n_energy"] > 4, drop=True)
    real = sum(
        int((ds["inhomogeneous_growth_rate"] > 0).where(ds["inhomogeneous_verdict"] != DISCRETE, False).sum())
        for ds in (beams, bins)
    )
    return Statement(
        "p. 5",
        "where a crossing gives no instability the instabilities are shifted to inhomogeneous modes",
        f"of {int(crossing.sum())} crossed systems of four beams {int((crossing & still).sum())} are unstable at k = 0 "
        f"and {int((crossing & moving).sum())} at some k, of {int((~crossing).sum())} without a crossing "
        f"{int((~crossing & moving).sum())}; the quadrant with {', '.join(map(str, largest['n_energy'].values))} bins: "
        f"{', '.join(f'{1e3 * rate:.2f}' for rate in largest.values)} x 10^-3 MeV",
        _judge(bool((moving == crossing).all() and (largest > 0).all())),
        f"falls like 1/N_E, and {real} of these instabilities are below the ceiling of continuous occupations: they "
        "belong to beams and bins",
    )


def growth_proportional_to_g(results: Results) -> Statement:
    weak = results["coupling"].sel(n_energy=1).load()
    over_g = (weak["growth_rate"] / weak["g"]).where(weak["g"] <= 1e-6 * (1 + 1e-9), drop=True).values
    spread = float(over_g.max() / over_g.min() - 1.0)
    return Statement(
        "p. 5",
        "for smaller g the growth rate is proportionally smaller",
        f"growth/g constant to {spread:.1e} for g from 1e-8 to 1e-6 MeV^-2",
        _judge(spread < 0.01),
    )


def large_coupling(results: Results) -> Statement:
    sweep = results["phase_diagram"].load()
    static = sweep["mode_kind"] == STATIC
    onset = float(sweep["g"].where(static).min())
    alone = int((static & (sweep["epn_crossing_strength"] == 0)).sum())
    rate = sweep["subtracted_growth_rate"]
    left = int(((rate > 0) & (sweep["subtracted_frequency"] <= 1e-6 * rate)).sum())
    return Statement(
        "p. 5",
        "at large g instabilities like those of superconductors emerge; where are the phase boundaries?",
        f"static modes (Im lambda = 0) from g = {onset:.2g} MeV^-2 on, {alone} systems without any EPN crossing "
        "among them",
        "answers",
        f"this regime is the energy cutoff's: empty modes couple too, and without their constant {left} of "
        f"{int(static.sum())} static points are static",
    )


def thermal_gas(results: Results) -> Statement:
    isotropic = results["thermal"].sel(dipole=0.0).load()
    crossing = int((isotropic["epn_crossing_strength"] > 0).sum())
    unstable = int((isotropic["growth_rate"] > 0).sum())
    return Statement(
        "p. 3",
        "in thermal equilibrium there is no EPN crossing and no instability",
        f"{crossing} crossings, {unstable} unstable in {isotropic['growth_rate'].size} isotropic thermal systems",
        _judge(crossing == unstable == 0),
    )


CHECKS: tuple[Callable[[Results], Statement], ...] = (
    eigenvalues_of_two_pairs,
    growth_of_two_pairs,
    criterion_of_two_pairs,
    frequency_of_two_pairs,
    growth_of_case_a,
    growth_of_case_b,
    growth_in_time_of_two_pairs,
    conversion_of_case_a,
    pairing_of_case_a,
    conversion_of_case_b,
    pairing_of_case_b,
    conserved_quantities,
    spin_budget,
    thermal_gas,
    interaction_scale,
    saturation_over_angles,
    growth_in_time,
    conversion_between_quadrants,
    symmetry_of_quadrants,
    pairing_everywhere,
    saturation_falls_with_bins,
    growth_falls_with_bins,
    mode_in_the_highest_bin,
    stable_above_four_bins,
    law_of_the_persistent_bin,
    anisotropy_of_the_persistent_bin,
    anisotropy_that_is_needed,
    crossing_and_instability,
    shifted_to_inhomogeneous_modes,
    growth_proportional_to_g,
    large_coupling,
)
SWEEPS = (
    "two_pairs", "fig1", "thermal", "fig2", "fig3", "energy_bins", "persistent_bin", "anisotropy", "epn_crossing",
    "coupling", "phase_diagram", "inhomogeneous_bins", "inhomogeneous_directions", "inhomogeneous_crossing",
)  # fmt: skip


def statements(results: Results) -> list[Statement]:
    """Check every statement on the results of the `SWEEPS`."""
    return [check(results) for check in CHECKS]

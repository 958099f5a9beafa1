#!/usr/bin/env python3
"""Error of averaging, order by order, against splitting, as tight as its rounding allows: docs/averaging.md.

    python scripts/benchmarks/averaging.py [--picture orders.png]

First a table over grids at g = 1e-6 MeV^-2; then, on (1, 1, 4) at one g t, the error over the coupling: its slopes are
the orders. The error is the largest of n and 2 |kappa| of any pair at 31 samples.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from evolution import Case, Curves, curves, make_case, reference

from pairsweep.analyses.evolution import averaged
from pairsweep.analyses.evolution.kernels.averaging.field import Terms
from pairsweep.analyses.evolution.kernels.averaging.solve import Systems
from pairsweep.analyses.evolution.kernels.status import Status

STEP_TOLERANCE = 1e-12
CASES = (((1, 1, 4), 1200.0), ((1, 1, 4), 1500.0), ((3, 1, 4), 1500.0), ((1, 1, 32), 1500.0))
ORDERS = {"first": (Terms.FIRST, 0), "second": (Terms.SECOND, 0)} | {
    f"kicks, {n} panels": (Terms.SECOND, n) for n in (8, 16, 32)
}
COUPLINGS = (4e-6, 1e-6, 2.5e-7, 1e-7, 1e-8)
SLOW_TIME = 7e-4


def at_order(case: Case, terms: Terms, panels: int) -> Curves:
    """Curves of the first seed at one given order, integrated as well as double precision allows."""
    kappa = case.kappa0[0]
    start = np.array([[2.0 * case.rho - 1.0, kappa.real, kappa.imag]])
    systems = Systems(case.grid.pairs, start, np.array([case.g]), case.times[None])
    trajectories = averaged.begin(systems, case.times.size)
    run = averaged.Run(
        row=0,
        ratio=0.0,
        start_error=0.0,
        map_error=0.0,
        full=True,
        all_terms=terms,
        expected=0.0,
        order=3,
        step_tolerance=STEP_TOLERANCE,
        panels=panels,
        storing=False,
    )
    trajectories.run([run])
    status = Status(int(trajectories.outcomes.status[0]))
    if status != Status.OK:
        raise RuntimeError(status.text)
    (states,) = trajectories.true([run])
    return curves(states[:, 0], states[:, 1] + 1j * states[:, 2])


def errors(case: Case) -> list[float]:
    """Largest error at each of ORDERS."""
    truth = reference(case)
    return [float(np.max(np.abs(at_order(case, *order) - truth))) for order in ORDERS.values()]


def first_seed(shape: tuple[int, int, int], t_end: float, g: float) -> Case:
    """Build a row of the evolution benchmark with a single seed."""
    case = make_case(shape, t_end, g)
    case.kappa0.resize((1, case.grid.size), refcheck=False)
    return case


def draw(found: np.ndarray, file: Path) -> None:
    """Error over coupling with the slopes 1, 2, 3."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    shown = {
        "first": ("o", "#0072B2", 1),
        "second": ("s", "#E69F00", 2),
        "kicks, 32 panels": ("^", "#009E73", 3),
    }
    with mpl.rc_context({"font.family": "STIXGeneral", "mathtext.fontset": "stix", "font.size": 10.0}):
        figure, ax = plt.subplots(figsize=(4.4, 3.4), layout="constrained")
        for i, name in enumerate(ORDERS):
            if name not in shown:
                continue
            marker, colour, power = shown[name]
            ax.loglog(COUPLINGS, found[:, i], marker, color=colour, ms=5, label=name)
            slope = found[1, i] * (np.array(COUPLINGS) / COUPLINGS[1]) ** power
            ax.loglog(COUPLINGS, slope, ":", color="#222222", lw=0.8, zorder=0)
            text = "$g$" if power == 1 else f"$g^{power}$"
            ax.annotate(text, (COUPLINGS[0], slope[0]), (6, 0), textcoords="offset points", va="center")
        low, floor = COUPLINGS[-1], found[-1, -1]
        arrow = {"arrowstyle": "-", "color": "#222222", "lw": 0.5}
        ax.annotate(
            "splitting's own error", (low, floor), (2.0 * low, 0.12 * floor), fontsize=8.5, arrowprops=arrow
        )
        ax.set(xlabel="Coupling $g$ (MeV$^{-2}$)", ylabel="Largest error of any spin")
        ax.set(xlim=(0.6 * low, 2.5 * COUPLINGS[0]), ylim=(1e-10, 1e-1))
        ax.set_title(f"Averaging on (1, 1, 4) at $g\\,t$ = {SLOW_TIME:g} MeV$^{{-3}}$", fontsize=9.5)
        ax.tick_params(which="both", direction="in", top=True, right=True)
        ax.legend(frameon=False, fontsize=8.5, loc="upper left")
        figure.savefig(file, dpi=120, metadata={"Software": None})


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--picture", type=Path, help="draw the error over the coupling")
    arguments = parser.parse_args()
    print("| case | " + " | ".join(ORDERS) + " |\n|" + "---|" * (len(ORDERS) + 1))
    for shape, t_end in CASES:
        cells = (f"{error:.1e}" for error in errors(first_seed(shape, t_end, 1e-6)))
        print(f"| {shape}, T = {t_end:g} | " + " | ".join(cells) + " |", flush=True)
    print("\n| g, MeV^-2 | " + " | ".join(ORDERS) + " |\n|" + "---|" * (len(ORDERS) + 1))
    found = np.array([errors(first_seed((1, 1, 4), SLOW_TIME / 1e-6, g)) for g in COUPLINGS])
    for g, row in zip(COUPLINGS, found, strict=True):
        print(f"| {g:g} | " + " | ".join(f"{error:.1e}" for error in row) + " |")
    if arguments.picture:
        draw(found, arguments.picture)


if __name__ == "__main__":
    main()

"""What went into another code: energies, weights, directions, occupations, coupling, array by array."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.comparison.conventions import Order, opposite, orders
from pairsweep.comparison.report import Comparand, Difference
from pairsweep.comparison.usual import nearest, usual
from pairsweep.physics.grid import Floats, Grid

ENERGIES = ((1e6, "energies in eV, ours in MeV"), (1e-3, "energies in GeV, ours in MeV"))
VOLUMES = ((1e18, "volumes in eV^3, ours in MeV^3"), (1e-9, "volumes in GeV^3, ours in MeV^3"))
COUPLINGS = ((1e-12, "g in eV^-2, ours in MeV^-2"), (1e6, "g in GeV^-2, ours in MeV^-2"))
MEANINGS = {
    "energy": "of a pair, MeV",
    "weight": "volume of momentum space, MeV^3",
    "direction": "of the neutrino",
    "rho": "occupation of neutrinos",
    "rhobar": "of antineutrinos of momentum -p",
    "epn": "rho + rhobar - 1",
    "g": "coupling, MeV^-2",
}

Found = tuple[list[Comparand], list[Difference]]


def compare_inputs(
    grid: Grid, rho: Floats, rhobar: Floats, g: float, other: Mapping[str, NDArray[Any]], tolerance: float
) -> Found:
    """Compare what is given of energy, weight, direction, rho, rhobar, epn and g."""
    comparands: list[Comparand] = []
    differences: list[Difference] = []
    partner = opposite(grid)
    own: dict[str, list[tuple[str | None, Floats]]] = {
        "energy": [(None, grid.energy)],
        "weight": [(None, grid.weight)],
        "direction": [
            (None, grid.p_hat),
            ("directions point the other way: those of the antineutrinos", -grid.p_hat),
        ],
        "rho": [(None, rho)],
        "rhobar": [(None, rhobar)],
        "epn": [(None, rho + rhobar - 1.0)],
        "g": [(None, np.array(g))],
    }
    if partner is not None:
        text = "rhobar stands at its own direction; ours is that of the antineutrino of momentum -p"
        own["rhobar"].append((text, rhobar[partner]))
        own["epn"].append((f"{text}: so the EPN differs", rho + rhobar[partner] - 1.0))
    scaled = {"energy": ENERGIES, "weight": VOLUMES, "g": COUPLINGS}
    for name, meaning in MEANINGS.items():
        if name not in other:
            continue
        factor, found = _array(name, own[name], other[name], orders(grid), scaled.get(name), tolerance)
        differences += found or []
        verdict = "unexplained" if found is None else "differs" if found else "agrees"
        comparands.append(Comparand(name, name, meaning, verdict, factor))  # type: ignore[arg-type]
    product = [c.factor for c in comparands if c.name in ("g", "weight") and c.factor is not None]
    if len(product) == 2 and product[0] != 1.0:
        agrees = abs(product[0] * product[1] - 1.0) <= 1e-6
        comparands.append(
            Comparand(
                "g weight", "g weight", "what all couplings are made of", "agrees" if agrees else "differs",
                product[0] * product[1],
            )
        )  # fmt: skip
    return comparands, differences


def _array(
    name: str,
    own: list[tuple[str | None, Floats]],
    theirs: NDArray[Any],
    reordered: list[Order],
    scaled: tuple[tuple[float, str], ...] | None,
    tolerance: float,
) -> tuple[float | None, list[Difference] | None]:
    """Factor and differences of one array; None for what has no explanation."""
    placings: list[Order | None] = [None, *(reordered if theirs.ndim else [])]
    explained: list[tuple[float, list[Difference]]] = []
    for text, ours in own:
        for order in placings:
            found = [Difference(name, "rhobar" if name != "direction" else "sign", text)] if text else []
            values = ours if order is None else ours[order.places]
            found += [Difference(name, "order", order.text)] if order is not None else []
            factor = _ratio(values, theirs, tolerance) if scaled is not None else 1.0
            if factor is None or np.max(np.abs(theirs - factor * values)) > tolerance * abs(factor) * np.max(
                np.abs(values)
            ):
                continue
            if abs(factor - 1.0) > tolerance:
                named = usual(factor, tolerance)
                unit = nearest(factor, scaled or (), 1e-9)
                kind = "unit" if unit else "coupling" if named else "unusual factor"
                words = unit or (f"{name} has {named}" if named else f"{name} is {factor:.7g} times ours")
                found.append(Difference(name, kind, words, factor))
            explained.append((factor, found))

    def simplicity(explanation: tuple[float, list[Difference]]) -> tuple[int, bool]:
        return len(explanation[1]), any(d.kind == "order" for d in explanation[1])

    return min(explained, key=simplicity) if explained else (None, None)


def _ratio(ours: Floats, theirs: NDArray[Any], tolerance: float) -> float | None:
    scale = float(np.sum(ours * ours))
    factor = float(np.sum(ours * theirs) / scale) if scale else 0.0
    if factor == 0.0:
        return None
    return 1.0 if abs(factor - 1.0) <= tolerance else factor

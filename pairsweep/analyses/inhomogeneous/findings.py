"""What ``show`` says of modes with a wave number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pairsweep.analyses.base import Findings
from pairsweep.contract.template import DONE
from pairsweep.dataset.select import largest_value, point_words
from pairsweep.dataset.units import in_unit, unit_words

if TYPE_CHECKING:
    import xarray as xr

# A grid resolves a growth rate that its steps are this fraction of.
RESOLVED = 0.3
OF_SEARCH = ("k_of_largest", "k_theta_of_largest", "k_phi_of_largest", "inhomogeneous_k_step")


def findings(ds: xr.Dataset, verdicts: Sequence[str], unit: str) -> Findings:
    """Count the unstable points, name the fastest and what it is worth."""
    if "inhomogeneous_growth_rate" not in ds:
        return Findings()
    done = ds["status"] == DONE
    growth = ds["inhomogeneous_growth_rate"].where(done)
    points, unstable = int(done.sum()), int((growth > 0.0).sum())
    numbers: dict[str, object] = {"inhomogeneous_unstable": unstable}
    if not points:
        return Findings(numbers=numbers)
    lines = [f"  with k       {unstable:,} of {points:,} points unstable"]
    if unstable:
        numbers["inhomogeneous_largest"], at = largest_value(ds, growth)
        numbers["inhomogeneous_largest_at"] = at
        rate, _ = largest_value(ds, in_unit(ds, growth, unit))
        place = f" at {point_words(at)}" if at else ""
        lines.append(f"  with k       largest growth {rate:.4g} {unit_words(ds, unit)}{place}")
        if "k_of_largest" in ds:
            here = np.unravel_index(int(np.nanargmax(growth.values)), growth.shape)
            k, theta, phi, step = (float(ds[name].values[here]) for name in OF_SEARCH)
            lines.append(
                f"  with k       found at k = {k:.4g} MeV, k_theta = {theta:.4g}, k_phi = {phi:.4g}; bands of k "
                f"narrower than {step:.2g} MeV may have been missed"
            )
        codes = ds["inhomogeneous_verdict"].values[done.values]
        counts = {verdict: int((codes == code).sum()) for code, verdict in enumerate(verdicts)}
        numbers["inhomogeneous_verdicts"] = counts
        told = ", ".join(f"{count:,} {verdict}" for verdict, count in counts.items() if count)
        lines.append(f"  with k       {told} (by the ceiling of continuous occupations)")
        coarse = int((ds["inhomogeneous_resolution"].values[done.values] > RESOLVED).sum())
        if coarse:
            lines.append(
                f"  with k       {coarse:,} unstable points on a grid too coarse for them: 2 dE or k times the step in "
                "angle exceeds the growth"
            )
    return Findings(tuple(lines), numbers)

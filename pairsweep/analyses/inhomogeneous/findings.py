"""What ``show`` says of modes with a wave number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pairsweep.analyses.base import Findings
from pairsweep.contract.template import DONE
from pairsweep.dataset.units import in_unit, unit_words

if TYPE_CHECKING:
    import xarray as xr

# A grid resolves a growth rate that its steps are this fraction of.
RESOLVED = 0.3


def findings(ds: xr.Dataset, verdicts: Sequence[str], unit: str) -> Findings:
    """Count the unstable points, name the fastest and what it is worth."""
    if "inhomogeneous_growth_rate" not in ds:
        return Findings()
    done = ds["status"].values == DONE
    growth = np.where(done, ds["inhomogeneous_growth_rate"].values, np.nan)
    points, unstable = int(done.sum()), int((growth > 0.0).sum())
    numbers: dict[str, object] = {"inhomogeneous_unstable": unstable}
    if not points:
        return Findings(numbers=numbers)
    lines = [f"  with k       {unstable:,} of {points:,} points unstable"]
    if unstable:
        place = np.unravel_index(int(np.nanargmax(growth)), growth.shape)
        numbers["inhomogeneous_largest"] = float(growth[place])
        rates = in_unit(ds, ds["inhomogeneous_growth_rate"], unit).values
        line = f"  with k       largest growth {rates[place]:.4g} {unit_words(ds, unit)}"
        if "k_of_largest" in ds:
            k, step = (float(ds[name].values[place]) for name in ("k_of_largest", "inhomogeneous_k_step"))
            line += f" found, at k = {k:.4g} MeV; bands narrower than {step:.2g} MeV may have been missed"
        lines.append(line)
        codes = ds["inhomogeneous_verdict"].values[done]
        counts = {verdict: int((codes == code).sum()) for code, verdict in enumerate(verdicts)}
        numbers["inhomogeneous_verdicts"] = counts
        told = ", ".join(f"{count:,} {verdict}" for verdict, count in counts.items() if count)
        lines.append(f"  with k       {told} (by the ceiling of continuous occupations)")
        coarse = int((ds["inhomogeneous_resolution"].values[done] > RESOLVED).sum())
        if coarse:
            lines.append(
                f"  with k       {coarse:,} unstable points on a grid too coarse for them: 2 dE or k times the step in "
                "angle exceeds the growth"
            )
    return Findings(tuple(lines), numbers)

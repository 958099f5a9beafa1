#!/usr/bin/env python3
"""A refined map against the full grid it replaces: how many points, and is the boundary right everywhere?

The quadrant pattern on (1, 1, 4), rho_high in [0.3, 1] by rho_low in [0, 0.7], coarse 15 x 15, refined to 1e-3; the
full map has 701 x 701 points. Goal: under 5 % of the points, every change of stability of the full map within 1e-3.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import pairsweep as ps
from pairsweep.dataset.refined import boundary_cells

WIDTH = 1e-3
SPEC = """
analyses = ["growth"]
[grid]
kind = "bins"
n_energy = 1
n_theta = 1
n_phi = 4
energy_max = 20.0
[occupation]
pattern = "quadrant"
rho_high = {{ start = 0.3, stop = 1.0, num = {num} }}
rho_low = {{ start = 0.0, stop = 0.7, num = {num} }}
[coupling]
g = 1e-6
"""


def main() -> None:
    """Print the share of points and how many changes of stability lie near a refined cell."""
    along = ["rho_high", "rho_low"]
    with tempfile.TemporaryDirectory() as folder:
        for num in (15, 701):
            Path(folder, f"{num}.toml").write_text(SPEC.format(num=num))
        coarse = ps.run(f"{folder}/15.toml", f"{folder}/map.zarr", scheduler="serial", quiet=True)
        done = ps.refine(f"{folder}/map.zarr", along, WIDTH, where=ps.Where("serial"), quiet=True)
        cells = boundary_cells(coarse, ps.open_store(done.path), along)
        full = ps.run(f"{folder}/701.toml", scheduler="serial", quiet=True)
    unstable = full.growth_rate.values > 0
    corners = np.stack([unstable[:-1, :-1], unstable[1:, :-1], unstable[:-1, 1:], unstable[1:, 1:]])
    changing = np.argwhere(corners.any(axis=0) & ~corners.all(axis=0))
    low, high = (np.array([cell[side] for cell in cells]) for side in (0, 1))
    found = 0
    for i, j in changing:
        centre = np.array([full.rho_high[i] + WIDTH / 2, full.rho_low[j] + WIDTH / 2])
        found += bool(((centre > low - WIDTH) & (centre < high + WIDTH)).all(axis=1).any())
    print(f"points        {done.points:,} refined + {coarse.status.size:,} coarse, of {full.status.size:,}")
    print(f"share         {(done.points + coarse.status.size) / full.status.size:.2%}")
    print(
        f"boundary      {found:,} of {len(changing):,} changing cells of the full map lie within {WIDTH} of a kept one"
    )


if __name__ == "__main__":
    main()

"""Where a quantity that is exactly 0 on one side becomes positive: the boundary of an instability."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pairsweep.dataset.select import axis, results, variable
from pairsweep.physics.grid import Floats

NEAR = 0.25  # share of a bracket by which the law may miss it


def boundary(ds: xr.Dataset, along: str, of: str = "growth_rate") -> xr.DataArray:
    """Where a quantity that is exactly 0 on one side becomes positive, interpolated along one axis.

    Near the onset of an instability the growth rate is a square root, growth^2 ~ (x - x0), and so is the EPN
    crossing strength; x0 is extrapolated from the two nearest unstable labels on that law and kept inside its
    bracket, the last stable and the first unstable label. With a single unstable label, or where the law leads far
    out of the bracket (growth that sets in with a jump), it is the middle of the bracket.

    Parameters
    ----------
    along : str
        A numeric axis.
    of : str
        "growth_rate" (the instability boundary), "continuum_growth_rate" (that in the continuum) or
        "epn_crossing_strength" (where the crossing begins).

    Returns
    -------
    (other axes, edge) DataArray in units of ``along``
        Edges ascending, NaN where a line has fewer than others or none at all. Coordinates ``bracket_low``
        and ``bracket_high`` are the labels between which the edge lies, ``onset`` is +1 where the instability
        sets in with rising label, -1 where it ends, 0 where there is no edge. Pending and failed points make
        no edge.
    """
    results(ds)
    labels = axis(ds, along, numeric=True)
    dim = str(labels.dims[0])
    quantity = variable(ds, of).transpose(..., dim).sortby(along)
    others = tuple(str(other) for other in quantity.dims[:-1])
    lines = quantity.values.reshape(-1, quantity.sizes[dim]).astype(np.float64)
    row, low, high, place, sign = onset_edges(lines, np.sort(labels.values.astype(np.float64)))
    slot = np.arange(row.size) - np.searchsorted(row, row)
    shape = (lines.shape[0], int(slot.max()) + 1 if slot.size else 1)
    filled = {name: np.full(shape, np.nan) for name in ("place", "low", "high")}
    onset = np.zeros(shape, dtype=np.int8)
    for name, values in (("place", place), ("low", low), ("high", high)):
        filled[name][row, slot] = values
    onset[row, slot] = sign
    dims = (*others, "edge")
    full = (*(quantity.sizes[other] for other in others), shape[1])
    coords = {
        "edge": np.arange(shape[1]),
        "bracket_low": (dims, filled["low"].reshape(full)),
        "bracket_high": (dims, filled["high"].reshape(full)),
        "onset": (dims, onset.reshape(full)),
    }
    kept = {name: c for name, c in quantity.coords.items() if dim not in c.dims}
    name = labels.attrs.get("long_name", along)
    return xr.DataArray(
        filled["place"].reshape(full),
        dims=dims,
        coords={**kept, **coords},
        name=f"{along}_boundary",
        attrs={"long_name": f"{name} at the boundary of {of}", "units": labels.attrs.get("units", "1")},
    )


def onset_edges(
    lines: Floats, labels: Floats
) -> tuple[NDArray[np.intp], Floats, Floats, Floats, NDArray[np.int8]]:
    """Edges of ``lines`` (M, n) >= 0 over ascending ``labels`` (n,), sorted by row, then along the labels.

    Returns the row, the bracket's low and high end, the place and the sign (+1 rising) of each.
    """
    known, positive = np.isfinite(lines), lines > 0
    row, left = np.nonzero(known[:, :-1] & known[:, 1:] & (positive[:, :-1] != positive[:, 1:]))
    rising = ~positive[row, left]
    inward = np.where(rising, 1, -1)
    first = np.where(rising, left + 1, left)  # the nearest unstable label
    low, high = labels[left], labels[left + 1]
    place = 0.5 * (low + high)
    for count in (2, 3):
        index = first[:, None] + inward[:, None] * np.arange(count)
        inside = (index >= 0) & (index < labels.size)
        index = np.where(inside, index, first[:, None])
        squares = np.where(inside, lines[row[:, None], index], 0.0) ** 2
        root = _root_outside(labels[index], squares)
        usable = np.all(squares > 0, axis=1) & np.isfinite(root)
        if count == 2:
            # far out of the bracket the law does not hold: growth jumps, and the middle is as good as any place
            usable &= (root >= low - NEAR * (high - low)) & (root <= high + NEAR * (high - low))
            place = np.where(usable, np.clip(np.where(usable, root, low), low, high), place)
        else:
            place = np.where(usable & (root >= low) & (root <= high), root, place)
    return row, low, high, place, inward.astype(np.int8)


def _root_outside(x: Floats, y: Floats) -> Floats:
    """Zero next to x[:, 0] of the polynomial through 2 or 3 points (M, k) with y > 0; NaN without one."""
    with np.errstate(all="ignore"):
        slope = (y[:, 1] - y[:, 0]) / (x[:, 1] - x[:, 0])
        if x.shape[1] == 2:
            step = -y[:, 0] / slope
        else:
            further = (y[:, 2] - y[:, 1]) / (x[:, 2] - x[:, 1])
            curve = (further - slope) / (x[:, 2] - x[:, 0])
            slope = slope - curve * (x[:, 1] - x[:, 0])
            step = -2.0 * y[:, 0] / (slope + np.copysign(np.sqrt(slope**2 - 4.0 * curve * y[:, 0]), slope))
        outward = step * (x[:, 1] - x[:, 0]) < 0
        return np.where(outward, x[:, 0] + step, np.nan)

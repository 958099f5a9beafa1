"""Reading results: selection by label, derived quantities, the instability boundary, a summary.

Every function takes a dataset of the contract (an opened store) and returns labelled values; none opens a
file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pairsweep.contract import vocab
from pairsweep.contract.errors import StoreError, UsageError, suggest
from pairsweep.contract.template import DONE, FAILED, PENDING

HBAR = 6.582119569e-22  # MeV s (CODATA 2018, exact to the digits given)

# A label may be typed shorter than it is stored: 3.16e-6 finds 3.1622777e-06, 3.2e-6 does not.
LABEL_TOLERANCE = 2e-3


def axes(ds: xr.Dataset) -> tuple[str, ...]:
    """Names of the sweep's axes, in the order of the spec: none for a single system."""
    for name, known in vocab.VARIABLES.items():
        if name in ds:
            return tuple(str(dim) for dim in ds[name].dims if dim not in known.trailing)
    raise UsageError("dataset", None, "has no results: give those of a sweep, or of a single system")


def free_axes(ds: xr.Dataset) -> tuple[str, ...]:
    """Axes with more than one value left."""
    return tuple(name for name in axes(ds) if ds.sizes[name] > 1)


def moving_along(ds: xr.Dataset, dim: str) -> tuple[str, ...]:
    """Coordinates along an axis: its own labels, then those zipped to it."""
    return (dim, *(str(name) for name, c in ds.coords.items() if c.dims == (dim,) and name != dim))


def variable(ds: xr.Dataset, name: str) -> xr.DataArray:
    """Return a result variable.

    Raises
    ------
    UsageError
        Where the results do not have it, with the analysis that computes it.
    """
    if name in ds.data_vars:
        return ds[name]
    if name in vocab.VARIABLES:
        analysis = vocab.VARIABLES[name].analysis
        raise UsageError(
            "variable", name, f'not in these results; run the sweep with analyses = ["{analysis}"]'
        )
    raise UsageError("variable", name, suggest(name, (str(known) for known in ds.data_vars)))


def axis(ds: xr.Dataset, name: str, *, numeric: bool = False) -> xr.DataArray:
    """Return the labels of an axis, or of a coordinate that moves along one (a member of a zipped group).

    Raises
    ------
    UsageError
        For an unknown name (with the nearest one), a coordinate that is not an axis, or words where numbers
        are needed.
    """
    if name not in ds.coords:
        raise UsageError("axis", name, suggest(name, free_axes(ds) or axes(ds)))
    labels = ds[name]
    if labels.ndim == 0:
        raise UsageError("axis", name, f"has the one value {labels.item()} here; {swept(ds)}")
    if labels.ndim > 1 or labels.dims[0] not in axes(ds):
        raise UsageError("axis", name, f"is not an axis of the sweep; {swept(ds)}")
    if numeric and labels.dtype.kind not in "iuf":
        raise UsageError("axis", name, f"holds words, numbers are needed; {swept(ds)}")
    return labels


def swept(ds: xr.Dataset) -> str:
    """Say which axes there are to choose from."""
    names = free_axes(ds)
    if not names:
        return "nothing is swept here"
    return f"the axes are {', '.join(names)}" if len(names) > 1 else f"the only axis is {names[0]}"


def select(ds: xr.Dataset, labels: Mapping[str, object]) -> xr.Dataset:
    """Keep one label on each named axis; the label stays as a scalar coordinate.

    Where a label stands at several positions (a member of a zipped group), all of them are kept.

    Parameters
    ----------
    labels : axis (or coordinate along one) -> label
        Numbers are matched to 0.2 %, so that they may be typed short; words exactly. Numbers may be given as
        text.

    Raises
    ------
    UsageError
        For an unknown axis, or a label that is not there (with the nearest ones).
    """
    for name, wanted in labels.items():
        if name in ds.coords and ds[name].ndim == 0:
            _positions(name, ds[name].values.reshape(1), wanted)
            continue
        coordinate = axis(ds, name)
        found = _positions(name, coordinate.values, wanted)
        ds = ds.isel({coordinate.dims[0]: found[0] if len(found) == 1 else found})
    return ds


def _positions(name: str, values: NDArray[np.generic], wanted: object) -> list[int]:
    if values.dtype.kind not in "iuf":
        found = [i for i, value in enumerate(values.tolist()) if str(value) == str(wanted)]
        if not found:
            raise UsageError(name, wanted, suggest(str(wanted), (str(v) for v in values.tolist())))
        return found
    try:
        number = float(str(wanted))
    except ValueError:
        raise UsageError(name, wanted, f"give a number, such as {values[0]:.6g}") from None
    numbers = values.astype(np.float64)
    distance = np.abs(numbers - number)
    nearest = numbers[np.argmin(distance)]
    if not abs(nearest - number) <= LABEL_TOLERANCE * abs(nearest):
        around = np.unique(numbers[np.argsort(distance, kind="stable")[:2]])
        raise UsageError(name, wanted, f"not swept; the nearest: {', '.join(f'{v:.6g}' for v in around)}")
    return [int(i) for i in np.flatnonzero(numbers == nearest)]


# --- derived quantities -----------------------------------------------------------------------------------


def mu(ds: xr.Dataset) -> xr.DataArray:
    """Interaction strength, MeV: mu' = g energy_max^3 for bins, mu = g weight for beams of one weight."""
    g = ds["g"]
    if "energy_max" in ds.coords:
        scale, meaning = ds["energy_max"] ** 3, "mu' = g energy_max^3"
    else:
        weights = [ds[name] for name in ds.coords if str(name).startswith("weight_")]
        if not weights or not all(np.array_equal(weights[0], other) for other in weights[1:]):
            raise UsageError(
                "unit", "mu", "needs energy_max, or beams of one common weight; use the unit MeV or g"
            )
        scale, meaning = weights[0], "mu = g weight"
    return (g * scale).rename("mu").assign_attrs(long_name=f"interaction strength {meaning}", units="MeV")


def growth_in(ds: xr.Dataset, unit: str = "mu") -> xr.DataArray:
    """Growth rate in the units that papers plot.

    Parameters
    ----------
    unit : {"MeV", "g", "mu", "crossing", "crossing_bin"}
        As stored; over g (MeV^3); over `mu`; over g sqrt(I+ I-), on the whole EPN crossing strength or on the
        largest of a single energy (NaN where there is no crossing). The two-pair law (Eq. 16) is 2 in the
        unit "crossing".
    """
    growth = variable(ds, "growth_rate")
    if unit == "MeV":
        return growth
    if unit == "mu":
        scale = mu(ds)
        symbol = "mu'" if "energy_max" in ds.coords else "mu"
        return (
            (growth / scale)
            .rename("growth_over_mu")
            .assign_attrs(long_name=f"growth rate over {symbol}", units="1")
        )
    if unit == "g":
        return (
            (growth / ds["g"])
            .rename("growth_over_g")
            .assign_attrs(long_name="growth rate over g", units="MeV^3")
        )
    if unit in ("crossing", "crossing_bin"):
        strength = variable(ds, "epn_crossing_strength" + unit.removeprefix("crossing"))
        ratio = growth / (ds["g"] * strength.where(strength > 0))
        return ratio.rename(f"growth_over_{unit}").assign_attrs(
            long_name=f"growth rate over g times the {strength.attrs.get('long_name', strength.name)}",
            units="1",
        )
    raise UsageError("unit", unit, suggest(unit, ("MeV", "g", "mu", "crossing", "crossing_bin")))


def efold_time(ds: xr.Dataset) -> xr.DataArray:
    """Time in which the fastest mode grows by e, hbar/growth_rate, in seconds; infinite where stable."""
    growth = variable(ds, "growth_rate")
    time = HBAR / growth.where(growth > 0)
    return (
        time.where(growth != 0, np.inf)
        .rename("efold_time")
        .assign_attrs(long_name="e-fold time of the fastest mode", units="s")
    )


def derived(ds: xr.Dataset) -> xr.Dataset:
    """All derived quantities that these results allow: `growth_in` every unit, and `efold_time`."""
    found = {"efold_time": efold_time(ds)}
    for unit in ("g", "mu", "crossing", "crossing_bin"):
        try:
            quantity = growth_in(ds, unit)
        except StoreError:  # what is damaged is not what is absent
            raise
        except UsageError:
            continue
        found[str(quantity.name)] = quantity
    return xr.Dataset(found)


# --- the instability boundary -----------------------------------------------------------------------------


def boundary(ds: xr.Dataset, along: str, of: str = "growth_rate") -> xr.DataArray:
    """Where a quantity that is exactly 0 on one side becomes positive, interpolated along one axis.

    Near the onset of an instability the growth rate is a square root, growth^2 ~ (x - x0), and so is the EPN
    crossing strength; x0 is extrapolated from the two nearest unstable labels on that law and kept inside its
    bracket, the last stable and the first unstable label. With a single unstable label it is the middle of
    the bracket.

    Parameters
    ----------
    along : str
        A numeric axis.
    of : str
        "growth_rate" (the instability boundary) or "epn_crossing_strength" (where the crossing begins).

    Returns
    -------
    (other axes, edge) DataArray in units of ``along``
        Edges ascending, NaN where a line has fewer than others or none at all. Coordinates ``bracket_low``
        and ``bracket_high`` are the labels between which the edge lies, ``onset`` is +1 where the instability
        sets in with rising label, -1 where it ends, 0 where there is no edge. Pending and failed points make
        no edge.
    """
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


Floats = NDArray[np.float64]


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


# --- summary ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AxisRange:
    """What was swept along one axis."""

    name: str
    size: int
    first: object
    last: object
    units: str


@dataclass(frozen=True)
class Summary:
    """The numbers of a sweep that one looks at first.

    ``modes`` counts points per kind of the fastest mode, ``verdicts`` per answer to the continuum question
    (empty without that analysis). ``largest_growth`` (MeV) is NaN while nothing is known; ``largest_at`` are
    its labels.
    """

    title: str
    axes: tuple[AxisRange, ...]
    points: int
    done: int
    failed: int
    pending: int
    modes: Mapping[str, int]
    verdicts: Mapping[str, int]
    largest_growth: float
    largest_efold_seconds: float
    largest_at: Mapping[str, object]
    largest_energy_drift: float
    largest_norm_drift: float

    @property
    def unstable(self) -> int:
        """Number of unstable points."""
        return sum(count for kind, count in self.modes.items() if kind != "stable")


def summary(ds: xr.Dataset) -> Summary:
    """Count states, mode kinds and verdicts and find the largest growth rate of a sweep."""
    names = axes(ds)
    status = variable(ds, "status").values
    modes: dict[str, int] = {}
    largest, at = float("nan"), dict[str, object]()
    if "growth_rate" in ds:
        growth = ds["growth_rate"].load()
        known = np.isfinite(growth.values)
        kinds = variable(ds, "mode_kind").values[known]
        modes = {kind: int((kinds == code).sum()) for code, kind in enumerate(vocab.MODE_KINDS)}
        if known.any():
            where = np.unravel_index(np.nanargmax(growth.values), growth.shape)
            point = growth.isel(dict(zip(growth.dims, where, strict=True)))
            largest = float(point)
            at = {
                str(name): label.item()
                for name, label in point.coords.items()
                if label.ndim == 0 and set(ds[name].dims) & set(names)
            }
    verdicts: dict[str, int] = {}
    if "verdict" in ds:
        codes = ds["verdict"].values[status == DONE]
        verdicts = {verdict: int((codes == code).sum()) for code, verdict in enumerate(vocab.VERDICTS)}
    return Summary(
        title=str(ds.attrs.get("title", "")),
        axes=tuple(_range(ds, name) for name in names),
        points=status.size,
        done=int((status == DONE).sum()),
        failed=int((status == FAILED).sum()),
        pending=int((status == PENDING).sum()),
        modes=modes,
        verdicts=verdicts,
        largest_growth=largest,
        largest_efold_seconds=HBAR / largest if largest > 0 else float("inf"),
        largest_at=at,
        largest_energy_drift=_largest(ds, "energy_drift"),
        largest_norm_drift=_largest(ds, "norm_drift"),
    )


def _range(ds: xr.Dataset, name: str) -> AxisRange:
    values = ds[name].values.tolist()
    return AxisRange(name, len(values), values[0], values[-1], str(ds[name].attrs.get("units", "")))


def _largest(ds: xr.Dataset, name: str) -> float:
    if name not in ds or not np.isfinite(ds[name].values).any():
        return float("nan")
    return float(np.nanmax(ds[name].values))

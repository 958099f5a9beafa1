"""Reading results: axes, variables and points by label, and the scale that couplings are measured in.

Every function takes a dataset of the contract (an opened store) and returns labelled values; none opens a
file.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pairsweep.analyses.registry import labels, owners, variables
from pairsweep.contract.errors import UsageError, suggest
from pairsweep.contract.ranges import interval
from pairsweep.contract.variables import STATISTIC

# A label may be typed shorter than it is stored: 3.16e-6 finds 3.1622777e-06, 3.2e-6 does not.
LABEL_TOLERANCE = 2e-3


def results(ds: object) -> xr.Dataset:
    """Return what is a dataset.

    Raises
    ------
    UsageError
        For anything else: a path has to be opened first.
    """
    if not isinstance(ds, xr.Dataset):
        raise UsageError("results", ds, "give a Dataset: ps.open_store(path) opens whatever holds one")
    return ds


def axes(ds: xr.Dataset) -> tuple[str, ...]:
    """Names of the sweep's axes, in the order of the spec: none for a single system."""
    for name, known in variables().items():
        if name in ds:
            return tuple(str(dim) for dim in ds[name].dims if dim not in (*known.trailing, STATISTIC))
    raise UsageError("dataset", None, "has no results: give those of a sweep, or of a single system")


def free_axes(ds: xr.Dataset) -> tuple[str, ...]:
    """Axes with more than one value left."""
    return tuple(name for name in axes(ds) if ds.sizes[name] > 1)


def moving_along(ds: xr.Dataset, dim: str) -> tuple[str, ...]:
    """Coordinates along an axis: its own labels, then those zipped to it."""
    known = labels()  # what the grid has there is no setting of the sweep
    along = (str(name) for name, c in ds.coords.items() if c.dims == (dim,) and name not in known)
    return (dim, *(name for name in along if name != dim))


def variable(ds: xr.Dataset, name: str) -> xr.DataArray:
    """Return a result variable.

    Raises
    ------
    UsageError
        Where the results do not have it, with the analysis that computes it.
    """
    if name in ds.data_vars:
        return ds[name]
    for analysis, known in owners():
        if known.name == name:
            cure = f'not in these results: add "{analysis}" to analyses and run again into the same store'
            raise UsageError("variable", name, cure)
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
    """Keep one label, or several, on each named axis; one label stays as a scalar coordinate.

    Where a label stands at several positions (a member of a zipped group), all of them are kept.

    Parameters
    ----------
    labels : axis (or coordinate along one) -> label
        Numbers are matched to 0.2 %, so that they may be typed short; words exactly. Numbers may be given as
        text. "~0.1" is the nearest label, "0.1..0.5" or slice(0.1, 0.5) every label between, ends included and either
        of them optional. A list is what any of its members is.

    Raises
    ------
    UsageError
        For an unknown axis, or a label that is not there (with the nearest ones).
    """
    results(ds)
    for name, wanted in labels.items():
        if name in ds.coords and ds[name].ndim == 0:
            for each in wanted if isinstance(wanted, list) else [wanted]:
                _positions(name, ds[name].values.reshape(1), each)
            continue
        coordinate = ds[name] if name == STATISTIC and name in ds.dims else axis(ds, name)
        if isinstance(wanted, list):
            every = (_positions(name, coordinate.values, each) for each in wanted)
            found = sorted({place for places in every for place in places})
        else:
            found = _positions(name, coordinate.values, wanted)
        one = len(found) == 1 and _between(wanted) is None
        ds = ds.isel({coordinate.dims[0]: found[0] if one else found})
    return ds


def _between(wanted: object) -> tuple[float, float] | None:
    """Return both ends where a range of labels is asked for."""
    if isinstance(wanted, slice):
        return interval(
            f"{'' if wanted.start is None else wanted.start}..{'' if wanted.stop is None else wanted.stop}"
        )
    return interval(wanted) if isinstance(wanted, str) else None


def _positions(name: str, values: NDArray[np.generic], wanted: object) -> list[int]:
    if values.dtype.kind not in "iuf":
        found = [i for i, value in enumerate(values.tolist()) if str(value) == str(wanted)]
        if not found:
            raise UsageError(name, wanted, suggest(str(wanted), (str(v) for v in values.tolist())))
        return found
    numbers = values.astype(np.float64)
    ends = _between(wanted)
    if ends is not None:
        slack = [LABEL_TOLERANCE * abs(end) if np.isfinite(end) else 0.0 for end in ends]
        inside = (numbers >= ends[0] - slack[0]) & (numbers <= ends[1] + slack[1])
        if not inside.any():
            raise UsageError(
                name, wanted, f"nothing is swept there; from {numbers.min():.6g} to {numbers.max():.6g}"
            )
        return [int(i) for i in np.flatnonzero(inside)]
    text = str(wanted)
    try:
        number = float(text.removeprefix("~"))
    except ValueError:
        cure = f"give a number, such as {values[0]:.6g}, the nearest to one (~0.1) or a range (0.1..0.5)"
        raise UsageError(name, wanted, cure) from None
    distance = np.abs(numbers - number)
    nearest = numbers[np.argmin(distance)]
    if not (text.startswith("~") or abs(nearest - number) <= LABEL_TOLERANCE * abs(nearest)):
        around = np.unique(numbers[np.argsort(distance, kind="stable")[:2]])
        cure = f"not swept; the nearest: {', '.join(f'{v:.6g}' for v in around)} (~{text} takes it)"
        raise UsageError(name, wanted, cure)
    return [int(i) for i in np.flatnonzero(numbers == nearest)]


def meanings_of(values: xr.DataArray) -> list[str]:
    """Return what the codes of a flag mean, by its attributes or else as declared; nothing for numbers."""
    known = variables().get(str(values.name))
    return str(values.attrs.get("flag_meanings", "")).split() or list(known.flags if known else ())


def code_of(flags: xr.DataArray, meaning: str) -> int:
    """Code of one meaning of a flag; -1 where it has no such meaning."""
    meanings = meanings_of(flags)
    return meanings.index(meaning) if meaning in meanings else -1


def mu(ds: xr.Dataset) -> xr.DataArray:
    """Interaction strength, MeV: mu' = g energy_max^3 for bins, mu = g weight for beams of one weight."""
    g = ds["g"]
    if "energy_max" in ds.coords:
        scale, meaning = ds["energy_max"] ** 3, "mu' = g energy_max^3"
    else:
        weights = ds.coords.get("beam_weight")
        if weights is None or not bool((weights == weights.isel(beam=0)).all()):
            raise UsageError(
                "unit", "mu", "needs energy_max, or beams of one common weight; use the unit MeV or g"
            )
        scale, meaning = weights.isel(beam=0, drop=True), "mu = g weight"
    return (g * scale).rename("mu").assign_attrs(long_name=f"interaction strength {meaning}", units="MeV")


def largest_value(ds: xr.Dataset, values: xr.DataArray) -> tuple[float, dict[str, object]]:
    """Largest value and the labels where it stands; NaN and none where nothing is known."""
    if not np.isfinite(values.values).any():
        return float("nan"), {}
    where = np.unravel_index(np.nanargmax(values.values), values.shape)
    # not by isel, which brings all of dask.array for one number
    place = dict(zip(values.dims, where, strict=True))
    names = set(axes(ds))
    at = {
        str(name): np.asarray(label.values[tuple(place[dim] for dim in label.dims)]).item()
        for name, label in values.coords.items()
        if set(label.dims) & names
    }
    return float(values.values[where]), at


def point_words(at: Mapping[str, object]) -> str:
    """Name a point by its values on the axes."""
    return ", ".join(
        f"{name} = {value:.6g}" if isinstance(value, float) else f"{name} = {value}"
        for name, value in at.items()
    )

"""Whole figures: one kind of picture, cut to a selection, one panel for each value of a facet."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from pairsweep.analyses.evolution.pictures.conservation import SPIN, conservation
from pairsweep.analyses.evolution.pictures.curves import evolution
from pairsweep.analyses.growth.pictures.maps import growth_map, growth_norm, phase_diagram
from pairsweep.analyses.growth.pictures.modes import spectrum
from pairsweep.analyses.growth.pictures.rates import STRENGTHS, growth_vs_bins, growth_vs_epn
from pairsweep.contract.errors import UsageError, suggest
from pairsweep.dataset import query
from pairsweep.dataset.query import free_axes, variable
from pairsweep.drawing import style
from pairsweep.drawing.layout import dim_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS: dict[str, style.Picture[...]] = {
    "growth-vs-epn": growth_vs_epn,
    "growth-map": growth_map,
    "growth-vs-bins": growth_vs_bins,
    "phase-diagram": phase_diagram,
    "evolution": evolution,
    "spectrum": spectrum,
    "conservation": conservation,
}
DEFAULT_CURVES = ("kappa_mean", "kappa_energy", "rho_quadrant", "kappa_beam", "rho_beam")
MOST_PANELS = 12
# formats of pictures, and what keeps the time of day out of them
TIMELESS: dict[str, dict[str, None]] = {
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    ".svg": {"Date": None},
}
MOST_SPARE_PANELS = 6


def draw(
    kind: str,
    ds: xr.Dataset,
    x: str | None = None,
    y: str | None = None,
    select: Mapping[str, object] | None = None,
    facet: str | None = None,
    refined: xr.Dataset | None = None,
) -> Figure:
    """Compose a whole figure of one kind.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    x, y : str, optional
        Maps: the two axes. growth-vs-epn: x, the measure of the crossing (by default two panels, on the whole
        strength and on the largest of a single energy). growth-vs-bins: x, the axis, and y, the unit of
        `query.growth_in`. evolution: y, the variable (by default a panel for each). spectrum: x, the axis
        that colours the points. conservation: y, "drift" or "spin".
    select : axis -> label, optional
        See `query.select`.
    facet : str, optional
        Axis that gets one panel per value. Where exactly one short axis is left over it is taken without
        asking.
    refined : xarray.Dataset, optional
        growth-map: points of `pairsweep.sweep.refine`, to draw the boundary they bracket.

    Raises
    ------
    UsageError
        For unknown kinds, axes and labels, and where axes are left over: with what to write instead.
    """
    if kind not in KINDS:
        raise UsageError("kind", kind, suggest(kind, KINDS))
    ds = query.select(ds, select or {})
    style.load_notebook_backend()
    with style.context():
        facet = facet if facet is not None else _spare_axis(kind, ds, x, y)
        cuts = _facets(ds, facet)
        layers = _layers(kind, ds if facet is None else cuts[0][1], x, y)
        if kind == "growth-map":
            layers = [{**layer, "norm": growth_norm(ds, "mu"), "refined": refined} for layer in layers]
        columns = len(layers) if len(layers) > 1 else _columns(len(cuts))
        figure, axes = style.panels(-(-len(cuts) * len(layers) // columns), columns, len(cuts) * len(layers))
        keys = []
        panels = [(title, cut, layer) for title, cut in cuts for layer in layers]
        for ax, (title, cut, layer) in zip(axes, panels, strict=True):
            keys.append(KINDS[kind].panel(cut, ax, **layer))
            if title:
                ax.set_title(title)
        if _alike(keys):
            functools.reduce(style.Key.merged, keys).around(figure, axes)
        else:
            for ax, key in zip(axes, keys, strict=True):
                replace(key, below=True).beside(ax)
        if select:
            figure.suptitle(
                ", ".join(style.setting(ds[name]) for name in select if ds[name].ndim == 0), fontsize=9
            )
    return figure


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure as PNG, PDF or SVG, whichever the name says; the same figure gives the same bytes.

    Raises
    ------
    UsageError
        For another ending, or a place that cannot be written.
    """
    ending = Path(path).suffix.lower()
    if ending not in TIMELESS:
        raise UsageError(str(path), None, f"end its name in one of {', '.join(TIMELESS)}")
    if not Path(path).parent.is_dir():
        raise UsageError(str(path), None, "its folder does not exist; make it first")
    try:
        with style.context():
            figure.savefig(path, metadata=TIMELESS[ending])
    except OSError as error:
        raise UsageError(str(path), None, f"{error.strerror}; name a place that can be written") from error


def _alike(keys: list[style.Key]) -> bool:
    """Whether one legend can stand for all panels: one of them holds the entries of every other."""
    labels = [{handle.get_label() for handle in key.handles} for key in keys]
    longest = max(labels, key=len)
    return all(key.below for key in keys) or (
        len({key.title for key in keys}) == 1 and all(label <= longest for label in labels)
    )


def _columns(count: int) -> int:
    return 2 if count == 4 else min(count, 3)


def _facets(ds: xr.Dataset, facet: str | None) -> list[tuple[str, xr.Dataset]]:
    """Title and dataset of each facet."""
    if facet is None:
        return [("", ds)]
    dim = dim_of(ds, facet)
    if ds.sizes[dim] > MOST_PANELS:
        cure = f"choose some with --select, or an axis of at most {MOST_PANELS} values"
        raise UsageError(f"facet {facet}", ds.sizes[dim], f"too many panels; {cure}")
    return [(style.point_text(ds, dim, i), ds.isel({dim: i})) for i in range(ds.sizes[dim])]


def _spare_axis(kind: str, ds: xr.Dataset, x: str | None, y: str | None) -> str | None:
    """Return the shortest axis where a picture can show all but one and that one is short."""
    if kind in ("growth-vs-epn", "spectrum"):  # these show every point
        return None
    shown = 1 if kind in ("evolution", "conservation") else 2
    asked = {ds[name].dims[0] for name in (x, y) if name in ds.coords and ds[name].ndim == 1}
    spare = sorted((name for name in free_axes(ds) if name not in asked), key=lambda name: ds.sizes[name])
    several = len(free_axes(ds)) == shown + 1
    return spare[0] if several and spare and ds.sizes[spare[0]] <= MOST_SPARE_PANELS else None


def _layers(kind: str, ds: xr.Dataset, x: str | None, y: str | None) -> list[dict[str, Any]]:
    """Options of the panels that one facet gets."""
    given = {name: value for name, value in (("x", x), ("y", y)) if value is not None}
    if kind == "growth-vs-epn":
        if y is not None:
            raise UsageError("y", y, "this picture always has growth_rate/g along y; give x")
        if x is not None:
            return [{"x": x}]
        whole, single = (variable(ds, name) for name in STRENGTHS)
        return [{"x": name} for name in (STRENGTHS if not whole.equals(single) else [whole.name])]
    if kind == "growth-vs-bins":
        return [{"x": x, **({} if y is None else {"unit": y})}]
    if kind == "spectrum" and y is not None:
        raise UsageError(
            "y", y, "this picture has no choice of y; give the axis that colours the points as x"
        )
    if kind == "evolution" and y is None:
        told = ["kappa_mean"] if free_axes(ds) else [name for name in DEFAULT_CURVES if _tells(ds, name)]
        return [{**given, "y": name} for name in told or ["kappa_mean"]]
    if kind == "conservation" and y is None and not free_axes(ds):
        return [{**given, "y": name} for name in SPIN]
    return [given]


def _tells(ds: xr.Dataset, name: str) -> bool:
    """Whether a curve is there and says more than another one: beams more than their mean, bins if several."""
    if name == "kappa_mean":
        return "kappa_beam" not in ds
    return name in ds and not (name == "kappa_energy" and ds.sizes["energy_bin"] == 1)

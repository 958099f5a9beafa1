"""Whole figures: one kind of picture, cut to a selection, one panel for each value of a facet."""

from __future__ import annotations

import functools
import importlib
import os
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from pairsweep.analyses.registry import ANALYSES
from pairsweep.contract.errors import UsageError, suggest
from pairsweep.dataset.select import free_axes
from pairsweep.dataset.select import select as select_points
from pairsweep.dataset.statistics import statistics
from pairsweep.drawing import style
from pairsweep.drawing.layout import dim_of
from pairsweep.drawing.picture import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GENERAL = ("pairsweep.plot.maps", "pairsweep.plot.distributions")
MOST_PANELS = 12
# formats of pictures, and what keeps the time of day out of them
TIMELESS: dict[str, dict[str, None]] = {
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    ".svg": {"Date": None},
}
MOST_SPARE_PANELS = 6
USUAL_ROWS = 1  # of a legend below the panels, for which a figure has room


def pictures() -> dict[str, Picture]:
    """Return every kind of picture by its name on the command line: those of analyses, and those of anything."""
    found: dict[str, Picture] = {}
    for module in (*(analysis.pictures for analysis in ANALYSES.values()), *GENERAL):
        members = vars(importlib.import_module(module)).values() if module else ()
        found |= {member.kind: member for member in members if isinstance(member, Picture)}
    return found


def draw(
    kind: str,
    ds: xr.Dataset,
    x: str | None = None,
    y: str | None = None,
    select: Mapping[str, object] | None = None,
    facet: str | None = None,
    over: str | None = None,
    refined: xr.Dataset | None = None,
    **options: Any,
) -> Figure:
    """Compose a whole figure of one kind.

    Parameters
    ----------
    kind : str
        One of `pictures`.
    x, y : str, optional
        Maps: the two axes. growth-vs-epn: x, the measure of the crossing (by default two panels, on the whole
        strength and on the largest of a single energy). growth-vs-bins: x, the axis, and y, the unit of the
        rates. growth-vs: x, the axis or "1/" and an axis, and y, the variable. evolution: y, the
        variable (by default a panel for each). spectrum: x, the axis that colours the points. conservation: y,
        "drift" or "spin".
    select : axis -> label, optional
        See `select`.
    facet : str, optional
        Axis that gets one panel per value. Where exactly one short axis is left over it is taken without
        asking.
    over : str, optional
        Axis that becomes statistics (`pairsweep.reduce`): lines are its median and bands, maps its median.
    refined : xarray.Dataset, optional
        growth-map: points of `pairsweep.sweep.refine`, to draw the boundary they bracket.
    options
        Options of the kind, and keywords of matplotlib: see the list under `pairsweep.plot`.

    Raises
    ------
    UsageError
        For unknown kinds, axes and labels, and where axes are left over: with what to write instead.
    """
    known = pictures()
    if kind not in known:
        raise UsageError("kind", kind, suggest(kind, known))
    picture = known[kind]
    _refuse_others(picture, options)
    own, finish = picture.sort(options)
    ds = select_points(ds, select or {})
    ds = picture.fitting(finish.named(ds if over is None else statistics(ds, over)))
    style.load_notebook_backend()
    with style.context():
        facet = facet if facet is not None else _spare_axis(picture, ds, x, y)
        cuts = _facets(ds, facet)
        common = picture.common(ds, refined, own)
        layers = picture.layers(ds if facet is None else cuts[0][1], x, y)
        layers = [{**layer, **own, **common} for layer in layers]
        columns = len(layers) if len(layers) > 1 else _columns(len(cuts))
        figure, axes = style.panels(len(cuts) * len(layers), columns, finish.size)
        keys = []
        panels = [(title, cut, layer) for title, cut in cuts for layer in layers]
        for ax, (title, cut, layer) in zip(axes, panels, strict=True):
            keys.append(finish.put(ax, picture.panel(cut, ax, **layer)))
            if title:
                ax.set_title(title)
        if _alike(keys):
            below = functools.reduce(style.Key.merged, keys).around(figure, axes)
        else:
            below = max(replace(key, below=True).beside(ax) for ax, key in zip(axes, keys, strict=True))
            below *= len({round(ax.get_position().y0, 3) for ax in axes})  # in each row of panels
        if finish.size[1] is None and below > USUAL_ROWS:
            figure.set_figheight(figure.get_figheight() + style.ROW * (below - USUAL_ROWS))
        if "title" in finish.figure:
            figure.suptitle(finish.figure["title"], fontsize=10.5)
        elif select:
            figure.suptitle(_chosen(ds, select), fontsize=9)
        if "dpi" in finish.figure:
            figure.set_dpi(finish.figure["dpi"])
    return figure


def _chosen(ds: xr.Dataset, select: Mapping[str, object]) -> str:
    """Settings that were selected, those of the grid in their usual order."""
    one = [name for name in select if name in ds.coords and ds[name].ndim == 0]
    one.sort(key=lambda name: style.GRID.index(name) if name in style.GRID else len(style.GRID))
    return ", ".join(style.setting(ds[name]) for name in one)


def _refuse_others(picture: Picture, options: Mapping[str, object]) -> None:
    """Refuse an option that only other kinds of picture have."""
    for name, value in options.items():
        having = [kind for kind, other in pictures().items() if name in other.options]
        if having and name not in picture.options:
            cure = f"has no choice of it; those that have: {', '.join(having)}"
            raise UsageError(f"{picture.kind}: {name}", value, cure)


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure as PNG, PDF or SVG, whichever the name says; the same figure gives the same bytes.

    It is there whole or not at all: what was there before stays until the new one is written.

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
    draft = Path(path).with_name(f".{Path(path).stem}.{uuid.uuid4().hex}{ending}")
    try:
        with style.context():
            figure.savefig(draft, metadata=TIMELESS[ending])
        draft.replace(path)
    except OSError as error:
        raise UsageError(str(path), None, f"{error.strerror}; name a place that can be written") from error
    finally:
        draft.unlink(missing_ok=True)


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


def _spare_axis(picture: Picture, ds: xr.Dataset, x: str | None, y: str | None) -> str | None:
    """Return the shortest axis where a picture can show all but one and that one is short."""
    if picture.shows is None:
        return None
    asked = {ds[name].dims[0] for name in (x, y) if name in ds.coords and ds[name].ndim == 1}
    spare = sorted((name for name in free_axes(ds) if name not in asked), key=lambda name: ds.sizes[name])
    several = len(free_axes(ds)) == picture.shows + 1
    return spare[0] if several and spare and ds.sizes[spare[0]] <= MOST_SPARE_PANELS else None

"""Growth rates as points and lines: against the EPN crossing, the number of bins or any other axis."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pairsweep.analyses.growth.analysis import MODE_KINDS
from pairsweep.analyses.growth.derived import growth_in
from pairsweep.contract.errors import UsageError, suggest
from pairsweep.contract.template import FAILED
from pairsweep.dataset.select import axes, code_of, variable
from pairsweep.drawing import style
from pairsweep.drawing.layout import dim_of, emptiness, groups, line, number_axis
from pairsweep.drawing.picture import picture
from pairsweep.drawing.series import Lines, as_distribution, floor_band, floor_of, joined
from pairsweep.physics.grid import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Axes that say how momentum space was cut or filled in kind, as against how full it is.
GRID_AXES = ("n_energy", "n_theta", "n_phi", "energy_max", "cell_volume", "pattern")
STRENGTHS = {
    "epn_crossing_strength": r"EPN crossing strength $\sqrt{I_+I_-}$",
    "epn_crossing_strength_bin": r"$\sqrt{I_+I_-}$, largest of a single energy",
}
STATIC = MODE_KINDS.index("static")
ARTEFACT, MISSED = "discretisation", "missed"  # verdicts that change how a point looks
PLUS = "+"  # marker of artefacts: a shape is seen in grey as well
# a tick across the zero line: no grid and no coupling is drawn so, whatever its colour
STABLE: style.Look = {"marker": "|", "ms": 5.0, "mew": 0.7, "color": style.MUTED}
RING: style.Look = {"marker": "o", "ms": 3.2, "mfc": "none", "mec": "#D55E00", "mew": 0.6}
CROSSING_LABELS = {
    "crossing": r"$\gamma\,/\,g\sqrt{I_+I_-}$",
    "crossing_bin": r"$\gamma\,/\,g\,\max_E\sqrt{I_+I_-}$",
}
MOST_COUPLINGS = 3  # that the size of a marker tells apart
MANY_POINTS = 2000  # beyond, points become an image inside a vector file
SPOTS = 400  # places along each side that can be told apart
DENSE = 20_000  # points from which on their density is drawn
HEXAGONS = 70  # along x


def growth_label(ds: xr.Dataset, unit: str) -> tuple[str, str]:
    """Label of `growth_in`, and its units."""
    if unit in CROSSING_LABELS:
        return CROSSING_LABELS[unit], "1"
    return style.rate_label(ds, "Growth rate", r"\gamma", unit)


def _epn_layers(ds: xr.Dataset, x: str | None, y: str | None) -> list[dict[str, Any]]:
    """By default two panels: the whole strength, and the largest of a single energy where that differs."""
    if y is not None:
        raise UsageError("y", y, "this picture always has growth_rate/g along y; give x")
    if x is not None:
        return [{"x": x}]
    whole, single = (variable(ds, name) for name in STRENGTHS)
    return [{"x": name} for name in (STRENGTHS if not whole.equals(single) else [whole.name])]


@picture("growth-vs-epn", shows=None, layers=_epn_layers)
def growth_vs_epn(
    ds: xr.Dataset, ax: Axes, *, x: str = "epn_crossing_strength", hue: str | None = None
) -> style.Key:
    """Draw growth rate over g against the EPN crossing strength, every point of the sweep: do they collapse?

    One colour and marker per grid (axes of the grid), open and larger for each further coupling; of more than 20,000
    points their density. Beside them the two-pair law of Eq. 16, growth = 2 g sqrt(I+ I-). Stable points are grey ticks
    on the zero line; artefacts of the grid are a plus; what failed is counted in the key.

    Parameters
    ----------
    x : str
        "epn_crossing_strength", "epn_crossing_strength_bin" (MeV^3), or a dimensionless measure of the
        crossing: "epn_crossing_depth", "epn_crossing_width", "anisotropy".
    hue : str, optional
        An axis: its labels colour the points instead.
    """
    known = (*STRENGTHS, "epn_crossing_depth", "epn_crossing_width", "anisotropy")
    if x not in known:
        raise UsageError("x", x, suggest(x, known))
    over_g, place = growth_in(ds, "g").load(), variable(ds, x).load()
    unstable = bool((over_g > 0).any())
    key = _density(ax, over_g, place) if over_g.size > DENSE and hue is None else None
    key = key if key is not None else _points(ax, ds, over_g, place, hue)
    handles = [*key.handles, *_special_points(ax, ds, over_g, place)]
    if not unstable:
        style.say_empty(ax, emptiness(ds, known=bool((over_g == 0).any())))
    if x in STRENGTHS:
        top = float(place.max()) if bool(over_g.notnull().any()) else 0.0
        law: style.Look = {"ls": "--", "color": style.INK, "lw": 1.0}
        if top > 0 and unstable:
            ax.plot([0, top], [0, 2 * top], zorder=3, **law)
            handles.append(style.key(r"two-pair law $2\sqrt{I_+I_-}$", **law))
        style.scaled_label(ax, "x", STRENGTHS[x], "MeV^3", top)
    else:
        ax.set_xlabel(str(place.attrs.get("long_name", x)))
    style.scaled_label(ax, "y", *growth_label(ds, "g"), float(over_g.max()) if unstable else 0.0)
    ax.set_xlim(left=0)
    return replace(key, handles=tuple(handles), below=key.colours is not None)


def _density(ax: Axes, over_g: xr.DataArray, place: xr.DataArray) -> style.Key | None:
    """Draw how many unstable points lie in each hexagon."""
    from matplotlib.colors import LogNorm

    px, py = place.values.ravel(), over_g.values.ravel()
    some = py > 0
    if not some.any():
        return None
    # from the second tenth of the map on: a hexagon of one point is seen on white
    mesh = ax.hexbin(px[some], py[some], gridsize=HEXAGONS, mincnt=1, cmap=style.steps(), zorder=2)
    mesh.set_norm(LogNorm(1.0, max(float(np.asarray(mesh.get_array()).max()), 2.0)))
    mesh.set_rasterized(True)
    return style.Key(colours=mesh, colours_label="Points per hexagon", data=(mesh,))


def _points(
    ax: Axes, ds: xr.Dataset, over_g: xr.DataArray, place: xr.DataArray, hue: str | None
) -> style.Key:
    """Draw the unstable points, by grid and coupling or by the labels of an axis; artefacts as a plus."""
    artefact = _judged(ds, over_g, ARTEFACT)
    groups_of, looks, names, bar, title = _series(ds) if hue is None else _by_labels(ds, hue)
    far = (float(place.max()), float(over_g.max()))
    many = over_g.size > MANY_POINTS
    data, shaded = [], []
    for at, look, value in groups_of:
        px, py, judged = (field.isel(at).values.ravel() for field in (place, over_g, artefact))
        for mask, marker in (
            ((py > 0) & ~judged, {}),
            ((py > 0) & judged, {"marker": PLUS, "mew": 0.7, "ms": 4.0}),
        ):
            if mask.any():
                spots = _distinct(px[mask], py[mask], far) if many else (px[mask], py[mask])
                (drawn,) = ax.plot(*spots, **{**look, **marker}, ls="none", zorder=2.5, rasterized=many)
                data.append(drawn)
                shaded += [] if value is None else [(drawn, value)]
    unstable = bool((over_g > 0).any())
    handles = [style.key(name, **look) for name, look in zip(names, looks, strict=True)] if unstable else []
    shown = bar if unstable else None
    label = "" if shown is None else style.coordinate_label(ds[hue or "g"])
    return style.Key(
        tuple(handles),
        title if handles else None,
        colours=shown,
        colours_label=label,
        data=tuple(data),
        shaded=tuple(shaded),
    )


def _judged(ds: xr.Dataset, like: xr.DataArray, meaning: str) -> xr.DataArray:
    """Where the verdict is this one."""
    if "verdict" not in ds:
        return xr.zeros_like(like, dtype=bool)
    verdict = ds["verdict"].load()
    return (verdict == code_of(verdict, meaning)).transpose(*like.dims)


def _special_points(ax: Axes, ds: xr.Dataset, over_g: xr.DataArray, place: xr.DataArray) -> list[Any]:
    """Draw stable points on the zero line and those that the grid misses; return what a key says, failures too."""
    px, py = place.values.ravel(), over_g.values.ravel()
    far = (float(np.nanmax(px, initial=0.0)), float(np.nanmax(py, initial=0.0)))
    missed = _judged(ds, over_g, MISSED).values.ravel()
    handles = []
    for mask, text, look, order in (
        (py == 0, "stable", STABLE, 1.5),
        ((py == 0) & missed, "unstable in the continuum only", RING, 2.6),
    ):
        if mask.any():
            spots = _distinct(px[mask], py[mask], far) if over_g.size > MANY_POINTS else (px[mask], py[mask])
            ax.plot(*spots, **look, ls="none", zorder=order, rasterized=over_g.size > MANY_POINTS)
            handles.append(style.key(text, **look))
    if bool((_judged(ds, over_g, ARTEFACT) & (over_g > 0)).any()):
        handles.append(style.key("artefact of the grid", marker=PLUS, mec=style.MUTED))
    failed = int((ds["status"] == FAILED).sum()) if "status" in ds else 0
    if failed:  # they have no place along y
        handles.append(style.key(f"{failed:,} failed: not shown", marker=""))
    return handles


Group = tuple[dict[str, int], style.Look, float | None]  # where, how it is drawn, its value on the colour bar


def _by_labels(ds: xr.Dataset, hue: str) -> tuple[list[Group], list[style.Look], list[str], Any, str | None]:
    """The labels of one axis by colour."""
    dim = dim_of(ds, hue)
    count = ds.sizes[dim]
    colours, bar = style.line_colours(ds, hue, count)
    looks = [_point_look(colour, 0, 0) for colour in colours]
    values = ds[hue].values.tolist() if bar is not None else [None] * count
    found = [({dim: i}, look, value) for i, (look, value) in enumerate(zip(looks, values, strict=True))]
    if bar is not None:
        return found, [], [], bar, None
    names = [style.group_text(ds, {dim: i}) for i in range(count)]
    return found, looks, names, None, style.group_title(ds, [dim])


def _series(ds: xr.Dataset) -> tuple[list[Group], list[style.Look], list[str], Any, str | None]:
    """Grids and couplings that are told apart, the look of each pair, and the colours of many couplings.

    Of more grids than there are colours those along the longest axis are told apart; more couplings than can be
    told by the marker take the colours, and the grids the markers.
    """
    swept = [name for name in axes(ds) if ds.sizes[name] > 1]
    names = [name for name in swept if name in GRID_AXES]
    grids, couplings = groups(ds, names), groups(ds, [name for name in swept if name == "g"])
    if len(grids) > len(style.COLOURS):
        grids = groups(ds, [max(names, key=lambda name: ds.sizes[name])])
    bar = None
    values: list[float | None] = [None] * len(couplings)
    if len(couplings) <= MOST_COUPLINGS:
        looks = [
            [_point_look(colour, i, j) for j in range(len(couplings))]
            for i, colour in enumerate(style.colours(len(grids)))
        ]
    else:
        grids = grids if len(grids) <= len(style.MARKERS) else [{}]
        colours, bar = style.colour_scale(ds, "g")
        values = ds["g"].values.tolist()
        looks = [[_point_look(colour, i, 0) for colour in colours] for i in range(len(grids))]
    found = [
        ({**grid, **coupling}, looks[i][j], values[j])
        for (i, grid), (j, coupling) in itertools.product(enumerate(grids), enumerate(couplings))
    ]
    told = grids if len(grids) > 1 else []
    plain = {} if bar is None else {"mfc": style.MUTED, "mec": style.MUTED}
    shown = [{**looks[i][0], **plain} for i in range(len(told))]
    words = [style.group_text(ds, at) for at in told]
    if len(couplings) > 1 and bar is None:
        shown += [_point_look(style.MUTED, 0, j) for j in range(len(couplings))]
        words += [style.point_text(ds, "g", j) for j in range(len(couplings))]
    return found, shown, words, bar, style.group_title(ds, list(grids[0])) if told else None


def _distinct(x: Floats, y: Floats, far: tuple[float, float]) -> tuple[Floats, Floats]:
    """One of many points that would fall on the same spot of the picture, a quarter of a marker wide."""
    scaled = [values / (top if top > 0 else 1.0) for values, top in zip((x, y), far, strict=True)]
    _, kept = np.unique(np.rint(SPOTS * np.stack(scaled)).astype(np.int64), axis=1, return_index=True)
    return x[np.sort(kept)], y[np.sort(kept)]


def _point_look(colour: object, i: int, j: int) -> style.Look:
    """Marker of grid ``i`` at coupling ``j``: full for the first coupling, open and larger for the next."""
    look: style.Look = {"marker": style.MARKERS[i % len(style.MARKERS)], "ms": 2.2 + 2.0 * j, "mec": colour}
    return {**look, "mew": 0.4 if j else 0.0, "mfc": "none" if j else colour}


def _bins_layers(ds: xr.Dataset, x: str | None, y: str | None) -> list[dict[str, Any]]:
    return [{"x": x, **({} if y is None else {"unit": y})}]


@picture("growth-vs-bins", shows=2, layers=_bins_layers, bands=True)
def growth_vs_bins(
    ds: xr.Dataset, ax: Axes, *, x: str | None = None, unit: str = "mu", log: bool | None = None
) -> style.Key:
    """Draw the growth rate against the number of bins or any numeric axis, a line per value of one more axis.

    Stable points are open and lie on the floor; squares are static modes; points that the continuum analysis
    calls artefacts of the discretisation are a plus; failed ones are marked at the foot. Many seeds or samples are
    their median and bands.

    Parameters
    ----------
    x : str, optional
        A numeric axis; n_energy, n_theta or n_phi if they are swept.
    unit : str
        See `growth_in`.
    log : bool, optional
        Logarithmic y; by default where the rates span more than a factor 50.
    """
    ds = as_distribution(ds, ["growth_rate"], x)
    flat, x, hue = line(ds, x, preferred=("n_energy", "n_theta", "n_phi"))
    growth = growth_in(flat, unit).load()
    labels = np.asarray(flat[x].values, dtype=np.float64)
    dim = dim_of(flat, x)
    others = [] if hue is None else [hue]
    lines = Lines(flat, dim, labels, others, floor=floor_of(growth.values, log))
    between = joined(labels, axis=x == dim)
    kinds: dict[str, style.Look] = {}
    for i, at, look in lines:
        heights = lines.values(ax, growth.isel(at), look["color"])
        look = look if between == "-" else {**look, "ls": between}
        used, drawn = _one_line(ax, lines, flat.isel(at), heights, look)
        kinds |= used
        lines.drawn(i, drawn)
    if lines.floor is not None:
        ax.set_yscale("log")
        if (growth == 0).any():
            lines.marks.append(floor_band(ax, lines.floor))
    else:
        ax.axhline(0, color=style.MUTED, lw=0.6, zorder=0)
    top = float(growth.max()) if bool((growth > 0).any()) else 0.0
    if top == 0.0:
        style.say_empty(ax, emptiness(ds, known=bool(np.isfinite(growth.values).any())))
    number_axis(ax, lines.labels)
    ax.set_xlabel(style.coordinate_label(flat[x]))
    text, units = growth_label(ds, unit)
    if lines.floor is not None or units == "1":
        ax.set_ylabel(style.with_units(text, units))
    else:
        style.scaled_label(ax, "y", text, units, top)
    lines.marks += [
        style.key(kind, mec=style.MUTED, **{"mfc": style.MUTED, **look}) for kind, look in kinds.items()
    ]
    lines.failures(ax)
    return lines.key()


def _one_line(
    ax: Axes, lines: Lines, ds: xr.Dataset, growth: Floats, look: style.Look
) -> tuple[dict[str, style.Look], list[Any]]:
    """Draw one line, each point marked by what it is if it is one of few.

    Returns the marks used, and all that was drawn.
    """
    known, unstable = np.isfinite(growth), growth > 0
    nowhere = np.zeros(growth.shape, dtype=bool)
    static = ds["mode_kind"].values == STATIC if "mode_kind" in ds else nowhere
    artefact = ds["verdict"].values == code_of(ds["verdict"], ARTEFACT) if "verdict" in ds else nowhere
    kinds = "mode_kind" in ds
    marks: dict[str, tuple[Any, style.Look]] = {
        "oscillating" if kinds else "unstable": (unstable & ~static & ~artefact, {"marker": "o"}),
        "static": (unstable & static & ~artefact, {"marker": "s"}),
        "artefact of the grid": (unstable & artefact, {"marker": PLUS}),
        "stable": (known & ~unstable, {"marker": "o", "mfc": "white"}),
    }
    labels, floor = lines.labels, lines.floor or 0.0
    height = np.where(unstable, growth, np.where(known, floor, np.nan))  # a gap where there is no result
    if not lines.few:
        return {}, ax.plot(labels, height, lw=0.4, zorder=2, rasterized=True, **look)
    drawn = ax.plot(labels, height, lw=1.0, alpha=0.6, zorder=2, **look)
    colour = look["color"]
    size = 4.0 if labels.size < 40 else 2.2
    used = {}
    for kind, (mask, mark) in marks.items():
        if mask.any():
            points: style.Look = {"ls": "none", "ms": size, "mec": colour, "zorder": 3, "mfc": colour, **mark}
            drawn += ax.plot(labels[mask], height[mask], **points)
            used[kind] = mark
    return used, drawn

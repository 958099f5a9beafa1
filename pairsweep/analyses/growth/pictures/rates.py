"""Growth rates as points and lines: against the EPN crossing, the number of bins or any other axis."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pairsweep.analyses.growth.analysis import MODE_KINDS
from pairsweep.analyses.growth.derived import growth_in
from pairsweep.contract.errors import UsageError, suggest
from pairsweep.dataset.select import axes, code_of, variable
from pairsweep.drawing import style
from pairsweep.drawing.layout import dim_of, groups, line, number_axis
from pairsweep.drawing.picture import picture
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
FADED = 0.3  # opacity of artefacts
STABLE: style.Look = {"marker": ".", "color": style.MUTED}
RING: style.Look = {"marker": "o", "ms": 3.2, "mfc": "none", "mec": "#D55E00", "mew": 0.6}
CROSSING_LABELS = {
    "crossing": r"$\gamma\,/\,g\sqrt{I_+I_-}$",
    "crossing_bin": r"$\gamma\,/\,g\,\max_E\sqrt{I_+I_-}$",
}
MOST_COUPLINGS = 3  # that the size of a marker tells apart
MANY_POINTS = 2000  # beyond, points become an image inside a vector file
SPOTS = 400  # places along each side that can be told apart


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
def growth_vs_epn(ds: xr.Dataset, ax: Axes, *, x: str = "epn_crossing_strength") -> style.Key:
    """Draw growth rate over g against the EPN crossing strength, every point of the sweep: do they collapse?

    One colour and marker per grid (axes of the grid), open and larger for each further coupling. Beside them
    the two-pair law of Eq. 16, growth = 2 g sqrt(I+ I-). Stable points lie on the zero line, in grey.

    Parameters
    ----------
    x : str
        "epn_crossing_strength", "epn_crossing_strength_bin" (MeV^3), or a dimensionless measure of the
        crossing: "epn_crossing_depth", "anisotropy".
    """
    known = (*STRENGTHS, "epn_crossing_depth", "anisotropy")
    if x not in known:
        raise UsageError("x", x, suggest(x, known))
    over_g, place = growth_in(ds, "g").load(), variable(ds, x).load()
    verdict = ds["verdict"].load() if "verdict" in ds else xr.full_like(over_g, -2)
    artefact, missed = code_of(verdict, ARTEFACT), code_of(verdict, MISSED)
    grids, couplings, looks, bar = _series(ds)
    far = (float(place.max()), float(over_g.max()))
    crowd: style.Look = {"ls": "none", "rasterized": over_g.size > MANY_POINTS}
    for (i, grid), (j, coupling) in itertools.product(enumerate(grids), enumerate(couplings)):
        px, py, judged = (
            field.isel({**grid, **coupling}).values.ravel() for field in (place, over_g, verdict)
        )
        for mask, how in (
            (py == 0, {**STABLE, "ms": 2.2, "zorder": 1.5}),
            ((py > 0) & (judged != artefact), {**looks[i][j], "zorder": 2.5}),
            ((py > 0) & (judged == artefact), {**looks[i][j], "alpha": FADED, "zorder": 2.4}),
            ((py == 0) & (judged == missed), {**RING, "zorder": 2.6}),
        ):
            if mask.any():
                many = over_g.size > MANY_POINTS
                spots = _distinct(px[mask], py[mask], far) if many else (px[mask], py[mask])
                ax.plot(*spots, **how, **crowd)
    stable, unstable = bool((over_g == 0).any()), bool((over_g > 0).any())
    title, handles = None, []
    if len(grids) > 1 and unstable:
        title = style.group_title(ds, list(grids[0]))
        look = {} if bar is None else {"mfc": style.MUTED, "mec": style.MUTED}
        handles = [
            style.key(style.group_text(ds, at), **{**looks[i][0], **look}) for i, at in enumerate(grids)
        ]
    for j in range(len(couplings) if len(couplings) > 1 and bar is None else 0):
        handles.append(style.key(style.point_text(ds, "g", j), **_point_look(style.MUTED, 0, j)))
    for shown, text, how in (
        (stable, "stable", STABLE),
        (unstable and bool((verdict == artefact).any()), "artefact of the grid", {**STABLE, "alpha": FADED}),
        (bool((verdict == missed).any()), "unstable in the continuum only", RING),
    ):
        if shown:
            handles.append(style.key(text, **how))
    if not unstable:
        style.say_empty(ax, "nothing unstable here" if stable else "no point is done yet")
    if x in STRENGTHS:
        top = float(place.max()) if stable or unstable else 0.0
        law: style.Look = {"ls": "--", "color": style.INK, "lw": 1.0}
        if top > 0:
            ax.plot([0, top], [0, 2 * top], zorder=2, **law)
            handles.append(style.key(r"two-pair law $2\sqrt{I_+I_-}$", **law))
        style.scaled_label(ax, "x", STRENGTHS[x], "MeV^3", top)
    else:
        ax.set_xlabel(str(place.attrs.get("long_name", x)))
    style.scaled_label(ax, "y", *growth_label(ds, "g"), float(over_g.max()) if unstable else 0.0)
    ax.set_xlim(left=0)
    if bar is not None and unstable:
        return style.Key(
            tuple(handles), title, below=True, colours=bar, colours_label=style.coordinate_label(ds["g"])
        )
    return style.Key(tuple(handles), title)


def _series(
    ds: xr.Dataset,
) -> tuple[list[dict[str, int]], list[dict[str, int]], list[list[style.Look]], Any]:
    """Grids and couplings that are told apart, the look of each pair, and the colours of many couplings.

    Of more grids than there are colours those along the longest axis are told apart; more couplings than can be
    told by the marker take the colours, and the grids the markers.
    """
    swept = [name for name in axes(ds) if ds.sizes[name] > 1]
    names = [name for name in swept if name in GRID_AXES]
    grids, couplings = groups(ds, names), groups(ds, [name for name in swept if name == "g"])
    if len(grids) > len(style.COLOURS):
        grids = groups(ds, [max(names, key=lambda name: ds.sizes[name])])
    if len(couplings) <= MOST_COUPLINGS:
        palette = style.colours(len(grids))
        return (
            grids,
            couplings,
            [[_point_look(c, i, j) for j in range(len(couplings))] for i, c in enumerate(palette)],
            None,
        )
    if len(grids) > len(style.MARKERS):
        grids = [{}]
    colours, bar = style.colour_scale(ds, "g")
    return grids, couplings, [[_point_look(c, i, 0) for c in colours] for i in range(len(grids))], bar


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


@picture("growth-vs-bins", shows=2, layers=_bins_layers)
def growth_vs_bins(ds: xr.Dataset, ax: Axes, *, x: str | None = None, unit: str = "mu") -> style.Key:
    """Draw the growth rate against the number of bins or any numeric axis, a line per value of one more axis.

    Stable points are open and lie on the floor; squares are static modes; points that the continuum analysis
    calls artefacts of the discretisation are faded.

    Parameters
    ----------
    x : str, optional
        A numeric axis; n_energy, n_theta or n_phi if they are swept.
    unit : str
        See `growth_in`.
    """
    flat, x, hue = line(ds, x, preferred=("n_energy", "n_theta", "n_phi"))
    growth = growth_in(flat, unit).load()
    labels = np.asarray(flat[x].values, dtype=np.float64)
    order = np.argsort(labels, kind="stable")
    positive = growth.values[growth.values > 0]
    log = positive.size > 1 and positive.max() > 50 * positive.min()
    floor = float(positive.min()) / 3 if log else 0.0
    series = groups(flat, [] if hue is None else [hue])
    palette, bar = style.line_colours(flat, hue, len(series))
    kinds: dict[str, style.Look] = {}
    for i, here in enumerate(series):
        at = {dim_of(flat, x): order, **here}
        kinds |= _one_line(ax, flat.isel(at), labels[order], growth.isel(at).values, floor, palette[i])
    if log:
        ax.set_yscale("log")
        if "stable" in kinds:
            ax.axhspan(floor / 1.6, floor * 1.6, color=style.PALE, zorder=0)
            ax.set_ylim(bottom=floor / 1.6)
    else:
        ax.axhline(0, color=style.MUTED, lw=0.6, zorder=0)
    if not positive.size:
        style.say_empty(
            ax, "nothing unstable here" if np.isfinite(growth.values).any() else "no point is done yet"
        )
    number_axis(ax, labels[order])
    ax.set_xlabel(style.coordinate_label(flat[x]))
    text, units = growth_label(ds, unit)
    if log or units == "1":
        ax.set_ylabel(style.with_units(text, units))
    else:
        style.scaled_label(ax, "y", text, units, float(positive.max(initial=0.0)))
    looks = [style.key(kind, mec=style.MUTED, **{"mfc": style.MUTED, **look}) for kind, look in kinds.items()]
    if hue is None:
        return style.Key(tuple(looks))
    if bar is not None:
        return style.Key(
            tuple(looks), below=True, colours=bar, colours_label=style.coordinate_label(flat[hue])
        )
    names = [
        style.key(style.group_text(flat, here), ls="-", color=colour)
        for here, colour in zip(series, palette, strict=True)
    ]
    return style.Key((*names, *looks), style.group_title(flat, [hue]))


def _one_line(
    ax: Axes, ds: xr.Dataset, labels: Floats, growth: Floats, floor: float, colour: Any
) -> dict[str, style.Look]:
    """Draw one line over ascending labels, each point marked by what it is; returns the marks used."""
    known, unstable = np.isfinite(growth), growth > 0
    nowhere = np.zeros(growth.shape, dtype=bool)
    static = ds["mode_kind"].values == STATIC if "mode_kind" in ds else nowhere
    artefact = ds["verdict"].values == code_of(ds["verdict"], ARTEFACT) if "verdict" in ds else nowhere
    marks: dict[str, tuple[Any, style.Look]] = {
        "oscillating": (unstable & ~static & ~artefact, {"marker": "o"}),
        "static": (unstable & static & ~artefact, {"marker": "s"}),
        "artefact of the grid": (unstable & artefact, {"marker": "o", "alpha": FADED}),
        "stable": (known & ~unstable, {"marker": "o", "mfc": "white"}),
    }
    height = np.where(unstable, growth, np.where(known, floor, np.nan))  # a gap where there is no result
    ax.plot(labels, height, "-", color=colour, lw=1.0, alpha=0.6, zorder=2)
    size = 4.0 if labels.size < 40 else 2.2
    used = {}
    for kind, (mask, look) in marks.items():
        if mask.any():
            ax.plot(
                labels[mask],
                height[mask],
                ls="none",
                ms=size,
                mec=colour,
                zorder=3,
                **{"mfc": colour, **look},
            )
            used[kind] = look
    return used

"""One look for every picture: fonts, sizes, colours safe for colour blindness and grey print, units.

matplotlib is imported inside functions only, so that importing pairsweep (or asking the command line for
help) does not load it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pairsweep.dataset.select import moving_along
from pairsweep.dataset.units import UNITS
from pairsweep.physics.grid import Floats
from pairsweep.physics.patterns.registry import PATTERNS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Look = dict[str, Any]  # keywords of a matplotlib call

PANEL = (4.4, 2.9)  # inches, with room for a legend at the side
SEQUENTIAL = "viridis"

# Okabe and Ito's palette, ordered so that neighbours differ in grey; without yellow, too pale for points.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
LINES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
INK, MUTED, PALE = "#222222", "#767676", "#ECECEC"

FONT = "STIXGeneral"  # ships with matplotlib, so pictures look the same everywhere

RC: Any = {
    "font.family": [FONT],
    "mathtext.fontset": "stix",
    "font.size": 10.0,
    "axes.labelsize": 10.0,
    "axes.titlesize": 9.5,
    "axes.linewidth": 0.7,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.formatter.use_mathtext": True,
    "text.color": INK,
    "legend.fontsize": 8.5,
    "legend.title_fontsize": 8.5,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "legend.borderpad": 0.3,
    "legend.labelspacing": 0.3,
    "lines.linewidth": 1.3,
    "lines.markersize": 3.5,
    "figure.dpi": 150,
    "hatch.linewidth": 0.5,
    "pdf.fonttype": 42,  # letters stay letters
    "svg.hashsalt": "pairsweep",
}

# Ticks are made when a figure is drawn, long after the style is left: so they are told their look directly.
TICKS: Look = {
    "direction": "in",
    "top": True,
    "right": True,
    "width": 0.7,
    "color": INK,
    "labelcolor": INK,
    "labelsize": 9.0,
    "labelfontfamily": FONT,
}

SYMBOLS = {
    "g": "g",
    "n_energy": "N_E",
    "n_theta": r"N_\theta",
    "n_phi": r"N_\phi",
    "energy_max": r"E_{\rm max}",
    "k": "k",
    "k_theta": r"\theta_k",
    "k_phi": r"\phi_k",
}
BEAM_SYMBOLS = {
    "rho": r"\rho",
    "rhobar": r"\bar\rho",
    "energy": "E",
    "weight": "w",
    "theta": r"\theta",
    "phi": r"\phi",
}


@contextmanager
def context() -> Iterator[None]:
    """Apply this style to everything that is made inside.

    Raises
    ------
    ModuleNotFoundError
        Without matplotlib, with the command that installs it.
    """
    try:
        import matplotlib as mpl
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError("pictures need matplotlib: pip install 'pairsweep[plot]'") from missing
    # not mpl.rc_context: the first figure of a notebook makes pyplot interactive, and that has to stay
    before = {name: mpl.rcParams[name] for name in RC}
    mpl.rcParams.update(RC)
    try:
        yield
    finally:
        mpl.rcParams.update(before)


def load_notebook_backend() -> None:
    """In a notebook, load the backend that shows figures: until then one that pyplot does not own shows as text."""
    if "ipykernel" in sys.modules:
        import matplotlib.pyplot as plt

        plt.switch_backend(plt.get_backend())


@dataclass(frozen=True)
class Key:
    """What a panel needs beside it to be read: legend entries under a title, and a colour bar.

    ``below`` puts the legend under the axes, where the right side belongs to a colour bar.
    """

    handles: tuple[Any, ...] = ()
    title: str | None = None
    below: bool = False
    colours: Any = None
    colours_label: str = ""

    def merged(self, other: Key) -> Key:
        """Entries of both, each label once."""
        known = {handle.get_label() for handle in self.handles}
        more = tuple(handle for handle in other.handles if handle.get_label() not in known)
        bar = self if self.colours is not None else other
        return replace(
            self, handles=self.handles + more, colours=bar.colours, colours_label=bar.colours_label
        )

    def beside(self, ax: Axes) -> None:
        """Put legend and colour bar outside one axes, where they hide nothing."""
        if self.colours is not None:
            ax.figure.colorbar(self.colours, ax=ax, label=self.colours_label, pad=0.02)
        if not self.handles:
            return
        if self.below:
            at: Look = {
                "loc": "upper center",
                "bbox_to_anchor": (0.5, -0.2),
                "ncols": 2,
            }
            ax.legend(handles=self.handles, title=self.title, **at)
        else:
            at = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.02), "alignment": "left"}
            ax.legend(handles=self.handles, title=self.title, **at)

    def around(self, figure: Figure, axes: Sequence[Axes]) -> None:
        """Put one legend and one colour bar beside all panels of a figure."""
        if self.colours is not None:
            figure.colorbar(self.colours, ax=axes, label=self.colours_label, pad=0.02)
        if not self.handles:
            return
        if self.below:
            figure.legend(
                handles=self.handles, title=self.title, loc="outside lower center", ncols=2 * len(axes)
            )
        else:
            figure.legend(handles=self.handles, title=self.title, loc="outside right upper", alignment="left")


def panels(rows: int, columns: int, used: int) -> tuple[Figure, list[Axes]]:
    """Return a figure outside of pyplot (nothing to close) and the first ``used`` of its axes, row by row."""
    from matplotlib.figure import Figure

    width = PANEL[0] if columns == 1 else 3.3 * columns + 1.1
    figure = Figure(figsize=(width, PANEL[1] * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for ax in axes[used:]:
        ax.remove()
    for ax in axes[:used]:
        ax.tick_params(which="both", **TICKS)
    return figure, axes[:used]


# --- words and numbers ------------------------------------------------------------------------------------


def unit_text(units: object) -> str:
    """Typeset a unit: ``MeV^-2`` becomes MeV with a raised -2; nothing for pure numbers."""
    text = str(units or "")
    return "" if text in ("", "1") else re.sub(r"\^(-?\d+)", r"$^{\1}$", text)


def with_units(text: str, units: object) -> str:
    """Label of a quantity, its unit in brackets behind it."""
    written = unit_text(units)
    return f"{text} ({written})" if written else text


def rate_label(ds: xr.Dataset, name: str, symbol: str, unit: str) -> tuple[str, str]:
    """Label of a rate in a unit of `dataset.units`, and the units behind it.

    Over mu a grid with a cutoff has mu' = g energy_max^3, beams of one weight their mu.
    """
    over = {"g": "/g", "mu": r"\,/\,gE_{\rm max}^3" if "energy_max" in ds.coords else r"/\mu"}.get(unit, "")
    return f"{name} ${symbol}{over}$", UNITS[unit]


def symbol(name: str) -> str:
    """Typeset the name of a parameter, ``rho_high`` or ``energy_x`` of a beam; others are spelt in words."""
    declared = {field.name: field.symbol for pattern in PATTERNS.values() for field in pattern.fields}
    if written := SYMBOLS.get(name) or declared.get(name):
        return f"${written}$"
    head, _, beam = name.partition("_")
    if beam and head in BEAM_SYMBOLS and "_" not in beam:
        return rf"${BEAM_SYMBOLS[head]}_{{\rm {beam}}}$"
    return name.replace("_", " ")


def coordinate_label(coordinate: xr.DataArray) -> str:
    """Label of a swept axis: symbol and unit."""
    return with_units(symbol(str(coordinate.name)), coordinate.attrs.get("units"))


def number(value: object) -> str:
    """Typeset a label: 0.9, 12, or a power of ten where that is shorter; words as they are."""
    if not isinstance(value, int | float):
        return str(value)
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.4g}"
    mantissa, exponent = f"{value:.3e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    power = rf"10^{{{int(exponent)}}}"
    return f"${power}$" if mantissa == "1" else rf"${mantissa}\times{power}$"


def setting(coordinate: xr.DataArray) -> str:
    """``N_E = 3`` or ``g = 10^-6 MeV^-2``, for a coordinate of one value."""
    units = unit_text(coordinate.attrs.get("units"))
    return f"{symbol(str(coordinate.name))} = {number(coordinate.values.item())}" + (
        f" {units}" if units else ""
    )


def point_text(ds: xr.Dataset, dim: str, position: int) -> str:
    """Settings at one position of an axis, zipped coordinates included: ``N_theta = 1, N_phi = 8``."""
    return ", ".join(setting(ds[name].isel({dim: position})) for name in moving_along(ds, dim))


def group_title(ds: xr.Dataset, dims: Sequence[str]) -> str:
    """Title of a legend whose entries are `group_text`: the symbols and units of what varies."""
    return ", ".join(coordinate_label(ds[name]) for dim in dims for name in moving_along(ds, dim))


def group_text(ds: xr.Dataset, position: Mapping[str, int]) -> str:
    """Values alone at a position on some axes, in the order of `group_title`."""
    names = [(name, {dim: i}) for dim, i in position.items() for name in moving_along(ds, dim)]
    return ", ".join(number(ds[name].isel(at).values.item()) for name, at in names)


# --- colours and scales -----------------------------------------------------------------------------------


def colours(count: int) -> list[Any]:
    """``count`` colours: the categorical palette while it lasts, then steps of the sequential map."""
    if count <= len(COLOURS):
        return list(COLOURS[:count])
    import matplotlib as mpl

    return list(mpl.colormaps[SEQUENTIAL](np.linspace(0.0, 0.92, count)))


def line_colours(ds: xr.Dataset, name: str | None, count: int) -> tuple[list[Any], Any]:
    """Colours of ``count`` lines over the labels of ``name``; a colour scale too where they are many."""
    if name is None or count <= len(COLOURS) or ds[name].dtype.kind not in "iuf":
        return colours(count), None
    return colour_scale(ds, name)


def colour_scale(ds: xr.Dataset, name: str) -> tuple[list[Any], Any]:
    """Colour of each numeric label of ``name``, and the scale to draw a colour bar of."""
    import matplotlib as mpl

    labels = np.asarray(ds[name].values, dtype=np.float64)
    scale = mpl.colors.LogNorm if is_geometric(np.sort(labels)) else mpl.colors.Normalize
    steps = mpl.colors.ListedColormap(mpl.colormaps[SEQUENTIAL](np.linspace(0.0, 0.92, 256)))
    bar = mpl.cm.ScalarMappable(scale(labels.min(), labels.max()), steps)
    return [bar.to_rgba(label) for label in labels.tolist()], bar


def is_geometric(values: Floats) -> bool:
    """Whether ascending labels over more than a factor 5 belong on a logarithmic axis.

    They do where they are spread evenly in the logarithm, or where one gap would take half of a linear axis.
    """
    if values.size < 3 or np.any(values <= 0) or values.max() < 5 * values.min():
        return False
    steps = np.diff(np.log(values))
    even = bool(np.allclose(steps, steps[0], rtol=0.05))
    return even or bool(np.diff(values).max() > 0.5 * np.ptp(values))


def cell_edges(values: Floats, *, log: bool) -> Floats:
    """Edges of cells around ascending labels: halfway between them, in the logarithm on a log axis."""
    centres = np.log(values) if log else values
    if centres.size == 1:
        half = 0.5 if not log else np.log(1.5)
        edges = np.array([centres[0] - half, centres[0] + half])
    else:
        inner = 0.5 * (centres[:-1] + centres[1:])
        edges = np.concatenate([[2 * centres[0] - inner[0]], inner, [2 * centres[-1] - inner[-1]]])
    return np.exp(edges) if log else edges


def scaled_label(ax: Axes, direction: str, text: str, units: str, top: float) -> None:
    """Label an axis from 0 on with the power of ten taken into the unit: ``(10^3 MeV^3)``, ticks 0, 5, 10."""
    power = 3 * int(np.floor(np.log10(top) / 3)) if top > 0 else 0
    tick_axis = ax.xaxis if direction == "x" else ax.yaxis
    if power == 0:
        factor = ""
    else:
        factor = rf"$10^{{{power}}}$ "
        tick_axis.set_major_formatter(lambda value, _: f"{value / 10.0**power:g}")
    unit = (factor + unit_text(units)).strip()
    tick_axis.set_label_text(f"{text} ({unit})" if unit else text)


def key(label: str, **look: Any) -> Any:
    """Entry of a legend that stands for a way of drawing: `Line2D` properties."""
    from matplotlib.lines import Line2D

    return Line2D([], [], label=label, **{"ls": "none", "ms": 4, **look})


def say_empty(ax: Axes, text: str) -> None:
    """Say inside an otherwise empty picture why it is empty."""
    ax.text(
        0.5,
        0.5,
        text,
        transform=ax.transAxes,
        ha="center",
        va="center",
        color=MUTED,
        fontsize="small",
        wrap=True,
    )

"""One look for every picture: fonts, sizes, colours safe for colour blindness and grey print, units.

matplotlib is imported inside functions only, so that importing pairsweep (or asking the command line for
help) does not load it.
"""

from __future__ import annotations

import itertools
import re
import sys
import textwrap
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
Size = tuple[float | None, float | None]  # width and height, inches; None follows from what is drawn

PANEL = (4.4, 2.9)  # inches, with room for a legend at the side
LEAST_PANEL = 2.2  # width of a panel among several, inches
MOST_COLUMNS = 6  # of a legend
ROW = 0.17  # height of one of its rows, inches
LETTER = 0.075  # width of a letter of a label, inches
LONG = 16  # letters of a text along y, from which on its unit has a line of its own
BELOW = 4.3  # room for ticks and label of an axis above a legend below it, in heights of its letters
NARROW = 4.0  # inches; in a narrower picture a legend beside the axes would leave them no room
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
GRID = ("n_energy", "n_theta", "n_phi")  # the order in which a grid is written everywhere
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
        raise ModuleNotFoundError("pictures need matplotlib: pip install matplotlib") from missing
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

    ``below`` puts the legend under the axes, where the right side belongs to a colour bar. ``data`` are the artists
    that show results; ``shaded`` those of them whose one colour is that of a value on the colour bar.
    """

    handles: tuple[Any, ...] = ()
    title: str | None = None
    below: bool = False
    colours: Any = None
    colours_label: str = ""
    data: tuple[Any, ...] = ()
    shaded: tuple[tuple[Any, Any], ...] = ()

    def named(self, label: str | None) -> Key:
        """The same with another text at the colour bar."""
        return self if label is None else replace(self, colours_label=label)

    def merged(self, other: Key) -> Key:
        """Entries of both, each label once."""
        known = {handle.get_label() for handle in self.handles}
        more = tuple(handle for handle in other.handles if handle.get_label() not in known)
        bar = self if self.colours is not None else other
        return replace(
            self, handles=self.handles + more, colours=bar.colours, colours_label=bar.colours_label
        )

    def beside(self, ax: Axes, *, inside: bool = False) -> int:
        """Put legend and colour bar outside one axes, where they hide nothing; return the rows below them.

        ``inside`` puts the legend into the axes: beside them it is cut off where the figure has no layout that makes
        room for it.
        """
        if self.colours is not None:
            self._bar(ax.figure, ax)
        if not self.handles:
            return 0
        width = float(ax.figure.get_figure(root=True).get_size_inches()[0])
        shown: Look = {"handles": self.handles, "title": self.title}
        if inside:
            ax.legend(**shown, loc="best", frameon=True, framealpha=0.8)
        elif self.below or width < NARROW:
            columns = self._columns(width * float(ax.get_position().width))
            ax.legend(
                **shown, loc="upper center", bbox_to_anchor=(0.5, 0.0), borderaxespad=BELOW, ncols=columns
            )
            return self._rows(columns)
        else:
            ax.legend(**shown, loc="upper left", bbox_to_anchor=(1.0, 1.02), alignment="left")
        return 0

    def around(self, figure: Figure, axes: Sequence[Axes]) -> int:
        """Put one legend and one colour bar beside all panels of a figure; return the rows of a legend below them."""
        if self.colours is not None:
            self._bar(figure, axes)
        if not self.handles:
            return 0
        width = float(figure.get_size_inches()[0])
        shown: Look = {"handles": self.handles, "title": self.title}
        if not (self.below or width < NARROW):
            figure.legend(**shown, loc="outside right upper", alignment="left")
            return 0
        columns = self._columns(width)
        figure.legend(**shown, loc="outside lower center", ncols=columns)
        return self._rows(columns)

    def _bar(self, figure: Any, axes: Any) -> None:
        import matplotlib as mpl

        bar = figure.colorbar(self.colours, ax=axes, label=self.colours_label, pad=0.02)
        low, high = self.colours.norm.vmin, self.colours.norm.vmax
        if bar.ax.get_yscale() != "log":
            top = max(abs(low), abs(high))
            if top > 0 and not 1e-2 <= top < 1e4:
                power = _power(top)
                bar.ax.yaxis.set_major_formatter(lambda value, _: f"{value / 10.0**power:g}")
                bar.set_label(_with_power(self.colours_label, power))
            return
        bar.ax.yaxis.set_minor_formatter("")
        if np.floor(np.log10(high)) <= np.ceil(np.log10(low)):  # two powers of ten are enough to read it by
            bar.ax.yaxis.set_major_locator(mpl.ticker.LogLocator(subs=(1.0, 2.0, 5.0)))
            bar.ax.yaxis.set_major_formatter(lambda value, _: number(float(value)))

    def _columns(self, width: float) -> int:
        """Most columns of a legend, filled one after the other, that fit into a width, inches."""
        letters = [_letters(str(handle.get_label())) for handle in self.handles]
        for count in range(min(len(letters), MOST_COLUMNS), 1, -1):
            rows, longer = divmod(len(letters), count)  # so many columns have one row more
            ends = [i * rows + min(i, longer) for i in range(count + 1)]
            widest = [max(letters[a:b]) for a, b in itertools.pairwise(ends)]
            if sum(0.52 + 0.055 * each for each in widest) <= width:
                return count
        return 1

    def _rows(self, columns: int) -> int:
        return -(-len(self.handles) // columns) + (self.title is not None)


def figure_size(rows: int, columns: int, asked: Size) -> tuple[float, float]:
    """Width and height of a figure, inches: as asked for, else as wide as its panels; the height follows the width."""
    usual = PANEL[0] if columns == 1 else 3.3 * columns + 1.1
    width, height = asked
    width = usual if width is None else width
    return width, rows * PANEL[1] * width / usual if height is None else height


def panels(used: int, columns: int, asked: Size) -> tuple[Figure, list[Axes]]:
    """Return a figure outside of pyplot (nothing to close) and its axes, row by row; narrow ones have fewer columns."""
    from matplotlib.figure import Figure

    if asked[0] is not None:
        columns = max(1, min(columns, int(asked[0] / LEAST_PANEL)))
    rows = -(-used // columns)
    figure = Figure(figsize=figure_size(rows, columns, asked), layout="constrained")
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


def meaning_label(values: xr.DataArray, letters: int, remark: str = "") -> str:
    """What a variable means and its unit, in lines of at most so many letters; what its 0 or NaN says is left out."""
    meaning = re.sub(r", (0|NaN) (where|beyond) .*", "", str(values.attrs.get("long_name", values.name)))
    return "\n".join(textwrap.wrap(with_units(meaning + remark, values.attrs.get("units")), letters))


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


def written(coordinate: xr.DataArray) -> str:
    """How a parameter is written: as its attribute ``label`` says, or by its `symbol`."""
    return str(coordinate.attrs.get("label") or symbol(str(coordinate.name)))


def coordinate_label(coordinate: xr.DataArray) -> str:
    """Label of a swept axis: symbol and unit."""
    return with_units(written(coordinate), coordinate.attrs.get("units"))


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
    return f"{written(coordinate)} = {number(coordinate.values.item())}" + (f" {units}" if units else "")


def told_apart(ds: xr.Dataset, dims: Sequence[str]) -> list[tuple[str, str]]:
    """Parameters that vary along these axes, each with its axis: those of the grid first, in the order of `GRID`."""
    names = [(name, dim) for dim in dims for name in moving_along(ds, dim)]
    return sorted(names, key=lambda pair: GRID.index(pair[0]) if pair[0] in GRID else len(GRID))


def point_text(ds: xr.Dataset, dim: str, position: int) -> str:
    """Settings at one position of an axis, zipped coordinates included: ``N_theta = 1, N_phi = 8``."""
    return ", ".join(setting(ds[name].isel({dim: position})) for name, _ in told_apart(ds, [dim]))


def group_title(ds: xr.Dataset, dims: Sequence[str]) -> str:
    """Title of a legend whose entries are `group_text`: the symbols and units of what varies."""
    return ", ".join(coordinate_label(ds[name]) for name, _ in told_apart(ds, dims))


def group_text(ds: xr.Dataset, position: Mapping[str, int]) -> str:
    """Values alone at a position on some axes, in the order of `group_title`."""
    names = told_apart(ds, list(position))
    return ", ".join(number(ds[name].isel({dim: position[dim]}).values.item()) for name, dim in names)


# --- colours and scales -----------------------------------------------------------------------------------


def steps(name: Any = SEQUENTIAL) -> Any:
    """Colour map for lines and points on white: without its palest end."""
    import matplotlib as mpl

    return mpl.colors.ListedColormap(mpl.colormaps[name](np.linspace(0.0, 0.92, 256)))


def colours(count: int) -> list[Any]:
    """``count`` colours: the categorical palette while it lasts, then steps of the sequential map."""
    if count <= len(COLOURS):
        return list(COLOURS[:count])
    return list(steps()(np.linspace(0.0, 1.0, count)))


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
    bar = mpl.cm.ScalarMappable(scale(labels.min(), labels.max()), steps())
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


def _letters(text: str) -> int:
    """Number of letters of a text, without what only sets it."""
    return len(re.sub(r"\\[a-z]+|[${}^_]", "", text))


def _power(top: float) -> int:
    """Power of ten, in threes, that numbers up to ``top`` are written without."""
    return 3 * int(np.floor(np.log10(top) / 3)) if top > 0 else 0


def _with_power(text: str, power: int) -> str:
    """Take a power of ten into the unit at the end of a label, or put it there."""
    factor = rf"$10^{{{power}}}$"
    head, bracket, unit = text.removesuffix(")").rpartition(" (")
    return f"{head} ({factor} {unit})" if bracket and text.endswith(")") else f"{text} ({factor})"


def scaled_label(ax: Axes, direction: str, text: str, units: str, top: float) -> None:
    """Label an axis from 0 on with the power of ten taken into the unit: ``(10^3 MeV^3)``, ticks 0, 5, 10."""
    power = _power(top)
    tick_axis = ax.xaxis if direction == "x" else ax.yaxis
    if power == 0:
        factor = ""
    else:
        factor = rf"$10^{{{power}}}$ "
        tick_axis.set_major_formatter(lambda value, _: f"{value / 10.0**power:g}")
    unit = (factor + unit_text(units)).strip()
    height = ax.get_position().height * ax.figure.get_figure(root=True).get_size_inches()[1]
    tall = LETTER * _letters(f"{text} ({unit})") > height or (len(text) > LONG and "$" not in text)
    gap = "\n" if direction == "y" and unit and tall else " "
    tick_axis.set_label_text(f"{text}{gap}({unit})" if unit else text)


def key(label: str, **look: Any) -> Any:
    """Entry of a legend that stands for a way of drawing: `Line2D` properties."""
    from matplotlib.lines import Line2D

    return Line2D([], [], label=label, **{"ls": "none", "ms": 4, **look})


def say_empty(ax: Axes, text: str) -> None:
    """Say inside an otherwise empty picture why it is empty."""
    ax.text(
        0.5,
        0.75,  # above the line of 0
        text,
        transform=ax.transAxes,
        ha="center",
        va="center",
        color=MUTED,
        fontsize="small",
        wrap=True,
        zorder=5,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 2.0},
    )

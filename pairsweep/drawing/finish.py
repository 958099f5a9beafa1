"""What the caller wants of how a picture looks, put onto whatever a kind has drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pairsweep.contract.errors import UsageError, suggest
from pairsweep.drawing.options import AXES, COLOURS, FIGURE, NAMES
from pairsweep.drawing.style import Key, Size, steps

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize

# what scatter and plot call differently: of points, of lines
SHORT = {"s": ("sizes", "markersize"), "c": ("facecolor", "color")}


@dataclass(frozen=True)
class Finish:
    """Keywords of matplotlib by what they are given to; see `drawing.options`."""

    axes: Mapping[str, Any] = field(default_factory=dict)
    colours: Mapping[str, Any] = field(default_factory=dict)
    figure: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    look: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Finish:
        """Sort what is asked for; what has no place of its own is for the data's lines, points or cells."""

        def among(names: tuple[str, ...]) -> dict[str, Any]:
            return {name: options[name] for name in names if options.get(name) is not None}

        known = (*AXES, *COLOURS, *FIGURE, NAMES)
        return cls(
            among(AXES),
            among(COLOURS),
            among(FIGURE),
            dict(options.get(NAMES) or {}),
            {name: value for name, value in options.items() if name not in known},
        )

    def refuse_unknown(self, kind: str, known: Sequence[str]) -> None:
        """Refuse keywords that neither a kind nor any line, point or cell knows."""
        from matplotlib.collections import PathCollection, QuadMesh
        from matplotlib.lines import Line2D

        for name, value in self.look.items():
            if name not in SHORT and not any(
                hasattr(artist, f"set_{name}") for artist in (Line2D, PathCollection, QuadMesh)
            ):
                options = (*known, *AXES, *COLOURS, *FIGURE, NAMES)
                raise UsageError(f"{kind}: {name}", value, suggest(name, options))

    @property
    def size(self) -> Size:
        """Size of a new figure."""
        asked = self.figure.get("figsize", (None, None))
        try:
            width, height = asked
        except (TypeError, ValueError):
            cure = "give (width, height) in inches; None is one that follows from the other"
            raise UsageError("figsize", asked, cure) from None
        return width, height

    def named(self, ds: xr.Dataset) -> xr.Dataset:
        """Give the dataset with the names that its parameters and variables shall have in the picture."""
        for name in self.labels:
            if name not in ds.variables:
                raise UsageError("label", name, suggest(name, (*map(str, ds.variables), "x", "y", "c")))
        changed = {
            name: ds[name].assign_attrs(label=text, long_name=text) for name, text in self.labels.items()
        }
        return ds.assign_coords({n: v for n, v in changed.items() if n in ds.coords}).assign(
            {n: v for n, v in changed.items() if n in ds.data_vars}
        )

    def put(self, ax: Axes, key: Key) -> Key:
        """Give a drawn panel its colours, its look and the ends of its axes; return its key with them."""
        key = self._coloured(key)
        for artist in key.data:
            for name, value in self.look.items():
                _tell(artist, name, value)
        for which in "xy":
            if self.axes.get(f"{which}scale") == "log":
                _refuse_log(ax, which)
        ax.set(**self.axes)
        return key

    def _coloured(self, key: Key) -> Key:
        wanted = {name: value for name, value in self.colours.items() if name != "clabel"}
        if key.colours is None:
            if wanted:
                cure = "this picture has no colour bar here: its colours tell lines or kinds apart"
                raise UsageError("colours", ", ".join(wanted), cure)
            return key
        if "cmap" in wanted:
            key.colours.set_cmap(_colour_map(wanted["cmap"], not _is_cells(key.colours)))
        if wanted.keys() - {"cmap"}:
            key.colours.set_norm(_norm(key.colours.norm, wanted))
        for artist, value in key.shaded if wanted else ():
            _recolour(artist, key.colours.to_rgba(value))
        return key.named(self.colours.get("clabel"))


def _is_cells(mappable: Any) -> bool:
    from matplotlib.collections import QuadMesh

    return isinstance(mappable, QuadMesh)


def _colour_map(name: Any, lines: bool) -> Any:
    """Colour map by name; of lines and points, which lie on white, without its palest end."""
    import matplotlib as mpl

    if isinstance(name, str) and name not in mpl.colormaps:
        raise UsageError("cmap", name, suggest(name, list(mpl.colormaps)))
    return steps(name) if lines else mpl.colormaps[name]


def _norm(usual: Normalize, wanted: Mapping[str, Any]) -> Normalize:
    from matplotlib.colors import LogNorm, Normalize

    norm = wanted.get("norm")
    if isinstance(norm, Normalize):
        return norm
    if norm not in (None, "log", "linear"):
        raise UsageError("norm", norm, 'choose "log" or "linear", or give a norm of matplotlib')
    low, high = (wanted.get(name, getattr(usual, name)) for name in ("vmin", "vmax"))
    if not high > low:
        raise UsageError("range c", f"{low:g}..{high:g}", "the second end has to be the larger one")
    if not (isinstance(usual, LogNorm) if norm is None else norm == "log"):
        return Normalize(low, high)
    if not low > 0:
        if "vmin" in wanted:
            raise UsageError("range c", f"{low:g}", "logarithmic colours begin above 0")
        low = 1e-3 * high
    return LogNorm(low, high)


def _refuse_log(ax: Axes, which: str) -> None:
    low = float(ax.dataLim.x0 if which == "x" else ax.dataLim.y0)
    if not low > 0 and not (which == "y" and ax.get_yscale() == "log"):
        cure = "holds values that are not above 0: leave it linear, or select those above"
        raise UsageError(f"log {which}", None, cure)


def _recolour(artist: Artist, colour: Any) -> None:
    """Give an artist another colour, its markers too; open ones stay open."""
    from matplotlib.lines import Line2D

    if not isinstance(artist, Line2D):
        artist.set(color=colour)
        return
    hollow = artist.get_markerfacecolor() in ("none", "white")
    artist.set(color=colour, markeredgecolor=colour, **({} if hollow else {"markerfacecolor": colour}))


def _tell(artist: Artist, name: str, value: Any) -> None:
    if name in ("c", "color") and hasattr(artist, "set_markersize"):
        _recolour(artist, value)
        return
    of_line = hasattr(artist, "set_markersize")
    known = SHORT[name][of_line] if name in SHORT else name
    if name == "s":
        value = float(np.sqrt(value)) if of_line else np.atleast_1d(value)
    if not hasattr(artist, f"set_{known}"):
        settable = [entry.removeprefix("set_") for entry in dir(artist) if entry.startswith("set_")]
        near = suggest(known, settable)
        cure = near if near.startswith("did you mean") else f"{type(artist).__name__} has no such property"
        raise UsageError("keyword", name, cure)
    try:
        artist.set(**{known: value})
    except (TypeError, ValueError) as error:
        raise UsageError(name, value, " ".join(str(error).split())) from error

"""A kind of picture: what it draws into one panel, and how a whole figure of it is composed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import update_wrapper
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Any

import xarray as xr

from pairsweep.contract.variables import MEDIAN, STATISTIC
from pairsweep.dataset.select import results
from pairsweep.drawing.finish import Finish
from pairsweep.drawing.style import TICKS, Key, context, figure_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Options of the panels that one facet gets, from its dataset and the x and y that were asked for.
Layers = Callable[[xr.Dataset, str | None, str | None], list[dict[str, Any]]]
# Options that all panels of a figure share, from the whole dataset, its refined points and the options asked for.
Common = Callable[[xr.Dataset, xr.Dataset | None, Mapping[str, Any]], Mapping[str, Any]]


AX = Parameter("ax", Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation="Axes | None")
MATPLOTLIBS = Parameter("matplotlib", Parameter.VAR_KEYWORD, annotation=Any)


def given(ds: xr.Dataset, x: str | None, y: str | None) -> list[dict[str, Any]]:
    """One panel with the x and y that were asked for."""
    return [{name: value for name, value in (("x", x), ("y", y)) if value is not None}]


def _nothing(ds: xr.Dataset, refined: xr.Dataset | None, options: Mapping[str, Any]) -> Mapping[str, Any]:
    return {}


class Picture:
    """A kind of picture: called with a dataset it returns Axes; `panel` draws into axes, returns the `Key`.

    Without ``ax`` a new figure is made in the style of this package; with one, the caller's style is left
    alone. Beside the options of the kind it takes matplotlib's keywords, see `drawing.options`.

    Attributes
    ----------
    kind : its name on the command line
    shows : number of axes of a sweep that one panel shows; None for every point, whatever the axes
    layers, common : options of panels when `pairsweep.plot.draw` composes a figure
    bands : whether it draws statistics (`pairsweep.reduce`) as a line and a band
    options : names of the options that its panels have
    """

    def __init__(
        self,
        panel: Callable[..., Key],
        *,
        kind: str,
        shows: int | None,
        layers: Layers = given,
        common: Common = _nothing,
        bands: bool = False,
    ) -> None:
        self.panel = panel
        self.kind, self.shows, self.layers, self.common, self.bands = kind, shows, layers, common, bands
        parameters = signature(panel).parameters
        self.options = tuple(name for name, each in parameters.items() if each.kind is each.KEYWORD_ONLY)
        update_wrapper(self, panel)
        keywords = [parameters[name] for name in self.options]
        self.__signature__ = Signature(
            [*list(parameters.values())[:1], AX, *keywords, MATPLOTLIBS], return_annotation="Axes"
        )

    def sort(self, options: Mapping[str, Any]) -> tuple[dict[str, Any], Finish]:
        """Tell options of the panel from keywords of matplotlib; a scale of y is both where the panel knows it."""
        own = {name: value for name, value in options.items() if name in self.options}
        if "yscale" in options and "log" in self.options and options["yscale"] in ("log", "linear"):
            own["log"] = options["yscale"] == "log"
            options = {name: value for name, value in options.items() if name != "yscale"}
        finish = Finish.of({name: value for name, value in options.items() if name not in own})
        if finish.look:
            finish.refuse_unknown(self.kind, self.options)
        return own, finish

    def __call__(self, ds: xr.Dataset, ax: Axes | None = None, **options: Any) -> Axes:
        results(ds)
        own, finish = self.sort(options)
        if ax is not None:
            self._draw(ds, ax, own, finish, inside=ax.figure.get_layout_engine() is None)
            return ax
        with context():
            import matplotlib.pyplot as plt

            size, dpi = figure_size(1, 1, finish.size), finish.figure.get("dpi")
            made = plt.figure(figsize=size, dpi=dpi, layout="constrained")
            try:
                fresh = made.add_subplot()
                fresh.tick_params(which="both", **TICKS)
                self._draw(ds, fresh, own, finish, inside=False)
            except BaseException:
                plt.close(made)  # an empty figure would be shown at the end of the notebook's cell
                raise
            return fresh

    def _draw(
        self, ds: xr.Dataset, ax: Axes, own: Mapping[str, Any], finish: Finish, *, inside: bool
    ) -> None:
        finish.put(ax, self.panel(self.fitting(finish.named(ds)), ax, **own)).beside(ax, inside=inside)
        if "title" in finish.figure:
            ax.set_title(finish.figure["title"])

    def fitting(self, ds: xr.Dataset) -> xr.Dataset:
        """Give statistics (`pairsweep.reduce`) to the kinds that draw them as bands, to others the median."""
        return ds.sel({STATISTIC: MEDIAN}) if STATISTIC in ds.dims and not self.bands else ds


def picture(
    kind: str, *, shows: int | None, layers: Layers = given, common: Common = _nothing, bands: bool = False
) -> Callable[[Callable[..., Key]], Picture]:
    """Make a kind of picture of a function that draws one panel; see `Picture`."""

    def make(panel: Callable[..., Key]) -> Picture:
        return Picture(panel, kind=kind, shows=shows, layers=layers, common=common, bands=bands)

    return make

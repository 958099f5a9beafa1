"""A kind of picture: what it draws into one panel, and how a whole figure of it is composed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import update_wrapper
from inspect import signature
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec

import xarray as xr

from pairsweep.drawing.style import PANEL, TICKS, Key, context

if TYPE_CHECKING:
    from matplotlib.axes import Axes

P = ParamSpec("P")
# Options of the panels that one facet gets, from its dataset and the x and y that were asked for.
Layers = Callable[[xr.Dataset, str | None, str | None], list[dict[str, Any]]]
# Options that all panels of a figure share, from the whole dataset, its refined points and the options asked for.
Common = Callable[[xr.Dataset, xr.Dataset | None, Mapping[str, Any]], Mapping[str, Any]]


def given(ds: xr.Dataset, x: str | None, y: str | None) -> list[dict[str, Any]]:
    """One panel with the x and y that were asked for."""
    return [{name: value for name, value in (("x", x), ("y", y)) if value is not None}]


def _nothing(ds: xr.Dataset, refined: xr.Dataset | None, options: Mapping[str, Any]) -> Mapping[str, Any]:
    return {}


class Picture(Generic[P]):
    """A kind of picture: called with a dataset it returns Axes; `panel` draws into axes, returns the `Key`.

    Without ``ax`` a new figure is made in the style of this package; with one, the caller's style is left
    alone.

    Attributes
    ----------
    kind : its name on the command line
    shows : number of axes of a sweep that one panel shows; None for every point, whatever the axes
    layers, common : options of panels when `pairsweep.plot.draw` composes a figure
    options : names of the keywords that its panels understand
    """

    def __init__(
        self,
        panel: Callable[Concatenate[xr.Dataset, Axes, P], Key],
        *,
        kind: str,
        shows: int | None,
        layers: Layers = given,
        common: Common = _nothing,
    ) -> None:
        self.panel = panel
        self.kind, self.shows, self.layers, self.common = kind, shows, layers, common
        self.options = tuple(
            name for name, each in signature(panel).parameters.items() if each.kind is each.KEYWORD_ONLY
        )
        update_wrapper(self, panel)

    def __call__(self, ds: xr.Dataset, ax: Axes | None = None, *args: P.args, **options: P.kwargs) -> Axes:
        if ax is not None:
            self.panel(ds, ax, *args, **options).beside(ax)
            return ax
        with context():
            import matplotlib.pyplot as plt

            _, fresh = plt.subplots(figsize=PANEL, layout="constrained")
            fresh.tick_params(which="both", **TICKS)
            self.panel(ds, fresh, *args, **options).beside(fresh)
            return fresh


def picture(
    kind: str, *, shows: int | None, layers: Layers = given, common: Common = _nothing
) -> Callable[[Callable[Concatenate[xr.Dataset, Axes, P], Key]], Picture[P]]:
    """Make a kind of picture of a function that draws one panel; see `Picture`."""

    def make(panel: Callable[Concatenate[xr.Dataset, Axes, P], Key]) -> Picture[P]:
        return Picture(panel, kind=kind, shows=shows, layers=layers, common=common)

    return make

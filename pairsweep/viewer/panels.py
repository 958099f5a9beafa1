"""The drawings of one point: figures that are made once, and filled with what the kernels say of a system."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from bokeh.layouts import column
from bokeh.models import (
    ColorBar,
    ColumnDataSource,
    CustomJSTickFormatter,
    Div,
    HoverTool,
    LinearColorMapper,
    Range1d,
)
from bokeh.palettes import RdBu11, Viridis256
from bokeh.plotting import figure

from pairsweep.drawing.style import COLOURS
from pairsweep.physics.grid import Floats, Grid
from pairsweep.viewer.chart import POWERS, see
from pairsweep.viewer.link import Look
from pairsweep.viewer.point import LONGEST, System
from pairsweep.viewer.theme import CLIPPED, WIDGETS

HEIGHT = 250
SMALLEST_SHARE = 1e-12  # of the largest value of a curve, on its logarithmic axis
LINEAR_ABOVE = 3.0  # the linear prediction is drawn up to so many times the largest of what evolved
SMALL_LETTERS = "11px"
CELL = ("left", "right", "bottom", "top", "value", "energy", "theta", "phi", "beam")

Data = Mapping[str, Any]


class Panel:
    """A drawing under a heading. It is seen once it has something to show.

    Parameters
    ----------
    name, title : of it
    compute : data of a system, by column; "note" is said below the title. Called in another thread.
    sides : what stands along x and y
    x, y : columns that lie along x and y
    others : further columns
    log : whether y is logarithmic
    """

    def __init__(
        self,
        name: str,
        title: str,
        compute: Callable[[System], Data],
        sides: tuple[str, str],
        x: tuple[str, ...],
        y: tuple[str, ...],
        others: tuple[str, ...] = (),
        log: bool = False,
    ) -> None:
        self.name, self.title, self.compute = name, title, compute
        self._x, self._y, self._log = x, y, log
        self._columns = tuple(dict.fromkeys((*x, *y, *others)))
        self.source = ColumnDataSource(data={column: [] for column in self._columns})
        self.plot = figure(
            height=HEIGHT,
            sizing_mode="stretch_width",
            tools="pan,wheel_zoom,box_zoom,reset",
            toolbar_location="above",
            toolbar_sticky=False,
            stylesheets=[CLIPPED],
            x_axis_label=sides[0],
            y_axis_label=sides[1],
            x_range=Range1d(0.0, 1.0),
            y_range=Range1d(1e-6 if log else 0.0, 1.0),
            y_axis_type="log" if log else "linear",
        )
        self.plot.xaxis.ticker.desired_num_ticks = 5
        if log:
            self.plot.yaxis.formatter = CustomJSTickFormatter(code=POWERS)
        self.plot.toolbar.logo = None
        self.plot.toolbar.autohide = True
        self.plot.visible = False
        self._heading = Div(stylesheets=[WIDGETS], sizing_mode="stretch_width")
        self.box = column(self._heading, self.plot, name=name, sizing_mode="stretch_width")
        self.say("")

    def show(self, data: Data) -> None:
        """Put data in, and see all of them."""
        self.source.data = {name: data[name] for name in self._columns}
        self.plot.visible = any(len(data[name]) for name in self._x)
        self.say(data.get("note", ""))
        see(self.plot.x_range, [data[name] for name in self._x], False)
        see(self.plot.y_range, [data[name] for name in self._y], self._log)

    def clear(self, note: str) -> None:
        """Show nothing, and say why."""
        self.source.data = {name: [] for name in self._columns}
        self.plot.visible = False
        self.say(note)

    def say(self, note: str) -> None:
        """Say something below the title."""
        self.note = note
        self._heading.text = (
            f"<h3>{html.escape(self.title)}</h3><p class='muted'>{html.escape(note)}&nbsp;</p>"
        )

    def tell(self, *lines: tuple[str, str]) -> None:
        """Say values under the pointer."""
        self.plot.add_tools(HoverTool(tooltips=list(lines)))

    def explain(self, **options: Any) -> None:
        """Put the legend below the drawing, where it hides nothing."""
        (legend,) = self.plot.legend
        legend.update(
            orientation="horizontal", label_text_font_size=SMALL_LETTERS, padding=2, margin=0, **options
        )
        self.plot.center.remove(legend)
        self.plot.add_layout(legend, "below")


def panels() -> list[Panel]:
    """Every drawing of a point, the quickest first."""
    return [_occupation(), _modes(), _shares(), WaveNumbers(), _pairing(), _quadrants()]


def cells_of(grid: Grid, values: Floats) -> Data:
    """Rectangles of the pairs over energy and direction; directions are counted from 0, theta slower than phi."""
    if grid.shape is not None and grid.edges is not None:
        direction = np.arange(grid.size) % (grid.shape[1] * grid.shape[2])
        left, right = grid.edges.energy[grid.energy_bin], grid.edges.energy[grid.energy_bin + 1]
    else:
        _, direction = np.unique(np.column_stack([grid.theta, grid.phi]), axis=0, return_inverse=True)
        half = 0.02 * float(grid.energy.max())
        left, right = grid.energy - half, grid.energy + half
    names = list(grid.names) or [""] * grid.size
    angles = grid.theta, grid.phi
    columns = (left, right, direction - 0.5, direction + 0.5, values, grid.energy, *angles, names)
    return dict(zip(CELL, columns, strict=True))


def no_cells(why: str) -> Data:
    """Give nothing to draw over the momentum grid."""
    return {"note": why, **{name: [] for name in CELL}}


class Cells(Panel):
    """Values of the pairs over energy and direction, in colours."""

    def __init__(
        self, name: str, title: str, compute: Callable[[System], Data], mapper: LinearColorMapper
    ) -> None:
        sides = ("energy (MeV)", "direction")
        super().__init__(name, title, compute, sides, CELL[:2], CELL[2:4], CELL[4:])
        self._mapper = mapper
        colour = {"field": "value", "transform": mapper}
        corners = {side: side for side in CELL[:4]}
        # their edges as well, or the paper would be seen between them
        self.plot.quad(fill_color=colour, line_color=colour, line_width=0.5, source=self.source, **corners)
        self.tell(
            (title, "@value{0.000000}"),
            ("energy", "@energy MeV"),
            ("theta, phi", "@theta, @phi"),
            ("beam", "@beam"),
        )
        self.plot.grid.visible = False
        self.plot.yaxis.ticker.min_interval = 1
        self.plot.add_layout(ColorBar(color_mapper=mapper, width=8, padding=4), "right")

    def show(self, data: Data) -> None:
        """Put data in; colours reach to the largest value where they begin at 0."""
        if self._mapper.low == 0.0 and len(data["value"]):
            self._mapper.high = float(np.max(data["value"]))
        super().show(data)


def _occupation() -> Panel:
    def compute(system: System) -> Data:
        return {**cells_of(system.grid, system.n), "note": "rho + rhobar - 1 of each pair"}

    return Cells("occupation", "EPN n", compute, LinearColorMapper(RdBu11[::-1], low=-1.0, high=1.0))


def _shares() -> Panel:
    def compute(system: System) -> Data:
        shares = system.fastest_shares()
        if not shares.any():
            return no_cells("stable, there is none")
        return {**cells_of(system.grid, shares), "note": "of each pair"}

    mapper = LinearColorMapper(Viridis256, low=0.0, high=1.0)
    return Cells("shares", "Share of the fastest mode", compute, mapper)


def _modes() -> Panel:
    def compute(system: System) -> Data:
        found = system.modes
        rates = found["growth_rate"].values
        grows = rates > float(found["growth_floor"])
        fastest = f", up to {system.growth_rate:.4g} MeV" if grows.any() else ""
        return {
            "frequency": found["frequency"].values,
            "rate": np.where(np.abs(rates) > float(found["growth_floor"]), rates, 0.0),
            "colour": np.where(grows, COLOURS[5], "#8a8f98").tolist(),
            "size": np.where(grows, 8, 4),
            "note": f"{int(grows.sum())} grow{fastest}",
        }

    sides = ("frequency (MeV)", "growth rate (MeV)")
    panel = Panel("modes", "Modes", compute, sides, ("frequency",), ("rate",), ("colour", "size"))
    panel.plot.scatter("frequency", "rate", color="colour", size="size", source=panel.source)
    panel.tell(("growth rate", "@rate MeV"), ("frequency", "@frequency MeV"))
    return panel


class WaveNumbers(Panel):
    """Growth rate against the wave number, along a direction that may be chosen."""

    def __init__(self) -> None:
        self.direction = Look().k_along
        sides = ("k (MeV)", "growth rate (MeV)")
        super().__init__("wave_numbers", "Growth against k", self._against_k, sides, ("k",), ("rate",))
        self.plot.line("k", "rate", line_width=2, color=COLOURS[0], source=self.source)
        self.plot.scatter("k", "rate", size=4, color=COLOURS[0], source=self.source)
        self.tell(("k", "@k MeV"), ("growth rate", "@rate MeV"))

    def _against_k(self, system: System) -> Data:
        rates = system.growth_against_k(self.direction)
        k, wanted = system.wave_numbers[: rates.size], system.wave_numbers
        cut = _cut_off("k", float(k[-1]), float(wanted[-1]), "MeV")
        return {"k": k, "rate": rates, "note": f"k along {self.direction}{cut}"}


def _cut_off(name: str, reached: float, wanted: float, unit: str) -> str:
    """Say how far a curve goes that time was up for."""
    if reached == wanted:
        return ""
    return f"; cut off after {LONGEST:g} s at {name} = {reached:.4g} of {wanted:.4g} {unit}"


def _pairing() -> Panel:
    def compute(system: System) -> Data:
        run = system.evolution
        mean, linear = run["kappa_mean"].values, run["kappa_linear"].values
        most = max(float(mean.max()), np.finfo(float).tiny)
        linear = np.where(linear <= LINEAR_ABOVE * most, linear, np.nan)
        floor = SMALLEST_SHARE * most
        return {
            "time": run["time"].values,
            "mean": np.maximum(mean, floor),
            "linear": np.maximum(linear, floor),
            "note": f"over all pairs{_time_up(system)}",
        }

    sides = ("time (1/MeV)", "")
    panel = Panel("pairing", "Mean |kappa|", compute, sides, ("time",), ("mean", "linear"), log=True)
    look: dict[str, Any] = {"line_width": 2, "source": panel.source}
    panel.plot.line("time", "mean", color=COLOURS[0], legend_label="evolved", **look)
    dashes = {"line_dash": [5, 4], "legend_label": "linear prediction"}
    panel.plot.line("time", "linear", color=COLOURS[5], **look, **dashes)
    panel.explain()
    panel.tell(("time", "@time"), ("evolved", "@mean"), ("linear", "@linear"))
    return panel


def _time_up(system: System) -> str:
    reached = float(system.evolution["time"].values[-1])
    return _cut_off("t", reached, float(system.times[-1]), "1/MeV")


def _quadrants() -> Panel:
    def compute(system: System) -> Data:
        run = system.evolution
        name, along = ("rho_quadrant", "quadrant") if "rho_quadrant" in run else ("rho_beam", "beam")
        many = run.sizes[along]
        chosen = run[name].isel({along: slice(0, len(COLOURS))}).transpose(along, "time")
        first = (
            f"the first {len(COLOURS)} of {many} beams" if many > len(COLOURS) else f"mean of each {along}"
        )
        return {
            "xs": [run["time"].values] * chosen.sizes[along],
            "ys": list(chosen.values),
            "colour": list(COLOURS[: chosen.sizes[along]]),
            "name": [str(label) for label in chosen[along].values],
            "note": first + _time_up(system),
        }

    sides = ("time (1/MeV)", "rho")
    panel = Panel("quadrants", "Occupation rho", compute, sides, ("xs",), ("ys",), ("colour", "name"))
    panel.plot.multi_line("xs", "ys", color="colour", line_width=2, legend_field="name", source=panel.source)
    panel.explain()
    panel.tell(("", "@name"))
    return panel

"""The map, or the curve of a sweep of one axis: a figure of Bokeh, filled with what of a plane can be seen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from bokeh.models import (
    ColorBar,
    ColumnDataSource,
    CustomJS,
    CustomJSTickFormatter,
    Div,
    FixedTicker,
    LinearColorMapper,
    LogColorMapper,
    Range1d,
)
from bokeh.palettes import Viridis256
from bokeh.plotting import figure

from pairsweep.dataset.select import code_of
from pairsweep.drawing.border import border_lines, border_steps
from pairsweep.drawing.series import ALIKE
from pairsweep.physics.grid import Floats
from pairsweep.spec.cases import CASE
from pairsweep.viewer.link import Look
from pairsweep.viewer.plane import VERDICT, Plane, Side, rasterise, title_of
from pairsweep.viewer.theme import BOUNDARY, CLIPPED, LIGHT, MARKS, Theme, paint

UNORDERED = (CASE, *ALIKE)  # no line leads from one to the next
HEIGHT = 480
PIXELS = (640, 480)  # of what is seen; twice as many each way where more lies around it
AROUND = 0.5  # how much beyond the frame is pictured, as a share of it: so that a pan finds it there
MOST_EDGES = 20_000  # cells of a boundary that is drawn; beyond, it would be a carpet
MOST_TEXTS = 5_000  # labels of a side that the browser gets, to name the point under the pointer
MARGIN = 0.04  # around what is drawn, as a share of it
ROOM = 80  # pixels for a colour bar, whose labels may become longer
SINGLE = 1e-6  # what single precision, in which the browser has numbers, may take off
DECADES_WIDE = 100.0  # from this ratio of usual rates on colours are logarithmic

_READOUT = """
const w = words
const side = (name, value) => {
  const s = w[name]
  if (s.edges.length == 0) return value.toPrecision(6)
  let low = 0, high = s.edges.length - 1
  if (value < s.edges[0] || value > s.edges[high]) return null
  while (high - low > 1) { const mid = (low + high) >> 1; if (s.edges[mid] <= value) low = mid; else high = mid }
  return s.texts[low]
}
const x = side("x", cb_obj.x), y = side("y", cb_obj.y)
if (x === null || y === null || source.data.image.length == 0) { readout.text = w.hint; return }
const d = source.data, [h, n] = d.image[0].shape
const part = (value, start, extent, log) =>
  log ? Math.log(value / start) / Math.log((start + extent) / start) : (value - start) / extent
const column = Math.floor(part(cb_obj.x, d.x[0], d.dw[0], w.x.log) * n)
const row = Math.floor(part(cb_obj.y, d.y[0], d.dh[0], w.y.log) * h)
if (column < 0 || row < 0 || column >= n || row >= h) { readout.text = w.hint; return }
const value = d.image[0][row * n + column]
const said = isNaN(value) ? "no result" : w.flags.length ? w.flags[value] ?? value : Number(value.toPrecision(6))
let text = `${w.x.name} = ${x}, ${w.y.name} = ${y}: ${w.variable} = ${said}`
if (w.verdicts.length && d.verdict.length) {
  const code = d.verdict[0][row * n + column]
  if (code >= 0) text += `, verdict ${w.verdicts[code]}`
}
readout.text = text
"""

POWERS = """
const power = Math.round(Math.log10(tick))
const raised = (number) => [...String(number)].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("")
if (power < 0 || power > 1) if (Math.abs(tick / 10 ** power - 1) < 1e-9) return "10" + raised(power)
const short = Number(tick.toPrecision(4))
return tick >= 1e5 || tick < 1e-3 ? short.toExponential() : String(short)
"""


class Chart:
    """The figure of a plane. A new one is made when sides or scales change; new numbers are put into the old one."""

    def __init__(self, ds: xr.Dataset, look: Look, plane: Plane, readout: Div) -> None:
        self.plane, self.look = plane, look
        self._verdicts = (
            tuple(str(ds[VERDICT].attrs.get("flag_meanings", "")).split()) if VERDICT in ds else ()
        )
        self._codes = {m: code_of(ds[VERDICT], m) for m in MARKS} if VERDICT in ds else {}
        self.flat = len(plane.sides) == 2
        self.plot = self._figure(ds)
        self._point = ColumnDataSource(data={"x": [], "y": []})
        if self.flat:
            self._draw_map(ds, readout)
        else:
            self._draw_curve()
        mark: dict[str, Any] = {"marker": "cross", "size": 16, "line_width": 3, "color": BOUNDARY}
        self.plot.scatter("x", "y", source=self._point, level="overlay", **mark)
        self.fill()

    def _figure(self, ds: xr.Dataset) -> figure:
        """Make the figure with its sides, and nothing in it."""
        look, x = self.look, self.plane.sides[0]
        if self.flat:
            y = self.plane.sides[1]
            y_range, label = self._range(y, None if look.frame is None else look.frame[2:]), y.label
            self._log = y.log
        else:
            self._log = _is_log(self.plane, look.colours)
            y_range, label = Range1d(1e-6 if self._log else 0.0, 1.0), title_of(ds, look.variable)
        plot = figure(
            height=HEIGHT,
            sizing_mode="stretch_width",
            tools="pan,wheel_zoom,box_zoom,reset",
            active_scroll="wheel_zoom",
            x_range=self._range(x, None if look.frame is None else look.frame[:2]),
            x_axis_label=x.label,
            x_axis_type="log" if x.log else "linear",
            y_range=y_range,
            y_axis_label=label,
            y_axis_type="log" if self._log else "linear",
            toolbar_location="above",
            toolbar_sticky=False,
            stylesheets=[CLIPPED],
            min_border_right=ROOM if self.flat and not self.plane.flags else None,
            name="chart",
        )
        plot.toolbar.logo = None
        for side, axis in zip(self.plane.sides, (plot.xaxis[0], plot.yaxis[0]), strict=False):
            if side.evenly:
                step = -(-side.at.size // 30)
                axis.ticker = FixedTicker(ticks=side.at[::step].tolist())
                axis.major_label_overrides = {int(at): side.texts[int(at)] for at in side.at[::step]}
            elif side.log:
                axis.formatter = CustomJSTickFormatter(code=POWERS)
        return plot

    def _range(self, side: Side, seen: tuple[float, float] | None) -> Range1d:
        first, last = float(side.edges[0]), float(side.edges[-1])
        usable = seen is not None and (seen[0] > 0 or not side.log)
        start, end = seen if seen is not None and usable else (first, last)
        return Range1d(start, end, reset_start=first, reset_end=last)

    def _draw_map(self, ds: xr.Dataset, readout: Div) -> None:
        blank: dict[str, Any] = {"image": [], "verdict": [], "x": [], "y": [], "dw": [], "dh": []}
        self._image = ColumnDataSource(data=blank)
        self._lines = ColumnDataSource(data={"xs": [], "ys": []})
        self._log_colours = _is_log(self.plane, self.look.colours)
        self.mapper = self._mapper()
        place = {"x": "x", "y": "y", "dw": "dw", "dh": "dh", "source": self._image}
        self.plot.image(image="image", color_mapper=self.mapper, level="image", **place)
        if self._verdicts:
            colours = [_veil(MARKS.get(word)) for word in self._verdicts]
            veil = LinearColorMapper(
                colours, low=-0.5, high=len(colours) - 0.5, low_color="#00000000", nan_color="#00000000"
            )
            self.plot.image(image="verdict", color_mapper=veil, level="image", **place)
        self.plot.multi_line("xs", "ys", color=BOUNDARY, line_width=1.6, source=self._lines)
        self.plot.grid.visible = False
        if not self.plane.flags:
            self.plot.add_layout(ColorBar(color_mapper=self.mapper, width=10, padding=6), "right")
        words = {
            name: {
                "name": side.name,
                "log": side.log,
                "edges": side.edges.tolist() if side.at.size <= MOST_TEXTS else [],
                "texts": list(side.texts) if side.at.size <= MOST_TEXTS else [],
            }
            for name, side in zip("xy", self.plane.sides, strict=True)
        }
        said = {
            "variable": self.look.variable,
            "flags": list(self.plane.flags),
            "verdicts": list(self._verdicts),
            "hint": readout.text,
        }
        args = {"source": self._image, "readout": readout, "words": words | said}
        self.plot.js_on_event("mousemove", CustomJS(args=args, code=_READOUT))

    def _draw_curve(self) -> None:
        self._curve = ColumnDataSource(data={"x": [], "y": []})
        if self.plane.sides[0].name not in UNORDERED:
            self.plot.line("x", "y", line_width=2, source=self._curve)
        self.plot.scatter("x", "y", size=5, source=self._curve)

    def _mapper(self) -> LinearColorMapper | LogColorMapper:
        """Colours: of a code one for each, of rates from white (0) on, else from the least to the largest."""
        if self.plane.flags:
            high = len(self.plane.flags) - 0.5
            return LinearColorMapper(LIGHT.flags(self.plane.flags), low=-0.5, high=high)
        low, high = self._colour_range()
        return (LogColorMapper if self._log_colours else LinearColorMapper)(Viridis256, low=low, high=high)

    def _colour_range(self) -> tuple[float, float]:
        """Least and largest number that have colours; what is exactly 0 lies below, where none is negative."""
        numbers = self.plane.values[np.isfinite(self.plane.values)]
        if not numbers.size:
            return 0.0, 1.0
        least, most = float(numbers.min()), float(numbers.max())
        if least < 0:
            least -= SINGLE * abs(least)
            return least, most if most > least else least + 1.0
        if most == 0:
            return 1e-9, 1.0
        if self._log_colours:
            low = max((1 - SINGLE) * float(numbers[numbers > 0].min()), 1e-6 * most)
        else:
            low = 1e-9 * most if least == 0.0 else (1 - SINGLE) * least
        return low, most if most > low else 2.0 * low

    @property
    def frame(self) -> tuple[float, float, float, float] | None:
        """What is seen; None for all of it."""
        x, y = self.plot.x_range, self.plot.y_range
        ranges = [x] if not self.flat else [x, y]
        if all(np.allclose([r.start, r.end], [r.reset_start, r.reset_end]) for r in ranges):
            return None
        along = _short(y.start, y.end) if self.flat else (0.0, 1.0)
        return *_short(x.start, x.end), *along

    def fill(self) -> None:
        """Picture what is seen now, and what lies around it."""
        if not self.flat:
            x = self.plane.sides[0]
            self._curve.data = {"x": x.at, "y": self.plane.values}
            side = self.plot.y_range
            if side.reset_start is None or (side.start, side.end) == (side.reset_start, side.reset_end):
                see(side, [self.plane.values], self._log)
            return
        x, y = self.plane.sides
        frame, pixels = self.frame, PIXELS
        if frame is None:
            frame = (x.edges[0], x.edges[-1], y.edges[0], y.edges[-1])
        else:
            frame = (*_wider(frame[:2], x.log), *_wider(frame[2:], y.log))
            pixels = 2 * pixels[0], 2 * pixels[1]
        seen = rasterise(self.plane.values, x, y, frame, pixels, bool(self.plane.flags))
        verdict = []
        if self.plane.verdict is not None:
            verdict = [rasterise(self.plane.verdict, x, y, frame, pixels, True).values]
        self._image.data = {
            "image": [seen.values],
            "verdict": verdict or [np.full((1, 1), np.nan, np.float32)],
            "x": [seen.x0],
            "y": [seen.y0],
            "dw": [seen.x1 - seen.x0],
            "dh": [seen.y1 - seen.y0],
        }

    def update(self, plane: Plane) -> bool:
        """Show other numbers over the same sides; False, and nothing done, where they want another scale."""
        if _is_log(plane, self.look.colours) != (self._log_colours if self.flat else self._log):
            return False
        self.plane = plane
        if self.flat and not plane.flags:
            low, high = self._colour_range()
            self.mapper.update(low=low, high=high)
        self.fill()
        return True

    def draw_boundary(self) -> bool:
        """Draw where the growth rate ceases to be 0; return False where that would be too much to see."""
        if not self.flat or self.plane.rate is None:
            return True
        x, y = self.plane.sides
        rate = self.plane.rate
        positive, known = rate > 0, np.isfinite(rate)
        edges = sum(
            int(np.sum(known[a] & known[b] & (positive[a] != positive[b])))
            for a, b in (
                (np.s_[:, 1:], np.s_[:, :-1]),
                (np.s_[1:], np.s_[:-1]),
            )
        )
        if edges > MOST_EDGES:
            self._lines.data = {"xs": [], "ys": []}
            return False
        if x.evenly and y.evenly:
            lines = []
        elif x.evenly:
            lines = [points[:, ::-1] for points in border_steps(y.at, x.edges, rate.T)]
        elif y.evenly:
            lines = border_steps(x.at, y.edges, rate)
        else:
            lines = border_lines(x.at, y.at, rate)
        self._lines.data = {
            "xs": [points[:, 0] for points in lines],
            "ys": [points[:, 1] for points in lines],
        }
        return True

    def mark(self, place: Mapping[str, int] | None) -> None:
        """Put the cross at a point of the plane; None for nowhere."""
        if place is None:
            self._point.data = {"x": [], "y": []}
            return
        at = [
            float(side.at[np.flatnonzero(side.order == place.get(side.name, 0))[0]])
            for side in self.plane.sides
        ]
        if self.flat:
            self._point.data = {"x": at[:1], "y": at[1:]}
        else:
            number = int(np.flatnonzero(self.plane.sides[0].at == at[0])[0])
            self._point.data = {"x": at, "y": [float(self.plane.values[number])]}

    def point_at(self, x: float, y: float) -> dict[str, int]:
        """Positions in the dataset of the point whose cell a place lies in."""
        return {
            side.name: int(side.order[side.nearest(place)])
            for side, place in zip(self.plane.sides, (x, y), strict=False)
        }

    def paint(self, theme: Theme) -> None:
        """Give it the colours of a theme."""
        paint(self.plot, theme)
        if self.flat:
            self.mapper.nan_color = theme.empty
            if self.plane.flags:
                self.mapper.palette = theme.flags(self.plane.flags)
            else:
                self.mapper.low_color = theme.stable

    def legend(self, theme: Theme) -> str:
        """Say what the colours mean that no bar says."""
        flags = self.plane.flags if self.flat else ()
        entries = list(zip(theme.flags(flags), flags, strict=True))
        if self.flat and not self.plane.flags and np.any(self.plane.values == 0.0):
            entries.append((theme.stable, "0"))
        if self.flat and np.isnan(self.plane.values).any():
            entries.append((theme.empty, "no result"))
        if self.plane.verdict is not None and self.flat:
            entries += [
                (MARKS[word], f"verdict: {word.replace('_', ' ')}")
                for word, code in self._codes.items()
                if np.any(self.plane.verdict == code)
            ]
        texts = [
            f'<span class="swatch" style="background: {colour}"></span>{word}' for colour, word in entries
        ]
        if not self.flat and self._log and (many := int(np.sum(self.plane.values <= 0.0))):
            texts.append(f"{many:,} not above 0: the logarithmic axis has no place for them")
        if self.flat and self.plane.rate is not None and self._lines.data["xs"]:
            texts.append(
                f'<span class="swatch" style="background: {BOUNDARY}"></span>boundary of the instability'
            )
        return "".join(texts)


def see(side: Range1d, columns: list[Any], log: bool) -> None:
    """Let a side reach around all numbers of some columns; of a logarithmic one, to whole decades."""
    parts = [np.ravel(np.asarray(values, dtype=np.float64)) for values in columns]
    numbers = np.concatenate(parts) if parts else np.empty(0)
    numbers = numbers[np.isfinite(numbers) & (not log or numbers > 0)]
    if not numbers.size:
        return
    low, high = float(numbers.min()), float(numbers.max())
    if log:
        low, high = 10 ** np.floor(np.log10(low)), 10 ** np.ceil(np.log10(high))
    else:
        around = MARGIN * (high - low) or 0.5 * abs(high) or 1.0
        low, high = low - around, high + around
    side.update(start=low, end=high, reset_start=low, reset_end=high)


def _short(start: float, end: float) -> tuple[float, float]:
    """Ends of a frame, with as many digits as a screen can tell apart."""
    digits = 5 + max(0, math.ceil(math.log10(max(abs(start), abs(end)) / (end - start))))
    return float(f"{start:.{digits}g}"), float(f"{end:.{digits}g}")


def _veil(colour: str | None) -> str:
    """Half transparent, for a verdict over a map; None for one that needs no mark."""
    return "#00000000" if colour is None else f"{colour}73"


def _wider(seen: tuple[float, ...], log: bool) -> tuple[float, float]:
    low, high = seen
    if log:
        part = (high / low) ** AROUND
        return low / part, high * part
    part = AROUND * (high - low)
    return low - part, high + part


def _is_log(plane: Plane, wanted: str) -> bool:
    """Whether numbers are shown on a logarithmic scale: where it is chosen or they want it, and they can be."""
    numbers = plane.values[np.isfinite(plane.values)]
    if plane.flags or not np.any(numbers > 0) or np.any(numbers < 0):
        return False
    return wanted == "log" or (wanted == "auto" and _spans_decades(numbers))


def _spans_decades(numbers: Floats) -> bool:
    """Whether rates want a logarithmic scale: a few that reach down to 0 at a boundary shall not decide."""
    rising = numbers[numbers > 0]
    return bool(rising.max() > DECADES_WIDE * np.quantile(rising, 0.05))

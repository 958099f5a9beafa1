"""The page: what is looked at (`Look`), its controls, and who is told when one of them changes."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bokeh.core.templates import get_env
from bokeh.document import Document
from bokeh.events import ButtonClick, ConnectionLost, DocumentReady, RangesUpdate, Tap
from bokeh.layouts import column, row
from bokeh.models import Button, CustomJS, CustomJSTickFormatter, Div, Select, Slider, TextInput, Toggle

from pairsweep.contract.errors import UsageError
from pairsweep.viewer.chart import Chart
from pairsweep.viewer.computing import Computing
from pairsweep.viewer.link import DIRECTIONS, SCALES, Look, from_query
from pairsweep.viewer.plane import (
    Plane,
    Side,
    dimensions_of,
    labels_of,
    shown_variables,
    side_of,
    title_of,
    usual_sides,
)
from pairsweep.viewer.save import Recipe
from pairsweep.viewer.source import Source
from pairsweep.viewer.theme import BAR, DARK, LIGHT, NARROW, WIDGETS, paint, styled

FOLDER = Path(__file__).parent
FOLLOWED = 2000  # milliseconds between two looks at a store that is being computed
SETTLED = 80  # milliseconds that a frame must stay before more of it is pictured
NONE = "(none)"
HINT = "Point at the map for values; click to compute a point."

_ADDRESS = "history.replaceState(null, '', location.pathname + (cb_obj.value ? '?' + cb_obj.value : ''))"
_DOWNLOAD = """
if (!cb_obj.value) return
const [name, data] = cb_obj.value.split("|")
const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0))
const link = document.createElement("a")
link.href = URL.createObjectURL(new Blob([bytes]))
link.download = name
link.click()
setTimeout(() => URL.revokeObjectURL(link.href), 60000) // a busy browser fetches it later than it clicks
"""
_COPY = """
const text = document.createElement("div")
text.innerHTML = lines.text
const say = (words) => {
  cb_obj.origin.label = words
  setTimeout(() => { cb_obj.origin.label = label }, 1500)
}
const writing = navigator.clipboard?.writeText(text.textContent) ?? Promise.reject()
writing.then(() => say("copied"), () => say("not allowed"))
"""
_DARK = """
const asked = window.matchMedia("(prefers-color-scheme: dark)")
dark.active = asked.matches
asked.addEventListener("change", () => { dark.active = asked.matches })
"""
_LOST = """
message.text = "<span class='alarm'>The program that serves this page has ended: start pairsweep view again, " +
  "and put the part of this address from the question mark on behind its address.</span>"
"""


class Page:
    """The page of one visitor."""

    def __init__(self, document: Document, source: Source) -> None:
        self._document, self._source = document, source
        self._theme = LIGHT
        self._settling: Any = None
        self._counts = source.counts()
        self._message, self._legend = Div(name="message"), Div(name="legend")
        self._summary, self._heading = Div(name="summary"), Div(name="heading")
        self._readout, self._command, self._python = Div(text=HINT), Div(), Div()
        for words in (
            *(self._summary, self._message, self._heading, self._legend, self._readout),
            *(self._command, self._python),
        ):
            words.update(stylesheets=[WIDGETS], sizing_mode="stretch_width")
        self._readout.name = "readout"
        self._address = TextInput(visible=False)
        self._address.js_on_change("value", CustomJS(code=_ADDRESS))
        self._download = TextInput(visible=False)
        self._download.js_on_change("value", CustomJS(code=_DOWNLOAD))
        self._dark = Toggle(visible=False)
        self._dark.on_change("active", self._darkened)
        self._controls, self._map = column(name="controls"), column(name="map")
        self._point = column(name="point")
        for part in (self._controls, self._map, self._point):
            part.sizing_mode = "stretch_width"
        self._computing = Computing(document, source)
        arguments = (
            getattr(document.session_context.request, "arguments", {}) if document.session_context else {}
        )
        query = urlencode({name: values[-1] for name, values in arguments.items()})
        self._look = self._settled(from_query(query))
        self._lay_out()
        document.title = f"{source.title}: pairsweep view"
        text = (FOLDER / "page.html").read_text("utf-8")
        document.template = get_env().from_string(text)
        document.template_variables.update(css=(FOLDER / "look.css").read_text("utf-8"), heading=source.title)
        document.js_on_event(DocumentReady, CustomJS(args={"dark": self._dark}, code=_DARK))
        document.js_on_event(ConnectionLost, CustomJS(args={"message": self._message}, code=_LOST))
        document.on_session_destroyed(self._left)
        if source.path is not None:
            document.add_periodic_callback(self._follow, FOLLOWED)

    def _left(self, session: Any) -> None:
        """Let what is asked for be, when the visitor has left."""
        self._computing.abandon()

    def _lay_out(self) -> None:
        """Put everything on the page."""
        wires = column(self._address, self._download, self._dark, name="wires", visible=False)
        self._make_controls()
        self._make_chart()
        self._make_point()
        save = column(
            self._save_buttons(), self._command, self._python, name="save", sizing_mode="stretch_width"
        )
        self._say_counts()
        roots = [
            self._summary,
            self._message,
            self._controls,
            self._heading,
            self._map,
            self._readout,
            self._legend,
            save,
            self._point,
            wires,
        ]
        with self._document.models.freeze():  # or they would be counted again after each of them
            for root in (*roots, *(panel.box for panel in self._computing.panels)):
                self._document.add_root(root)
        if self._look.point:
            self._document.add_next_tick_callback(self._compute)

    # What is looked at

    @property
    def _ds(self) -> Any:
        return self._source.ds

    def _settled(self, look: Look) -> Look:
        """Fill in what an address leaves open, and leave out what is not there (any more)."""
        known = shown_variables(self._ds)
        variable = look.variable if look.variable in known else known[0]
        if look.variable not in known and len(known) > 1 and known[0] == "status":
            variable = known[1]
        dims = dimensions_of(self._ds, variable) or [str(dim) for dim in self._ds[variable].dims][:1]
        long = usual_sides(self._ds, dims)
        x = look.x if look.x in dims else next((dim for dim in (*long, *dims) if dim != look.y), dims[0])
        y = look.y if look.y in dims and look.y != x else ""
        if not y and look.y != NONE:
            y = next((dim for dim in (*long, *dims) if dim != x), "")
        at = {dim: text for dim, text in look.at.items() if dim in self._ds.dims and text in self._texts(dim)}
        point = {dim: t for dim, t in look.point.items() if dim in self._ds.dims and t in self._texts(dim)}
        point = point if len(point) == len(look.point) else {}
        kept = look.frame if (x, y) == (look.x, look.y) else None
        return replace(look, variable=variable, x=x, y=y or NONE, at=at, point=point, frame=kept)

    def _texts(self, dim: str) -> list[str]:
        return labels_of(self._ds, dim)

    def _sides(self) -> tuple[Side, ...]:
        names = [(self._look.x, self._look.x_scale), (self._look.y, self._look.y_scale)]
        return tuple(side_of(self._ds, dim, scale) for dim, scale in names if dim != NONE)

    def _others(self) -> list[str]:
        """Dimensions of the map that are no side of it."""
        dims = dimensions_of(self._ds, self._look.variable)
        return [dim for dim in dims if dim not in (self._look.x, self._look.y)]

    def _at(self) -> dict[str, int]:
        """Position on every dimension that is no side."""
        found = {str(dim): 0 for dim in self._ds.dims if dim not in (self._look.x, self._look.y)}
        for dim, text in self._look.at.items():
            if dim in found:
                found[dim] = self._texts(dim).index(text)
        return {dim: number for dim, number in found.items() if self._is_axis(dim) or dim in self._others()}

    def _is_axis(self, dim: str) -> bool:
        status = self._ds.get("status")
        return status is None or dim in status.dims

    def _change(self, **changes: Any) -> None:
        """Look at something else: the address and the lines that make the picture follow."""
        self._look = replace(self._look, **changes)
        self._address.value = replace(self._look, y=self._look.y).query
        self._say_lines()

    # Controls

    def _make_controls(self) -> None:
        look = self._look
        dims = dimensions_of(self._ds, look.variable)
        wanted: list[tuple[str, str, list[str], str]] = [
            ("map of", "variable", shown_variables(self._ds), look.variable),
            ("along x", "x", dims or [look.x], look.x),
            ("along y", "y", [NONE, *dims] if len(dims) > 1 else [NONE], look.y),
            ("colours", "colours", list(SCALES), look.colours),
            ("scale of x", "x_scale", list(SCALES), look.x_scale),
            ("scale of y", "y_scale", list(SCALES), look.y_scale),
        ]
        parts: list[Any] = []
        for title, name, options, value in wanted:
            select = Select(title=title, options=options, value=value, name=name, **_wide())
            select.on_change("value", partial(self._chosen, name))
            parts.append(select)
        self._sliders = {dim: self._slider(dim) for dim in self._others()}
        self._controls.children = [*parts, *self._sliders.values()]

    def _slider(self, dim: str) -> Slider:
        texts = self._texts(dim)
        number = texts.index(self._look.at[dim]) if dim in self._look.at else 0
        return _numbered(dim, texts, number, self._slid)

    def _chosen(self, name: str, attr: str, old: str, new: str) -> None:
        changes: dict[str, Any] = {name: new}
        if name in ("x", "y") and new == getattr(self._look, "y" if name == "x" else "x"):
            changes |= {"x": self._look.y, "y": self._look.x}
        if name in ("x", "y", "x_scale", "y_scale"):
            changes["frame"] = None
        self._look = self._settled(replace(self._look, **changes))
        self._redraw()

    def _redraw(self) -> None:
        """Make controls and chart anew."""
        self._make_controls()
        self._make_chart()
        self._make_point()

    def _slid(self, dim: str, number: int) -> None:
        self._change(at={**self._look.at, dim: self._texts(dim)[number]})
        self._refill()

    # The chart

    def _read(self) -> Plane | None:
        """Read what is looked at; say what cannot be read."""
        try:
            plane = Plane.of(self._ds, self._look, self._sides(), self._at())
        except (UsageError, OSError, ValueError) as error:
            self._say(str(error), alarm=True)
            return None
        self._say(plane.unread, alarm=True)
        return plane

    def _make_chart(self) -> None:
        plane = self._read()
        if plane is None:
            self._map.children = []
            return
        self._chart = Chart(self._ds, self._look, plane, self._readout)
        self._chart.plot.on_event(Tap, lambda event: self._tapped(event.x, event.y))
        self._chart.plot.on_event(RangesUpdate, lambda _: self._moved())
        self._map.children = [self._chart.plot]
        self._heading.text = self._headline()
        self._change()
        self._paint()
        self._finish_chart()

    def _headline(self) -> str:
        """Name and meaning of what the chart shows."""
        variable = self._look.variable
        meaning = str(self._ds[variable].attrs.get("long_name", ""))
        title = html.escape(title_of(self._ds, variable))
        return f"<h2>{title}</h2><p class='muted'>{html.escape(meaning)}&nbsp;</p>"

    def _refill(self) -> None:
        plane = self._read()
        if plane is not None and self._map.children and self._chart.update(plane):
            self._finish_chart()
        elif plane is not None:
            self._make_chart()

    def _finish_chart(self) -> None:
        drawn = self._chart.draw_boundary()
        self._chart.mark(self._seen_point())
        text = self._chart.legend(self._theme)
        note = "" if drawn else " The boundary has too many pieces to be drawn here."
        self._legend.text = f"{text}<span class='muted'>{note}</span>"

    def _moved(self) -> None:
        """Picture more of the plane, once the frame has come to rest."""
        if self._settling is not None:
            self._document.remove_timeout_callback(self._settling)
        self._settling = self._document.add_timeout_callback(self._came_to_rest, SETTLED)

    def _came_to_rest(self) -> None:
        self._settling = None
        self._change(frame=self._chart.frame)
        self._chart.fill()

    def _follow(self) -> None:
        """Look whether a store has more results by now."""
        try:
            if self._source.follow():
                self._look = self._settled(self._look)
                self._redraw()
                return
            before, self._counts = self._counts, self._source.counts()
            if self._counts != before:
                self._say_counts()
                self._refill()
        except (UsageError, OSError) as error:
            self._say(str(error), alarm=True)

    # A point

    def _tapped(self, x: float, y: float) -> None:
        self._ask({**self._at(), **self._chart.point_at(x, y)})

    def _ask(self, place: dict[str, int]) -> None:
        axes = [dim for dim in place if self._is_axis(dim)]
        self._change(point={dim: self._texts(dim)[place[dim]] for dim in axes})
        self._chart.mark(place)
        for dim, slider in self._point_sliders.items():
            if slider.value != place[dim]:
                slider.value = place[dim]
        self._compute()

    def _seen_point(self) -> dict[str, int] | None:
        """The point, if it lies in the plane that is shown."""
        place, here = self._place(), self._at()
        return place if place and all(here.get(dim, at) == at for dim, at in place.items()) else None

    def _place(self) -> dict[str, int]:
        return {dim: self._texts(dim).index(text) for dim, text in self._look.point.items()}

    def _make_point(self) -> None:
        place = self._place()
        sides = [side for side in (self._look.x, self._look.y) if side != NONE and self._is_axis(side)]
        self._point_sliders = {
            dim: _numbered(dim, self._texts(dim), place.get(dim, 0), self._pointed) for dim in sides
        }
        go = Button(label="compute this point", **_wide())
        go.on_event(ButtonClick, lambda: self._ask({**self._at(), **self._slid_to()}))
        direction = Select(title="k along", options=list(DIRECTIONS), value=self._look.k_along, **_wide())
        direction.on_change("value", self._turned)
        self._point.children = [
            row(*self._point_sliders.values(), sizing_mode="stretch_width"),
            row(go, direction, sizing_mode="stretch_width"),
            self._computing.words,
        ]

    def _slid_to(self) -> dict[str, int]:
        return {dim: int(slider.value) for dim, slider in self._point_sliders.items()}

    def _pointed(self, dim: str, number: int) -> None:
        """Put the cross where a slider of the point says; nothing is computed until that is asked for."""
        self._chart.mark({**self._at(), **self._slid_to(), dim: number})

    def _turned(self, attr: str, old: str, new: str) -> None:
        self._change(k_along=new)
        self._computing.turn(new)

    def _compute(self) -> None:
        name = ", ".join(f"{dim} = {label}" for dim, label in self._look.point.items())
        self._computing.ask(self._ds, self._place(), name, self._look.k_along)

    # Words, colours and files

    def _say_counts(self) -> None:
        """Say what is looked at, and how many of its points are done."""
        states = [f"{number:,} {state}" for state, number in self._counts.items() if number]
        parts = [self._source.path or "", f"{sum(self._counts.values()):,} points" if states else "", *states]
        self._summary.text = styled(" · ".join(filter(None, parts)), alarm=False)

    def _say(self, text: str, alarm: bool = False) -> None:
        self._message.text = styled(text, alarm)

    def _darkened(self, attr: str, old: bool, new: bool) -> None:
        self._paint()

    def _paint(self) -> None:
        self._theme = DARK if self._dark.active else LIGHT
        if self._map.children:
            self._chart.paint(self._theme)
            self._legend.text = self._chart.legend(self._theme)
        for panel in self._computing.panels:
            paint(panel.plot, self._theme)

    def _recipe(self) -> Recipe:
        at = {dim: self._texts(dim)[number] for dim, number in self._at().items()}
        kept = {dim: text for dim, text in at.items() if dim in self._others()}
        return Recipe.of(self._ds, self._look, self._sides(), kept)

    def _save_buttons(self) -> Any:
        buttons = []
        for ending in (".png", ".pdf"):
            button = Button(label=f"save as {ending[1:].upper()}", **_wide())
            button.on_event(ButtonClick, partial(self._save, ending))
            buttons.append(button)
        for name, lines in (("command", self._command), ("Python", self._python)):
            button = Button(label=f"copy {name}", **_wide())
            given = {"lines": lines, "label": button.label}
            button.js_on_event(ButtonClick, CustomJS(args=given, code=_COPY))
            buttons.append(button)
        return row(*buttons, sizing_mode="stretch_width", stylesheets=[NARROW])

    def _save(self, ending: str) -> None:
        try:
            data = self._recipe().file(self._ds, ending)
        except (UsageError, OSError, ValueError, ModuleNotFoundError) as error:
            self._say(str(error), alarm=True)
            return
        self._download.value = ""
        self._download.value = f"{self._look.variable}{ending}|{base64.b64encode(data).decode()}"

    def _say_lines(self) -> None:
        recipe, path = self._recipe(), self._source.path
        command = "" if path is None else recipe.command(path)
        words = (f"<span class='word'>{html.escape(word)}</span>" for word in command.split(" "))
        self._command.text, self._command.visible = f"<pre>{' '.join(words)}</pre>", bool(command)
        self._python.text = f"<pre>{html.escape(recipe.python(self._ds, path))}</pre>"


def _wide() -> dict[str, Any]:
    return {"sizing_mode": "stretch_width", "stylesheets": [WIDGETS]}


def _numbered(dim: str, texts: list[str], number: int, moved: Callable[[str, int], None]) -> Slider:
    """Make a slider over the labels of a dimension, which says the label it stands at."""
    slider = Slider(
        title=dim,
        start=0,
        end=max(1, len(texts) - 1),
        step=1,
        value=number,
        format=CustomJSTickFormatter(args={"texts": texts}, code="return texts[Math.round(tick)]"),
        name=dim,
        bar_color=BAR,
        **_wide(),
    )
    slider.disabled = len(texts) == 1
    slider.on_change("value_throttled", lambda attr, old, new: moved(dim, int(new)))
    return slider

"""The point that a visitor has asked for last: its panels, computed in another thread and shown one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import xarray as xr
from bokeh.document import Document
from bokeh.models import Div

from pairsweep.viewer import worker
from pairsweep.viewer.panels import Panel, WaveNumbers, panels
from pairsweep.viewer.point import System
from pairsweep.viewer.source import Source
from pairsweep.viewer.theme import WIDGETS, styled

COMPUTING = "computing ..."
HINT = (
    "Click on the map, or set the sliders and press the button: modes, growth against k and evolution of that "
    "point are computed, and drawn here."
)


class Computing:
    """The panels of the page, and the words above them.

    What is asked for ends what is being computed. Methods whose name begins with ``make`` run in the other thread.
    """

    def __init__(self, document: Document, source: Source) -> None:
        self.panels = panels()
        self.words = Div(stylesheets=[WIDGETS], sizing_mode="stretch_width")
        self._document, self._source = document, source
        self._asked = 0  # number of the point that was asked for last
        self._system: System | None = None  # that point, once it is known
        self._direction = ""  # of its wave numbers
        self._show_panels(False, HINT)

    def ask(self, ds: xr.Dataset, place: Mapping[str, int], name: str, direction: str) -> None:
        """Compute every panel of a point, and show each as soon as it is there, below its name."""
        self.abandon()
        self._direction = direction
        for panel in self.panels:
            panel.say(COMPUTING)
        self._show_panels(True, name)
        worker.do(partial(self.make_system, self._asked, ds, place))

    def turn(self, direction: str) -> None:
        """Compute growth against k along another direction."""
        self._direction = direction
        if self._system is not None:
            for panel in self.panels:
                if isinstance(panel, WaveNumbers):
                    self._start(panel, self._system)

    def abandon(self) -> None:
        """Let be what is being computed."""
        self._asked += 1
        self._system = None

    def make_system(self, asked: int, ds: xr.Dataset, place: Mapping[str, int]) -> None:
        """Make the system of a point: a user's function may take its time."""
        if asked != self._asked:
            return  # another point was asked for meanwhile, or nobody looks any more
        then: Callable[[], None]
        try:
            system = System.at(self._source.sweep, ds, place, lambda: asked == self._asked)
            then = partial(self._start_all, system)
        except Exception as error:  # whatever a user's function says: the page says it
            then = partial(self._show_panels, False, _words(error), alarm=True)
        self._tell(asked, then)

    def make_panel(self, asked: int, panel: Panel, system: System) -> None:
        """Compute what a panel shows."""
        if asked != self._asked:
            return
        then: Callable[[], None]
        try:
            then = partial(panel.show, panel.compute(system))
        except Exception as error:  # whatever a kernel or a user's function says: the panel says it
            then = partial(panel.clear, _words(error))
        self._tell(asked, then)

    def _start_all(self, system: System) -> None:
        self._system = system
        for panel in self.panels:
            self._start(panel, system)

    def _start(self, panel: Panel, system: System) -> None:
        panel.say(COMPUTING)
        if isinstance(panel, WaveNumbers):
            panel.direction = self._direction
        worker.do(partial(self.make_panel, self._asked, panel, system))

    def _tell(self, asked: int, then: Callable[[], None]) -> None:
        """Do something in the page's own thread, unless another point was asked for meanwhile."""
        self._document.add_next_tick_callback(partial(self._show, asked, then))

    def _show(self, asked: int, show: Callable[[], None]) -> None:
        if asked == self._asked:
            show()

    def _show_panels(self, shown: bool, text: str, alarm: bool = False) -> None:
        """Show the panels, or none, and words above them."""
        for panel in self.panels:
            if not shown:
                panel.clear("")
            panel.box.visible = shown
        self.words.update(text=styled(text, alarm), visible=bool(text))


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__

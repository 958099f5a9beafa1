"""Colours of the page's figures, light and dark, and how its widgets follow those of the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bokeh.models import GlyphRenderer
from bokeh.plotting import figure

from pairsweep.drawing.style import COLOURS

FLAGS = ("#E9E9E9", *COLOURS[:1], *COLOURS[5:6], *COLOURS[1:5])  # of a code: 0 is what is not remarkable
BOUNDARY = "#D4145A"
ARTEFACT, MISSED, DOUBTFUL = "#6B6B6B", "#D55E00", "#E69F00"


@dataclass(frozen=True)
class Theme:
    """Colours of a figure: paper, ink, grid lines, what is stable, and what has no result."""

    paper: str
    ink: str
    grid: str
    stable: str
    empty: str


LIGHT = Theme("#ffffff", "#222222", "#e3e3e3", "#ffffff", "#c9c9c9")
DARK = Theme("#16181c", "#e6e7ea", "#343941", "#2b2f36", "#6a6f78")

WIDGETS = """
:host { color: var(--ink); }
.bk-input { background-color: var(--field); color: var(--ink); border-color: var(--line); }
.bk-btn { border-color: var(--line) !important; }
.bk-btn { background-color: var(--field) !important; color: var(--ink) !important; }
.bk-btn:focus-visible, .bk-input:focus-visible, .noUi-handle:focus-visible { outline: 2px solid var(--accent); }
.noUi-target, .noUi-base { background: var(--line); border-color: var(--line); }
.noUi-connect { background: var(--muted); }
.bk-slider-title, label { color: var(--ink); }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 2px 0; font-size: 12.5px; }
.alarm { color: var(--alarm); font-weight: 600; }
.muted { color: var(--muted); }
.swatch { display: inline-block; width: 0.9em; height: 0.9em; border: 1px solid var(--line); margin: 0 4px -1px 8px; }
"""


def paint(plot: figure, theme: Theme) -> None:
    """Give a figure the colours of a theme."""
    plot.background_fill_color = theme.paper
    plot.border_fill_color = theme.paper
    plot.outline_line_color = theme.ink
    plot.border_line_color = None
    plot.title.text_color = theme.ink
    for axis in plot.axis:
        axis.axis_line_color = axis.major_tick_line_color = axis.minor_tick_line_color = theme.ink
        axis.major_label_text_color = axis.axis_label_text_color = theme.ink
    for grid in plot.grid:
        grid.grid_line_color = theme.grid
    for legend in plot.legend:
        legend.background_fill_color = theme.paper
        legend.label_text_color = theme.ink
        legend.border_line_color = None
    for bar in plot.right:
        if hasattr(bar, "major_label_text_color"):
            bar.background_fill_color = theme.paper
            bar.major_label_text_color = bar.title_text_color = theme.ink
    for renderer in plot.renderers:
        if isinstance(renderer, GlyphRenderer) and "ink" in renderer.tags:
            _ink(renderer.glyph, theme.ink)


def _ink(glyph: Any, colour: str) -> None:
    for name in ("line_color", "fill_color"):
        if hasattr(glyph, name) and getattr(glyph, name) is not None:
            setattr(glyph, name, colour)

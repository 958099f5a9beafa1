"""Colours of the page's figures, light and dark, and how its widgets follow those of the page."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bokeh.models import GlyphRenderer
from bokeh.plotting import figure

from pairsweep.drawing.style import COLOURS

FLAGS = (*COLOURS[:1], *COLOURS[5:6], *COLOURS[1:5])  # of a code from 1 on: 0 is what is not remarkable
BOUNDARY = "#D4145A"
MARKS = {"discretisation": "#6B6B6B", "missed": "#D55E00", "undetermined": "#E69F00"}  # of verdicts


@dataclass(frozen=True)
class Theme:
    """Colours of a figure: paper, ink, grid lines, what is stable, what has no result, and of a code what is 0."""

    paper: str
    ink: str
    grid: str
    stable: str
    empty: str
    plain: str

    def flags(self, words: Sequence[str]) -> list[str]:
        """A colour for each word of a code."""
        usual = [self.plain, *(FLAGS[i % len(FLAGS)] for i in range(len(words)))]
        return [MARKS.get(word, colour) for word, colour in zip(words, usual, strict=False)]


LIGHT = Theme("#ffffff", "#222222", "#e3e3e3", "#ffffff", "#c9c9c9", "#e9e9e9")
DARK = Theme("#16181c", "#e6e7ea", "#343941", "#2b2f36", "#6a6f78", "#3b414b")

WIDGETS = """
:host { color: var(--ink); }
.bk-input { background-color: var(--field); color: var(--ink); border-color: var(--line); }
.bk-btn { border-color: var(--line) !important; }
.bk-btn { background-color: var(--field) !important; color: var(--ink) !important; }
.bk-btn:focus-visible, .bk-input:focus-visible, .noUi-handle:focus-visible { outline: 2px solid var(--accent); }
.noUi-target, .noUi-base { background: var(--line); border-color: var(--line); }
.bk-slider-title, label { color: var(--ink); }
h2 { font-size: 1rem; margin: 0; }
h3 { font-size: 0.85rem; margin: 0; }
p { margin: 0; font-size: 0.8rem; min-height: 1.3em; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; padding: 6px 8px; font-size: 12.5px; }
.word { display: inline-block; max-width: 100%; }
pre { background: var(--field); border: 1px solid var(--line); border-radius: 4px; }
.alarm { color: var(--alarm); font-weight: 600; }
.muted { color: var(--muted); }
.swatch { display: inline-block; width: 0.9em; height: 0.9em; border: 1px solid var(--line); margin: 0 4px -1px 8px; }
"""
# Bokeh never clears the first row and column of a figure
CLIPPED = ":host { clip-path: inset(1px -200px -200px 1px); } :host(:focus) { outline-offset: -2px; }"
BAR = "#4a90c8"  # of a slider, on light and on dark
NARROW = "@media (max-width: 500px) { :host { flex-wrap: wrap; } :host > * { min-width: 45%; } }"


def styled(text: str, alarm: bool = False) -> str:
    """Words as the page has them: muted, or alarming."""
    return f"<span class='{'alarm' if alarm else 'muted'}'>{html.escape(text)}</span>" if text else ""


def paint(plot: figure, theme: Theme) -> None:
    """Give a figure the colours of a theme."""
    plot.background_fill_color = theme.paper
    plot.outline_line_color = theme.ink
    plot.border_fill_color = plot.border_line_color = None  # the page is seen there
    for axis in plot.axis:
        axis.axis_line_color = axis.major_tick_line_color = axis.minor_tick_line_color = theme.ink
        axis.major_label_text_color = axis.axis_label_text_color = theme.ink
    for grid in plot.grid:
        grid.grid_line_color = theme.grid
    for legend in plot.legend:
        legend.background_fill_color = None
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

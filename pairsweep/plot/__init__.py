"""Pictures of a sweep: each kind is a function from a dataset to matplotlib Axes; none opens or saves.

In a notebook: ``ps.plot.growth_map(ds.sel(g=1e-6, n_theta=1))``. With an own ``ax`` the caller's style is
kept. `draw` composes whole figures, one panel for each value of a facet. Every kind on the command line is a
function here, its dashes underscores. Beside its own options each takes the keywords of `keywords`.
"""

from __future__ import annotations

from pairsweep.drawing.options import KEYWORDS
from pairsweep.drawing.picture import Picture
from pairsweep.plot.figure import draw, pictures, save

__all__ = ["draw", "keywords", "pictures", "save"]


def keywords() -> dict[str, str]:
    """Return the keywords of matplotlib that every kind of picture takes, and what they do."""
    return dict(KEYWORDS)


def __getattr__(name: str) -> Picture:
    known = {kind.replace("-", "_"): picture for kind, picture in pictures().items()}
    if name not in known:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return known[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *(kind.replace("-", "_") for kind in pictures())})

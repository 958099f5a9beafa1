"""A page to look at results with: a map to walk in, and the modes and the evolution of a point. Needs the extra `view`.

Nothing else of pairsweep imports from here. `server` says who may see the page, `page` what it shows of a `Look`
(`link`), `plane` and `point` give the numbers, `panels` the drawings, `computing` those of a point that was asked for,
`save` the picture and how to make it again.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pairsweep.contract.errors import UsageError

if TYPE_CHECKING:
    import xarray as xr

    from pairsweep.viewer.server import View

MISSING = "needs Bokeh: pip install 'pairsweep[view]'"


def view(source: str | Path | xr.Dataset, *, port: int = 0) -> View:
    """Serve a page to look at results with, on this machine alone.

    Parameters
    ----------
    source : path or Dataset
        A store, packed or not, finished or not; or the results of a sweep.
    port : int
        Of the loopback address; a free one where left out.

    Returns
    -------
    View
        Its ``url``; in a notebook it shows the page. The page is served until ``close()``, or the end of the process.

    Raises
    ------
    UsageError
        For a store that cannot be opened, results without an axis, a port that is taken, and where the extra
        ``view`` is not installed.
    """
    try:
        import bokeh  # noqa: F401
    except ModuleNotFoundError as missing:
        raise UsageError("view", None, MISSING) from missing
    from pairsweep.viewer.server import serve

    return serve(source, port)

"""The dispersion relation omega(k): unstable branches over the band of pair energies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pairsweep.contract.errors import UsageError
from pairsweep.dataset.select import variable
from pairsweep.drawing import style
from pairsweep.drawing.layout import dim_of, emptiness, line
from pairsweep.drawing.picture import picture
from pairsweep.drawing.series import failed_marks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Room around the band of the poles, as a share of its width.
MARGIN = 0.25


def _layers(ds: xr.Dataset, x: str | None, y: str | None) -> list[dict[str, Any]]:
    if y is not None:
        raise UsageError("y", y, "this picture always has Re omega along y; give x")
    return [{"x": x}]


@picture("dispersion", shows=1, layers=_layers)
def dispersion(ds: xr.Dataset, ax: Axes, *, x: str | None = None, energy_bin: int | None = None) -> style.Key:
    """Draw Re omega of every unstable mode against k, from 2E of one energy bin, with the growth rate as colour.

    The grey band holds the pair energies abs(p + k/2) + abs(p - k/2) of that bin, with refraction: the poles of the
    dispersion function. A mode outside of it is a collective one. Needs ``modes`` in the table of the analysis.

    Parameters
    ----------
    x : str, optional
        A numeric axis; k if it is swept.
    energy_bin : int, optional
        Number of the energy bin, from 0; that of the fastest mode unless given.
    """
    flat, x, hue = line(ds, x, preferred=("k",))
    if hue is not None:
        raise UsageError("dispersion", None, f"shows one axis: choose a value of {hue} (--select {hue}=...)")
    dim = dim_of(flat, x)
    growth = variable(flat, "inhomogeneous_mode_growth_rate").transpose(dim, "wave_mode").values
    # those of conjugates lie at -omega
    omega = np.abs(variable(flat, "inhomogeneous_mode_frequency").transpose(dim, "wave_mode").values)
    low, high = (
        variable(flat, f"inhomogeneous_pole_{side}").transpose(dim, "energy_bin").values
        for side in ("low", "high")
    )
    labels = np.asarray(flat[x].values, dtype=np.float64)
    order = np.argsort(labels, kind="stable")
    if not np.isfinite(low).any():
        ax.set_xlabel(style.coordinate_label(flat[x]))
        style.say_empty(ax, emptiness(ds))
        return style.Key()
    middle = 0.5 * (low + high)
    unstable = growth > 0
    if energy_bin is None:
        fastest = np.unravel_index(int(np.argmax(np.where(unstable, growth, 0.0))), growth.shape)
        energy_bin = int(np.nanargmin(np.abs(middle[fastest[0]] - omega[fastest]))) if unstable.any() else 0
    base = (
        float(2.0 * flat["energy"].values[energy_bin])
        if flat["energy"].ndim == 1
        else float(middle[0, energy_bin])
    )
    band = low[:, energy_bin] - base, high[:, energy_bin] - base
    ax.fill_between(labels[order], band[0][order], band[1][order], color=style.PALE, lw=0, zorder=1)
    ax.plot(labels[order], np.stack(band, axis=1)[order], color=style.MUTED, lw=0.5, zorder=1)
    width = float(max(np.nanmax(band[1]) - np.nanmin(band[0]), np.nanmax(growth, initial=0.0)))
    shown = unstable & (np.abs(omega - middle[:, [energy_bin]]) < width)
    offset = omega - base
    limits = [np.nanmin(band[0]), np.nanmax(band[1]), *offset[shown]]
    room = MARGIN * width
    ax.set_ylim(min(limits) - room, max(limits) + room)
    ax.set_xlabel(style.coordinate_label(flat[x]))
    style.scaled_label(ax, "y", r"Re $\omega - 2E$", "MeV", max(map(abs, limits)))
    handles = (
        style.key("pair energies", marker="s", ms=7, mfc=style.PALE, mec=style.MUTED),
        *failed_marks(ax, flat, dim, labels[order], order),
    )
    if not shown.any():
        style.say_empty(ax, "nothing unstable in this bin")
        return style.Key(handles, below=True)
    place, mode = np.nonzero(shown)
    rank = np.argsort(growth[place, mode])
    place, mode = place[rank], mode[rank]
    points = ax.scatter(
        labels[place],
        offset[place, mode],
        c=growth[place, mode],
        cmap=style.steps(),
        s=8,
        lw=0,
        zorder=3,
        vmin=0.0,
    )
    label = r"Growth rate $\gamma$ (MeV)"
    return style.Key(handles, below=True, colours=points, colours_label=label, data=(points,))

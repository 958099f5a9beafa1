"""Windows on a strip: close to a panel of a few poles, the other panels are a short polynomial.

A strip with thousands of poles would cost O(N) for every value of f. Its poles, ascending, are cut into panels; near a
panel the field of the distant ones is added to the polynomial of the strip (``farfield``), and what is left is a
``Strip`` of some hundred poles that all counts and evaluations work on as they do on the whole.
"""

from collections import namedtuple

import numpy as np

from pairsweep.analyses.growth.kernels.dispersion import BOUND, LOCATION, RESIDUE, ROWS, summation_depth
from pairsweep.analyses.growth.kernels.general.farfield import MAX_ORDER, NEAR, terms_needed, translate
from pairsweep.analyses.growth.kernels.general.strip import Strip
from pairsweep.kernels.jit import jit

# A strip of fewer poles is seen as a whole.
FEW = 160
# A window holds within this many half-widths of its panel.
VIEW = 1.25
WHOLE = -1

Windows = namedtuple(
    "Windows",
    [
        "targets",  # number of panels of own poles, 0 where the strip is seen as a whole; those of near ones follow
        "first",  # (panels + 1,) poles of panel t are first[t]:first[t + 1]
        "host",  # (own,) panel of each pole
        "panel",  # (6, panels), rows below
        "polynomial",  # (targets, MAX_ORDER, 9) field about the centre of all that is far from a panel
        "widest",  # most poles of any window
    ],
)
CENTRE, HALF, TOTAL, SIGHT, CLEAR, FAR_SIZE, PANEL_ROWS = 0, 1, 2, 3, 4, 5, 6


@jit()
def is_near(windows, target, source):
    """Whether the poles of a panel are summed one by one in the window of another, or of its own."""
    panel = windows.panel
    reach = panel[SIGHT, target] + panel[HALF, source]
    return reach > NEAR * abs(panel[CENTRE, target] - panel[CENTRE, source])


@jit()
def make_windows(strip, binomial):
    """Cut a strip into panels; ``binomial`` (MAX_ORDER, MAX_ORDER) comes from ``farfield``."""
    leaf = max(8, int((4.0 * strip.own) ** (1.0 / 3.0)))
    targets = 0 if strip.count < FEW else -(-strip.own // leaf)
    panels = 0 if targets == 0 else targets - (-(strip.count - strip.own) // leaf)
    first = np.empty(panels + 1, dtype=np.int64)
    host = np.empty(strip.own, dtype=np.int64)
    panel = np.empty((PANEL_ROWS, panels))
    polynomial = np.zeros((targets, MAX_ORDER, RESIDUE))
    windows = Windows(targets, first, host, panel, polynomial, 0)
    if targets == 0:
        return windows
    location = strip.poles[LOCATION]
    moment = np.zeros((panels, MAX_ORDER, RESIDUE))
    for t in range(panels):
        start = t * leaf if t < targets else strip.own + (t - targets) * leaf
        stop = min(start + leaf, strip.own if t < targets else strip.count)
        first[t] = start
        first[t + 1] = stop
        low = np.inf
        high = -np.inf
        total = 0.0
        for j in range(start, stop):
            low = min(low, location[j])
            high = max(high, location[j])
            total += strip.poles[BOUND, j]
            if t < targets:
                host[j] = t
        centre = 0.5 * (low + high)
        panel[CENTRE, t] = centre
        panel[HALF, t] = max(high - centre, centre - low)
        panel[TOTAL, t] = total
        panel[SIGHT, t] = min(VIEW * panel[HALF, t], strip.radius - abs(centre - strip.centre))
        panel[CLEAR, t] = strip.cut - abs(centre - strip.centre)
        panel[FAR_SIZE, t] = strip.far_size
        for j in range(start, stop):
            power = 1.0
            for b in range(MAX_ORDER):
                for i in range(RESIDUE):
                    moment[t, b, i] += strip.poles[i, j] * power
                power *= location[j] - centre
    inverse = np.empty(MAX_ORDER + 1)
    widest = 0
    for t in range(targets):
        _shift(strip, panel[CENTRE, t] - strip.centre, binomial, polynomial[t])
        near = 0
        for s in range(panels):
            if is_near(windows, t, s):
                near += first[s + 1] - first[s]
                continue
            distance = panel[CENTRE, t] - panel[CENTRE, s]
            away = abs(distance) - panel[HALF, s]
            panel[FAR_SIZE, t] += panel[TOTAL, s] / (away - panel[SIGHT, t])
            panel[CLEAR, t] = min(panel[CLEAR, t], away)
            terms = terms_needed((panel[SIGHT, t] + panel[HALF, s]) / abs(distance))
            translate(moment[s], distance, terms, np.bool_(False), binomial, inverse, polynomial[t])
        widest = max(widest, near)
    return Windows(targets, first, host, panel, polynomial, widest)


@jit()
def _shift(strip, distance, binomial, local):
    """Add the polynomial of the strip to ``local`` (MAX_ORDER, 9), about a centre ``distance`` from the strip's."""
    for a in range(strip.order):
        power = 1.0
        for b in range(a, strip.order):
            for i in range(RESIDUE):
                local[a, i] += binomial[b - a, a] * power * strip.poles[i, strip.count + b]
            power *= distance


@jit()
def window_room(strip, windows):
    """Columns that a window on the strip, or the strip itself, takes."""
    return max(windows.widest + MAX_ORDER, strip.count + strip.order)


@jit()
def window_at(strip, windows, pole, x, y):
    """The panel of own ``pole`` if its window holds at x + i y, else WHOLE."""
    if windows.targets == 0:
        return WHOLE
    t = windows.host[pole]
    dx = x - windows.panel[CENTRE, t]
    if dx * dx + y * y > windows.panel[SIGHT, t] * windows.panel[SIGHT, t]:
        return WHOLE
    return t


@jit()
def first_pole(windows, t):
    """Index in the strip of the first pole of a window."""
    return 0 if t == WHOLE else windows.first[t]


@jit()
def open_window(strip, windows, t, poles):
    """The window on panel ``t`` as a strip of its own in ``poles`` (ROWS, window_room), or the whole strip."""
    if t == WHOLE:
        return strip
    own = windows.first[t + 1] - windows.first[t]
    at = own
    for row in range(ROWS):
        for j in range(own):
            poles[row, j] = strip.poles[row, windows.first[t] + j]
    for s in range(windows.panel.shape[1]):
        if s != t and is_near(windows, t, s):
            start = windows.first[s]
            members = windows.first[s + 1] - start
            for row in range(BOUND + 1):
                for j in range(members):
                    poles[row, at + j] = strip.poles[row, start + j]
            at += members
    for a in range(MAX_ORDER):
        for i in range(RESIDUE):
            poles[i, at + a] = windows.polynomial[t, a, i]
    # what is far went through the sum of its panel and the sum over the panels
    depth = summation_depth(at + MAX_ORDER) + own + windows.panel.shape[1]
    return Strip(
        own,
        at,
        0,
        poles,
        windows.panel[CENTRE, t],
        windows.panel[SIGHT, t],
        windows.panel[CLEAR, t],
        MAX_ORDER,
        windows.panel[FAR_SIZE, t],
        depth,
        strip.faint_far,
    )


@jit()
def look(strip, windows, pole, x, y, poles, view, panel):
    """The window for own ``pole`` that holds at x + i y, opened in ``poles`` unless it is the ``view`` on ``panel``.

    Returns
    -------
    (Strip, int, int) : view, panel, and the index of the pole in the view
    """
    here = window_at(strip, windows, pole, x, y)
    if here != panel:
        view = open_window(strip, windows, here, poles)
    return view, here, pole - first_pole(windows, here)

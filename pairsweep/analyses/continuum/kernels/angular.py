"""The dispersion function with angles integrated as well as energy.

All directions at an angle arccos(c) from J0 have the same shift s = S c, S = g |J0|, and E enters D through the pole
position u = E - 2 s = Omega/2 alone. So D = int F(u)/(z - u) du with one density of nine components,

    F(u) = g int dc int dpsi T(q) (E^2 n)(E = u + 2 S c, q),   T = 1 - q q^T and q,

psi the azimuth about J0. `Turned` holds the inner integral; `turned_medium` makes F(u) piecewise cubic: a `Medium` of
one group. A step of n in energy is smeared by it over 4 S wherever J0 is not 0.
"""

from typing import NamedTuple

import numpy as np

from pairsweep.analyses.continuum.kernels.medium import Scales, ceiling, finished, norm
from pairsweep.kernels.jit import jit
from pairsweep.kernels.sorting import ascending

SPHERE = 8.0 * np.pi / 3.0  # int dOmega (1 - q q^T) is this times 1
NODES = np.array([-1.0, -0.5, 0.5, 1.0])
PROBES = np.array([-0.75, 0.1, 0.8])
TO_POWERS = np.linalg.inv(NODES[:, None] ** np.arange(4))
FINEST = 1e-9  # share of the cutoff below which a piece is not halved
MOST_PIECES = 4000
SMEARED = 1e-10  # smallest smearing, as a share of the coupling, that is not taken for none


class Turned(NamedTuple):
    """Occupation integrated over the azimuth about J0, panels of c = q_hat.J0/|J0| apart.

    On a panel c = middle - half cos(angle), which makes square roots at its ends smooth in the angle.

    Attributes
    ----------
    edges : (K+1,) MeV
        Pieces of E^2 n in energy.
    steps : (T,) MeV
        Which of them are steps or kinks, 0 and the cutoff among them.
    panels : (B+1,)
        From -1 to 1; one panel where J0 = 0, on which the moments do not depend on the node.
    angle, weight, barycentric : (P,)
        Nodes of a panel in the angle from 0 to pi, quadrature weights, and weights of interpolation.
    moments : (B, P, K, 4, 9)
        int dpsi of the components of T times E^2 n as powers of the distance from a piece's centre.
    sphere : (B, P, 9)
        int dpsi of the components of T alone: with E^2, the density of empty modes up to its sign.
    flow : float, MeV^3
        |J0|.
    content : float, MeV^3
        int |n| d^3p.
    peak : float, MeV^2
        Largest E^2 |n|.
    """

    edges: np.ndarray
    steps: np.ndarray
    panels: np.ndarray
    angle: np.ndarray
    weight: np.ndarray
    barycentric: np.ndarray
    moments: np.ndarray
    sphere: np.ndarray
    flow: float
    content: float
    peak: float


@jit()
def extended(turned):
    """Return the occupation with one more piece, for empty modes above the cutoff: `set_empty` fills it."""
    pieces = turned.edges.size - 1
    edges = np.empty(pieces + 2)
    edges[: pieces + 1] = turned.edges
    steps = np.empty(turned.steps.size + 1)
    steps[: turned.steps.size] = turned.steps
    shape = turned.moments.shape
    moments = np.zeros((shape[0], shape[1], pieces + 1, 4, 9))
    moments[:, :, :pieces] = turned.moments
    return Turned(
        edges,
        steps,
        turned.panels,
        turned.angle,
        turned.weight,
        turned.barycentric,
        moments,
        turned.sphere,
        turned.flow,
        turned.content,
        turned.peak,
    )


@jit()
def set_empty(wide, low, high):
    """Set the last piece of an `extended` occupation to empty modes from ``low`` to ``high``, MeV."""
    last = wide.edges.size - 2
    centre = 0.5 * (low + high)
    wide.edges[last + 1] = high
    wide.steps[-1] = high
    for b in range(wide.moments.shape[0]):
        for p in range(wide.moments.shape[1]):
            for i in range(9):
                wide.moments[b, p, last, 0, i] = -wide.sphere[b, p, i] * centre * centre
                wide.moments[b, p, last, 1, i] = -wide.sphere[b, p, i] * 2.0 * centre
                wide.moments[b, p, last, 2, i] = -wide.sphere[b, p, i]


@jit()
def piece_of(edges, energy):
    """Return the piece that an energy lies on, -1 outside."""
    if energy < edges[0] or energy > edges[edges.size - 1]:
        return -1
    low = 0
    high = edges.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if edges[middle] <= energy:
            low = middle
        else:
            high = middle
    return low


@jit()
def _pull(turned, node, angle):
    """Barycentric weight of a node at an angle, not normalised; at a node itself it outweighs all others."""
    gap = angle - turned.angle[node]
    return turned.barycentric[node] / gap if gap != 0.0 else 1e200


@jit()
def _add_at(turned, panel, angle, energy, factor, out):
    """Add ``factor`` times the moments at an angle of a panel and an energy to ``out`` (9,)."""
    k = piece_of(turned.edges, energy)
    if k < 0:
        return
    t = energy - 0.5 * (turned.edges[k] + turned.edges[k + 1])
    total = 0.0
    for p in range(turned.angle.size):
        total += _pull(turned, p, angle)
    for p in range(turned.angle.size):
        share = factor * _pull(turned, p, angle) / total
        f = turned.moments[panel, p, k]
        for i in range(9):
            out[i] += share * (f[0, i] + t * (f[1, i] + t * (f[2, i] + t * f[3, i])))


@jit()
def fill_density(turned, smearing, u, out):
    """Fill ``out`` (9,) with F(u)/g; ``smearing`` is S, MeV, above 0."""
    out[:] = 0.0
    cuts = np.empty(turned.steps.size + 2)
    edges = turned.edges
    for b in range(turned.panels.size - 1):
        middle = 0.5 * (turned.panels[b] + turned.panels[b + 1])
        half = 0.5 * (turned.panels[b + 1] - turned.panels[b])
        count = 1
        cuts[0] = 0.0
        for e in range(turned.steps.size):
            # ascending steps are crossed at ascending c
            c = (turned.steps[e] - u) / (2.0 * smearing)
            if turned.panels[b] < c < turned.panels[b + 1]:
                cuts[count] = np.arccos(max(-1.0, min(1.0, (middle - c) / half)))
                count += 1
        if count == 1:
            for p in range(turned.angle.size):
                energy = u + 2.0 * smearing * (middle - half * np.cos(turned.angle[p]))
                k = piece_of(edges, energy)
                if k < 0:
                    continue
                t = energy - 0.5 * (edges[k] + edges[k + 1])
                factor = turned.weight[p] * half * np.sin(turned.angle[p])
                f = turned.moments[b, p, k]
                for i in range(9):
                    out[i] += factor * (f[0, i] + t * (f[1, i] + t * (f[2, i] + t * f[3, i])))
            continue
        cuts[count] = np.pi
        for j in range(count):
            low = cuts[j]
            share = (cuts[j + 1] - low) / np.pi
            for p in range(turned.angle.size):
                angle = low + share * turned.angle[p]
                energy = u + 2.0 * smearing * (middle - half * np.cos(angle))
                _add_at(turned, b, angle, energy, share * turned.weight[p] * half * np.sin(angle), out)


@jit()
def _knots(turned, smearing, most):
    """Return the energies u where F has kinks, ascending, and which of them come from a step."""
    found = np.empty(most)
    stepped = np.empty(most, dtype=np.bool_)
    count = 0
    for e in range(turned.steps.size):
        for b in range(turned.panels.size):
            found[count] = turned.steps[e] - 2.0 * smearing * turned.panels[b]
            stepped[count] = True
            count += 1
    low = found[:count].min()
    high = found[:count].max()
    for k in range(turned.edges.size):
        if low < turned.edges[k] < high and count < most:
            found[count] = turned.edges[k]
            stepped[count] = False
            count += 1
    order = ascending(found, count)
    knots = np.empty(count)
    marked = np.empty(count, dtype=np.bool_)
    kept = 0
    for i in range(count):
        here = order[i]
        if kept > 0 and found[here] - knots[kept - 1] <= 1e-13 * high:
            marked[kept - 1] = marked[kept - 1] or stepped[here]
            continue
        knots[kept] = found[here]
        marked[kept] = stepped[here]
        kept += 1
    return knots[:kept], marked[:kept]


@jit()
def turned_medium(turned, g, tolerance, subtracted):
    """Return the `Medium` of an occupation with angles integrated.

    Parameters
    ----------
    turned : Turned
    g : MeV^-2
    tolerance : float
        Largest deviation of F from its cubics, as a share of what a full sphere has at the cutoff.
    subtracted : bool
        Without the vacuum's constant 2 g Delta.
    """
    energy_max = turned.edges[turned.edges.size - 1]
    coupling = 4.0 * g * turned.content
    smearing = g * turned.flow
    if smearing <= SMEARED * coupling:
        smearing = 0.0
        edges = turned.edges
        pieces = edges.size - 1
        density = np.zeros((1, pieces, 4, 9))
        for k in range(pieces):
            for b in range(turned.panels.size - 1):
                half = 0.5 * (turned.panels[b + 1] - turned.panels[b])
                for p in range(turned.angle.size):
                    factor = g * turned.weight[p] * half * np.sin(turned.angle[p])
                    for m in range(4):
                        for i in range(9):
                            density[0, k, m, i] += factor * turned.moments[b, p, k, m, i]
        marked = np.zeros(0, dtype=np.bool_)
    else:
        edges, density, marked = _adapted(turned, g, smearing, tolerance * g * SPHERE * energy_max**2)
    empty = np.zeros((1, 9))
    for i in (0, 3, 5):
        empty[0, i] = g * SPHERE
    resonant = 2.0 * g * SPHERE * (turned.peak + min(turned.peak, 16.0 * smearing**2))
    other = g * SPHERE * energy_max**2 * (0.5 if smearing == 0.0 else 1.0)
    bound = ceiling(resonant, other, energy_max)
    scales = Scales(energy_max, subtracted, coupling, 0.0, bound)
    medium = finished(edges, np.zeros(1), density, empty, scales)
    for e in range(marked.size):
        medium.marked[0, e] = marked[e]
    return medium


@jit()
def _adapted(turned, g, smearing, allowed):
    """Return edges, powers (1, K, 4, 9) of F and which edges are marked: halved until each piece is close to F."""
    energy_max = turned.edges[turned.edges.size - 1]
    knots, stepped = _knots(turned, smearing, turned.steps.size * turned.panels.size + turned.edges.size)
    low = np.empty(MOST_PIECES)
    powers = np.empty((MOST_PIECES, 4, 9))
    ends = np.empty(64)
    values = np.empty((4, 9))
    probe = np.empty(9)
    count = 0
    for j in range(knots.size - 1):
        start = knots[j]
        ends[0] = knots[j + 1]
        pending = 1
        while pending > 0:  # bounded: pieces halve down to FINEST, and there are at most MOST_PIECES
            stop = ends[pending - 1]
            half = 0.5 * (stop - start)
            centre = 0.5 * (stop + start)
            for n in range(4):
                fill_density(turned, smearing, centre + NODES[n] * half, values[n])
            for m in range(4):
                for i in range(9):
                    total = 0.0
                    for n in range(4):
                        total += TO_POWERS[m, n] * values[n, i]
                    powers[count, m, i] = g * total
            good = half < FINEST * energy_max or pending == 64 or count + pending >= MOST_PIECES - knots.size
            if not good:
                good = True
                for n in range(3):
                    fill_density(turned, smearing, centre + PROBES[n] * half, probe)
                    x = PROBES[n]
                    for i in range(9):
                        f = powers[count, :, i]
                        probe[i] = g * probe[i] - (f[0] + x * (f[1] + x * (f[2] + x * f[3])))
                    if norm(probe) > allowed:
                        good = False
                        break
            if good:
                scale = 1.0
                for m in range(4):
                    for i in range(9):
                        powers[count, m, i] /= scale
                    scale *= half
                low[count] = start
                count += 1
                start = stop
                pending -= 1
            else:
                ends[pending] = centre
                pending += 1
    edges = np.empty(count + 1)
    edges[:count] = low[:count]
    edges[count] = knots[knots.size - 1]
    marked = np.zeros(count + 1, dtype=np.bool_)
    kinked = np.zeros(count + 1, dtype=np.bool_)
    at = 0
    for e in range(count + 1):
        if at < knots.size and edges[e] == knots[at]:
            kinked[e] = stepped[at]
            marked[e] = stepped[at]
            at += 1
    density = np.empty((1, count, 4, 9))
    density[0] = powers[:count]
    make_smooth(edges, kinked, density[0])
    return edges, density, marked


@jit()
def make_smooth(edges, kinked, f):
    """Give cubics ``f`` (K, 4, C) one value and one slope, their means, at every edge between that is no kink.

    Where F jumped in slope from piece to piece the count of zeros would have to go around every edge.
    """
    pieces = edges.size - 1
    for i in range(f.shape[2]):
        half = 0.5 * (edges[1] - edges[0])
        left = f[0, 0, i] - half * (f[0, 1, i] - half * (f[0, 2, i] - half * f[0, 3, i]))
        left_slope = f[0, 1, i] - half * (2.0 * f[0, 2, i] - 3.0 * half * f[0, 3, i])
        for k in range(pieces):
            half = 0.5 * (edges[k + 1] - edges[k])
            right = f[k, 0, i] + half * (f[k, 1, i] + half * (f[k, 2, i] + half * f[k, 3, i]))
            right_slope = f[k, 1, i] + half * (2.0 * f[k, 2, i] + 3.0 * half * f[k, 3, i])
            following = right
            following_slope = right_slope
            if k + 1 < pieces:
                step = 0.5 * (edges[k + 2] - edges[k + 1])
                f1 = f[k + 1, 1, i]
                f2 = f[k + 1, 2, i]
                f3 = f[k + 1, 3, i]
                following = f[k + 1, 0, i] - step * (f1 - step * (f2 - step * f3))
                following_slope = f1 - step * (2.0 * f2 - 3.0 * step * f3)
                if not kinked[k + 1]:
                    right = 0.5 * (right + following)
                    right_slope = 0.5 * (right_slope + following_slope)
                    following = right
                    following_slope = right_slope
            rise = 0.5 * (right - left) / half
            cubic = 0.5 * (0.5 * (left_slope + right_slope) - rise) / (half * half)
            square = 0.25 * (right_slope - left_slope) / half
            f[k, 0, i] = 0.5 * (left + right) - square * half * half
            f[k, 1, i] = rise - cubic * half * half
            f[k, 2, i] = square
            f[k, 3, i] = cubic
            left = following
            left_slope = following_slope

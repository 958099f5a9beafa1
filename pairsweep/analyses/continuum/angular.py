"""Occupations integrated over all directions: what is seen of them from J0, panel by panel.

Where an occupation has steps in the angles, the planes of its edges are cut out: a circle about J0 crosses each of them
at two azimuths at most, and what is left between is smooth. J0 itself comes from quadrature between the edges.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from pairsweep.analyses.continuum.kernels.angular import SMEARED, SPHERE, Turned
from pairsweep.analyses.continuum.profile import Directions, Spectrum, spectrum
from pairsweep.physics.grid import Floats, Ints
from pairsweep.physics.systems import Profile

CLOSE = 1e-10  # distance of angles, and of breakpoints in c, that are one
NO_ARC = 1e-14  # weight of a node, radians, up to which its arc is rounding
WIDEST = 0.5 * np.pi  # arc of one quadrature, radians


@dataclass(frozen=True)
class Resolution:
    """How finely an occupation is integrated.

    Attributes
    ----------
    energy : largest deviation of E^2 n from its pieces, see `profile.spectrum`
    density : largest deviation of F(u) from its pieces, see `kernels.angular.turned_medium`
    nodes : of a panel in c
    azimuths : nodes of an arc of the azimuth, and of a cell in theta and phi
    """

    energy: float
    density: float
    nodes: int
    azimuths: int


RESOLUTIONS = (
    Resolution(1e-3, 1e-4, 6, 4),
    Resolution(1e-5, 1e-6, 10, 8),
    Resolution(1e-7, 1e-8, 16, 14),
)


def turned(profile: Profile, energy_max: float, resolution: Resolution) -> Turned:
    """Integrate an occupation over the azimuth about its J0.

    Raises
    ------
    ProfileError
        For steps that were not declared, or occupations outside [0, 1].
    """
    theta_edges, phi_edges = angular_edges(profile)
    cells = _cells(theta_edges, phi_edges, resolution.azimuths)
    everywhere = spectrum(profile, cells, energy_max, resolution.energy)
    content = everywhere.contents()
    J0 = (cells.solid_angle * (content + energy_max**3 / 3.0)) @ cells.unit
    flow = float(np.sqrt(J0 @ J0))
    absolute = float(cells.solid_angle @ everywhere.contents(absolute=True))
    steps = np.array([e for e in (0.0, *sorted(profile.energy_edges), energy_max) if 0.0 <= e <= energy_max])
    peak = everywhere.peak()
    angle, weight = _gauss(resolution.nodes, 0.0, np.pi)
    barycentric = (
        (-1.0) ** np.arange(angle.size) * np.sin(np.arccos(2.0 * angle / np.pi - 1.0)) * np.sqrt(weight)
    )
    if flow <= SMEARED * absolute:
        # one panel with the mean over c at every node
        moments = np.einsum("d,dkm,di->kmi", cells.solid_angle, everywhere.density, components(cells.unit))
        panels = np.array([-1.0, 1.0])
        same = np.broadcast_to(0.5 * moments, (1, angle.size, *moments.shape)).copy()
        mean = 0.5 * (weight * np.sin(angle)).sum()
        empty = np.zeros((1, angle.size, 9))
        empty[:, :, [0, 3, 5]] = SPHERE / (2.0 * mean)
        return Turned(
            everywhere.edges,
            np.unique(steps),
            panels,
            angle,
            weight,
            barycentric,
            same / mean,
            empty,
            0.0,
            absolute,
            peak,
        )
    axis = J0 / flow
    panels = breakpoints(axis, theta_edges, phi_edges)
    middle, half = 0.5 * (panels[1:] + panels[:-1]), 0.5 * np.diff(panels)
    c = (middle[:, None] - half[:, None] * np.cos(angle)).ravel()
    around, circles = _circles(axis, c, _azimuths(axis, c, theta_edges, phi_edges, resolution.azimuths))
    here = spectrum(profile, around, energy_max, resolution.energy)
    moments, empty = _moments(here, circles)
    return Turned(
        here.edges,
        np.unique(steps),
        panels,
        angle,
        weight,
        barycentric,
        moments.reshape(middle.size, angle.size, *moments.shape[1:]),
        empty.reshape(middle.size, angle.size, 9),
        flow,
        absolute,
        max(peak, here.peak()),
    )


def _circles(axis: Floats, c: Floats, arcs: tuple[Floats, Floats]) -> tuple[Directions, Ints]:
    """Directions of quadrature over circles at ``c`` (C,) from the axis, and where each begins (C+1,).

    ``arcs`` are azimuths and weights (C, A); the empty ones between crossings that a circle does not have are left out.
    """
    psi, dpsi = arcs
    used = dpsi > NO_ARC
    x, y, z = _on_circles(axis, c, psi)[used].T
    around = Directions(np.arccos(np.clip(z, -1.0, 1.0)), np.arctan2(y, x), dpsi[used])
    return around, np.concatenate([[0], np.cumsum(used.sum(axis=1))])


def _moments(occupation: Spectrum, circles: Ints) -> tuple[Floats, Floats]:
    """Integrals over each circle of E^2 n times the components of T, (C, K, 4, 9), and of these alone, (C, 9)."""
    directions = occupation.directions
    parts = directions.solid_angle[:, None] * components(directions.unit)
    density = occupation.density
    moments = np.empty((circles.size - 1, *density.shape[1:], 9))
    empty = np.empty((circles.size - 1, 9))
    for i, (first, last) in enumerate(itertools.pairwise(circles)):
        moments[i] = np.tensordot(density[first:last], parts[first:last], (0, 0))
        empty[i] = parts[first:last].sum(axis=0)
    return moments, empty


def components(unit: Floats) -> Floats:
    """Components (..., 9) of 1 - q q^T and q for unit vectors (..., 3), in the order of `kernels.matrix3`."""
    x, y, z = unit[..., 0], unit[..., 1], unit[..., 2]
    return np.stack([1 - x * x, -x * y, -x * z, 1 - y * y, -y * z, 1 - z * z, x, y, z], axis=-1)


def angular_edges(profile: Profile) -> tuple[Floats, Floats]:
    """Edges in theta, strictly between 0 and pi, and in phi, from 0 up to 2 pi; none where it does not say."""
    cosines = np.array([z for z in profile.cos_theta_edges or () if -1.0 < z < 1.0])
    return _apart(np.sort(np.arccos(cosines))), _turns(np.asarray(profile.phi_edges or ()), 2.0 * np.pi)


def _apart(values: Floats) -> Floats:
    """Ascending values without those that are one with the value before."""
    kept = values[:1].tolist()
    for value in values[1:].tolist():
        if value - kept[-1] > CLOSE:
            kept.append(value)
    return np.array(kept)


def _turns(angles: Floats, period: float) -> Floats:
    """Different angles of a period, ascending from 0."""
    kept = _apart(np.unique(np.mod(angles, period)))
    return kept[:-1] if kept.size > 1 and kept[-1] - kept[0] > period - CLOSE else kept


def _gauss(nodes: int, low: float | Floats, high: float | Floats) -> tuple[Floats, Floats]:
    """Nodes and weights (..., nodes) of Gauss-Legendre quadrature between ``low`` and ``high`` (...,)."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    low, high = np.asarray(low, dtype=float)[..., None], np.asarray(high, dtype=float)[..., None]
    return 0.5 * (low + high) + 0.5 * (high - low) * x, 0.5 * (high - low) * w


def _parts(edges: Floats) -> tuple[Floats, Floats]:
    """Lower and upper ends of intervals, none wider than `WIDEST`, between ascending edges."""
    low: list[float] = []
    high: list[float] = []
    for a, b in itertools.pairwise(edges):
        cuts = np.linspace(a, b, max(1, int(np.ceil((b - a) / WIDEST - 1e-9))) + 1)
        low.extend(cuts[:-1])
        high.extend(cuts[1:])
    return np.array(low), np.array(high)


def _cells(theta_edges: Floats, phi_edges: Floats, nodes: int) -> Directions:
    """Directions of product quadrature over the sphere, between the edges."""
    theta, dtheta = _gauss(nodes, *_parts(np.array([0.0, *theta_edges, np.pi])))
    first = float(phi_edges[0]) if phi_edges.size else 0.0
    phi, dphi = _gauss(
        nodes, *_parts(np.array([*(phi_edges if phi_edges.size else [0.0]), first + 2.0 * np.pi]))
    )
    solid = np.outer((dtheta * np.sin(theta)).ravel(), dphi.ravel())
    shape = np.ones_like(solid)
    return Directions((theta.ravel()[:, None] * shape).ravel(), (phi.ravel() * shape).ravel(), solid.ravel())


def _frame(axis: Floats) -> tuple[Floats, Floats]:
    """Two unit vectors that are orthogonal to ``axis`` and to each other."""
    helper = np.eye(3)[int(np.argmin(np.abs(axis)))]
    first = np.cross(axis, helper)
    first /= np.sqrt(first @ first)
    return first, np.cross(axis, first)


def _on_circles(axis: Floats, c: Floats, psi: Floats) -> Floats:
    """Unit vectors (C, A, 3) at c from the axis and azimuths ``psi`` (C, A)."""
    first, second = _frame(axis)
    wide = np.sqrt(np.maximum(0.0, 1.0 - c * c))[:, None, None]
    around = np.cos(psi)[..., None] * first + np.sin(psi)[..., None] * second
    return np.asarray(c[:, None, None] * axis + wide * around)


def _planes(theta_edges: Floats, phi_edges: Floats) -> tuple[Floats, Floats]:
    """Normals (E, 3) and offsets (E,) of the planes q.normal = offset that the edges lie in."""
    meridians = _turns(phi_edges, np.pi)  # opposite ones lie in one plane
    flat = [(-np.sin(phi), np.cos(phi), 0.0) for phi in meridians]
    normals = np.array([*flat, *((0.0, 0.0, 1.0) for _ in theta_edges)]).reshape(-1, 3)
    return normals, np.array([*(0.0 for _ in meridians), *np.cos(theta_edges)])


def breakpoints(axis: Floats, theta_edges: Floats, phi_edges: Floats) -> Floats:
    """Values of c from -1 to 1 where what a circle about the axis sees changes its form.

    There it touches an edge, or passes the end of one: a corner of two, or a pole.
    """
    found = [-1.0, 1.0]
    normals, offsets = _planes(theta_edges, phi_edges)
    for normal, offset in zip(normals, offsets, strict=True):
        along = float(normal @ axis)
        across = np.sqrt(max(0.0, (1.0 - along**2) * (1.0 - offset**2)))
        found += [offset * along + across, offset * along - across]
    if phi_edges.size:
        found += [float(axis[2]), float(-axis[2])]
    for theta, phi in itertools.product(theta_edges, phi_edges):
        found.append(float(axis @ [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)]))
    kept = _apart(np.sort(np.clip(found, -1.0, 1.0)))
    kept[-1] = 1.0
    return kept


def _azimuths(
    axis: Floats, c: Floats, theta_edges: Floats, phi_edges: Floats, nodes: int
) -> tuple[Floats, Floats]:
    """Azimuths (C, A) and weights of quadrature over each circle, between its crossings of the edges."""
    normals, offsets = _planes(theta_edges, phi_edges)
    first, second = _frame(axis)
    wide = np.sqrt(np.maximum(0.0, 1.0 - c * c))
    cuts = [np.full(c.size, turn) for turn in np.arange(0.0, 2.0 * np.pi + 0.1, WIDEST)]
    for normal, offset in zip(normals, offsets, strict=True):
        x, y = float(normal @ first), float(normal @ second)
        size = np.hypot(x, y)
        with np.errstate(divide="ignore", invalid="ignore"):
            cosine = (offset - c * float(normal @ axis)) / (wide * size)
        crosses = np.abs(cosine) < 1.0
        opening = np.arccos(np.where(crosses, cosine, 1.0))
        for side in (1.0, -1.0):
            cuts.append(np.where(crosses, np.mod(np.arctan2(y, x) + side * opening, 2.0 * np.pi), 0.0))
    edges = np.sort(np.stack(cuts, axis=1), axis=1)
    psi, weight = _gauss(nodes, edges[:, :-1], edges[:, 1:])
    return psi.reshape(c.size, -1), weight.reshape(c.size, -1)

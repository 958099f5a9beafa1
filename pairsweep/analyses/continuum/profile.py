"""Occupations as functions of a continuous energy: E^2 n piecewise cubic in E along discrete directions.

A grid samples an occupation at bin centres; a `Spectrum` keeps it as a function of momentum, so that the energy can be
made continuous or be cut into any number of bins with the occupation held fixed. Where n is linear in E between edges
the cubic is exact; elsewhere it goes through four points of a piece, and pieces are halved until it is close.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairsweep.analyses.continuum.kernels.angular import make_smooth
from pairsweep.analyses.continuum.kernels.couplings import Pieces
from pairsweep.contract.occupation import first_fault
from pairsweep.physics.grid import Floats, Grid, bins
from pairsweep.physics.systems import Profile

SHARE = 0.2  # of the tolerance that a piece may use: giving neighbours one slope moves them again
FIRST_PIECES = 8  # per stretch between edges, before a smooth occupation is refined
# Where on a piece, in half-widths from its centre, a cubic goes through the occupation, and where it is compared.
NODES = np.array([-1.0, -0.5, 0.5, 1.0])
PROBES = np.array([-0.8, 0.05, 0.7])
TO_POWERS = np.linalg.inv(np.vander(NODES, 4, increasing=True))
# Powers of the distance in half-widths to Bernstein coefficients, whose hull contains the cubic.
TO_CORNERS = np.array(
    [[1.0, 1.0, 1.0, 1.0], [-1.0, -1 / 3, 1 / 3, 1.0], [1.0, -1 / 3, -1 / 3, 1.0], [-1.0, 1.0, -1.0, 1.0]]
)
NARROWEST = 1e-6  # share of the cutoff below which a piece that still fails is a step
MOST_PIECES = 20_000


class ProfileError(ValueError):
    """An occupation that cannot be made continuous in energy."""


class DiscontinuityError(ProfileError):
    """An occupation jumps at an energy that nobody declared."""


@dataclass(frozen=True, eq=False)
class Directions:
    """D directions of momentum and the solid angles that they stand for; angles in radians."""

    theta: Floats
    phi: Floats
    solid_angle: Floats

    @property
    def size(self) -> int:
        """Number of directions."""
        return self.theta.size

    @property
    def unit(self) -> Floats:
        """Unit vectors, (D, 3)."""
        sin_theta = np.sin(self.theta)
        return np.stack(
            [sin_theta * np.cos(self.phi), sin_theta * np.sin(self.phi), np.cos(self.theta)], axis=1
        )


def directions_of(grid: Grid) -> Directions:
    """Return the directions of a grid of bins, in their order, with the shares of its volume as solid angles.

    Raises
    ------
    ValueError
        For a grid of beams.
    """
    if grid.shape is None:
        raise ValueError("beams have single energies: a continuum needs a grid of bins")
    here = grid.energy_bin == grid.energy_bin[0]
    weight = grid.weight[here]
    return Directions(grid.theta[here], grid.phi[here], weight * (4.0 * np.pi / weight.sum()))


def uniform_directions(n_theta: int, n_phi: int) -> Directions:
    """Return the directions of `pairsweep.physics.grid.bins`."""
    return directions_of(bins(1, n_theta, n_phi))


@dataclass(frozen=True, eq=False)
class Spectrum:
    """E^2 n of D directions, cubic in E on each of K pieces and zero above the last edge (the cutoff).

    Attributes
    ----------
    edges : (K+1,) MeV, from 0 to the cutoff
    density : (D, K, 4)
        E^2 n as powers of the distance from the centre of each piece.
    directions : Directions
    error : float
        Largest deviation from the occupation it stands for, as a share of a piece's largest E^2; 0 if exact.
    """

    edges: Floats
    density: Floats
    directions: Directions
    error: float = 0.0

    @property
    def energy_max(self) -> float:
        """Cutoff, MeV."""
        return float(self.edges[-1])

    @property
    def pieces(self) -> Pieces:
        """What the kernels take."""
        return Pieces(self.directions.solid_angle, self.directions.unit, self.edges, self.density)

    def with_empty_modes(self, energy_max: float) -> Spectrum:
        """Return the spectrum with empty modes (n = -1) from its cutoff up to ``energy_max`` (MeV)."""
        if not energy_max > self.energy_max:
            raise ValueError(
                f"energy_max = {energy_max:g}: empty modes go above the cutoff {self.energy_max:g}"
            )
        ends = np.array([self.energy_max, energy_max])
        empty = density_of_linear(ends, np.full((self.directions.size, 1, 2), -1.0))
        return Spectrum(
            np.append(self.edges, energy_max),
            np.concatenate([self.density, empty], axis=1),
            self.directions,
            self.error,
        )

    def epn(self, energy: Floats) -> Floats:
        """EPN (D, M) at energies (M,) MeV above 0; the upper piece's at an edge."""
        piece = self._piece(energy)
        t = energy - 0.5 * (self.edges[piece] + self.edges[piece + 1])
        f = self.density[:, piece]
        return np.asarray((f[..., 0] + t * (f[..., 1] + t * (f[..., 2] + t * f[..., 3]))) / np.square(energy))

    def contents(self, absolute: bool = False) -> Floats:
        """Integral (D,) of E^2 n along each direction, MeV^3; of a bound of E^2 |n|, close to it, if ``absolute``."""
        half = 0.5 * np.diff(self.edges)
        corners = self._corners()
        return np.asarray((np.abs(corners) if absolute else corners).mean(axis=2) @ (2.0 * half))

    def peak(self) -> float:
        """Bound of the largest E^2 |n|, MeV^2."""
        return float(np.abs(self._corners()).max())

    def _corners(self) -> Floats:
        """Bernstein coefficients (D, K, 4) of the cubics."""
        scaled = self.density * (0.5 * np.diff(self.edges))[:, None] ** np.arange(4.0)
        return np.asarray(scaled @ TO_CORNERS)

    def cells(self, points: Floats) -> Floats:
        """EPN (N,) averaged over the bins between energies ``points``; N = bins * D, energy slowest."""
        content = np.diff(self._content(points), axis=1) / _volumes(points)
        return np.clip(content.T, -1.0, 1.0).ravel()

    def grid(self, points: Floats) -> Grid:
        """Bins between energies ``points`` along the directions, with exact volumes."""
        centre = 0.5 * (points[1:] + points[:-1])
        count = self.directions.size
        return Grid(
            energy=np.repeat(centre, count),
            weight=np.outer(_volumes(points), self.directions.solid_angle).ravel(),
            theta=np.tile(self.directions.theta, centre.size),
            phi=np.tile(self.directions.phi, centre.size),
            energy_bin=np.repeat(np.arange(centre.size), count),
            bin_energy=centre,
            shape=(centre.size, count, 1),
        )

    def _piece(self, energy: Floats) -> NDArray[np.int64]:
        found = np.searchsorted(self.edges, energy, side="right") - 1
        return np.asarray(np.clip(found, 0, self.edges.size - 2))

    def _content(self, energy: Floats) -> Floats:
        """Integral of E^2 n from 0 to each energy, (D, M)."""
        half = 0.5 * np.diff(self.edges)
        powers = np.arange(1.0, 5.0)

        def primitive(k: NDArray[np.int64], t: Floats) -> Floats:
            return np.asarray((self.density[:, k] / powers * t[:, None] ** powers).sum(axis=2))

        every = np.arange(half.size)
        whole = np.cumsum(primitive(every, half) - primitive(every, -half), axis=1)
        before = np.concatenate([np.zeros((self.directions.size, 1)), whole], axis=1)
        piece = self._piece(energy)
        t = energy - 0.5 * (self.edges[piece] + self.edges[piece + 1])
        return np.asarray(before[:, piece] + primitive(piece, t) - primitive(piece, -half[piece]))


def _volumes(points: Floats) -> Floats:
    """Integral of E^2 between neighbouring energies."""
    width = np.diff(points)
    return np.asarray(width * ((0.5 * (points[1:] + points[:-1])) ** 2 + width**2 / 12.0))


def density_of_linear(edges: Floats, n: Floats) -> Floats:
    """Powers (..., K, 4) of E^2 n about the centres of pieces, for n (..., K, 2) at both ends and linear in between."""
    centre, half = 0.5 * (edges[1:] + edges[:-1]), 0.5 * np.diff(edges)
    middle, slope = 0.5 * (n[..., 0] + n[..., 1]), 0.5 * (n[..., 1] - n[..., 0]) / half
    square = centre * centre
    return np.stack(
        [
            square * middle,
            2.0 * centre * middle + square * slope,
            middle + 2.0 * centre * slope,
            np.broadcast_to(slope, middle.shape),
        ],
        axis=-1,
    )


def spectrum(
    profile: Profile, directions: Directions, energy_max: float, tolerance: float = 1e-4
) -> Spectrum:
    """Turn an occupation into a `Spectrum` along some directions.

    Parameters
    ----------
    profile : Profile
    directions : Directions
    energy_max : float
        Cutoff, MeV.
    tolerance : float
        Where the profile is not linear in E it is refined until no probe of E^2 n deviates by more than this share of
        the piece's largest E^2.

    Raises
    ------
    DiscontinuityError
        For a step at an energy that is not among the edges.
    ProfileError
        For occupations outside [0, 1], or more than `MOST_PIECES` pieces.
    """
    inner = sorted({float(edge) for edge in profile.energy_edges if 0.0 < edge < energy_max})
    points = np.array([0.0, *inner, energy_max])

    def epn(energy: Floats) -> Floats:
        return epn_along(profile, directions, energy)

    if not profile.linear:
        return Spectrum(*_refined(epn, points, tolerance, energy_max)[:2], directions, tolerance)
    low, high = points[:-1], points[1:]
    # inside the pieces, because at an edge itself a step belongs to one side only
    first, second = epn(0.75 * low + 0.25 * high), epn(0.25 * low + 0.75 * high)
    half_rise = 0.5 * (second - first)
    n = np.clip(np.stack([first - half_rise, second + half_rise], axis=2), -1.0, 1.0)
    return Spectrum(points, density_of_linear(points, n), directions)


def epn_along(profile: Profile, directions: Directions, energy: Floats) -> Floats:
    """EPN (D, M) along directions at M energies.

    Raises
    ------
    ProfileError
        For occupations outside [0, 1].
    """
    shape = (directions.size, energy.size)
    at = np.repeat(energy[None, :], directions.size, axis=0).ravel()
    theta, phi = (np.repeat(angle, energy.size) for angle in (directions.theta, directions.phi))
    rho, rhobar = (
        np.broadcast_to(np.asarray(v, dtype=np.float64), at.shape) for v in profile.occupation(at, theta, phi)
    )
    fault = first_fault(rho, rhobar)
    if fault is not None:
        (worst,), what = fault
        raise ProfileError(f"occupation at E = {at[worst]:g} MeV: {what}")
    return np.asarray((rho + rhobar - 1.0).reshape(shape))


def _refined(
    epn: Callable[[Floats], Floats], points: Floats, tolerance: float, energy_max: float
) -> tuple[Floats, Floats]:
    """Halve pieces until each is close to its cubic; returns edges and powers (D, K, 4)."""
    stretches = [np.linspace(a, b, FIRST_PIECES + 1) for a, b in itertools.pairwise(points)]
    low = np.concatenate([s[:-1] for s in stretches])
    high = np.concatenate([s[1:] for s in stretches])
    nudge = 1e-12 * energy_max  # to the side of a declared step that a piece lies on
    declared = np.asarray(points)
    done: list[tuple[Floats, Floats, Floats]] = []
    kept = 0
    while low.size:  # bounded: pieces halve until they are narrower than NARROWEST
        centre, half = 0.5 * (low + high), 0.5 * (high - low)
        at = centre + np.multiply.outer(np.concatenate([NODES, PROBES]), half)
        seen = at.copy()
        seen[0][np.isin(low, declared)] += nudge
        seen[NODES.size - 1][np.isin(high, declared)] -= nudge
        values = epn(seen.ravel()).reshape(-1, *at.shape) * at**2
        powers = np.einsum("mj,djk->dkm", TO_POWERS, values[:, : NODES.size])
        cubic = np.einsum("jm,dkm->djk", np.vander(PROBES, 4, increasing=True), powers)
        deviation = np.abs(cubic - values[:, NODES.size :]).max(axis=(0, 1)) / high**2
        good = deviation <= SHARE * tolerance
        scaled = powers / half[:, None] ** np.arange(4.0)
        done.append((low[good], high[good], scaled[:, good]))
        kept += int(good.sum())
        low, high, centre = low[~good], high[~good], centre[~good]
        narrow = high - low < NARROWEST * energy_max
        if narrow.any():
            where = int(np.flatnonzero(narrow)[0])
            raise DiscontinuityError(
                f"the occupation jumps at E = {centre[where]:.6g} MeV, which is not among the "
                "declared energy edges: declare it"
            )
        if kept + 2 * low.size > MOST_PIECES:
            raise ProfileError(
                f"the occupation needs more than {MOST_PIECES} pieces: make it smoother in energy"
            )
        low, high = np.concatenate([low, centre]), np.concatenate([centre, high])
    low, high = (np.concatenate([part[i] for part in done]) for i in (0, 1))
    density = np.concatenate([part[2] for part in done], axis=1)
    order = np.argsort(low)
    edges = np.append(low[order], high[order[-1]])
    smooth = np.ascontiguousarray(density[:, order].transpose(1, 2, 0))
    make_smooth(edges, np.isin(edges, declared), smooth)
    return edges, np.ascontiguousarray(smooth.transpose(2, 0, 1))

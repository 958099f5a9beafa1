"""Occupations as functions of a continuous energy: piecewise linear in E along discrete directions.

A grid samples an occupation at bin centres; a `Spectrum` keeps it as a function of momentum, so that the energy can be
made continuous or be cut into any number of bins with the occupation held fixed. The angles stay those of a grid.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairsweep.physics.grid import Floats, Grid, bins
from pairsweep.physics.patterns.base import Occupations

Occupation = Callable[[Grid], Occupations]

FIRST_PIECES = 16  # per stretch between edges, before a smooth occupation is refined
PROBES = (0.5, 0.29)  # where in a piece the occupation is compared with its chord
NARROWEST = 1e-6  # share of the cutoff below which a piece that still fails is a step
MOST_PIECES = 20_000


class DiscontinuityError(ValueError):
    """An occupation jumps at an energy that nobody declared."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """EPN of D directions, linear in E on each of K pieces and zero above the last edge (the cutoff).

    Attributes
    ----------
    edges : (K+1,) MeV, from 0 to the cutoff
    n : (D, K, 2)
        EPN at the lower and upper end of each piece.
    solid_angle : (D,)
    direction : (D, 3) unit vectors
    error : float
        Largest deviation from the occupation it stands for; 0 if that is itself piecewise linear.
    """

    edges: Floats
    n: Floats
    solid_angle: Floats
    direction: Floats
    error: float = 0.0

    @property
    def energy_max(self) -> float:
        """Cutoff, MeV."""
        return float(self.edges[-1])

    def with_empty_modes(self, energy_max: float) -> Spectrum:
        """Return the spectrum with empty modes (n = -1) from its cutoff up to ``energy_max`` (MeV)."""
        if not energy_max > self.energy_max:
            raise ValueError(
                f"energy_max = {energy_max:g}: empty modes go above the cutoff {self.energy_max:g}"
            )
        empty = np.full((len(self.n), 1, 2), -1.0)
        return Spectrum(
            np.append(self.edges, energy_max),
            np.concatenate([self.n, empty], axis=1),
            self.solid_angle,
            self.direction,
            self.error,
        )

    def cells(self, n_energy: int) -> tuple[Floats, Floats, Floats, Floats]:
        """Cut the energy into equal bins: energies, weights, directions and EPN of all pairs.

        Weights are exact volumes and the EPN is its average over the cell, so that nothing but the resolution depends
        on ``n_energy``.

        Returns
        -------
        energy (N,) MeV, weight (N,) MeV^3, p_hat (N, 3), n (N,), with N = n_energy * D, energy slowest
        """
        points = np.linspace(0.0, self.energy_max, n_energy + 1)
        width = np.diff(points)
        centre = 0.5 * (points[1:] + points[:-1])
        volume = width * (centre**2 + width**2 / 12.0)
        content = np.diff(self._content(points), axis=1) / volume
        directions = len(self.n)
        return (
            np.repeat(centre, directions),
            np.outer(volume, self.solid_angle).ravel(),
            np.tile(self.direction, (n_energy, 1)),
            np.clip(content.T, -1.0, 1.0).ravel(),
        )

    def _content(self, energy: Floats) -> Floats:
        """Integral of E^2 n from 0 to each energy, (D, M)."""
        low, high = self.edges[:-1], self.edges[1:]
        slope = (self.n[:, :, 1] - self.n[:, :, 0]) / (high - low)
        piece = np.clip(np.searchsorted(self.edges, energy, side="right") - 1, 0, len(low) - 1)

        def part(k: NDArray[np.int64], upper: Floats) -> Floats:
            # int E^2 (n_low + slope (E - low)) from low to upper, in the distance from low
            x, a = upper - low[k], low[k]
            plain = x * (a * a + x * (a + x / 3.0))
            tilted = x * x * (a * a / 2.0 + x * (2.0 * a / 3.0 + x / 4.0))
            return np.asarray(self.n[:, k, 0] * plain + slope[:, k] * tilted)

        whole = np.cumsum(part(np.arange(len(low)), high), axis=1)
        before = np.concatenate([np.zeros((len(self.n), 1)), whole], axis=1)
        return np.asarray(before[:, piece] + part(piece, energy))


def spectrum(
    occupation: Occupation,
    *,
    n_theta: int,
    n_phi: int,
    energy_max: float,
    edges: Sequence[float] = (),
    linear: bool = True,
    tolerance: float = 1e-4,
) -> Spectrum:
    """Turn an occupation pattern into a `Spectrum`.

    Parameters
    ----------
    occupation : Callable
        Takes a `Grid` (only energy, theta and phi of its pairs are meant to be used) and returns (rho, rhobar).
    n_theta, n_phi : int
        Bins of the directions, as in `pairsweep.physics.grid.bins`.
    energy_max : float
        Cutoff, MeV.
    edges : sequence of float
        Energies (MeV) where the occupation has steps or kinks; those outside (0, energy_max) do not matter.
    linear : bool
        The occupation is linear in E between the edges. Otherwise it is refined until no probe of it deviates from the
        pieces by more than ``tolerance``.

    Raises
    ------
    DiscontinuityError
        For a step at an energy that is not among the edges.
    ValueError
        For occupations outside [0, 1], or more than `MOST_PIECES` pieces.
    """
    sphere = bins(1, n_theta, n_phi, energy_max)
    inner = sorted({float(edge) for edge in edges if 0.0 < edge < energy_max})
    points = np.array([0.0, *inner, energy_max])

    def epn(energy: Floats) -> Floats:
        return _epn(occupation, sphere, energy)

    error = 0.0
    if linear:
        low, high = points[:-1], points[1:]
        # inside the pieces, because at an edge itself a step belongs to one side only
        first, second = epn(0.75 * low + 0.25 * high), epn(0.25 * low + 0.75 * high)
        half_rise = 0.5 * (second - first)
        n = np.stack([first - half_rise, second + half_rise], axis=2)
    else:
        points, n, error = _refined(epn, points, tolerance, energy_max)
    solid_angle = np.full(sphere.size, 4.0 * np.pi / sphere.size)
    return Spectrum(points, np.clip(n, -1.0, 1.0), solid_angle, sphere.p_hat, error)


def _epn(occupation: Occupation, sphere: Grid, energy: Floats) -> Floats:
    """EPN (D, M) of the directions of ``sphere`` at M energies."""
    directions = sphere.size
    grid = Grid(
        energy=np.repeat(energy, directions),
        weight=np.ones(energy.size * directions),
        theta=np.tile(sphere.theta, energy.size),
        phi=np.tile(sphere.phi, energy.size),
        energy_bin=np.repeat(np.arange(energy.size), directions),
        bin_energy=energy,
    )
    rho, rhobar = (
        np.broadcast_to(np.asarray(v, dtype=np.float64), grid.energy.shape) for v in occupation(grid)
    )
    for name, values in (("rho", rho), ("rhobar", rhobar)):
        if not np.all((values >= 0.0) & (values <= 1.0)):
            worst = int(np.flatnonzero(~((values >= 0.0) & (values <= 1.0)))[0])
            raise ValueError(
                f"{name} = {values[worst]:g} at E = {grid.energy[worst]:g} MeV: occupations lie between 0 and 1"
            )
    return np.asarray((rho + rhobar - 1.0).reshape(energy.size, directions).T)


def _refined(
    epn: Callable[[Floats], Floats], points: Floats, tolerance: float, energy_max: float
) -> tuple[Floats, Floats, float]:
    """Bisect pieces until each is close to its chord; returns edges, n (D, K, 2) and the deviation left."""
    stretches = [np.linspace(a, b, FIRST_PIECES + 1) for a, b in itertools.pairwise(points)]
    low = np.concatenate([s[:-1] for s in stretches])
    high = np.concatenate([s[1:] for s in stretches])
    nudge = 1e-12 * energy_max  # to the side of a declared step that a piece lies on
    declared = set(points.tolist())

    def ends(low: Floats, high: Floats) -> Floats:
        inside_low = np.array([x + nudge if x in declared else x for x in low])
        inside_high = np.array([x - nudge if x in declared else x for x in high])
        return np.stack([epn(inside_low), epn(inside_high)], axis=2)

    n = ends(low, high)
    done: list[tuple[Floats, Floats, Floats]] = []
    error = 0.0
    kept = 0
    while low.size:  # bounded: pieces halve until they are narrower than NARROWEST
        deviation = np.zeros(low.size)
        for share in PROBES:
            chord = (1.0 - share) * n[:, :, 0] + share * n[:, :, 1]
            deviation = np.maximum(
                deviation, np.abs(epn((1.0 - share) * low + share * high) - chord).max(axis=0)
            )
        good = deviation <= tolerance
        done.append((low[good], high[good], n[:, good]))
        kept += int(good.sum())
        error = max(error, float(deviation[good].max(initial=0.0)))
        low, high, n = low[~good], high[~good], n[:, ~good]
        narrow = high - low < NARROWEST * energy_max
        if narrow.any():
            where = int(np.flatnonzero(narrow)[0])
            raise DiscontinuityError(
                f"the occupation jumps at E = {0.5 * (low[where] + high[where]):.6g} MeV, which is not among the "
                "declared energy edges: declare it"
            )
        if kept + 2 * low.size > MOST_PIECES:
            raise ValueError(
                f"the occupation needs more than {MOST_PIECES} linear pieces: make it smoother in energy"
            )
        middle = 0.5 * (low + high)
        at_middle = epn(middle)[:, :, None]
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
        n = np.concatenate(
            [
                np.concatenate([n[:, :, :1], at_middle], axis=2),
                np.concatenate([at_middle, n[:, :, 1:]], axis=2),
            ],
            axis=1,
        )
    low = np.concatenate([part[0] for part in done])
    high = np.concatenate([part[1] for part in done])
    n = np.concatenate([part[2] for part in done], axis=1)
    order = np.argsort(low)
    return np.append(low[order], high[order[-1]]), n[:, order], error

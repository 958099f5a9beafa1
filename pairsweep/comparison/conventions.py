"""Conventions that cannot be told by a factor: the order of pairs, conjugation, unit vectors, layout of a matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations, permutations, product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairsweep.comparison.report import Difference
from pairsweep.comparison.terms import Complex, Ints, System
from pairsweep.physics.grid import Floats, Grid

# More of them at once are not looked for: with many differences something always fits.
MOST = 3
# How exactly two pairs lie opposite each other.
OPPOSITE = 1e-9


class Order(NamedTuple):
    """``places[i]`` is our number of their pair i."""

    text: str
    places: Ints


@dataclass(frozen=True, eq=False)
class Conventions:
    """How their numbers are written. The defaults are ours.

    Attributes
    ----------
    order : of their pairs
    conjugate : whether they keep conj(kappa)
    scale : their kappa over ours
    mirrored : whether their phi_hat is reversed
    turned : whether their kappa is i times ours
    partner : where rhobar is taken from if it stands at its own direction: the pair that flies the other way
    weighted : whether their variables are w kappa
    rotating : whether their kappa is in the frame that turns with 2 E
    """

    order: Order | None = None
    conjugate: bool = False
    scale: float = 1.0
    mirrored: bool = False
    turned: bool = False
    partner: Ints | None = None
    weighted: bool = False
    rotating: bool = False

    def system(self, ours: System) -> System:
        """Our system with what cannot be undone on their numbers."""
        if self.partner is not None:
            ours = replace(ours, rhobar=ours.rhobar[self.partner])
        return ours.mirrored() if self.mirrored else ours

    def placed(self, theirs: NDArray[Any]) -> NDArray[Any]:
        """Their numbers (..., N) in the order of our pairs."""
        if self.order is None:
            return theirs
        ours = np.empty_like(theirs)
        ours[..., self.order.places] = theirs
        return ours

    def kappa(self, theirs: Complex) -> Complex:
        """Their kappa or its derivative (..., N) as ours."""
        ours = np.asarray(self.placed(np.asarray(theirs, np.complex128)))
        ours = (-1j if self.turned else 1.0) * ours / self.scale
        return np.asarray(ours.conj() if self.conjugate else ours)

    def blocks(self, theirs: Complex, weight: Floats) -> Complex:
        """Their A and B of dkappa/dt = A kappa + B conj(kappa), (2, N, N), as ours."""
        ours = theirs
        if self.order is not None:
            ours = np.empty_like(theirs)
            ours[np.ix_(np.arange(2), self.order.places, self.order.places)] = theirs
        if self.weighted:
            ours = ours * (weight / weight[:, None])
        if self.turned:
            ours = ours * np.array([1.0, -1.0])[:, None, None]
        return np.asarray(ours.conj() if self.conjugate else ours)

    def differences(self, part: str) -> list[Difference]:
        """What is not as ours, in words."""
        found = []
        if self.order is not None:
            found.append(Difference(part, "order", self.order.text))
        if self.conjugate:
            found.append(Difference(part, "conjugate", "kappa is the complex conjugate of ours"))
        if self.scale != 1.0:
            found.append(Difference(part, "kappa scale", f"kappa is {self.scale:g} times ours", self.scale))
        if self.mirrored:
            text = "the frame (p_hat, theta_hat, phi_hat) is left-handed: eps = theta_hat + i phi_hat"
            found.append(Difference(part, "mirrored", text))
        if self.turned:
            text = "kappa is i times ours: theta_hat and phi_hat are turned by 90 degrees"
            found.append(Difference(part, "turned", text))
        if self.partner is not None:
            text = "rhobar is read at its own direction; ours is that of the antineutrino of momentum -p"
            found.append(Difference(part, "rhobar", text))
        if self.weighted:
            found.append(Difference(part, "weighted", "the variables are w kappa"))
        if self.rotating:
            found.append(Difference(part, "rotating", "kappa is kept without its rotation exp(-2 i E t)"))
        return found


OURS = Conventions()


def candidates(changes: list[dict[str, object]], most: int = MOST) -> Iterator[tuple[int, Conventions]]:
    """Yield conventions with 0, 1, 2, ... of the changes, and how many; one change of a kind at a time."""
    for count in range(most + 1):
        for chosen in combinations(changes, count):
            names = [name for change in chosen for name in change]
            if len(set(names)) == len(names):
                yield count, replace(OURS, **{k: v for change in chosen for k, v in change.items()})  # type: ignore[arg-type]


def changes_of(grid: Grid, *names: str) -> list[dict[str, object]]:
    """Single changes that make sense on a grid: of these names, and of order and rhobar."""
    values = {"scale": (2.0, 0.5, -1.0)}
    listed: list[dict[str, object]] = [{name: value} for name in names for value in values.get(name, (True,))]
    partner = opposite(grid)
    if partner is not None:
        listed.append({"partner": partner})
    return listed + [{"order": order} for order in orders(grid)]


def orders(grid: Grid) -> list[Order]:
    """Usual orders of the pairs that differ from the grid's own."""
    theta: Floats = np.asarray(np.round(grid.theta, 12), np.float64)
    columns: dict[str, list[tuple[str, Floats]]] = {
        "energy": [("", grid.energy)],
        "theta": [
            ("theta rising", theta),
            ("cos(theta) rising", -theta),
        ],
        "phi": [("", _azimuth(grid, 0.0)), ("phi from -pi", _azimuth(grid, -np.pi))],
    }
    known = {np.arange(grid.size).tobytes()}
    found = []
    for names in permutations(columns):
        for chosen in product(*(columns[name] for name in names)):
            places = np.lexsort([values for _, values in reversed(chosen)])
            if places.tobytes() not in known:
                known.add(places.tobytes())
                details = [text for text, _ in chosen if text]
                text = f"pairs are ordered ({', '.join(names)}), {names[0]} slowest, {', '.join(details)}"
                found.append(Order(text, places))
    backwards = np.arange(grid.size)[::-1].copy()
    if backwards.tobytes() not in known:
        found.append(Order("pairs are in the opposite order", backwards))
    return found


def _azimuth(grid: Grid, start: float) -> Floats:
    return np.asarray(np.round(np.mod(grid.phi - start, 2 * np.pi), 12), np.float64)


def opposite(grid: Grid) -> Ints | None:
    """Return the pair of the same energy that flies the other way, for each pair; None where one has none."""
    from scipy.spatial import cKDTree

    scale = float(grid.energy.max()) or 1.0
    places = np.concatenate([grid.p_hat, grid.energy[:, None] / scale], axis=1)
    distance, found = cKDTree(places).query(places * np.array([-1.0, -1.0, -1.0, 1.0]))
    if np.max(distance) > OPPOSITE or np.unique(found).size < grid.size:
        return None
    return np.asarray(found, dtype=np.int64)

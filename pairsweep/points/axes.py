"""A specification unfolded: the dimensions of the sweep and the values at any of its points."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.contract.fields import Parameter, Scalar
from pairsweep.contract.variables import POINT
from pairsweep.spec.model import Spec

Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Dimension:
    """A dimension of the sweep and the parameters that move along it."""

    name: str
    members: tuple[Parameter, ...]

    @property
    def size(self) -> int:
        """Number of values."""
        return len(self.members[0].values)


@dataclass(frozen=True)
class Sweep:
    """All points of a specification, none of them laid out."""

    spec: Spec
    dimensions: tuple[Dimension, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the dimensions."""
        return tuple(dimension.name for dimension in self.dimensions)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values on each dimension."""
        return tuple(dimension.size for dimension in self.dimensions)

    @property
    def n_points(self) -> int:
        """Number of points."""
        return math.prod(self.shape)

    @cached_property
    def _columns(self) -> dict[str, tuple[int | None, NDArray[Any]]]:
        """For each parameter its dimension (None for a single value) and its values."""
        columns: dict[str, tuple[int | None, NDArray[Any]]] = {
            p.name: (None, p.column) for p in self.spec.parameters
        }
        for number, dimension in enumerate(self.dimensions):
            for member in dimension.members:
                columns[member.name] = (number, member.column)
        return columns

    def dimension_of(self, name: str) -> int | None:
        """Number of the dimension a parameter moves along, or None where it is a single value."""
        return self._columns[name][0]

    def values(self, name: str, positions: Positions) -> NDArray[Any]:
        """Values of a parameter at ``positions`` (P, dimensions): (P,), or (1,) for a single value."""
        dimension, values = self._columns[name]
        return values if dimension is None else values[positions[:, dimension]]

    def beams(self, quantity: str, positions: Positions) -> NDArray[np.float64]:
        """Values of a quantity of all beams, such as "weight", at ``positions`` (P, dimensions): (P, beams).

        Without antineutrinos of its own a beam has as many of them as neutrinos.
        """
        if quantity not in self._known_beams:
            names = [self._of_beam(quantity, beam) for beam in self.spec.beams]
            moving = [(i, name) for i, name in enumerate(names) if self.dimension_of(name) is not None]
            self._known_beams[quantity] = np.array([self._columns[name][1][0] for name in names]), moving
        first, moving = self._known_beams[quantity]
        values = np.array(np.broadcast_to(first, (len(positions), first.size)), dtype=np.float64)
        for beam, name in moving:
            values[:, beam] = self.values(name, positions)
        return values

    def beam_dimensions(self, quantity: str) -> tuple[int | None, ...]:
        """For each beam the number of the dimension along which it changes this quantity, None where it does not."""
        return tuple(self.dimension_of(self._of_beam(quantity, beam)) for beam in self.spec.beams)

    def _of_beam(self, quantity: str, beam: str) -> str:
        name = f"{quantity}_{beam}"
        return f"rho_{beam}" if quantity == "rhobar" and name not in self._columns else name

    @cached_property
    def _known_beams(self) -> dict[str, tuple[NDArray[Any], list[tuple[int, str]]]]:
        """For each quantity the values of all beams at the first point, and which of them move: found once."""
        return {}

    def codes(self, dimension: int, names: frozenset[str]) -> NDArray[np.int64]:
        """Number the combinations of some members' values along a dimension, (size,), by their first places.

        Found once: a block must not walk a whole axis.
        """
        own, key = self.dimensions[dimension].name, (dimension, names)
        if key not in self._known_codes and own in names and own != POINT:
            # its labels are all different
            self._known_codes[key] = np.arange(self.dimensions[dimension].size)
        elif key not in self._known_codes:
            found = np.zeros(self.dimensions[dimension].size, dtype=np.int64)
            for name in sorted(names):
                _, along = np.unique(self._columns[name][1], return_inverse=True)
                _, first, found = np.unique(
                    found * (along.max() + 1) + along, return_index=True, return_inverse=True
                )
                rank = np.empty(first.size, dtype=np.int64)
                rank[np.argsort(first)] = np.arange(first.size)
                found = rank[found]
            self._known_codes[key] = found
        return self._known_codes[key]

    @cached_property
    def _known_codes(self) -> dict[tuple[int, frozenset[str]], NDArray[np.int64]]:
        return {}

    def columns_over(
        self, names: Sequence[str]
    ) -> tuple[tuple[str, ...], tuple[int, ...], dict[str, NDArray[Any]]]:
        """Dimensions that any of these parameters moves along, their sizes, and the values at all places, (places,)."""
        moving = sorted({d for d in map(self.dimension_of, names) if d is not None})
        positions = self.places(moving)
        columns = {
            name: np.broadcast_to(self.values(name, positions), len(positions))
            for name in dict.fromkeys(names)
        }
        return tuple(self.names[d] for d in moving), tuple(self.shape[d] for d in moving), columns

    def places(self, dimensions: Sequence[int]) -> Positions:
        """All positions along some dimensions, the last fastest and the others at their first value."""
        shape = tuple(self.shape[d] for d in dimensions)
        positions = np.zeros((math.prod(shape), len(self.shape)), dtype=np.int64)
        positions[:, list(dimensions)] = np.indices(shape).reshape(len(shape), math.prod(shape)).T
        return positions

    def over(self, names: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...], list[dict[str, Any]]]:
        """Dimensions that any of these parameters moves along, their sizes, and the values at each place."""
        dims, shape, columns = self.columns_over(names)
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        return dims, shape, [dict(zip(columns, row, strict=True)) for row in rows]

    def point(self, position: tuple[int, ...]) -> dict[str, Scalar]:
        """Every parameter's value at one position."""
        row = np.array([position], dtype=np.int64).reshape(1, len(self.dimensions))
        return {name: self.values(name, row)[0].item() for name in self._columns}


def expand(spec: Spec) -> Sweep:
    """Find the dimensions of a sweep: one per axis in the order of the file, zipped axes on one."""
    leaders = {name: group for group in spec.zips for name in group}
    dimensions = []
    for parameter in spec.parameters:
        if not parameter.is_axis:
            continue
        group = leaders.get(parameter.name, (parameter.name,))
        if parameter.name == group[0]:
            dimensions.append(Dimension(group[0], tuple(spec[name] for name in group)))
    return Sweep(spec, tuple(dimensions))


def at_points(spec: Spec, values: Mapping[str, Sequence[Scalar]]) -> Sweep:
    """Give the sweep over single points, wherever they lie: one dimension ``POINT`` along which every axis moves.

    ``values`` has one value for each point on each axis of ``spec``.
    """
    members = tuple(replace(p, values=tuple(values[p.name])) for p in spec.parameters if p.is_axis)
    moved = {member.name: member for member in members}
    moving = replace(spec, parameters=tuple(moved.get(p.name, p) for p in spec.parameters))
    return Sweep(moving, (Dimension(POINT, members),))

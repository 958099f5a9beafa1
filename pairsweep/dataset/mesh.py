"""Bisection of a map's cells around a boundary: pure bookkeeping, no physics and no store.

The cells between the values of a coarse map are halved wherever their points disagree, until they are as small as
wanted. A cell looks at every known point of its closed box, also at those that a finer neighbour left on its faces:
so a boundary that enters a cell through a face is followed, and no finer cell ends against a coarser one that the
boundary runs into.

An island of another class is found for certain if it holds a box of the size of a coarse cell, since such a box
holds a point of the coarse map; `Mesh.certain_island` says how large that is.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Place = tuple[int, ...]  # a point in units of the finest cell, one number for each axis
MAX_HALVINGS = 40


@dataclass
class _Cell:
    """Lower corner and widths in finest units, and the known points of the closed box."""

    corner: Place
    widths: Place
    points: set[Place] = field(default_factory=set)


class Mesh:
    """Cells over the coarse values of some axes, halved where classes differ.

    Parameters
    ----------
    axes : sequence of (m,) arrays
        Ascending values of the coarse map on each axis.
    widths : sequence of float
        Largest width of a boundary cell on each axis, in its units.

    Raises
    ------
    ValueError
        For a width that doubles on this axis cannot represent.
    """

    def __init__(self, axes: Sequence[NDArray[np.float64]], widths: Sequence[float]) -> None:
        self._axes = [np.asarray(values, dtype=np.float64) for values in axes]
        self._goal = tuple(widths)
        self._halvings = []
        for values, width in zip(self._axes, widths, strict=True):
            resolution = np.spacing(np.abs(values).max())
            if not width > 4 * resolution:
                raise ValueError(
                    f"{width:g} is below what doubles near {np.abs(values).max():g} can represent"
                )
            self._halvings.append(max(0, math.ceil(math.log2(np.diff(values).max() / width))))
        self._units = tuple(1 << halvings for halvings in self._halvings)
        self._class: dict[Place, int] = {}
        self._cells: dict[tuple[Place, Place], _Cell] = {}
        for start in itertools.product(*(range(values.size - 1) for values in self._axes)):
            corner = tuple(i * unit for i, unit in zip(start, self._units, strict=True))
            self._cells[corner, self._units] = _Cell(corner, self._units)

    def coarse(self) -> list[Place]:
        """Points of the coarse map."""
        ranges = (range(values.size) for values in self._axes)
        return [
            tuple(i * u for i, u in zip(index, self._units, strict=True))
            for index in itertools.product(*ranges)
        ]

    def coordinates(self, place: Place) -> tuple[float, ...]:
        """Values of a point on the axes; those of the coarse map come out exactly."""
        found = []
        for position, unit, values in zip(place, self._units, self._axes, strict=True):
            cell, inside = divmod(position, unit)
            low = values[cell]
            found.append(float(low + (values[cell + 1] - low) * (inside / unit)) if inside else float(low))
        return tuple(found)

    @property
    def certain_island(self) -> tuple[float, ...]:
        """Extent on each axis of the smallest box that is sure to be found: the widest coarse cell."""
        return tuple(float(np.diff(values).max()) for values in self._axes)

    def learn(self, classes: Mapping[Place, int]) -> None:
        """Take in the classes of points; one that could not be computed is a class of its own."""
        for place, kind in classes.items():
            self._class[place] = kind
            for cell in self._around(place):
                cell.points.add(place)

    def boundary_cells(self) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
        """Lower and upper corners of the cells in which classes differ."""
        return [
            (self.coordinates(cell.corner), self.coordinates(self._far_corner(cell)))
            for cell in self._cells.values()
            if self._mixed(cell)
        ]

    def split(self) -> list[Place]:
        """Halve every boundary cell that is wider than wanted; return the points whose classes are needed then."""
        wanted: set[Place] = set()
        for key, cell in list(self._cells.items()):
            if not self._mixed(cell):
                continue
            halves = [self._splits(cell, axis) for axis in range(len(self._axes))]
            if not any(halves):
                continue
            del self._cells[key]
            widths = tuple(w // 2 if half else w for w, half in zip(cell.widths, halves, strict=True))
            for steps in itertools.product(
                *((0, w) if half else (0,) for w, half in zip(widths, halves, strict=True))
            ):
                child = _Cell(tuple(c + s for c, s in zip(cell.corner, steps, strict=True)), widths)
                child.points = {place for place in cell.points if self._holds(child, place)}
                self._cells[child.corner, widths] = child
                wanted.update(place for place in self._corners(child) if place not in self._class)
        return sorted(wanted)

    def _splits(self, cell: _Cell, axis: int) -> bool:
        if cell.widths[axis] == 1:
            return False
        low, high = self.coordinates(cell.corner)[axis], self.coordinates(self._far_corner(cell))[axis]
        return high - low > self._goal[axis]

    def _mixed(self, cell: _Cell) -> bool:
        return len({self._class[place] for place in cell.points}) > 1

    @staticmethod
    def _far_corner(cell: _Cell) -> Place:
        return tuple(c + w for c, w in zip(cell.corner, cell.widths, strict=True))

    @staticmethod
    def _corners(cell: _Cell) -> list[Place]:
        return list(itertools.product(*((c, c + w) for c, w in zip(cell.corner, cell.widths, strict=True))))

    @staticmethod
    def _holds(cell: _Cell, place: Place) -> bool:
        return all(c <= p <= c + w for c, p, w in zip(cell.corner, place, cell.widths, strict=True))

    def _around(self, place: Place) -> list[_Cell]:
        """Cells whose closed box holds a point: the ones on every side of it."""
        found = []
        for side in itertools.product((0, 1), repeat=len(place)):
            probe = tuple(p - s for p, s in zip(place, side, strict=True))  # the finest cell on that side
            last = [u * (values.size - 1) for u, values in zip(self._units, self._axes, strict=True)]
            if all(0 <= p < end for p, end in zip(probe, last, strict=True)):
                found.append(self._leaf(probe))
        return found

    def _leaf(self, probe: Place) -> _Cell:
        """Find the cell that holds a finest cell, from the coarse ones down."""
        widths = self._units
        for _ in range(MAX_HALVINGS):
            corner = tuple(p // w * w for p, w in zip(probe, widths, strict=True))
            cell = self._cells.get((corner, widths))
            if cell is not None:
                return cell
            widths = self._below(corner, widths)
        raise AssertionError("the cells cover the map")

    def _below(self, corner: Place, widths: Place) -> Place:
        """Widths of the cells that one of these was split into: the same rule as `split`."""
        cell = _Cell(corner, widths)
        return tuple(w // 2 if self._splits(cell, axis) else w for axis, w in enumerate(widths))

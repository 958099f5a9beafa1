"""Border lines of a region known on a grid of labels, at the interpolated place of every edge.

A contour line of the growth rate itself would lie too far inside: it is exactly 0 on one side. So the edges
are those of `dataset.onset.onset_edges` along both directions, and marching squares join them: each square of four
labels with two edges gets one piece of the line; with four (a saddle) two, cutting off opposite corners.
Pieces that share an edge are chained, so that a line may be dashed. Where a line comes along one side and leaves along
the other, as that of a crossing does, the piece between them is a corner and no diagonal.
"""

from __future__ import annotations

import numpy as np

from pairsweep.dataset.onset import onset_edges
from pairsweep.physics.grid import Floats

STRAIGHT = 0.1  # slope of a piece, in labels a label, up to which it lies along a side

Edge = tuple[int, int, int]  # direction (0 along x, 1 along y), row, column


def border_lines(x: Floats, y: Floats, values: Floats) -> list[Floats]:
    """Lines (k, 2) of (x, y) around the region ``values > 0``.

    Parameters
    ----------
    x, y : (nx,), (ny,)
        Ascending labels.
    values : (ny, nx)
        At least 0; NaN where unknown: no line touches an unknown label.
    """
    places = _places(x, y, values)
    touched = {square for edge in places for square in _squares_beside(edge)}
    neighbours: dict[Edge, list[Edge]] = {}
    for row, column in sorted(touched):
        corners = values[max(row, 0) : row + 2, max(column, 0) : column + 2]
        if corners.shape != (2, 2) or not np.isfinite(corners).all():
            continue
        around: tuple[Edge, ...] = (
            (0, row, column),
            (1, row, column),
            (0, row + 1, column),
            (1, row, column + 1),
        )
        found = [edge for edge in around if edge in places]
        for first, second in zip(found[::2], found[1::2], strict=True):
            neighbours.setdefault(first, []).append(second)
            neighbours.setdefault(second, []).append(first)
    lines = [np.array([places[edge] for edge in chain]) for chain in _chains(neighbours)]
    return [_with_corners(line, x, y) for line in lines]


def _with_corners(line: Floats, x: Floats, y: Floats) -> Floats:
    """Give a line the corner where it comes along one side and goes on along the other, instead of cutting it off."""
    if len(line) < 4:
        return line
    closed = bool(np.array_equal(line[0], line[-1]))
    scale = np.array([np.diff(axis).mean() for axis in (x, y)])
    steps = np.diff(line, axis=0) / scale
    along = np.where(
        np.abs(steps[:, 1]) < STRAIGHT * np.abs(steps[:, 0]),
        0,
        np.where(np.abs(steps[:, 0]) < STRAIGHT * np.abs(steps[:, 1]), 1, -1),
    )
    made = [line[0]]
    for i in range(len(steps)):
        before, after = (
            along[(i + side) % len(steps)] if closed or 0 <= i + side < len(steps) else -1 for side in (-1, 1)
        )
        if along[i] < 0 and {int(before), int(after)} == {0, 1}:
            # it came along x: the corner has the y of its begin, and the x of its end
            made.append(
                np.array([line[i + 1][0], line[i][1]] if before == 0 else [line[i][0], line[i + 1][1]])
            )
        made.append(line[i + 1])
    return np.array(made)


def border_steps(x: Floats, edges: Floats, values: Floats) -> list[Floats]:
    """Border (2, 2) across each row in which ``values > 0`` begins or ends along x.

    Parameters
    ----------
    x : (nx,)
        Ascending labels.
    edges : (ny + 1,)
        Of the rows, which have nothing between them.
    values : (ny, nx)
        See `border_lines`.
    """
    row, _, _, place, _ = onset_edges(values, x)
    return [
        np.array([[at, edges[i]], [at, edges[i + 1]]])
        for i, at in zip(row.tolist(), place.tolist(), strict=True)
    ]


def _squares_beside(edge: Edge) -> tuple[tuple[int, int], tuple[int, int]]:
    """Lower left corners (row, column) of the two squares that share an edge; one may lie outside."""
    direction, row, column = edge
    return ((row, column), (row - 1, column) if direction == 0 else (row, column - 1))


def _places(x: Floats, y: Floats, values: Floats) -> dict[Edge, tuple[float, float]]:
    places: dict[Edge, tuple[float, float]] = {}
    row, low, _, place, _ = onset_edges(values, x)
    for i, column, at in zip(row.tolist(), np.searchsorted(x, low).tolist(), place.tolist(), strict=True):
        places[0, i, column] = (at, float(y[i]))
    column_of, low, _, place, _ = onset_edges(values.T, y)
    for j, i, at in zip(column_of.tolist(), np.searchsorted(y, low).tolist(), place.tolist(), strict=True):
        places[1, i, j] = (float(x[j]), at)
    return places


def _chains(neighbours: dict[Edge, list[Edge]]) -> list[list[Edge]]:
    """Walk through pieces that share edges: open lines first, from their ends, then closed ones."""
    left = {edge: list(others) for edge, others in neighbours.items()}
    chains = []
    for start in sorted(left, key=lambda edge: (len(neighbours[edge]), edge)):
        while left[start]:
            chain = [start]
            while left[chain[-1]]:
                step = left[chain[-1]].pop()
                left[step].remove(chain[-1])
                chain.append(step)
            chains.append(chain)
    return chains

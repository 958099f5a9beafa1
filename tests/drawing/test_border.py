from __future__ import annotations

import numpy as np
import pytest

from pairsweep.drawing.border import border_lines, border_steps

X, Y = np.linspace(-1.0, 1.0, 21), np.linspace(-1.2, 1.2, 25)


def disc(radius: float, x: float = 0.0, y: float = 0.0) -> np.ndarray:
    """Square-root onset inside a circle, as growth rates have it."""
    return np.sqrt(np.maximum(radius**2 - (X[None, :] - x) ** 2 - (Y[:, None] - y) ** 2, 0.0))


def test_circle_is_one_closed_line_on_the_circle():
    (line,) = border_lines(X, Y, disc(0.73))
    assert np.array_equal(line[0], line[-1])
    assert np.hypot(*line.T) == pytest.approx(np.full(len(line), 0.73), abs=1e-9)
    length = np.hypot(*np.diff(line, axis=0).T).sum()
    assert length == pytest.approx(2 * np.pi * 0.73, rel=0.01)


def test_half_plane_is_one_open_line_from_edge_to_edge():
    values = np.sqrt(np.maximum(X[None, :] - 0.537 + 0 * Y[:, None], 0.0))
    (line,) = border_lines(X, Y, values)
    assert line[:, 0] == pytest.approx(np.full(len(line), 0.537), abs=1e-9)
    assert sorted(line[[0, -1], 1]) == [Y[0], Y[-1]]


def test_two_regions_are_two_lines():
    lines = border_lines(X, Y, disc(0.3, -0.5) + disc(0.3, 0.5))
    assert len(lines) == 2
    assert sorted(np.sign(line[:, 0].mean()) for line in lines) == [-1, 1]


def test_no_line_touches_an_unknown_label():
    values = disc(0.73)
    values[:, :10] = np.nan
    (line,) = border_lines(X, Y, values)
    assert line[:, 0].min() >= X[10]


@pytest.mark.parametrize("values", [np.zeros((25, 21)), np.ones((25, 21)), np.full((25, 21), np.nan)])
def test_no_border_no_line(values):
    assert border_lines(X, Y, values) == []


def test_saddle_cuts_off_its_corners():
    lines = border_lines(np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert len(lines) == 2
    assert all(len(line) == 2 for line in lines)


def test_every_edge_is_used_once():
    rng = np.random.default_rng(3)
    values = np.where(rng.random((25, 21)) < 0.5, 0.0, rng.random((25, 21)))
    points = [tuple(point) for line in border_lines(X, Y, values) for point in line]
    points = [(x, y) for x, y in points if x in X or y in Y]  # corners lie between labels
    changes = (np.diff(values > 0, axis=0) != 0).sum() + (np.diff(values > 0, axis=1) != 0).sum()
    assert len(set(points)) == changes


def test_rows_apart_have_a_step_each():
    onset = np.array([-0.537, 0.113, 2.0])
    values = np.sqrt(np.maximum(X[None, :] - onset[:, None], 0.0))
    steps = border_steps(X, np.arange(4.0), values)
    assert np.array(steps) == pytest.approx(
        np.array([[[-0.537, 0.0], [-0.537, 1.0]], [[0.113, 1.0], [0.113, 2.0]]]), abs=1e-9
    )


def test_a_corner_is_no_diagonal():
    """As of an EPN crossing: unstable where x > 0.437 and y < 0.213."""
    inside = (X[None, :] - 0.437).clip(0.0) * (0.213 - Y[:, None]).clip(0.0)
    (line,) = border_lines(X, Y, np.sqrt(inside))
    corner = line[np.abs(line - (0.437, 0.213)).max(axis=1) < 1e-9]
    assert len(corner) == 1
    steps = np.diff(line, axis=0)
    assert np.all(np.abs(steps).min(axis=1) < 1e-9)  # every piece along one side


def test_a_corner_of_a_closed_line_is_found_where_it_closes():
    inside = (0.6 - np.abs(X[None, :])).clip(0.0) * (0.7 - np.abs(Y[:, None])).clip(0.0)
    (line,) = border_lines(X, Y, np.sqrt(inside))
    corners = {(round(x, 6), round(y, 6)) for x, y in line if abs(abs(x) - 0.6) + abs(abs(y) - 0.7) < 1e-6}
    assert corners == {(a, b) for a in (-0.6, 0.6) for b in (-0.7, 0.7)}

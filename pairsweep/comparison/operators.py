"""A matrix of the linearised equation or a right-hand side of another code, taken apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairsweep.comparison.conventions import OURS, Conventions, changes_of
from pairsweep.comparison.fit import Part, left_over, untouched
from pairsweep.comparison.report import Comparand, Difference
from pairsweep.comparison.search import Explanation, Reading, explain
from pairsweep.comparison.terms import Complex, Ints, System, matrix_terms, rate_terms
from pairsweep.physics.grid import Grid

# Pairs whose part of a matrix is looked at in the search; what is found is then tried on all.
ROWS = 32
# Rows at a time, so that memory stays small.
AT_ONCE = 64

Findings = tuple[list[Comparand], list[Explanation], dict[str, float]]


def compare_matrix(
    grid: Grid, ours: System, matrix: Complex, tolerance: float, mu_prime: float | None
) -> Findings:
    """Compare the matrix of the linearised equation, (2N, 2N) or (N, N), whatever its variables."""
    size = grid.size
    few = np.sort(np.random.default_rng(0).permutation(size)[:ROWS])
    names = ["conjugate", "mirrored", "turned"]
    if grid.weight.min() > 0 and np.ptp(grid.weight) > 1e-9 * grid.weight.max():
        names.append("weighted")

    every = np.arange(size)

    def parts(conventions: Conventions, blocks: Complex, rows: Ints, columns: Ints) -> list[Part]:
        cut = np.ix_(np.arange(2), np.arange(rows.size), columns)
        terms = [
            term._replace(values=term.values[cut]) for term in matrix_terms(conventions.system(ours), rows)
        ]
        return [Part("matrix", terms, conventions.blocks(blocks, grid.weight)[:, rows][:, :, columns])]

    read = read_matrix(matrix, size, tolerance)
    readings: list[Reading] = [
        (differences, lambda conventions, blocks=blocks: parts(conventions, blocks, few, few))  # type: ignore[misc]
        for differences, blocks in read
    ]
    found = explain("matrix", readings, changes_of(grid, *names), tolerance, mu_prime)
    kept, left = [], []
    for explanation in found:
        blocks = read[explanation.reading][1]
        over = max(
            left_over(part, explanation.fit.factors)
            for start in range(0, size, AT_ONCE)
            for part in parts(explanation.conventions, blocks, every[start : start + AT_ONCE], every)
        )
        if over <= tolerance:
            kept.append(explanation)
            left.append(over)
    # what cannot be read at all agrees nowhere
    unread = np.full((2, size, size), np.nan, np.complex128)
    as_ours = parts(OURS, read[0][1] if read else unread, few, every)
    return _comparands(as_ours, kept, tolerance), kept, {"matrix": left[0]} if left else {}


def read_matrix(matrix: Complex, size: int, tolerance: float) -> list[tuple[list[Difference], Complex]]:
    """Ways to read a matrix as A and B of dkappa/dt = A kappa + B conj(kappa), (2, N, N)."""
    found = []
    for omega in (False, True):
        values = -1j * matrix if omega else matrix
        said = [Difference("matrix", "omega", "it is for i d/dt: eigenvalues are omega = i lambda")]
        for text, blocks in _layouts(values, size, tolerance):
            layout = [Difference("matrix", "layout", text)] if text else []
            found.append((said * omega + layout, blocks))
    return found


def _layouts(values: Complex, size: int, tolerance: float) -> list[tuple[str, Complex]]:
    if values.shape[0] == size:
        return [("", np.stack([values, np.zeros_like(values)]))]
    apart = np.arange(2 * size).reshape(size, 2).T.ravel()
    ways = (
        ("", "variables are (kappa, conj(kappa))", values),
        (
            "real and imaginary part of each pair stand side by side",
            "kappa and conj(kappa) of each pair stand side by side",
            values[np.ix_(apart, apart)],
        ),
    )
    found: list[tuple[str, Complex]] = []
    largest = float(np.abs(values).max())
    for real_text, complex_text, arranged in ways:
        a, b = arranged[:size, :size], arranged[:size, size:]
        c, d = arranged[size:, :size], arranged[size:, size:]
        if np.abs(values.imag).max() <= tolerance * largest:
            blocks = np.stack([(a + d) + 1j * (c - b), (a - d) + 1j * (c + b)])
            found.append((real_text, np.asarray(0.5 * blocks, np.complex128)))
        if max(np.abs(d - a.conj()).max(), np.abs(c - b.conj()).max()) <= tolerance * largest:
            found.append((complex_text, np.stack([a, b])))
    return found


def compare_rates(
    grid: Grid,
    ours: System,
    other: Mapping[str, NDArray[Any]],
    tolerance: float,
    mu_prime: float | None,
) -> Findings:
    """Compare dkappa, drho and drhobar, those that are given, at the state (rho, rhobar, kappa)."""
    given = [name for name in ("dkappa", "drho", "drhobar") if name in other]

    def parts(conventions: Conventions, omega: bool) -> list[Part]:
        kappa = conventions.kappa(np.asarray(other["kappa"], np.complex128))
        terms = rate_terms(conventions.system(ours), kappa)
        terms["drhobar"] = terms["drho"]
        listed = []
        for name in given:
            theirs: NDArray[Any] = other[name]
            if name == "dkappa":
                theirs = conventions.kappa(np.asarray((-1j if omega else 1.0) * theirs, np.complex128))
            else:
                theirs = conventions.placed(theirs)
            if name == "drhobar" and conventions.partner is not None:
                theirs = theirs[conventions.partner]
            listed.append(Part(name, terms[name], theirs))
        return listed

    said = Difference("dkappa", "omega", "dkappa is i dkappa/dt")
    readings: list[Reading] = [([], lambda conventions: parts(conventions, False))]
    if "dkappa" in given:
        readings.append(([said], lambda conventions: parts(conventions, True)))
    changes = changes_of(grid, "conjugate", "scale", "mirrored", "turned")
    found = explain("right-hand side", readings, changes, tolerance, mu_prime)
    left = dict(found[0].fit.left_over) if found else {}
    return _comparands(parts(OURS, False), found, tolerance), found, left


def _comparands(as_ours: list[Part], found: list[Explanation], tolerance: float) -> list[Comparand]:
    listed = []
    for part in as_ours:
        agrees = untouched(part, tolerance)
        for term in part.terms:
            key, told = (part.name, term.name), (part.name, term.name, term.meaning)
            if not found:
                listed.append(Comparand(*told, "agrees" if agrees[term.name] else "unexplained"))
                continue
            factor, slack = found[0].fit.factors[key], 4 * max(found[0].fit.errors[key], 1e-7)
            if np.isnan(factor):
                listed.append(Comparand(*told, "unseen"))
            elif abs(factor - 1.0) <= slack:
                listed.append(Comparand(*told, "agrees", 1.0))
            else:
                listed.append(Comparand(*told, "differs", 0.0 if abs(factor) <= slack else factor))
    if not found and all(comparand.verdict == "agrees" for comparand in listed):
        meaning = "entries where ours has no term"
        listed.append(Comparand(as_ours[0].name, "something else", meaning, "unexplained"))
    return listed

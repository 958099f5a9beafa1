"""Samples: parameters drawn between two ends, one axis ``sample``, a point for each draw.

Each method is a sequence without an end of which ``count`` points are taken, so that a larger count keeps those that
are there, bit for bit, and a store grows.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairsweep.contract.errors import SpecError
from pairsweep.contract.fields import Field, Parameter
from pairsweep.spec import schema
from pairsweep.spec.checks import Draw, given_options, is_draw, known_keys

SAMPLE = "sample"
BITS = 52  # of a place between 0 and 1
MOST_DRAWN = 1000
LARGEST = 2**24  # numbers drawn in all


class Sample(NamedTuple):
    """Drawn parameters: tables with their places between the ends, the axis, and what moves along it."""

    tables: dict[str, Any]
    axis: Parameter
    names: tuple[str, ...]


def read_sample(data: Mapping[str, Any]) -> Sample | None:
    """Draw what is written as ``{ low, high, spacing }``; None where nothing is and no table [sample] asks for it.

    Raises
    ------
    SpecError
        For a table [sample] without anything to draw, or the other way round, or more numbers than memory should hold.
    """
    drawn = list(_drawn(data))
    if SAMPLE not in data:
        if drawn:
            cure = "is drawn between two ends: say how often in a table [sample] with count = ..."
            raise SpecError(".".join(map(str, drawn[0])), None, cure)
        return None
    known_keys(SAMPLE, data[SAMPLE], schema.SAMPLE)
    defaults = {name: field.default for name, field in schema.SAMPLE.items()}
    options: dict[str, Any] = defaults | given_options(SAMPLE, data[SAMPLE], schema.SAMPLE.values())
    if not drawn:
        cure = "nothing is drawn: give some parameter as { low = 0.1, high = 0.9 }"
        raise SpecError(SAMPLE, None, cure)
    count = options["count"]
    if len(drawn) > MOST_DRAWN or count * len(drawn) > LARGEST:
        cure = f"numbers to draw, {count:,} for each of {len(drawn):,} parameters: at most {LARGEST:.0e}"
        raise SpecError(f"{SAMPLE}.count", count * len(drawn), cure)
    places = METHODS[options["method"]](count, len(drawn), options["seed"])
    tables = {key: _copied(value) for key, value in data.items()}
    names = []
    for number, path in enumerate(drawn):
        *within, last = path
        table: Any = tables
        for key in within:
            table = table[key]
        table[last] = Draw(table[last], places[:, number])
        of = table.get("name") if within[1:] else None
        names.append(last if of is None else f"{last}_{of}")
    axis = Field(SAMPLE, "integer", "number of the draw")
    return Sample(tables, Parameter(SAMPLE, SAMPLE, axis, tuple(range(count)), True), tuple(names))


def _drawn(data: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Yield where something is drawn: table and key, or table, list of tables, number and key."""
    for table, keys in data.items():
        if not isinstance(keys, Mapping) or table == SAMPLE:
            continue
        for key, value in keys.items():
            if is_draw(value):
                yield table, key
            elif schema.LISTED.get(table) == key and isinstance(value, list):
                for number, entry in enumerate(value):
                    own = entry.items() if isinstance(entry, Mapping) else ()
                    yield from ((table, key, number, name) for name, each in own if is_draw(each))


def _copied(value: Any) -> Any:
    """Copy tables and lists of tables; values stay."""
    if isinstance(value, Mapping):
        return {key: _copied(entry) for key, entry in value.items()}
    return [_copied(entry) for entry in value] if isinstance(value, list) else value


def sobol(count: int, dimensions: int, seed: int) -> NDArray[np.float64]:
    """Sobol's sequence with Owen's scrambling, (count, dimensions) in [0, 1)."""
    from scipy.stats import qmc  # heavy

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The balance properties of Sobol")
        # 2^n points are balanced; others are a beginning of them, as intended
        points: NDArray[np.float64] = qmc.Sobol(dimensions, rng=np.random.default_rng(seed)).random(count)
    return points


def latin_hypercube(count: int, dimensions: int, seed: int) -> NDArray[np.float64]:
    """Latin hypercubes of 1, 2, 4, ... points, each holding the one before it, (count, dimensions) in (0, 1).

    In each dimension the first 2^k points lie one in each of 2^k equal strata: the next 2^k take the halves of these
    that are still empty, in random order (as in nested designs: Qian, Biometrika 96 (2009) 957, with factor 2).
    """
    rng = np.random.default_rng(seed)
    place = rng.integers(0, 1 << BITS, (1, dimensions))
    level = 0
    while len(place) < count:
        level += 1
        width = BITS - level
        empty = (place >> width) ^ 1  # the other half of each stratum
        empty = rng.permuted(empty, axis=0)
        place = np.concatenate([place, (empty << width) + rng.integers(0, 1 << width, empty.shape)])
    return np.asarray((place[:count] + 0.5) / 2.0**BITS, dtype=np.float64)


def random(count: int, dimensions: int, seed: int) -> NDArray[np.float64]:
    """Independent numbers, (count, dimensions) in [0, 1)."""
    return np.random.default_rng(seed).random((count, dimensions))


METHODS = {"sobol": sobol, "latin_hypercube": latin_hypercube, "random": random}

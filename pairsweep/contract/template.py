"""The labelled shape of a sweep's results, cut into blocks: plain values that plan, solve and store share.

A block is a rectangle of the axes and at once a chunk of every array: one task writes only whole chunks, and
nobody else writes them. Each analysis has a state of its own at each point; ``status`` sums them up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

PENDING, DONE, FAILED = 0, 1, 2
States = NDArray[np.int8]


def status_of(states: Iterable[States]) -> States:
    """Sum up the states of the analyses: pending while any is, else failed if any is, else done."""
    each = np.stack(list(states))
    status = np.where((each == FAILED).any(axis=0), FAILED, DONE)
    return np.where((each == PENDING).any(axis=0), PENDING, status).astype(np.int8)


@dataclass(frozen=True, eq=False)
class Coordinate:
    """A labelled coordinate: ``values`` has one axis per entry of ``dims`` (none for a scalar)."""

    name: str
    dims: tuple[str, ...]
    values: NDArray[np.generic]
    attrs: Mapping[str, object]


@dataclass(frozen=True)
class ArrayPlan:
    """A result variable: the axes of the sweep first, then ``trailing`` dimensions, whole in every chunk.

    ``analysis`` is the one that computes it; "" for ``status`` alone.
    """

    name: str
    trailing: tuple[str, ...]
    trailing_shape: tuple[int, ...]
    dtype: str
    fill_value: float | int
    attrs: Mapping[str, object]
    analysis: str = ""


@dataclass(frozen=True, eq=False)
class Template:
    """What a store of this sweep looks like before any number is known.

    Attributes
    ----------
    axes : names of the sweep's dimensions, in the order of the spec; may be empty (one point)
    shape : number of values on each axis
    block_shape : number of values of a block on each axis; the last block of an axis may be shorter
    coordinates, arrays, attrs : what is labelled, what is computed, and the attributes of the root
    """

    axes: tuple[str, ...]
    shape: tuple[int, ...]
    block_shape: tuple[int, ...]
    coordinates: tuple[Coordinate, ...]
    arrays: tuple[ArrayPlan, ...]
    attrs: Mapping[str, object]

    @cached_property
    def analyses(self) -> tuple[str, ...]:
        """The analyses whose results these are, in the order of their arrays."""
        return tuple(dict.fromkeys(plan.analysis for plan in self.arrays if plan.analysis))

    @property
    def n_points(self) -> int:
        """Number of points of the sweep."""
        return math.prod(self.shape)

    @cached_property
    def blocks_per_axis(self) -> tuple[int, ...]:
        """Number of blocks along each axis."""
        return tuple(-(-size // block) for size, block in zip(self.shape, self.block_shape, strict=True))

    @cached_property
    def n_blocks(self) -> int:
        """Number of blocks; a block is called by its number, the last axis running fastest."""
        return math.prod(self.blocks_per_axis)

    def block_index(self, block: int) -> tuple[int, ...]:
        """Position of a block along each axis: the chunk index of its chunk in every array."""
        if not 0 <= block < self.n_blocks:
            raise IndexError(f"block {block} of {self.n_blocks}")
        index = []
        for count in reversed(self.blocks_per_axis):
            block, along = divmod(block, count)
            index.append(along)
        return tuple(reversed(index))

    def block_slices(self, block: int) -> tuple[slice, ...]:
        """Ranges of the axes that a block covers."""
        return tuple(
            slice(i * step, min((i + 1) * step, size))
            for i, step, size in zip(self.block_index(block), self.block_shape, self.shape, strict=True)
        )


@dataclass(frozen=True)
class Failure:
    """Why an analysis has no result at a point: its position in the sweep's axes, one line, and the traceback.

    ``analysis`` is "" where the point took its process down, so that none of those being computed has one.
    """

    position: tuple[int, ...]
    reason: str
    traceback: str
    analysis: str = ""


@dataclass(frozen=True, eq=False)
class BlockResult:
    """Numbers of one block: arrays of the block's own shape (plus trailing dimensions) by variable name.

    ``states`` has for each analysis DONE or FAILED at the points that were computed (int8, the block's own shape).
    ``seconds`` is what solving took.
    """

    arrays: Mapping[str, NDArray[np.generic]]
    states: Mapping[str, States]
    failures: tuple[Failure, ...]
    seconds: float

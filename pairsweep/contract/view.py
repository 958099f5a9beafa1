"""What lower floors may see of a specification and of a sweep without knowing how they are read or unfolded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from pairsweep.contract.fields import Parameter


class Cells(NamedTuple):
    """Edges of cells, as a specification has them: MeV, pure numbers, radians."""

    energy_edges: tuple[float, ...]
    cos_theta_edges: tuple[float, ...]
    phi_edges: tuple[float, ...]


class SpecView(Protocol):
    """A checked specification: its kind of grid, its beams and its parameters by name."""

    @property
    def kind(self) -> str:
        """Kind of grid: "bins", "beams", ..."""

    @property
    def beams(self) -> tuple[str, ...]:
        """Names of the beams; empty for other kinds of grid."""

    @property
    def cells(self) -> Cells | None:
        """Edges of the cells, where the bins are not evenly spaced; their kind is "bins" all the same."""

    def __getitem__(self, name: str) -> Parameter: ...

    def __contains__(self, name: str) -> bool: ...


class SweepView(Protocol):
    """The points of a sweep, none of them laid out."""

    @property
    def spec(self) -> SpecView:
        """The specification."""

    def over(self, names: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...], list[dict[str, float]]]:
        """Dimensions that any of these parameters moves along, their sizes, and the values at each place."""

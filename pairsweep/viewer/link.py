"""What is looked at, as a frozen value, and as the part of an address behind the question mark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

SCALES = ("auto", "linear", "log")
DIRECTIONS = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}  # of a wave vector
_AT, _POINT = "at.", "point."
_FRAME = "frame"


@dataclass(frozen=True)
class Look:
    """What is looked at.

    Attributes
    ----------
    variable : whose map it is; "" for the first there is
    x, y : dimensions along the sides; "" where left to the page, and y also where there is one alone
    at : position, by its label as text, on each of the other dimensions
    point : labels of the point whose modes are shown, by dimension; empty for none
    colours, x_scale, y_scale : of `SCALES`
    k_along : direction of the wave numbers of the point, of `DIRECTIONS`
    frame : what is seen of the plane: least and largest x, least and largest y; None for all of it
    """

    variable: str = ""
    x: str = ""
    y: str = ""
    at: Mapping[str, str] = field(default_factory=dict)
    point: Mapping[str, str] = field(default_factory=dict)
    colours: str = "auto"
    x_scale: str = "auto"
    y_scale: str = "auto"
    k_along: str = "x"
    frame: tuple[float, float, float, float] | None = None

    @property
    def query(self) -> str:
        """The part of an address behind the question mark that brings it back."""
        plain = {
            name: getattr(self, name)
            for name in ("variable", "x", "y", "colours", "x_scale", "y_scale", "k_along")
            if getattr(self, name) != getattr(_BLANK, name)
        }
        plain |= {_AT + name: label for name, label in self.at.items()}
        plain |= {_POINT + name: label for name, label in self.point.items()}
        if self.frame is not None:
            plain[_FRAME] = ",".join(map(repr, self.frame))
        return urlencode(plain)


_BLANK = Look()


def from_query(query: str) -> Look:
    """Read such a part of an address; what cannot be read is left to the page."""
    given = dict(parse_qsl(query))
    plain = {name: given[name] for name in ("variable", "x", "y") if name in given}
    chosen = {name: given[name] for name in ("colours", "x_scale", "y_scale") if given.get(name) in SCALES}
    if given.get("k_along") in DIRECTIONS:
        chosen["k_along"] = given["k_along"]
    return Look(
        **plain,
        **chosen,
        at=_after(_AT, given),
        point=_after(_POINT, given),
        frame=_frame(given.get(_FRAME, "").split(",")),
    )


def _after(start: str, given: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(start): value for name, value in given.items() if name.startswith(start)}


def _frame(texts: Sequence[str]) -> tuple[float, float, float, float] | None:
    try:
        x0, x1, y0, y1 = map(float, texts)
    except ValueError:
        return None
    usable = all(map(math.isfinite, (x0, x1, y0, y1))) and x0 < x1 and y0 < y1
    return (x0, x1, y0, y1) if usable else None

"""What may be asked of every kind of picture: matplotlib's own keywords, and how the command line spells them.

Declared here once: the command line, ``pairsweep help pictures`` and the reference pages are made of these lists. Light
to import, for the command line builds its parser of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pairsweep.contract.errors import UsageError, suggest
from pairsweep.contract.ranges import OPEN, interval

# matplotlib's keywords, by what they are given to; whatever else is asked for goes to the lines, points or cells
AXES = ("xlabel", "ylabel", "xlim", "ylim", "xscale", "yscale")
COLOURS = ("cmap", "norm", "vmin", "vmax", "clabel")
FIGURE = ("figsize", "dpi", "title")
NAMES = "labels"  # parameter -> how it is written

KEYWORDS = {
    "title": "text above the picture",
    "xlabel, ylabel, clabel": "text of an axis, or of the colour bar",
    "xlim, ylim": "two ends of an axis, None for one that the data decide",
    "xscale, yscale": '"log" or "linear"',
    "cmap, norm, vmin, vmax": 'colours: map, scale (norm may be "log"), and the values at its ends',
    "labels": "parameter -> how it is written wherever it stands, TeX between $",
    "figsize, dpi": "width and height in inches, dots per inch; of a new figure",
    "c, s, lw, ls, marker, alpha, ...": "whatever the lines, points or cells that hold the data can be told",
}


@dataclass(frozen=True)
class Flag:
    """An option of ``pairsweep plot``: its value is read into keywords of `pairsweep.plot.draw`."""

    name: str
    metavar: str
    meaning: str
    read: Callable[[str, str], Mapping[str, Any]]


def _text(keyword: str) -> Callable[[str, str], Mapping[str, Any]]:
    return lambda place, text: {keyword: text}


def _number(keyword: str) -> Callable[[str, str], Mapping[str, Any]]:
    def read(place: str, text: str) -> Mapping[str, Any]:
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not 10.0 <= value <= 2400.0:
            raise UsageError(place, text, "give dots per inch, such as 300")
        return {keyword: value}

    return read


def _size(place: str, text: str) -> Mapping[str, Any]:
    parts = text.replace("x", ",").split(",")
    try:
        size = tuple(float(part) for part in parts)
    except ValueError:
        size = ()
    if len(size) not in (1, 2) or not all(0.5 <= side <= 100.0 for side in size):
        raise UsageError(place, text, "give inches: a width such as 3.4, or width and height such as 3.4,2.6")
    return {"figsize": size if len(size) == 2 else (size[0], None)}


def _log(place: str, text: str) -> Mapping[str, Any]:
    words = {"x": {"xscale": "log"}, "y": {"yscale": "log"}, "c": {"norm": "log"}}
    found: dict[str, Any] = {}
    for part in (part.strip() for part in text.split(",")):
        if part not in words:
            raise UsageError(place, part, suggest(part, words))
        found |= words[part]
    return found


def pairs(place: str, text: str) -> Mapping[str, str]:
    """Split ``a=1,b=2``; a comma inside a value stays where no name with a sign follows it.

    Raises
    ------
    UsageError
        For a part without a name or a value.
    """
    found: dict[str, str] = {}
    last = ""
    for part in filter(None, text.split(",")):
        name, sign, value = part.partition("=")
        if sign and name.strip() and value.strip():
            last = name.strip()
            found[last] = value.strip()
        elif last and not sign:
            found[last] += "," + part
        else:
            raise UsageError(place, part, "write NAME=VALUE, several with commas between them")
    return found


def _range(place: str, text: str) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs(place, text).items():
        ends = interval(value)
        if name not in ("x", "y", "c") or ends is None:
            raise UsageError(place, f"{name}={value}", "write x=LOW..HIGH, y=LOW..HIGH or c=LOW..HIGH")
        low, high = (None if abs(end) == OPEN else end for end in ends)
        found |= {"vmin": low, "vmax": high} if name == "c" else {f"{name}lim": (low, high)}
    return {name: value for name, value in found.items() if value is not None}


def _label(place: str, text: str) -> Mapping[str, Any]:
    given = dict(pairs(place, text))
    found: dict[str, Any] = {f"{side}label": given.pop(side) for side in ("x", "y", "c") if side in given}
    return found | ({NAMES: given} if given else {})


FLAGS = (
    Flag("--variable", "NAME", "map and histogram: what is drawn", _text("variable")),
    Flag("--hue", "AXIS", "axis whose labels colour the points or lines", _text("hue")),
    Flag(
        "--over",
        "AXIS",
        "draw statistics over this axis: median and bands, the median in maps",
        _text("over"),
    ),
    Flag("--log", "x,y,c", "make axes or colours logarithmic", _log),
    Flag("--range", "x=LOW..HIGH,...", "ends of the axes x, y or of the colours c; one may be open", _range),
    Flag("--cmap", "NAME", "colour map, any of matplotlib's", _text("cmap")),
    Flag(
        "--label",
        "NAME=TEXT,...",
        "how a parameter is written, or an axis: rho_low='$\\rho_0$',y=Rate",
        _label,
    ),
    Flag("--title", "TEXT", "text above the picture", _text("title")),
    Flag("--size", "WIDTH[,HEIGHT]", "size in inches; a column is 3.4", _size),
    Flag("--dpi", "N", "dots per inch of a .png, 150 by default", _number("dpi")),
)


def read_flags(given: Mapping[str, list[str]]) -> dict[str, Any]:
    """Read options of the command line, each with the values it was given in their order, into keywords."""
    found: dict[str, Any] = {}
    for flag in FLAGS:
        for text in given.get(flag.name.lstrip("-"), ()):
            new = dict(flag.read(flag.name, text))
            if NAMES in new:
                new[NAMES] = {**found.get(NAMES, {}), **new[NAMES]}
            found |= new
    return found

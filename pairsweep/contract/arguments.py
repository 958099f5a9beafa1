"""Arguments of functions called by hand: refusals that name the argument, its value and the cure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from pairsweep.contract.errors import shorten, suggest


def number(
    name: str,
    value: Any,
    what: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    open_below: bool = False,
) -> float:
    """Return a single finite number within limits; ``what`` says what it is, such as "a coupling in MeV^-2".

    Raises
    ------
    ValueError
        With its name, its value and what to give.
    """
    cure = f"give {what}"
    if minimum is not None:
        cure += f" {'above' if open_below else 'of at least'} {minimum:g}"
    if maximum is not None:
        cure += f" and at most {maximum:g}"
    if isinstance(value, str | bytes | bool) or np.ndim(value) != 0:
        raise ValueError(f"{name} = {shorten(value)}: {cure}, a single number")
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} = {shorten(value)}: {cure}, a single number") from None
    below = minimum is not None and (found <= minimum if open_below else found < minimum)
    if not math.isfinite(found) or below or (maximum is not None and found > maximum):
        raise ValueError(f"{name} = {shorten(value)}: {cure}")
    return found


def whole(name: str, value: Any, what: str, minimum: int) -> int:
    """Return a whole number of at least ``minimum``; 4.0 is none, since it is most often another argument.

    Raises
    ------
    ValueError
        With its name, its value and what to give.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < minimum:
        raise ValueError(f"{name} = {shorten(value)}: give {what}, a whole number of at least {minimum}")
    return int(value)


def choice(name: str, value: Any, choices: Iterable[str]) -> str:
    """Return one of some words.

    Raises
    ------
    ValueError
        With the nearest of them.
    """
    choices = tuple(choices)
    if value not in choices:
        raise ValueError(f"{name} = {shorten(value)}: {suggest(value, choices)}")
    return str(value)

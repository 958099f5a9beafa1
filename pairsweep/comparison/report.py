"""What a comparison found: terms, differences with their names, and the page that is printed of them."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["agrees", "differs", "unseen", "unexplained"]


@dataclass(frozen=True)
class Comparand:
    """One quantity or one term of the equations in both codes.

    Attributes
    ----------
    part : "energy", "weight", ..., "matrix", "dkappa", "drho", "drhobar" or "trajectory"
    name : of the term; that of the part where there is one only
    meaning : the term as a formula
    verdict : "agrees", "differs" by ``factor``, "unseen" (too small here to be told, or not told from another term),
        or "unexplained"
    factor : theirs over ours once the differences named are taken out; None where it cannot be told
    """

    part: str
    name: str
    meaning: str
    verdict: Verdict
    factor: float | None = None


@dataclass(frozen=True)
class Difference:
    """A difference of convention that has a name.

    Attributes
    ----------
    part : what showed it
    kind : "order", "conjugate", "rhobar", "kappa scale", "mirrored", "turned", "layout", "omega", "weighted",
        "rotating", "unit", "time unit", "coupling", "sign", "left out", "factor"; "unusual factor" for a number that
        means nothing
    text : in words
    factor : theirs over ours, where it is a number
    """

    part: str
    kind: str
    text: str
    factor: float | None = None


@dataclass(frozen=True)
class Comparison:
    """What agrees with another code, term by term, and what differs; printed, a page of it.

    Attributes
    ----------
    comparands : every quantity and term with its verdict
    differences : differences of convention by name; empty where all agrees
    alternatives : other sets of as many differences that explain a part as well
    left_over : of each part, what is left once the differences are taken out, as a share of the terms' size
    tolerance : what counted as equal
    """

    title: str
    comparands: tuple[Comparand, ...]
    differences: tuple[Difference, ...]
    alternatives: Mapping[str, tuple[tuple[Difference, ...], ...]]
    left_over: Mapping[str, float]
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether everything that was given agrees as it is."""
        return not self.differences and all(c.verdict in ("agrees", "unseen") for c in self.comparands)

    @property
    def explained(self) -> bool:
        """Whether everything agrees once the differences named are taken out, and each of them is usual."""
        unusual = any(difference.kind == "unusual factor" for difference in self.differences)
        return not unusual and all(c.verdict != "unexplained" for c in self.comparands)

    @property
    def conclusion(self) -> str:
        """One sentence."""
        if self.agrees:
            return "All that was compared agrees."
        if self.explained:
            kinds = ", ".join(dict.fromkeys(difference.kind for difference in self.differences))
            return f"The same physics in other conventions: {kinds}."
        parts = ", ".join(dict.fromkeys(c.part for c in self.comparands if c.verdict == "unexplained"))
        if not parts:
            numbers = "; ".join(d.text for d in self.differences if d.kind == "unusual factor")
            return f"A number that is no usual difference of convention: {numbers}."
        return f"No usual difference of convention explains: {parts}."

    def __str__(self) -> str:
        return "\n".join([self.title, *(f"  {line}" for line in self._lines()), self.conclusion])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><td>{html.escape(c.part)}</td><td>{html.escape(c.name)}</td><td>{html.escape(c.meaning)}</td>"
            f"<td>{html.escape(_said(c))}</td></tr>"
            for c in self.comparands
        )
        told = "".join(f"<li>{html.escape(text)}</li>" for text in self._told())
        return (
            f"<p>{html.escape(self.title)}. {html.escape(self.conclusion)}</p>"
            f"<table><tr><th>part</th><th>term</th><th>is</th><th>other code</th></tr>{cells}</table><ul>{told}</ul>"
        )

    def _lines(self) -> list[str]:
        wide = max((len(c.name) for c in self.comparands), default=0)
        lines = []
        for part in dict.fromkeys(c.part for c in self.comparands):
            own = [c for c in self.comparands if c.part == part]
            if len(own) > 1 or own[0].name != part:
                left = f" (left over {self.left_over[part]:.1e})" if part in self.left_over else ""
                lines.append(f"{part}{left}")
                lines += [f"  {c.name:<{wide}}  {_said(c):<24} {c.meaning}".rstrip() for c in own]
            else:
                lines.append(f"{own[0].name:<{wide + 2}}  {_said(own[0]):<24} {own[0].meaning}".rstrip())
        return lines + self._told()

    def _told(self) -> list[str]:
        told: dict[str, list[str]] = {}
        for difference in self.differences:
            told.setdefault(f"{difference.kind}: {difference.text}", []).append(difference.part)
        lines = [f"{text} [{', '.join(dict.fromkeys(parts))}]" for text, parts in told.items()]
        for part, others in self.alternatives.items():
            lines += [
                f"{part}, or else: {'; '.join(f'{d.kind}: {d.text}' for d in other)}" for other in others
            ]
        return lines


def _said(comparand: Comparand) -> str:
    if comparand.verdict == "differs" and comparand.factor not in (None, 1.0):
        return "left out" if comparand.factor == 0 else f"{comparand.factor:.7g} times ours"
    return {"unseen": "not told by this system"}.get(comparand.verdict, comparand.verdict)

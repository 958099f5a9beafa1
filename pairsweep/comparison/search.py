"""The simplest explanation: conventions and numbers that leave nothing over, the fewest of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pairsweep.comparison.conventions import Conventions, candidates
from pairsweep.comparison.fit import Fit, Part, best_fit
from pairsweep.comparison.report import Difference
from pairsweep.comparison.usual import unit_of, usual

# What a number that means nothing weighs against differences that have a name.
UNUSUAL = 3
# Terms that one prefactor makes in many codes.
FAMILIES = (("refraction", "refraction by kappa"), ("drive", "coupling"), ("coupling", "conjugate coupling"))
# Other explanations that are worth saying.
ALTERNATIVES = 3


@dataclass(frozen=True, eq=False)
class Explanation:
    """Conventions and factors under which theirs are ours, in words; ``reading`` is the number of the way to read."""

    reading: int
    conventions: Conventions
    fit: Fit
    differences: tuple[Difference, ...]

    @property
    def cost(self) -> int:
        """Number of differences; one without a name counts for several."""
        return sum(UNUSUAL if d.kind == "unusual factor" else 1 for d in self.differences)


# A way to read their numbers: what it differs in, and the parts it gives under some conventions.
Reading = tuple[list[Difference], Callable[[Conventions], list[Part]]]


def explain(
    name: str,
    readings: Iterable[Reading],
    changes: list[dict[str, object]],
    tolerance: float,
    mu_prime: float | None,
) -> list[Explanation]:
    """Return the explanations with the fewest differences, none where nothing fits."""
    readings = list(readings)
    best: list[Explanation] = []
    least: float = math.inf
    for count, conventions in candidates(changes):
        if count > least:
            break
        for number, (read, parts) in enumerate(readings):
            if count + len(read) > least:
                continue
            fit = best_fit(parts(conventions), tolerance)
            if fit is None:
                continue
            named = named_factors(name, fit, tolerance, mu_prime)
            found = Explanation(number, conventions, fit, (*read, *conventions.differences(name), *named))
            if found.cost < least:
                best, least = [], found.cost
            if found.cost == least:
                best.append(found)
    return best[: 1 + ALTERNATIVES]


def named_factors(name: str, fit: Fit, tolerance: float, mu_prime: float | None) -> list[Difference]:
    """Differences that are numbers: of all terms, of the couplings, or of single terms."""
    told = {key: factor for key, factor in fit.factors.items() if not math.isnan(factor)}
    error = {key: max(fit.errors[key], tolerance) for key in told}
    vacuum = [key for key in told if key[1] == "vacuum"]
    couplings = [key for key in told if key[1] != "vacuum"]

    def common(keys: list[tuple[str, str]]) -> float | None:
        """The number that all of these are, or None."""
        if not keys:
            return None
        best = told[min(keys, key=lambda key: error[key])]
        return best if all(abs(told[k] - best) <= 4 * error[k] * max(abs(best), 1.0) for k in keys) else None

    def surest(keys: list[tuple[str, str]]) -> float:
        return max(min(error[key] for key in keys), 1e-7)

    def is_one(factor: float, slack: float) -> bool:
        return abs(factor - 1.0) <= 4 * slack

    every = common(list(told))
    if every is not None and vacuum:
        slack = surest(list(told))
        return [] if is_one(every, slack) else [_of_all(name, every, slack, mu_prime)]
    whole, coupling = common(vacuum), common(couplings)
    if coupling is not None and coupling != 0.0:
        found = []
        if whole is not None and not is_one(whole, surest(vacuum)):
            found.append(_of_all(name, whole, surest(vacuum), mu_prime))
        share = coupling / (whole or 1.0)
        if not is_one(share, surest(couplings)):
            found.append(_of_couplings(name, share, surest(couplings)))
        return found
    listed, left = [], set(told)
    for label, family in _families(list(told)):
        factor = common(family) if left.issuperset(family) else None
        if factor is not None:
            left -= set(family)
            if not is_one(factor, surest(family)):
                listed.append(_of_term(family[0][0], label, factor, surest(family)))
    return listed


def _families(told: list[tuple[str, str]]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Whole parts, terms that are one thing in many codes, then the single ones: what to call them, and their keys."""
    found = []
    for part in dict.fromkeys(part for part, _ in told):
        own = [key for key in told if key[0] == part]
        several = [[key for key in own if key[1] in names] for names in FAMILIES]
        found.append((f"the whole of {part}", own))
        found += [(" and ".join(name for _, name in keys), keys) for keys in several if len(keys) > 1]
        found += [(key[1], [key]) for key in own]
    return found


def _of_all(name: str, factor: float, error: float, mu_prime: float | None) -> Difference:
    unit = unit_of(factor, mu_prime)
    if unit is not None:
        return Difference(name, "time unit", unit, factor)
    text = usual(factor, error)
    if text is None:
        return Difference(name, "unusual factor", f"everything is {factor:.7g} times ours", factor)
    return Difference(name, _kind("factor", factor), f"everything has {text}", factor)


def _of_couplings(name: str, factor: float, error: float) -> Difference:
    text = usual(factor, error)
    if text is None:
        return Difference(name, "unusual factor", f"all couplings are {factor:.7g} times ours", factor)
    return Difference(name, _kind("coupling", factor), f"all couplings have {text}", factor)


def _of_term(part: str, term: str, factor: float, error: float) -> Difference:
    if abs(factor) <= 4 * error:
        return Difference(part, "left out", term, 0.0)
    text = usual(factor, error)
    if text is None:
        return Difference(part, "unusual factor", f"{term}: {factor:.7g} times ours", factor)
    return Difference(part, _kind("factor", factor), f"{term}: {text}", factor)


def _kind(usually: str, factor: float) -> str:
    return "sign" if abs(factor + 1.0) <= 1e-6 else usually

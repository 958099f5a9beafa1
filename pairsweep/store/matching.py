"""Whether a sweep can go on in a store: what its numbers depend on, and what it holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from pairsweep.contract.errors import StoreError
from pairsweep.contract.template import ArrayPlan, Template

CODE = "code."  # entries of a fingerprint: the digest of an analysis' code


def check_fingerprint(
    path: Path, before: Mapping[str, str], after: Mapping[str, str], recompute: Sequence[str]
) -> None:
    """Raise `StoreError`, naming what differs, unless numbers of both are of one kind; see `Store.check`."""
    there, now = (
        {name[len(CODE) :] for name in entries if name.startswith(CODE)} for entries in (before, after)
    )
    added = now - there
    names = [
        name
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name) and name.removeprefix(CODE).split(".")[0] not in added
    ]
    _check_removed(path, there - now)
    changed = [name[len(CODE) :] for name in names if name.startswith(CODE)]
    differing = [
        f"{name} {before.get(name, 'default')} there, {after.get(name, 'default')} now"
        for name in names
        if not name.startswith(CODE)
    ]
    if differing:
        cure = "name another store, or go back to what this one was made with"
        raise StoreError(str(path), "holds another sweep (" + "; ".join(differing) + ")", cure)
    stale = [name for name in changed if name not in recompute]
    if stale:
        cure = f"{' '.join(f'--recompute {name}' for name in stale)} computes it anew, or name another store"
        raise StoreError(str(path), f"the code of {', '.join(stale)} has changed since", cure)


def check_arrays(path: Path, was: Template, template: Template, recompute: Sequence[str]) -> None:
    """Raise `StoreError`, naming what differs, unless both hold the same results; see `Store.check_arrays`."""
    _check_removed(path, set(was.analyses) - set(template.analyses))
    before, after = (
        {plan.name: plan for plan in t.arrays if not plan.analysis or plan.analysis in was.analyses}
        for t in (was, template)
    )
    differing = [
        f"{name} {_kind(before.get(name))} there, {_kind(after.get(name))} now"
        for name in sorted(before.keys() | after.keys())
        if not _fits(before.get(name), after.get(name))
        and (after.get(name) or before[name]).analysis not in recompute
    ]
    if differing:
        what = f"holds other results or of another type ({'; '.join(differing)})"
        raise StoreError(str(path), what, "name another store")


def _check_removed(path: Path, names: Iterable[str]) -> None:
    for name in sorted(names):
        cure = f"add {name} to analyses again, or name another store"
        raise StoreError(str(path), f"holds results of {name}, which is not asked for now", cure)


def _kind(plan: ArrayPlan | None) -> str:
    return "absent" if plan is None else " ".join([plan.dtype, *map(str, plan.trailing_shape)])


def _fits(before: ArrayPlan | None, after: ArrayPlan | None) -> bool:
    return (
        before is not None
        and after is not None
        and before.trailing == after.trailing
        and np.dtype(before.dtype) == np.dtype(after.dtype)
        and all(n <= m for n, m in zip(before.trailing_shape, after.trailing_shape, strict=True))
    )

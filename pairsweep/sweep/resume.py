"""What a store's numbers depend on, and whether a sweep can go on in it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from pairsweep.blocks.layout import FOLDER, FUNCTION, make_template
from pairsweep.contract.errors import SpecError, StoreError
from pairsweep.contract.fields import Scalar
from pairsweep.contract.template import DONE
from pairsweep.kernels.source import code_digest
from pairsweep.physics.patterns.registry import PATTERNS
from pairsweep.points.axes import Sweep
from pairsweep.spec.model import DATA, Spec
from pairsweep.spec.reader import parse_spec, read_spec
from pairsweep.store import Store, check_growth, is_there, same_values
from pairsweep.user_code.function import find_function, from_record

AXIS = json.dumps("axis")  # an axis in a fingerprint, whatever its values
NUMBERS = ("pairsweep.analyses", "pairsweep.kernels", "pairsweep.physics")  # where an analysis' code may lie


class Described(Protocol):
    """A store, or the dataset of one: it says what it was made from."""

    @property
    def attrs(self) -> Mapping[Any, Any]:
        """Attributes of the root."""
        ...


def fingerprint(spec: Spec) -> dict[str, str]:
    """Give what a store's numbers depend on, entry by entry, so that a refusal can name what differs."""
    entries = {name: json.dumps(value) for name, value in spec.physics().items()}
    entries |= {f"code.{name}": digest for name, digest in code_digests(spec).items()}
    return entries


def code_digests(spec: Spec) -> dict[str, str]:
    """Digest of the code that each analysis' numbers depend on: its solver, and what makes its systems."""
    patterns = [str(name) for name in (spec["pattern"].values if "pattern" in spec else ())]
    modules = sorted({spec.pattern(name).function.__module__ for name in patterns if name in PATTERNS})
    modules += [] if spec.table is None else [type(spec.table).__module__]
    systems = code_digest("pairsweep.points.systems", within=("pairsweep.points",))
    occupations = code_digest(*modules, within=("pairsweep.physics",)) if modules else ""
    digests = {}
    for analysis in spec.declared():
        solver = code_digest(*analysis.code, within=NUMBERS)
        digests[analysis.name] = hashlib.sha256(f"{solver} {systems} {occupations}".encode()).hexdigest()[:16]
    return digests


def matching_store(path: str | Path, sweep: Sweep, recompute: Sequence[str] = ()) -> Store:
    """Open the store of a sweep, which may have got more values on its axes; refuse that of another.

    ``recompute`` names analyses whose results are to be dropped: their code may be another.
    """
    store = Store.open(path)
    marks = fingerprint(sweep.spec)
    custom = sweep.spec.custom
    if custom is not None and custom.unknown and store.fingerprint.get("custom") != marks["custom"]:
        what = f"was made with {custom.reference} of another process, whose source cannot be had"
        raise StoreError(str(store.path), what, "put the function into a file, or name another store")
    for name, now in marks.items():
        if now != AXIS and store.fingerprint.get(name) == AXIS:
            what = f"{name} is an axis there and has one value now"
            raise StoreError(str(store.path), what, "give all its values as a list; or name another store")
    singles = single_values(store, sweep)
    store.check(marks, recompute, singles)
    check_growth(store, make_template(sweep, sweep.shape), recompute, singles)
    return store


def single_values(store: Store, sweep: Sweep) -> dict[str, Scalar]:
    """Give what has one value in a store and is an axis of the sweep, by its entry in the fingerprint."""
    known = store.fingerprint
    names = [f"{p.table}.{p.name}" for p in sweep.spec.parameters if p.is_axis]
    return {name: json.loads(known[name]) for name in names if known.get(name, AXIS) != AXIS}


def store_of_failed(path: str | Path, sweep: Sweep) -> Store:
    """Open the store of a sweep whose failed points alone are computed as it says: options of analyses may be others.

    Refused is what would give its points other labels, those of results included, such as the times of samples.
    """
    store = Store.open(path)
    options = tuple(f"{name}." for name in sweep.spec.options)
    there = {name: mark for name, mark in store.fingerprint.items() if name.startswith(options)}
    now = fingerprint(with_files(sweep, _known_files(store, sweep)).spec)
    store.check({name: mark for name, mark in now.items() if not name.startswith(options)} | there)
    template = make_template(sweep, store.template.block_shape)
    if not is_laid_out(store, sweep):
        cure = "run it without the changed options first, or go back to the axes that are there"
        raise StoreError(str(path), "holds another part of this sweep", cure)
    before, after = ({c.name: c.values for c in t.coordinates} for t in (store.template, template))
    for name in sorted(before.keys() | after.keys()):
        if name not in before or name not in after or not same_values(before[name], after[name]):
            what = f"{name} would be another for its failed points than for the others"
            raise StoreError(str(path), what, "leave it as it is, or run into another store")
    store.check_arrays(template)
    return store


def is_laid_out(store: Store, sweep: Sweep) -> bool:
    """Tell whether a store is laid out as this sweep is now: the same axes in the same order, and the same analyses."""
    if (store.template.axes, set(store.analyses)) != (sweep.names, set(sweep.spec.analyses)):
        return False
    there, here = (
        {c.name: c.values for c in t.coordinates if c.dims and c.dims[0] in t.axes}
        for t in (store.template, make_template(sweep, store.template.block_shape))
    )
    return there.keys() == here.keys() and all(same_values(there[name], here[name]) for name in here)


def stored_spec(store: Described, overrides: Mapping[str, object] | None = None) -> Spec:
    """Read the specification of a store, or of its dataset, with some of its keys changed where that is asked for.

    A user's function is taken from where it was, or from the current folder, and must be what it was; where it is
    nowhere, its source is taken from the store.
    """
    text = str(store.attrs["specification"])
    if FUNCTION not in store.attrs:
        folder = store.attrs.get(FOLDER)
        return read_spec(parse_spec(text, folder=None if folder is None else Path(str(folder))), overrides)
    kept = from_record(str(store.attrs[FUNCTION]))
    if kept.pickled:
        return read_spec(parse_spec(text, custom=kept), overrides)
    found = None
    for folder in (kept.spec_folder, Path()):
        try:
            found = find_function(kept.reference, folder).reads(file.path for file in kept.data)
        except SpecError:
            continue
        if found.digest == kept.digest:
            break
    if found is not None and (found.digest, found.data_digests()) != (kept.digest, kept.data_digests()):
        cure = "is not what the store was made with: put the old function back, or run it into another store"
        raise SpecError("occupation.function", kept.reference, cure)
    return read_spec(parse_spec(text, custom=found or kept), overrides)


def continued(path: str | Path, sweep: Sweep, recompute: Sequence[str] = ()) -> tuple[Store | None, Sweep]:
    """Open the store of a sweep to go on in it, with the files that its function is known to read.

    One in which nothing is done yet and whose function has been mended is removed: there is None then.
    """
    if not is_there(path):
        return None, sweep
    store = Store.open(path)
    if _only_function_differs(store, sweep) and not (store.statuses() == DONE).any():
        with store.lock():
            shutil.rmtree(store.path)
        return None, sweep
    sweep = with_files(sweep, _known_files(store, sweep))
    return matching_store(path, sweep, recompute), sweep


def with_files(sweep: Sweep, paths: Iterable[str]) -> Sweep:
    """Give a sweep whose function is known to read some files."""
    custom = sweep.spec.custom
    if custom is None:
        return sweep
    return replace(sweep, spec=replace(sweep.spec, custom=custom.reads(paths)))


def _known_files(store: Store, sweep: Sweep) -> list[str]:
    """Paths of the files that a store knows its function to read, where it is the same function."""
    same = store.fingerprint.get("custom") == fingerprint(sweep.spec)["custom"]
    return [name.removeprefix(DATA) for name in store.fingerprint if same and name.startswith(DATA)]


def _only_function_differs(store: Store, sweep: Sweep) -> bool:
    """Whether a store was made with the same specification but another function of the user's."""
    marks = fingerprint(with_files(sweep, _known_files(store, sweep)).spec)
    names = store.fingerprint.keys() | marks.keys()
    differing = {name for name in names if store.fingerprint.get(name) != marks.get(name)}
    return bool(differing) and all(name == "custom" or name.startswith(DATA) for name in differing)


def done_points(path: str | Path, sweep: Sweep) -> int:
    """Count the points of a sweep that are done in the store at ``path``; 0 where there is none yet.

    Raises
    ------
    StoreError
        If the sweep cannot go on in that store.
    """
    if not is_there(path):
        return 0
    store = Store.open(path)
    if _only_function_differs(store, sweep) and not (store.statuses() == DONE).any():
        return 0
    sweep = with_files(sweep, _known_files(store, sweep))
    return int((matching_store(path, sweep).statuses() == DONE).sum())

"""Where things lie in a store, and its metadata: a template as a zarr v3 group, and back.

The root's consolidated ``zarr.json`` is the one file that says what a store holds; replacing it is the atomic
switch from one *generation* of the arrays to the next when axes grow. Generations share the array folders,
but each spells its chunk keys in another of the ways zarr v3 allows: a reader of the old metadata goes on
finding the old chunks. A scalar coordinate has no chunk at all: its value is the fill value of its metadata.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import time
import uuid
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np

from pairsweep.contract.errors import StoreError
from pairsweep.contract.template import ArrayPlan, Coordinate, Template
from pairsweep.store import chunks

FORMAT = 2
READABLE = (1, FORMAT)  # format 1 knew of no analyses: it can be read, but not continued
ROOT = "zarr.json"
LABELS = "labels"  # file of the copies of labels
MARK = "pairsweep"  # root attribute: JSON text, because netCDF has no nested attributes
LEDGER = "status"  # the array that says which points are done

# one-dimensional keys of zarr's "v2" encoding do not depend on its separator: three ways, not four
_ENCODINGS = (
    ("default", "/", "c"),
    ("default", ".", "c"),
    ("v2", ".", None),
)
_NAME = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class Identity:
    """Which store this is, and which generation of its arrays the root's metadata shows."""

    id: str
    generation: int


def bookkeeping(root: Path) -> Path:
    """Folder of the engine's own files: inside an array's folder, where no reader of the group looks."""
    return root / f"{LEDGER}/engine"


def scratch(root: Path) -> Path:
    """Folder where files are written before they are renamed into place."""
    return bookkeeping(root) / "partial"


def writers(root: Path) -> Path:
    """Folder of the files that writers of blocks lock."""
    return bookkeeping(root) / "writers"


def records(root: Path, generation: int) -> Path:
    """Folder of the records of all blocks."""
    return bookkeeping(root) / f"generation-{generation}"


def record(root: Path, generation: int, block: int) -> Path:
    """File of the record of a block."""
    return records(root, generation) / f"{block}.json"


def copies(root: Path, generation: int) -> Path:
    """Folder of copies of the root's metadata and of the labels: what no computation brings back."""
    return records(root, generation) / "copies"


def generations(root: Path) -> list[int]:
    """Return the generations that have left anything in a store, the oldest first."""
    return sorted(int(folder.name.split("-")[1]) for folder in bookkeeping(root).glob("generation-*"))


def kept(root: Path, generation: int) -> bool:
    """Return whether the chunks of a generation are still there."""
    return copies(root, generation).is_dir()


def _encoding_of(generation: int, ndim: int) -> int:
    """Number of the encoding; without dimensions the first two are one and the same."""
    return generation % len(_ENCODINGS) if ndim else (0, 2)[generation % 2]


def next_generation(generation: int, axes: Sequence[str], after: Sequence[str]) -> int:
    """Number of the generation that follows, in which no chunk has the key of one of before.

    Arrays without dimensions spell their one key in two ways: where axes come to such a store the third way of the
    next generation may be the same.
    """
    following = generation + 1
    if not axes and after and _encoding_of(following, len(after)) == _encoding_of(generation, 0):
        following += 1
    return following


def chunk(root: Path, array: str, generation: int, index: tuple[int, ...]) -> Path:
    """File of a chunk."""
    _, separator, prefix = _ENCODINGS[_encoding_of(generation, len(index))]
    parts = ([prefix] if prefix else []) + [str(i) for i in index]
    return root / f"{array}/{separator.join(parts) or '0'}"


def _encoding_found(path: Path) -> int | None:
    """Return whose key the name of an entry of an array's folder is, None if it is no chunk."""
    for number, pattern in enumerate((r"c", r"c(\.\d+)+", r"\d+(\.\d+)*")):
        if re.fullmatch(pattern, path.name):
            return number
    return None


def remove_former(root: Path) -> None:
    """Remove whatever does not belong to the generation that the root's metadata shows."""
    document, mark = read_root(root)
    metadata, generation = document["consolidated_metadata"]["metadata"], mark["generation"]
    for name in metadata.keys() | _names_before(root, generation):
        wanted = _encoding_of(generation, len(metadata[name]["shape"])) if name in metadata else None
        for entry in (root / name).iterdir() if (root / name).is_dir() else ():
            found = _encoding_found(entry)
            if found is not None and found != wanted:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        if wanted is None and (root / name).is_dir() and not any((root / name).iterdir()):
            (root / name).rmdir()
    for other in generations(root):
        if other != generation:
            shutil.rmtree(copies(root, other).parent)


def check_name(name: str, place: str) -> None:
    """Refuse a name that is not a plain identifier: it becomes a folder of the store."""
    if not _NAME.fullmatch(name):
        raise StoreError(place, f"the array name {name!r}", "names are letters, digits and underscores")


def _plain(value: object) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} in the attributes of a store")


def dumps(value: object) -> bytes:
    """JSON text of metadata, numpy values as plain numbers."""
    return json.dumps(value, default=_plain, indent=1).encode()


def files_of(template: Template) -> int:
    """Number of files of a finished store: metadata and labels, and for each block its chunks and its record."""
    labels = sum(1 + bool(coordinate.dims) for coordinate in template.coordinates)
    bookkeeping_files = 4  # the root's metadata, its copy, the copies of the labels, the coordinator's lock
    return bookkeeping_files + labels + len(template.arrays) + template.n_blocks * (len(template.arrays) + 1)


def lay_out(root: Path, template: Template, identity: Identity, fingerprint: Mapping[str, str]) -> None:
    """Fill the empty folder ``root`` with metadata and coordinates of a generation, everything pending."""
    _make_arrays(root, template, identity.generation)
    names = [coordinate.name for coordinate in template.coordinates] + [plan.name for plan in template.arrays]
    metadata = {name: json.loads((root / name / ROOT).read_bytes()) for name in names}
    for name in names:
        (root / name / ROOT).write_bytes(dumps(metadata[name]))
    mark = {
        "format": FORMAT,
        "id": identity.id,
        "generation": identity.generation,
        "since": time.time(),
        "fingerprint": dict(fingerprint),
        "analyses": {
            analysis: [plan.name for plan in template.arrays if plan.analysis == analysis]
            for analysis in template.analyses
        },
    }
    attributes = dict(template.attrs)
    attributes["coordinates"] = " ".join(coordinate.name for coordinate in template.coordinates)
    attributes[MARK] = json.dumps(mark)
    document = {
        "zarr_format": 3,
        "node_type": "group",
        "attributes": attributes,
        "consolidated_metadata": {"kind": "inline", "must_understand": False, "metadata": metadata},
    }
    scratch(root).mkdir(parents=True)
    writers(root).mkdir()
    (root / ROOT).write_bytes(sealed(document))
    repair(root)


def _make_arrays(root: Path, template: Template, generation: int) -> None:
    """Let zarr make the coordinates, whole, and the arrays of results, without a chunk."""
    import zarr
    from zarr.codecs import BloscCodec, Crc32cCodec

    group = zarr.create_group(root, overwrite=False)
    packing: Any = {"cname": chunks.COMPRESSOR, "clevel": chunks.LEVEL}

    def add(name: str, **kwargs: Any) -> zarr.Array[Any]:
        check_name(name, "the sweep")
        style, separator, _ = _ENCODINGS[_encoding_of(generation, len(kwargs["shape"]))]
        itemsize = 1 if kwargs["dtype"] is str else np.dtype(kwargs["dtype"]).itemsize
        return group.create_array(
            name,
            compressors=[BloscCodec(typesize=itemsize, shuffle="shuffle", **packing), Crc32cCodec()],
            chunk_key_encoding={"name": style, "separator": separator},
            config={"write_empty_chunks": True},
            **kwargs,
        )

    for coordinate in template.coordinates:
        values = np.asarray(coordinate.values)
        text = values.dtype.kind in "UTO"
        fill: Any = "" if text else (np.nan if values.dtype.kind == "f" else 0)
        if not values.shape:
            fill = values.item()
        array = add(
            coordinate.name,
            shape=values.shape,
            chunks=tuple(max(1, size) for size in values.shape),
            dtype=str if text else values.dtype,
            fill_value=fill,
            dimension_names=coordinate.dims,
            attributes=json.loads(dumps(dict(coordinate.attrs))),
        )
        if values.shape:
            array[...] = values.astype(object) if text else values
    for plan in template.arrays:
        add(
            plan.name,
            shape=template.shape + plan.trailing_shape,
            chunks=template.block_shape + plan.trailing_shape,
            dtype=np.dtype(plan.dtype),
            fill_value=plan.fill_value,
            dimension_names=template.axes + plan.trailing,
            attributes=json.loads(dumps(dict(plan.attrs))),
        )


def label_chunk(root: Path, name: str, dims: Sequence[str], generation: int) -> Path:
    """Return the one chunk of a coordinate that has dimensions."""
    return chunk(root, name, generation, (0,) * len(dims))


def sealed(document: Mapping[str, Any]) -> bytes:
    """Return the root's text with a checksum of itself in our mark."""
    mark = json.loads(document["attributes"][MARK]) | {"seal": 0}
    blank = dumps({**document, "attributes": {**document["attributes"], MARK: json.dumps(mark)}})
    return _with_seal(blank, mark, google_crc32c.value(blank))


def is_intact(text: bytes) -> bool:
    """Return whether the root's text is the very text that was written."""
    try:
        mark = json.loads(json.loads(text)["attributes"][MARK])
        return bool(google_crc32c.value(_with_seal(text, mark, 0)) == mark["seal"])
    except (ValueError, KeyError, TypeError):
        return False


def _with_seal(text: bytes, mark: Mapping[str, Any], seal: int) -> bytes:
    """Return the root's text, in which ``mark`` stands, with another seal: in place, as laying it out anew is slow."""
    there, wanted = (json.dumps(json.dumps(each)).encode() for each in (mark, {**mark, "seal": seal}))
    return text.replace(there, wanted)


def show(draft: Path, root: Path) -> None:
    """Make a generation laid out in ``draft`` the one that readers of ``root`` find: in one step, the root's own.

    The arrays' own files follow, for the few readers that open a single array; `repair` catches up if this is cut off.
    """
    (draft / ROOT).replace(root / ROOT)
    repair(root)


def repair(root: Path) -> list[tuple[Path, str]]:
    """Restore metadata and labels that are damaged from their copies; return the files and what they were.

    Also completes what a killed coordinator left half done: the root leads, then its copy and the arrays' own files.
    """
    repaired: list[tuple[Path, str]] = []

    def put(path: Path, data: bytes, what: str = "") -> None:
        chunks.replace(path, data, scratch(root))
        if what:
            repaired.append((path, what))

    text = chunks.read(root / ROOT)
    if text is None or not is_intact(text):
        intact = [copy for copy in _root_copies(root) if is_intact(copy)]
        if intact:
            put(root / ROOT, intact[-1], "missing" if text is None else "not what was written")
    document, mark = read_root(root)
    if mark["format"] != FORMAT:
        return repaired
    folder, metadata = copies(root, mark["generation"]), document["consolidated_metadata"]["metadata"]
    text = (root / ROOT).read_bytes()
    if text != chunks.read(folder / ROOT):
        put(folder / ROOT, text)
    for name, entry in metadata.items():
        own = root / name / ROOT
        if chunks.read(own) != dumps(entry):
            put(own, dumps(entry))
    for name in _names_before(root, mark["generation"]) - metadata.keys():
        (root / name / ROOT).unlink(missing_ok=True)
    copied = _unpacked(chunks.read(folder / LABELS))
    labels: dict[str, bytes] = {}
    for name in document["attributes"]["coordinates"].split():
        dims = metadata[name].get("dimension_names") or ()
        if not dims:
            continue
        original = label_chunk(root, name, dims, mark["generation"])
        data, copy = chunks.read(original), copied.get(name)
        if data != copy and copy is not None and _is_sealed(copy):
            put(original, copy, "missing" if data is None else "not what was written")
            labels[name] = copy
        elif data is not None:
            labels[name] = data
    # a label that is lost with its copy stays as it is: whoever opens the store is told
    if labels != copied and all(map(_is_sealed, labels.values())):
        put(folder / LABELS, _packed(labels))
    return repaired


def _packed(labels: Mapping[str, bytes]) -> bytes:
    """Return the chunks of all labels as one file: a store of few points should be few files."""
    return dumps({name: base64.b64encode(data).decode() for name, data in labels.items()})


def _unpacked(text: bytes | None) -> dict[str, bytes]:
    try:
        return {name: base64.b64decode(data) for name, data in json.loads(text or b"{}").items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def _names_before(root: Path, generation: int) -> set[str]:
    """Return the names of arrays of former generations: one that is computed anew may have lost some."""
    names: set[str] = set()
    for other in generations(root):
        text = chunks.read(copies(root, other) / ROOT)
        if other < generation and text is not None and is_intact(text):
            names |= json.loads(text)["consolidated_metadata"]["metadata"].keys()
    return names


def _is_sealed(data: bytes) -> bool:
    try:
        chunks.seal(data)
    except chunks.DamagedChunk:
        return False
    return True


def _root_copies(root: Path) -> list[bytes]:
    """Copies of the root's metadata, the newest generation last."""
    files = bookkeeping(root).glob(f"generation-*/copies/{ROOT}")
    return [file.read_bytes() for file in sorted(files, key=lambda file: int(file.parts[-3].split("-")[1]))]


def new_identity() -> Identity:
    """A store that never was before."""
    return Identity(uuid.uuid4().hex, 0)


def read_root(root: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the root's whole document and our mark in it; refuse what is not a store of ours."""
    cure = "name a store that pairsweep run has made"
    if root.is_file() and zipfile.is_zipfile(root):
        found = "is a packed store, or another zip, and stays as it is"
        raise StoreError(str(root), found, f"pairsweep unpack {root}, and go on in the folder")
    try:
        document = json.loads((root / ROOT).read_bytes())
        mark = json.loads(document["attributes"][MARK])
        document["consolidated_metadata"]["metadata"][LEDGER]["shape"]
    except FileNotFoundError:
        if root.exists():
            cure += ", or for a new one a path where nothing is"
            raise StoreError(str(root), "exists, but is not a pairsweep store", cure) from None
        raise StoreError(str(root), "there is no store here", cure) from None
    except PermissionError as error:
        raise StoreError(str(root), "cannot be read (permission denied)", "ask its owner") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(str(root), "is not a pairsweep store", cure) from error
    if "coordinates" not in document["attributes"]:  # which xarray takes for its own when it opens and saves
        found = "is a copy that xarray has saved: it can be read, not continued"
        raise StoreError(str(root), found, "name the store it was made of, or another one")
    if mark.get("format") not in READABLE:
        found = f"a store of format {mark.get('format')!r}, this version reads {FORMAT}"
        raise StoreError(str(root), found, "use the version of pairsweep that made it")
    for name in document["consolidated_metadata"]["metadata"]:
        check_name(name, str(root))
        if (root / name).is_symlink():
            raise StoreError(str(root), f"{name} is a symbolic link", "copy the store with links resolved")
    return document, mark


def read_template(root: Path, document: Mapping[str, Any], mark: Mapping[str, Any]) -> Template:
    """Return the template that a store was laid out from, its coordinates read back.

    Raises `chunks.DamagedChunk` if a coordinate is missing or damaged.
    """
    import zarr

    group = zarr.open_group(root, mode="r")
    attributes = dict(document["attributes"])
    attributes.pop(MARK)
    labels = attributes.pop("coordinates").split()
    metadata = document["consolidated_metadata"]["metadata"]
    ledger = metadata[LEDGER]
    # 0-d arrays carry no dimension_names
    axes = tuple(ledger.get("dimension_names") or ())
    block_shape = tuple(ledger["chunk_grid"]["configuration"]["chunk_shape"])
    owners = {name: analysis for analysis, names in mark.get("analyses", {}).items() for name in names}
    coordinates, arrays = [], []
    for name, entry in metadata.items():
        dims = tuple(entry.get("dimension_names") or ())
        array = group[name]
        assert isinstance(array, zarr.Array)
        if name in labels:
            if dims:
                data = chunks.read(label_chunk(root, name, dims, mark["generation"]))
                if data is None:
                    raise chunks.DamagedChunk(f"{name} has no values")
                chunks.seal(data)
            values = np.asarray(array[...])
            if entry["data_type"] == "string":
                values = values.astype(object)
            coordinates.append(Coordinate(name, dims, values, entry["attributes"]))
        else:
            n = len(axes)
            fill = array.fill_value
            if array.chunks != block_shape + array.shape[n:]:
                what = f"{name} is cut into chunks of {array.chunks}, {LEDGER} into {block_shape}"
                raise StoreError(str(root), what, "use the version of pairsweep that made it")
            kind = str(array.dtype)
            plan = ArrayPlan(name, dims[n:], array.shape[n:], kind, fill.item(), entry["attributes"])
            arrays.append(replace(plan, analysis=owners.get(name, "")))
    return Template(axes, tuple(ledger["shape"]), block_shape, tuple(coordinates), tuple(arrays), attributes)

"""What each command does: call, print, draw. Heavy parts are imported by the command that needs them."""

from __future__ import annotations

import argparse
import atexit
import contextlib
import gc
import io
import json
import os
import select
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from pairsweep import __version__
from pairsweep.cli.parser import UNUSABLE, parser
from pairsweep.drawing.options import read_flags

if TYPE_CHECKING:
    from pairsweep.sweep.where import Where

DONE, SOME_FAILED, FAULT, INTERRUPTED, READER_LEFT = 0, 1, 70, 130, 141
OUR_FAULT = "this is a fault of pairsweep, not of yours: please report it with the lines above"
STANDARD_STREAMS = 1, 2
# Objects more until cycles among them are looked for: at Python's 700 loading modules takes a tenth longer.
COLLECTED_AFTER = 50_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    for stream in sys.stdout, sys.stderr:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal may not have the letters of a title
    gc.set_threshold(COLLECTED_AFTER)
    atexit.register(gc.freeze)  # what is left at the end goes with the process
    options = parser().parse_args(arguments)
    if options.command is None:
        parser().print_help()
        return DONE
    command = {
        "help": _help,
        "plan": _plan,
        "run": _run,
        "status": _status,
        "verify": _verify,
        "show": _show,
        "plot": _plot,
        "view": _view,
        "pack": _pack,
        "unpack": _unpack,
        "refine": _refine,
        "point": _point,
        "reproduce": _reproduce,
        "compile": _compile,
    }[options.command]
    try:
        code = _explained(command, options)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        with contextlib.suppress(BrokenPipeError):  # of `pairsweep run ... 2>&1 | tee log`: tee ends as well
            print(
                "pairsweep: interrupted; what is done is kept. Start the same command again to go on.",
                file=sys.stderr,
                flush=True,
            )
        _reader_left()
        return INTERRUPTED
    except (
        BrokenPipeError
    ):  # of `pairsweep show STORE | head`, say; the signal would also end a run whose worker died
        if not _reader_left():
            raise
        return READER_LEFT


def _explained(command: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """Run a command; what the user can mend is said in one line."""
    from pairsweep.contract.errors import UsageError

    try:
        return command(options)
    except UsageError as error:
        print(f"pairsweep: {error}", file=sys.stderr)
        return UNUSABLE
    except BrokenPipeError:
        raise
    except Exception:
        traceback.print_exc()
        print(f"pairsweep {__version__}: {OUR_FAULT}", file=sys.stderr)
        return FAULT


def _reader_left() -> bool:
    """Whether nobody reads our output any more; if so, let the rest of it go nowhere."""
    poll = select.poll()
    for stream in STANDARD_STREAMS:
        poll.register(stream, 0)
    left = [stream for stream, event in poll.poll(0) if event & (select.POLLERR | select.POLLHUP)]
    for stream in left:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    return bool(left)


def _help(options: argparse.Namespace) -> int:
    from pairsweep.cli.help import help_lines

    print("\n".join(help_lines(options.topic)))
    return DONE


def _plan(options: argparse.Namespace) -> int:
    from pairsweep.kernels.compiling import announced
    from pairsweep.points.axes import expand
    from pairsweep.spec.reader import read_spec
    from pairsweep.store import files_of
    from pairsweep.sweep.progress import MEASURING, Progress, doing, duration
    from pairsweep.sweep.resume import done_points
    from pairsweep.sweep.run import plan_sweep

    spec = read_spec(_source(options.spec), _overrides(options))
    sweep = expand(spec)
    done = done_points(options.store, sweep) if options.store else 0  # refuses the store of another sweep
    progress = Progress()
    with announced(progress.say, progress.step), doing(MEASURING):
        plan = plan_sweep(sweep, echo=progress.say)
    template = plan.template
    axes = " x ".join(f"{name} ({size})" for name, size in zip(template.axes, template.shape, strict=True))
    print(spec.title or options.spec)
    print(f"  axes      {axes or 'none: a single point'}")
    table = plan.sweep.spec.table
    if table is not None:
        for line in table.report({dim: plan.sweep.spec[dim].values for dim, _ in table.axes}):
            print(f"  table     {line}")
    print(f"  points    {template.n_points:,}")
    print(f"  blocks    {template.n_blocks:,}")
    print(f"  size      {_bytes(template.n_points * plan.bytes_per_point)} before compression")
    if options.store:
        print(f"  done      {done:,} of them, in {options.store}")
    print(f"  files     about {files_of(template):,}")
    workers = max(1, min(options.workers or 1, template.n_blocks))
    least, most = (duration(seconds / workers) for seconds in (plan.least_seconds, plan.most_seconds))
    span = f"about {duration(plan.seconds / workers)}" if least == most else f"{least} to {most}"
    print(f"  time      {span} on {workers} core{'s' if workers > 1 else ''}, once compiled")
    if plan.extrapolated_from:
        print(
            f"            extrapolated beyond {plan.extrapolated_from:,} pairs: larger systems take too long to measure"
        )
    return DONE


def _run(options: argparse.Namespace) -> int:
    from pairsweep.sweep.progress import duration
    from pairsweep.sweep.run import run_to_store

    store = options.store or _store_of(options.spec)
    outcome = run_to_store(
        _source(options.spec),
        store,
        _where(options),
        retry_failed=options.retry_failed,
        recompute=options.recompute,
        overrides=_overrides(options),
        quiet=options.quiet,
    )
    if outcome.computed:
        took = f"computed in {duration(outcome.seconds)}"
        print(f"{outcome.computed:,} of {outcome.points:,} points {took}: {store}")
    else:
        print(f"all {outcome.points:,} points were there already: {store}")
    _print_summary(store)
    return SOME_FAILED if outcome.failed else DONE


def _store_of(spec: str) -> str:
    """Where results go unless it is said: into this folder, under the name of their specification."""
    from pairsweep.contract.errors import UsageError

    if spec == "-":
        raise UsageError(
            "--store", None, "is missing: a specification on standard input has no name to go by"
        )
    return f"{os.path.splitext(os.path.basename(spec))[0]}.zarr"


def _where(options: argparse.Namespace) -> Where:
    from pairsweep.contract.errors import UsageError
    from pairsweep.execute import Tls
    from pairsweep.sweep.where import Where

    tls = None
    if options.tls is not None:
        files = options.tls.split(",")
        if len(files) != 3:
            raise UsageError("--tls", options.tls, "give three files: CA,CERT,KEY")
        tls = Tls(*files)
    return Where(options.scheduler, options.workers, options.cluster, tls, options.insecure)


def _print_summary(store: str, unit: str | None = None) -> None:
    from pairsweep.cli.text import failure_lines
    from pairsweep.store import is_foreign
    from pairsweep.sweep.results import errors, open_store
    from pairsweep.sweep.summary import summary

    ds = open_store(store)
    results = summary(ds) if unit is None else summary(ds, unit)
    print(results)
    recorded = results.failed and not is_foreign(store)  # what is no store of ours has no records
    for line in failure_lines(errors(store) if recorded else ()):
        print(line)


def _status(options: argparse.Namespace) -> int:
    from pairsweep.sweep.results import status

    progress = status(options.store)
    if options.json:
        print(json.dumps({**progress.points, "analyses": progress.analyses}))
        return DONE
    print(_states("points", progress.points))
    for analysis, counts in progress.analyses.items():
        if counts != progress.points:
            print(f"  {analysis}: {_states('', counts)}")
    return DONE


def _states(what: str, counts: Mapping[str, int]) -> str:
    done = " ".join(filter(None, (f"{counts['done']:,} of {sum(counts.values()):,}", what, "done")))
    return f"{done}, {counts['failed']:,} failed, {counts['pending']:,} pending"


def _verify(options: argparse.Namespace) -> int:
    from pairsweep.store import verify
    from pairsweep.sweep.progress import doing

    with doing(f"checking {options.store}"):
        damages = verify(options.store)
    for damage in damages:
        print(f"{damage.file}: {damage.what}")
    blocks = {damage.block for damage in damages if damage.block is not None}
    if not damages:
        print("every file is what was written")
    elif any(damage.kept for damage in damages):
        print(
            "nothing was repaired, since this store is packed or cannot be written here: verify it where it can be"
        )
    elif blocks:
        print(f"{len(blocks)} blocks will be computed again: run the sweep as before")
    return SOME_FAILED if blocks or any(damage.kept for damage in damages) else DONE


def _show(options: argparse.Namespace) -> int:
    _print_summary(options.store, options.unit)
    return DONE


def _draw_to_files() -> None:
    """Use no backend that shows figures: a notebook that starts us may name its own, which is not here."""
    os.environ["MPLBACKEND"] = "agg"


def _plot(options: argparse.Namespace) -> int:
    _draw_to_files()
    from pairsweep.plot import draw, save
    from pairsweep.sweep.progress import doing
    from pairsweep.sweep.results import open_maps

    with doing(f"drawing {options.output}"):
        coarse, refined = open_maps(options.store)
        figure = draw(
            options.kind,
            coarse,
            x=options.x,
            y=options.y,
            select=_selection(options.select),
            facet=options.facet,
            refined=refined,
            **({} if options.unit is None else {"unit": options.unit}),
            **read_flags(vars(options)),
        )
        save(figure, options.output)
    print(options.output)
    return DONE


def _view(options: argparse.Namespace) -> int:
    _draw_to_files()
    from pairsweep.sweep.progress import doing
    from pairsweep.viewer import view

    with doing(f"opening {options.store}"):
        page = view(options.store, port=options.port)
    print(f"{page.url}\nCtrl-C ends it", flush=True)
    if not options.no_open:
        import webbrowser

        webbrowser.open(page.url)
    with contextlib.suppress(KeyboardInterrupt):  # the way to end it, not an interruption
        page.wait()
    page.close()
    return DONE


def _pack(options: argparse.Namespace) -> int:
    from pairsweep.sweep.pack import pack
    from pairsweep.sweep.progress import doing

    with doing(f"packing {options.output}"):
        packed = pack(options.store, options.output, partial=options.partial, netcdf=options.netcdf)
    print(f"{packed.path}: {packed.points:,} points, {_bytes(packed.size)}, read back as written")
    if not options.netcdf:
        print("it names the hosts and folders of its making: provenance/README.txt in it says where")
    return DONE


def _unpack(options: argparse.Namespace) -> int:
    from pairsweep.sweep.pack import unpack
    from pairsweep.sweep.progress import doing

    with doing(f"unpacking {options.file}"):
        folder = unpack(options.file, options.output)
    print(folder)
    return DONE


def _refine(options: argparse.Namespace) -> int:
    from pairsweep.contract.errors import UsageError
    from pairsweep.sweep.refine import refine

    try:
        widths = [float(part) for part in options.to.split(",")]
    except ValueError:
        raise UsageError(
            "--to", options.to, "give a number, or one for each axis with commas between them"
        ) from None
    along = [name.strip() for name in options.along.split(",")]
    done = refine(
        options.store,
        along,
        widths if len(widths) > 1 else widths[0],
        options.target,
        _where(options),
        quiet=options.quiet,
        by=options.by,
    )
    share = done.points / done.full
    print(f"{done.computed:,} points computed, {done.points:,} in all: {done.path}")
    print(f"  boundary     runs through {done.cells:,} cells of the width asked for, or less")
    print(f"  instead of   a grid of {done.full:,} points ({share:.1%} of it)")
    size = " by ".join(f"{extent:.4g} in {name}" for name, extent in done.island.items())
    print(f"  islands      of {size} or larger are sure to be found")
    return DONE


def _compile(options: argparse.Namespace) -> int:
    from pairsweep.sweep.compile import compile_code

    compiled = compile_code(options.analyses, options.quiet)
    print(f"machine code of {', '.join(compiled.analyses)} is in {compiled.kept.folder}")
    print(f"  size      {_bytes(compiled.kept.size)}, with what else is there for this machine")
    return DONE


def _reproduce(options: argparse.Namespace) -> int:
    _draw_to_files()
    from pairsweep.reproduce import reproduce

    made = reproduce(options.out, _where(options), quiet=options.quiet)
    print(
        f"{made.report}: {made.count('agrees')} statements of the Letter agree, {made.count('differs')} differ, "
        f"{made.count('answers')} open questions answered"
    )
    for name, count in made.incomplete.items():
        print(f"  {name}: {count:,} points without a result")
    return SOME_FAILED if made.incomplete else DONE


def _point(options: argparse.Namespace) -> int:
    from pairsweep.cli.text import result_text
    from pairsweep.sweep.point import point

    found = point(_source(options.source), _assignments("--at", options.at), _overrides(options))
    for name, value in found.at.items():
        print(f"{name:<26} {value}")
    print()
    for name, result in found.results.items():
        print(f"{name:<26} {result_text(name, result)}")
    for analysis, failure in found.failures.items():
        print(failure.traceback, end="", file=sys.stderr)
        for what, seen in failure.seen.items():
            print(f"{what:<26} {seen}", file=sys.stderr)
        print(f"pairsweep: this point fails: {analysis}: {failure.reason}", file=sys.stderr)
    return SOME_FAILED if found.failures else DONE


def _source(spec: str) -> str:
    """Give the path of a specification, or the text on standard input."""
    return sys.stdin.read() + "\n" if spec == "-" else spec


def _overrides(options: argparse.Namespace) -> dict[str, object]:
    """Read what ``--set`` says."""
    from pairsweep.contract.errors import UsageError
    from pairsweep.spec.compose import value_of

    found = {}
    for text in options.overrides:
        key, sign, value = text.partition("=")
        if not (sign and key.strip() and value.strip()):
            raise UsageError("--set", text, "write TABLE.KEY=VALUE, once for each key")
        found[key.strip()] = value_of(value.strip())
    return found


def _assignments(place: str, text: str) -> dict[str, str]:
    """Split ``a=1,b=2``; the last of one name counts."""
    return {name: values[-1] for name, values in _lists(place, [text]).items()}


def _lists(place: str, texts: Sequence[str]) -> dict[str, list[str]]:
    """Split each ``a=1,b=2`` of a repeated option; values of one name add up."""
    from pairsweep.contract.errors import UsageError

    found: dict[str, list[str]] = {}
    for part in filter(None, (part for text in texts for part in text.split(","))):
        sign = "=" if "=" in part else "~"  # rho_low~0.1 is rho_low=~0.1
        name, known, value = part.partition(sign)
        if not (known and name.strip() and value.strip()):
            raise UsageError(place, part, "write AXIS=VALUE, several with commas between them")
        found.setdefault(name.strip(), []).append(value.strip() if sign == "=" else f"~{value.strip()}")
    return found


def _selection(texts: Sequence[str]) -> dict[str, object]:
    """Read what ``--select`` keeps: one value of an axis, or several."""
    lists = _lists("--select", texts)
    return {name: values if len(values) > 1 else values[0] for name, values in lists.items()}


def _bytes(count: int) -> str:
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"

"""The arguments of every command."""

from __future__ import annotations

import argparse
from typing import NoReturn

from pairsweep import __version__
from pairsweep.drawing.options import FLAGS

UNUSABLE = 2
RESULTS = "a store, packed or not, or another zarr folder, zip, netCDF file or address of results"


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, like every other error of this program."""

    def error(self, message: str) -> NoReturn:
        self.exit(UNUSABLE, f"{self.prog}: {message}; {self.prog} --help lists what there is\n")


def _add_where(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--scheduler",
        default="local",
        help="local (default), serial, threads, dask, the address of a dask scheduler, or slurm and the like",
    )
    command.add_argument(
        "--workers", type=int, metavar="N", help="number of workers; one per core by default"
    )
    command.add_argument("--cluster", metavar="FILE", help="TOML file of the site with a [cluster] table")
    command.add_argument(
        "--tls", metavar="CA,CERT,KEY", help="certificate files for connections that leave this machine"
    )
    command.add_argument(
        "--insecure", action="store_true", help="use a scheduler elsewhere without TLS all the same"
    )
    command.add_argument("--quiet", action="store_true", help="show no progress")


def _add_set(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--set",
        metavar="TABLE.KEY=VALUE",
        dest="overrides",
        action="append",
        default=[],
        help="change a key of the specification; a list makes an axis: coupling.g=[1e-7,1e-6]",
    )


def _add_unit(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--unit", metavar="UNIT", help="of growth rates and frequencies: MeV, 1/s, 1/cm, g or mu"
    )


def parser() -> argparse.ArgumentParser:
    """Build the parser of all commands."""
    top = _Parser(prog="pairsweep", description="Maps the pairing instability of dense neutrino gases.")
    top.add_argument("--version", action="version", version=f"pairsweep {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")

    plan = commands.add_parser("plan", help="say what a sweep would compute, and how long it would take")
    plan.add_argument(
        "spec",
        metavar="SPEC",
        help="specification (TOML), the name of a shipped sweep, or - for standard input",
    )
    _add_set(plan)
    plan.add_argument("--workers", type=int, metavar="N", help="say the time of so many cores")
    plan.add_argument("--store", metavar="PATH", help="count what is already done there")

    run = commands.add_parser("run", help="run a sweep, or what is missing of it")
    run.add_argument(
        "spec",
        metavar="SPEC",
        help="specification (TOML), the name of a shipped sweep, or - for standard input",
    )
    run.add_argument(
        "--store", metavar="PATH", help="where the results go; NAME.zarr in this folder unless given"
    )
    _add_where(run)
    run.add_argument(
        "--retry-failed",
        action="store_true",
        help="compute failed points again; with --set they alone are computed under other options of an analysis",
    )
    run.add_argument(
        "--recompute",
        metavar="ANALYSIS",
        action="append",
        default=[],
        help="drop the results of an analysis and compute it anew; the others stay",
    )
    _add_set(run)

    status = commands.add_parser("status", help="say how far a sweep is")
    status.add_argument("store", metavar="STORE", help="folder of a store, or a packed one")
    status.add_argument("--json", action="store_true", help="for programs")

    verify = commands.add_parser(
        "verify", help="check every byte of a store; the next run repairs what is damaged"
    )
    verify.add_argument("store", metavar="STORE", help="folder of a store, or a packed one")

    show = commands.add_parser(
        "show", help="say what came out: ranges, instabilities, failures and their reasons"
    )
    show.add_argument("store", metavar="STORE", help=RESULTS)
    _add_unit(show)

    plot = commands.add_parser("plot", help="draw a picture of the results")
    plot.add_argument("kind", metavar="KIND", help="which picture; an unknown one lists them all")
    plot.add_argument("store", metavar="STORE", help=RESULTS)
    plot.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="picture file: .png, .pdf or .svg"
    )
    plot.add_argument("--x", metavar="AXIS")
    plot.add_argument("--y", metavar="AXIS")
    plot.add_argument(
        "--select",
        metavar="AXIS=VALUE,...",
        action="append",
        default=[],
        help="keep a value of an axis, the nearest to one (g=~1e-6) or a range (g=1e-7..1e-6); may be repeated",
    )
    plot.add_argument("--facet", metavar="AXIS", help="one panel for each value of this axis")
    _add_unit(plot)
    for flag in FLAGS:
        plot.add_argument(flag.name, metavar=flag.metavar, action="append", default=[], help=flag.meaning)

    view = commands.add_parser("view", help="look at results in a browser: walk in the map, click a point")
    view.add_argument("store", metavar="STORE")
    view.add_argument("--port", type=int, default=0, metavar="N", help="a free one by default")
    view.add_argument("--no-open", action="store_true", help="print the address, and open no browser")

    pack = commands.add_parser("pack", help="write a store into one file, to hand over or to deposit")
    pack.add_argument("store", metavar="STORE", help="folder of a store, or a packed one")
    pack.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="the file: .zarr.zip, or .nc with --netcdf"
    )
    pack.add_argument("--partial", action="store_true", help="although points are pending or failed")
    pack.add_argument(
        "--netcdf", action="store_true", help="write netCDF4 (CF) instead; it cannot be unpacked"
    )

    unpack = commands.add_parser("unpack", help="bring a packed store back as a folder, to go on in it")
    unpack.add_argument("file", metavar="FILE")
    unpack.add_argument(
        "-o", "--output", metavar="FOLDER", help="where it goes; FILE without .zip by default"
    )

    refine = commands.add_parser("refine", help="add points around the boundary of a finished map")
    refine.add_argument("store", metavar="STORE", help="folder of a store, or a packed one")
    refine.add_argument(
        "--along", metavar="AXIS,...", required=True, help="axes between whose values points are added"
    )
    refine.add_argument(
        "--to", metavar="WIDTH,...", required=True, help="width to bracket the boundary, or one per axis"
    )
    refine.add_argument(
        "--by",
        metavar="VARIABLE",
        help="whose boundary: of its codes (verdict, mode_kind), or of where it is above 0 "
        "(continuum_growth_rate); by default the verdict, or else the growth rate",
    )
    refine.add_argument(
        "--store", metavar="PATH", dest="target", help="where the points go; beside STORE by default"
    )
    _add_where(refine)

    reproduce = commands.add_parser(
        "reproduce",
        help="run the Letter's sweeps and write a report: figures, and every statement beside our numbers",
    )
    reproduce.add_argument(
        "--out", metavar="DIR", required=True, help="folder of the report; what it has is kept"
    )
    _add_where(reproduce)

    compile_ = commands.add_parser("compile", help="compile everything now, so that the first sweep need not")
    compile_.add_argument("analyses", metavar="ANALYSIS", nargs="*", help="which analyses; all by default")
    compile_.add_argument("--quiet", action="store_true", help="show no progress")

    help_ = commands.add_parser("help", help="say what a key, a variable, a picture or a shipped sweep is")
    help_.add_argument("topic", metavar="TOPIC", nargs="?", help="spec, dataset, pictures, sweeps, or a name")

    point = commands.add_parser("point", help="compute one point again in the foreground, with its traceback")
    point.add_argument("source", metavar="SPEC|STORE")
    point.add_argument(
        "--at", metavar="AXIS=VALUE,...", default="", help="which point, e.g. g=1e-6,rho_high=0.9"
    )
    _add_set(point)
    return top

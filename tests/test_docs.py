"""The guide against the code: nothing it shows may have drifted. None of this needs Sphinx."""

import dataclasses
import importlib.util
import itertools
import json
import re
import sys
import tomllib
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.testing.compare import compare_images

import pairsweep
from pairsweep.analyses.registry import ANALYSES, labels, owners
from pairsweep.cli import commands as cli
from pairsweep.cli.parser import parser
from pairsweep.execute import Site
from pairsweep.physics.patterns.registry import PATTERNS
from pairsweep.spec import schema
from pairsweep.spec.reader import parse_spec, read_spec
from tests import specs

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"


def load(name, folder=DOCS):
    """Import a program of the guide, or a script, by its path: the folder is no package."""
    spec = importlib.util.spec_from_file_location(f"guide_{name}", folder / f"{name}.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


pages, reference = load("pages"), load("reference")
sys.modules.setdefault("pages", pages)  # as programs of the guide import each other
run_recipes = load("run_recipes")
GENERATED = reference.pages()
WRITTEN = {path.name: path.read_text("utf-8") for path in (*DOCS.glob("*.md"), ROOT / "README.md")}
EVERY_PAGE = pytest.mark.parametrize("page", sorted(WRITTEN))


def everything(module, kind):
    """Every object of one kind in the tables of a module, however they are grouped."""
    tables = [value for value in vars(module).values() if isinstance(value, dict)]
    tables += [inner for table in tables for inner in table.values() if isinstance(inner, dict)]
    return list({id(v): v for table in tables for v in table.values() if isinstance(v, kind)}.values())


def rows(page):
    """Cells of every table row of a generated page, by its first cell."""
    found = {}
    for line in page.splitlines():
        if line.startswith("| "):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            found.setdefault(cells[0], []).append(cells)
    return found


def test_every_key_of_a_specification_is_documented():
    documented = rows(GENERATED["specification.md"])
    fields = everything(schema, schema.Field) + [f for p in PATTERNS.values() for f in p.fields]
    assert len(fields) > 20
    for field in fields:
        assert any(cells[-1] == field.meaning for cells in documented[f"`{field.name}`"]), field.name


def test_every_table_and_pattern_has_a_heading():
    page = GENERATED["specification.md"]
    for table in schema.TABLES:
        if table == "occupation" or hasattr(schema, table.upper()):
            assert f"`[{table}]`" in page
    for pattern in (*PATTERNS, schema.CUSTOM):
        assert f'### `pattern = "{pattern}"`' in page


def test_every_key_of_a_site_is_documented():
    documented = rows(GENERATED["specification.md"])
    for field in dataclasses.fields(Site):
        assert documented[f"`{field.name}`"][0][3], field.name


def test_limits_and_defaults_are_those_of_the_code():
    documented = rows(GENERATED["specification.md"])
    assert documented["`energy_max`"][0][1:5] == ["number", "MeV", "> 0, ≤ 1e+06", "**needed**"]
    assert documented["`cell_volume`"][0][3:5] == ['`"midpoint"`, `"exact"`', '`"midpoint"`']
    assert documented["`tolerance`"][0][5] == ""
    assert [row[5] for row in documented["`seed`"]] == ["", "axis"]  # of draws, of runs


def test_every_variable_and_label_is_documented():
    documented = rows(GENERATED["dataset.md"])
    variables = [variable for _, variable in owners()]
    assert len(variables) > 30
    for variable in variables:
        cells = next(cells for cells in documented[f"`{variable.name}`"] if len(cells) == 6)
        assert cells[5] == variable.meaning
        assert cells[1] == ", ".join(f"`{dim}`" for dim in variable.trailing)
        assert cells[2] in (variable.units, "code", "")
        for code, flag in enumerate(variable.flags):
            assert f"{code} {flag}" in documented[f"`{variable.name}`"][-1][1]
    every = [*labels().values(), *(label for a in ANALYSES.values() for label in a.labels)]
    for label in every:
        assert documented[f"`{label.name}`"][0][2] == label.meaning


def test_every_command_and_option_is_documented():
    page = GENERATED["command_line.md"]
    commands = list(reference.commands(parser()))
    assert {"plan", "run", "status", "show", "plot", "point"} <= {name for name, _, _ in commands}
    for name, command, _ in commands:
        section = page.split(f"## `pairsweep {name}`\n")[1].split("\n## ")[0]
        for action in command._actions:
            assert action.dest == "help" or (action.option_strings or [action.metavar])[
                -1
            ] in section.replace("\\", "")


def test_everything_public_is_documented():
    for name in pairsweep.__all__:
        assert f"## ps.{name}\n" in GENERATED["python.md"] or f"## `ps.{name}`\n" in GENERATED["python.md"]
    assert "ps.run(spec, store=None, *, where=None, scheduler='local'" in GENERATED["python.md"]


def test_docstrings_become_markdown():
    """Entries keep what stands in them; prose stays prose."""
    parameters = "Parameters\n----------\nx, y : (N,) MeV\n    Where\n    from.\nn : how many"
    text = f"Do it.\n\n{parameters}\n\nNotes\n-----\nEq. 1."
    assert reference.numpydoc(text) == (
        "Do it.\n\n**Parameters**\n\n- **x, y** ((N,) MeV): Where from.\n- **n**: how many\n\n**Notes**\n\nEq. 1."
    )


def test_every_shipped_sweep_and_benchmark_is_documented():
    for path in (ROOT / "sweeps").glob("*.toml"):
        section = GENERATED["sweeps.md"].split(f"## {path.name}\n")[1].split("\n## ")[0]
        assert "?" in section, f"{path.name} does not open with a question"
    for path in (ROOT / "scripts" / "benchmarks").glob("*.py"):
        section = GENERATED["benchmarks.md"].split(f"## {path.name}\n")[1].split("\n## ")[0]
        assert "None" not in section, f"{path.name} does not say what it measures"


@EVERY_PAGE
def test_every_specification_parses(page, tmp_path):
    blocks = list(pages.blocks(WRITTEN[page]))
    functions = {block.name: block.text for block in blocks if block.language == "python" and block.name}
    for block in blocks:
        if "analyses =" not in block.text or block.language not in ("toml", ""):
            continue
        if re.search(r'\nfile = "', block.text):  # whose file the page makes: run as a whole below
            continue
        wanted = re.search(r'function = "([^":]*):([^"]*)"', block.text)
        if wanted:
            (tmp_path / wanted[1]).write_text(functions[wanted[1]])
        assert parse_spec(block.text, folder=tmp_path).analyses, f"{page}:{block.line}"


@pytest.mark.parametrize("page", ["README.md", "quickstart.md"])
def test_python_of_the_first_pages_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = list(pages.blocks(WRITTEN[page]))
    (spec,) = [block.text for block in blocks if "analyses =" in block.text]
    Path("bins.toml").write_text(spec, encoding="utf-8")
    arguments = ["bins.toml", "--store", "bins.zarr", "--scheduler", "serial", "--quiet"]
    assert cli.main(["run", *arguments]) == 0
    codes = [block.text for block in blocks if block.text.startswith("import ")]
    assert len(codes) == 2
    for code in codes:
        exec(compile(code, page, "exec"), {})
    plt.close("all")


def test_a_reader_without_pairsweep_opens_what_is_published(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    pairsweep.run(specs.GROWTH, "map.zarr", scheduler="serial", quiet=True)
    assert cli.main(["pack", "map.zarr", "-o", "map.zarr.zip"]) == 0
    (code,) = [b.text for b in pages.blocks(WRITTEN["publishing.md"]) if b.language == "python"]
    assert "pairsweep" not in code
    capsys.readouterr()
    exec(compile(code, "publishing.md", "exec"), {})
    printed = capsys.readouterr().out
    assert f"{float(pairsweep.open_store('map.zarr').growth_rate):}" in printed
    assert 'analyses = ["growth"]' in printed
    assert xr.open_zarr("zip::map.zarr.zip").identical(xr.open_zarr("map.zarr"))


def parses(commands):
    """Parse the commands that call pairsweep; a wrong one ends the test with the parser's own words."""
    called = [words for words in map(pages.pairsweep_command, commands) if words and "--help" not in words]
    for words in called:
        parser().parse_args(words)
    return len(called)


@EVERY_PAGE
def test_code_stands_in_fences_with_a_language(page):
    """Blocks that are merely indented run into each other where they are rendered."""
    without_formulas = re.sub(r"\$\$.*?\$\$", "", WRITTEN[page], flags=re.DOTALL)
    assert all(block.language for block in pages.blocks(without_formulas))


def test_the_example_of_the_conventions_runs():
    (code,) = [b.text for b in pages.blocks(WRITTEN["conventions.md"]) if b.language == "python"]
    exec(compile(code, "conventions.md", "exec"), {})


def test_the_example_of_a_comparison_prints_what_the_page_says(capsys):
    code, printed = (b.text for b in pages.blocks(WRITTEN["comparing.md"]))
    exec(compile(code, "comparing.md", "exec"), {})
    rounding = re.compile(r"left over \S+\)")
    assert rounding.sub("", capsys.readouterr().out) == rounding.sub("", printed)


def test_the_notebook_runs_and_holds_no_outputs(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda: None)
    notebook = json.loads((DOCS / "tutorial.ipynb").read_text("utf-8"))
    codes = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(codes) > 8
    names = {}
    for cell in codes:
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
        exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    assert names["ds"].status.min() == 1
    assert names["strength"] > 0
    plt.close("all")


@pytest.mark.processes
def test_occupations_of_ones_own_run_as_the_page_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    found = {
        b.name or b.text.splitlines()[0].removeprefix("# "): b
        for b in pages.blocks(WRITTEN["occupations.md"])
    }
    for name in ("stream.py", "stream.toml", "drawn.toml"):
        Path(name).write_text(found[name].text, encoding="utf-8")
    blocks = [block for block in pages.blocks(WRITTEN["occupations.md"]) if block.language == "sh"]
    for command in map(pages.pairsweep_command, itertools.chain.from_iterable(b.commands for b in blocks)):
        assert cli.main([*command, *(["--scheduler", "serial"] if command[0] == "run" else [])]) == 0
    said = capsys.readouterr().out
    assert "unstable     5 of 6" in said
    assert "64 done, 0 failed" in said
    Path("cases.csv").write_text(found["cases.csv"].text.split("\n", 1)[1], encoding="utf-8")
    (bins,) = (b.text for b in pages.blocks(WRITTEN["README.md"]) if b.language == "toml")
    spec = bins.replace("rho_low = 0.1", "").replace("g = 1e-6 ", "")
    spec = "\n".join(line for line in spec.splitlines() if not line.startswith("rho_high"))
    assert read_spec('cases = "cases.csv"\n' + spec)["rho_low"].values == (0.3, 0.05, 0.05)


def test_three_layouts_of_one_snapshot_agree_and_draws_become_a_table(tmp_path, monkeypatch, capsys):
    """What docs/snapshots.md does, in this process: groups, particles and moments of the same occupations."""
    monkeypatch.chdir(tmp_path)
    load("make_snapshots", ROOT / "scripts").write_all(Path())
    plotted = []
    monkeypatch.setattr(plt.Figure, "savefig", lambda self, name, **_: plotted.append(name))
    for block in pages.blocks(WRITTEN["snapshots.md"]):
        if block.name:
            Path(block.name).write_text(block.text, encoding="utf-8")
        for command in block.commands if block.language == "sh" else ():
            words = pages.pairsweep_command(command)
            if words:
                assert cli.main([*words, *(["--scheduler", "serial"] if words[0] == "run" else [])]) == 0
            elif "make_snapshots" not in command:
                name = command.removeprefix("python ")
                exec(compile(Path(name).read_text("utf-8"), name, "exec"), {})
    plt.close("all")
    told = capsys.readouterr().out
    report = next(b.text for b in pages.blocks(WRITTEN["snapshots.md"]) if b.language == "text")
    assert all(line in told for line in report.splitlines())
    groups, particles, moments, drawn = (
        pairsweep.open_store(f"{name}.zarr").load() for name in ("groups", "particles", "moments", "drawn")
    )
    same = {"rtol": 1e-6, "atol": 1e-9}
    for name in ("growth_rate", "max_epn", "epn_crossing_distance"):
        here = groups[name].sel(radius=particles.radius)
        np.testing.assert_allclose(particles[name], here, **same)
        np.testing.assert_allclose(moments[name], groups[name], **same)
    assert (groups.growth_rate > 0).sum() == 2
    assert groups.density.dims == ("radius",)
    assert plotted == ["snapshots.png"]
    table = Path("drawn.csv").read_text("utf-8").splitlines()
    assert len(table) == 1 + drawn.sizes["sample"]
    assert table[0].startswith("sample,n_energy,rho_high,rho_low,g,growth_over_mu")


@EVERY_PAGE
def test_every_command_line_parses(page):
    for block in pages.blocks(WRITTEN[page]):
        if block.language in ("sh", "bash", ""):
            parses(block.commands)


@EVERY_PAGE
def test_every_file_that_a_page_includes_is_there_and_true(page):
    for name in re.findall(r"```\{literalinclude\} (\S+)", WRITTEN[page]):
        text = (DOCS / name).read_text("utf-8")
        if name.endswith(".sbatch"):
            assert parses([line.strip() for line in text.splitlines() if "pairsweep run" in line]) == 2
        elif name.endswith(".toml"):
            assert Site.from_table(tomllib.loads(text)["cluster"]).jobs > 1


READ_IN_A_CLONE = sorted(path for folder in (ROOT, DOCS, DOCS / "reference") for path in folder.glob("*.md"))


@pytest.mark.parametrize("path", READ_IN_A_CLONE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(path):
    """In a clone, before anything is built: to a file of the tree, and to a heading that it has."""
    text = path.read_text("utf-8")
    for target, heading in pages.links_and_headings(text):
        file = path.parent / target if target else path
        assert file.is_file(), target
        assert not heading or heading in pages.anchors(file.read_text("utf-8")), f"{target}#{heading}"


@EVERY_PAGE
def test_every_file_named_in_code_marks_exists(page):
    for name in re.findall(r"`((?:sweeps|scripts)/[\w./]*\w)`", WRITTEN[page]):
        assert (ROOT / name).exists(), name


def test_pictures_are_light_and_all_shown():
    shown = {Path(target).name for page in WRITTEN.values() for target in pages.links(page)}
    for picture in (DOCS / "pictures").iterdir():
        assert picture.stat().st_size < 150_000, picture.name
        assert picture.name in shown


def test_recipes_are_complete():
    """Ten questions or more, each with a specification, commands that run it, and a picture they make."""
    recipes = {}
    for block in pages.blocks(WRITTEN["recipes.md"]):
        recipes.setdefault(block.heading, []).append(block)
    assert len(recipes) >= 10
    sections = WRITTEN["recipes.md"].split("\n## ")[1:]
    assert [section.splitlines()[0] for section in sections] == list(recipes)
    for section, (question, blocks) in zip(sections, recipes.items(), strict=True):
        assert question.endswith("?")
        assert any(block.language == "toml" and block.name for block in blocks), question
        assert any(block.language == "sh" and "pairsweep" in block.text for block in blocks), question
        (picture,) = (Path(target).name for target in pages.links(section) if target.endswith(".png"))
        assert any(picture in block.text for block in blocks), question


RECIPES = {
    question: list(parts)
    for question, parts in itertools.groupby(
        pages.blocks(WRITTEN["recipes.md"]), key=lambda block: block.heading
    )
}
QUICK = [  # growth alone, and drawn by a command: a second each
    question
    for question, parts in RECIPES.items()
    if all('analyses = ["growth"]' in block.text for block in parts if block.language == "toml")
    and not any(block.language == "python" and "savefig" in block.text for block in parts)
]


@pytest.mark.skipif(
    ".".join(mpl.__version__.split(".")[:2]) != (ROOT / "tests/baselines/matplotlib.txt").read_text().strip(),
    reason="the pictures were drawn by another matplotlib, whose letters differ",
)
@pytest.mark.parametrize("question", QUICK)
def test_pictures_of_the_guide_are_those_of_today(question, tmp_path, monkeypatch, capsys):
    """Those that take longer are made by scripts/docs --pictures."""
    monkeypatch.chdir(tmp_path)
    for block in RECIPES[question]:
        if block.name:
            Path(block.name).write_text(block.text, encoding="utf-8")
    for command in (line for block in RECIPES[question] if block.language == "sh" for line in block.commands):
        words = pages.pairsweep_command(command)
        if words is None:
            code = Path(command.removeprefix("python ").strip())
            exec(compile(code.read_text(), code.name, "exec"), {})
        elif words[0] in ("run", "refine", "plot"):
            quietly = [] if words[0] == "plot" else ["--scheduler", "serial", "--quiet"]
            assert cli.main([*words, *quietly]) == 0
    made = [path for path in tmp_path.glob("*.png") if (DOCS / "pictures" / path.name).exists()]
    assert made
    for path in made:
        assert compare_images(str(DOCS / "pictures" / path.name), str(path), 3.0) is None
    plt.close("all")


def test_every_picture_has_a_maker():
    named = " ".join(block.text for name in run_recipes.PAGES for block in pages.blocks(WRITTEN[name]))
    for picture in (DOCS / "pictures").iterdir():
        assert picture.name in named or picture.name in run_recipes.OTHERS, picture.name


def test_blocks_of_a_page():
    prose = "[b](b.md#c) ![p](p.png) [w](https://w)"
    text = f"## A\n```toml\n# a.toml\nx = 1\n```\n{prose}\n\n    pairsweep run \\\n      s\n"
    fenced, indented = pages.blocks(text)
    assert (fenced.language, fenced.name, fenced.heading, fenced.line) == ("toml", "a.toml", "A", 3)
    assert indented.commands == ["pairsweep run    s"]
    assert pages.links(text) == ["b.md", "p.png"]
    assert pages.links_and_headings(text) == [("b.md", "c"), ("p.png", "")]
    assert pages.anchors("# A b, c\n```sh\n# not one\n```\n## `d_e` f") == {"a-b-c", "d_e-f"}
    assert pages.pairsweep_command('A=1 pairsweep run "$S"  # c') == ["run", "1"]
    assert pages.pairsweep_command("exec pairsweep show s &") == ["show", "s"]
    assert pages.pairsweep_command("sbatch job.sh") is None

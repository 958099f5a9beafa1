from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from pairsweep import reproduce as package
from pairsweep.contract.errors import UsageError
from pairsweep.plot import pictures
from pairsweep.reproduce import SWEEPS, Reproduction, reproduce, shipped
from pairsweep.reproduce.figures import FIGURES
from pairsweep.reproduce.report import Drawn, typeset, write_report
from pairsweep.reproduce.statements import CHECKS, Statement, growth_of_case_a, growth_of_case_b, statements
from pairsweep.sweep.results import open_store
from pairsweep.sweep.where import Where

# Coarser copies of the shipped sweeps: the same questions, fewer points.
COARSER = {
    "two_pairs": [("num = 21", "num = 6")],
    "fig2": [("samples = 561", "samples = 281")],
    "fig3": [("samples = 1361", "samples = 681")],
    "persistent_bin": [
        ("n_energy = [5, 10, 20, 40, 60, 80, 100]", "n_energy = [5, 10, 20]"),
        ("n_theta = [1, 2, 4, 8]", "n_theta = [1, 2]"),
        ("n_phi = [4, 8, 16]", "n_phi = [4, 8]"),
        ("e_low = [8.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0]", "e_low = [8.0, 10.0, 10.0]"),
        ("e_high = [12.0, 12.0, 11.0, 10.5, 10.33, 10.25, 10.2]", "e_high = [12.0, 12.0, 11.0]"),
    ],
    "epn_crossing": [
        ("num = 29", "num = 8"),
        ("[1, 2, 3, 4]", "[1, 2]"),
        ("[4, 8, 12, 8]", "[4, 8]"),
        ("[1, 1, 1, 2]", "[1, 2]"),
    ],
    "anisotropy": [("start = 11.25, stop = 360.0, num = 32", "start = 45.0, stop = 360.0, num = 8")],
    "coupling": [("num = 121", "num = 13")],
    "phase_diagram": [("num = 81", "num = 9"), ("num = 121", "num = 13")],
    "inhomogeneous_bins": [("num = 97", "num = 49"), ("4, 5, 8, 16, 32]", "4, 5, 8]")],
    "inhomogeneous_directions": [("num = 18", "num = 6"), ("num = 72", "num = 12")],
}
EXPECTED_NOT_TO_AGREE = {
    "growth_of_case_b": "differs",
    "interaction_scale": "differs",
    "growth_in_time": "differs",
    "symmetry_of_quadrants": "differs",
    "spin_budget": "answers",
    "anisotropy_that_is_needed": "answers",
    "crossing_and_instability": "answers",
    "large_coupling": "answers",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Reproduction:
    """A whole report from the coarser sweeps."""
    specs = tmp_path_factory.mktemp("specs")
    for name in SWEEPS:
        text = shipped(name).read_text(encoding="utf-8")
        for old, new in COARSER.get(name, []):
            assert old in text, f"{name}: {old}"
            text = text.replace(old, new)
        (specs / f"{name}.toml").write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(package, "shipped", lambda name: specs / f"{name}.toml")
        return reproduce(tmp_path_factory.mktemp("report"), Where("serial"), quiet=True)


@pytest.fixture(scope="module")
def results(made):
    return {name: open_store(made.report.parent / "stores" / f"{name}.zarr") for name in SWEEPS}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_statement(check, results):
    statement = check(results)
    assert statement.outcome == EXPECTED_NOT_TO_AGREE.get(check.__name__, "agrees"), statement.found


def test_case_b_is_quoted_with_both_numbers(results):
    statement = growth_of_case_b(results)
    assert "0.490 mu" in statement.says
    assert "0.9798 mu" in statement.found
    assert "0.980 mu" in statement.remark


def test_other_data_change_the_table(results):
    """With growth rates halved, case A is wrong and the printed number of case B right."""
    halved = {**results, "fig1": results["fig1"].assign(growth_rate=0.5 * results["fig1"]["growth_rate"])}
    assert growth_of_case_a(halved).outcome == "differs"
    assert growth_of_case_b(halved).outcome == "agrees"


def test_a_run_that_ends_before_its_maximum_is_no_witness_of_saturation(results):
    short = results["fig3"].isel(time=slice(0, 300))
    table = {s.says: s for s in statements({**results, "fig3": short})}
    (saturation,) = [s for says, s in table.items() if "saturated" in says]
    assert saturation.outcome == "differs"


class Reader(HTMLParser):
    """Collects what the page would load, its images, and whether its tags are balanced."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "img"):
            self.open.append(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_report_is_one_file_that_needs_no_network(made):
    page = made.report.read_text(encoding="utf-8")
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert len(reader.sources) == len(FIGURES)
    assert all(source.startswith("data:image/png;base64,") for source in reader.sources)
    assert "<script" not in page
    assert "url(" not in page
    for statement in made.statements:
        assert statement.says
        assert statement.found
        for text in filter(None, (statement.says, statement.found, statement.remark)):
            assert f">{typeset(text)}<" in page


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (
            "2 mu sqrt(|n_x n_z|) for E >> mu",
            "2 <i>μ</i> √(|<i>n</i><sub>x</sub> <i>n</i><sub>z</sub>|) for E ≫ <i>μ</i>",
        ),
        ("rhobar_x = 0.3", "<i>ρ̄</i><sub>x</sub> = 0.3"),
        ("<|kappa|> to 1.0e-03 MeV^-2", "⟨|<i>κ</i>|⟩ to 1.0\u202f×\u202f10<sup>−3</sup> MeV<sup>−2</sup>"),
        ("mu' from 1e-8 to 10^4", "<i>μ</i>′ from 10<sup>−8</sup> to 10<sup>4</sup>"),
        ("1.5 x 10^-3, E_i^2 dE", "1.5\u202f×\u202f10<sup>−3</sup>, <i>E</i><sub>i</sub><sup>2</sup> dE"),
        ("(-1.00, 0.5): rho - rhobar", "(−1.00, 0.5): <i>ρ</i> − <i>ρ̄</i>"),
        (
            "growth_rate, a < b, the Letter's non-linear multiple",
            "growth_rate, a &lt; b, the Letter&#x27;s non-linear multiple",
        ),
    ],
)
def test_formulas_are_set(text, html):
    assert typeset(text) == html


def test_every_figure_names_its_sweep_and_lies_beside_as_png_and_pdf(made, results):
    folder = made.report.parent
    page = made.report.read_text(encoding="utf-8")
    for figure in FIGURES:
        for ending in (".png", ".pdf"):
            assert (folder / "figures" / f"{figure.name}{ending}").stat().st_size > 5000
        caption = re.search(rf'id="{figure.name}".*?</figure>', page, re.DOTALL).group()
        assert f"sweeps/{figure.sweep}.toml" in caption
        assert results[figure.sweep].attrs["specification_digest"] in caption
        assert f"stores/{figure.sweep}.zarr" in caption


def test_figures_are_of_known_sweeps_and_kinds():
    assert {figure.sweep for figure in FIGURES} <= set(SWEEPS)
    assert {figure.kind for figure in FIGURES} <= set(pictures())


def test_incomplete_sweeps_are_named_and_text_is_escaped(tmp_path):
    picture = tmp_path / "a.png"
    picture.write_bytes(b"\x89PNG")
    statement = Statement("Eq. 1", "a < b", "1 & 2", "agrees")
    drawn = Drawn(FIGURES[0], picture, "abc", "stores/fig1.zarr")
    write_report(tmp_path / "index.html", [statement], [drawn], {"fig2": 3})
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "fig2 (3)" in page
    assert "a &lt; b" in page
    assert "1 &amp; 2" in page


def test_unknown_sweep_and_a_file_in_the_way(tmp_path):
    with pytest.raises(UsageError, match="does not come with"):
        shipped("fig9")
    (tmp_path / "report").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="is a file"):
        reproduce(tmp_path / "report")


def test_whole_table_counts(made):
    assert made.incomplete == {}
    assert made.count("differs") == 4
    assert made.count("agrees") + made.count("answers") == len(CHECKS) - 4

"""What a notebook shows of grids, specifications, plans, points, runs and summaries: a small table each."""

import pytest

import pairsweep as ps
from pairsweep.contract.display import WIDTH, Displayed, ends, with_units
from pairsweep.sweep.run import Outcome
from tests.specs import growth

SPEC = growth(rho_high="[0.5, 0.9]", rho_low="0.1")


class Anything(Displayed):
    def _shown(self):
        return "a < b", (("name", "x" * 200), ("longer name", "<script>"))


def test_text_is_aligned_and_cut_and_html_is_escaped():
    title, first, second = repr(Anything()).splitlines()
    assert title == "a < b"
    assert first.startswith("  name         xxx")
    assert first.endswith("...")
    assert len(first) == WIDTH
    assert second == "  longer name  <script>"
    assert "<script>" not in Anything()._repr_html_()
    assert "a &lt; b" in Anything()._repr_html_()


def test_values_in_short():
    assert ends([1, 2.5, "x"]) == "1, 2.5, x"
    assert ends(range(10)) == "0 ... 9 (10 values)"
    assert with_units("3", "MeV") == "3 MeV"
    assert with_units("3", "1") == "3"


def test_grids_say_what_they_hold():
    assert repr(ps.bins(3, 2, 4)).splitlines() == [
        "24 pairs: bins",
        "  energies    3 bins, centres 3.33333 ... 16.6667 MeV, up to 20 MeV",
        "  directions  2 in cos(theta) x 4 in phi",
        "  volume      32579.5 MeV^3 in all",
    ]
    assert repr(ps.cells([0, 1, 5], [-1, 0, 1], [0, 3, 6.283185307])).startswith("8 pairs: cells")
    two = repr(ps.beams([1.0, 2.0], 1.0, 0.0, 0.0, names=["up", "down"]))
    assert "down      E = 2 MeV" in two
    assert len(repr(ps.beams(range(1, 1001), 1.0, 0.0, 0.0)).splitlines()) == 4


@pytest.mark.parametrize(
    ("make", "lines"),
    [
        (lambda: ps.read_spec(SPEC), ("rho_high     0.5, 0.9 (axis)", "energy_max   20 MeV")),
        (lambda: ps.plan(SPEC), ("points  2 in 1 blocks", "axes    rho_high (2)")),
        (lambda: ps.point(write(SPEC), {"rho_high": 0.9}), ("rho_high = 0.9", "growth_rate ")),
        (lambda: Outcome(6728, 100, 2, 1.5), ("6,728 points", "computed  100 in 1.5 s", "failed    2")),
        (
            lambda: ps.summary(ps.run(SPEC, scheduler="serial", quiet=True)),
            ("2 done, 0 failed", "unstable     1 of 2"),
        ),
    ],
    ids=["Spec", "Plan", "Point", "Outcome", "Summary"],
)
def test_results_are_small_tables(make, lines, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = make()
    assert len(repr(shown).splitlines()) <= 20
    for line in lines:
        assert line in repr(shown)
    assert shown._repr_html_().count("<tr>") == len(repr(shown).splitlines()) - 1


def write(text):
    with open("spec.toml", "w", encoding="utf-8") as file:
        file.write(text)
    return "spec.toml"

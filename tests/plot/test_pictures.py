from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.testing.compare import compare_images

from pairsweep.plot import draw, pictures

from .pictures import DPI, PICTURES, couplings, minor_version, write

BASELINES = Path(__file__).parent.parent / "baselines"
TOLERANCE = 4.0  # RMS over all pixels, 0 to 255; a missing line or label makes more
VERSION = (BASELINES / "matplotlib.txt").read_text(encoding="utf-8").strip()
same_letters = pytest.mark.skipif(
    minor_version() != VERSION,
    reason=f"the reviewed pictures were drawn by matplotlib {VERSION}, whose letters differ",
)


@same_letters
@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_the_reviewed_one(name, tmp_path):
    write(name, tmp_path / "new.png")
    assert compare_images(str(BASELINES / f"{name}.png"), str(tmp_path / "new.png"), TOLERANCE) is None


@same_letters
def test_comparison_sees_a_changed_picture(tmp_path):
    """A tenth of the growth rates of one phase: the map changes and so the comparison fails."""
    ds = couplings()
    changed = ds.assign(growth_rate=ds["growth_rate"].where(ds["mode_kind"] != 2, 0.1 * ds["growth_rate"]))
    draw("growth-map", changed, x="g").savefig(tmp_path / "new.png", dpi=DPI)
    difference = compare_images(
        str(BASELINES / "growth_map_static.png"), str(tmp_path / "new.png"), TOLERANCE
    )
    assert difference is not None


def test_every_kind_has_a_picture():
    assert {kind for kind, _, _ in PICTURES.values()} == set(pictures())


def test_baselines_are_small():
    assert sum(path.stat().st_size for path in BASELINES.glob("*.png")) < 400_000

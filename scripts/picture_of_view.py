"""Take the picture of `pairsweep view` for the guide, in Chromium; where there is none the old picture is kept.

python scripts/picture_of_view.py view.png
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pairsweep as ps

OLD = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "view.png"
SIZE = {"width": 1400, "height": 1180}
SPEC = """
title = "Growth over occupation and coupling"
analyses = ["growth", "continuum"]
[grid]
kind = "bins"
n_energy = [1, 3]
n_theta = 1
n_phi = 4
energy_max = 20.0
[occupation]
pattern = "quadrant"
rho_high = { start = 0.3, stop = 1.0, num = 41 }
rho_low = 0.1
[coupling]
g = { start = 1e-7, stop = 1e-5, num = 31, spacing = "log" }
"""
POINT = "point.n_energy=1&point.rho_high=0.755&point.g=1.16591440118e-06"
READY = (
    "['occupation', 'modes', 'shares', 'wave_numbers', 'pairing', 'quadrants']"
    ".every(name => Bokeh.documents[0].get_model_by_name(name).children[1].visible)"
)


def main(target: str) -> int:
    """Write the picture to ``target``."""
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        return keep(target, "playwright is not installed")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        return keep(target, "no Chromium is here: scripts/browser installs one")
    target = os.path.abspath(target)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        os.chdir(folder)
        ps.run(SPEC, "map.zarr")
        page = ps.view("map.zarr")
        browser = driver.chromium.launch(
            executable_path=found, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        tab = browser.new_page(viewport=SIZE)
        tab.goto(f"{page.url}?{POINT}")
        tab.wait_for_function("globalThis.Bokeh?.documents?.length > 0", timeout=60_000)
        tab.wait_for_function(READY, timeout=120_000)
        tab.wait_for_timeout(1000)
        tab.screenshot(path=target)
        browser.close()
        page.close()
    return smaller(target)


def smaller(target: str) -> int:
    """Keep 256 colours of it: a third of the bytes."""
    from PIL import Image

    with Image.open(target) as picture:
        few = picture.convert("RGB").quantize(256, kmeans=3, dither=Image.Dither.NONE)
    few.save(target, optimize=True)
    return 0


def keep(target: str, why: str) -> int:
    """Say why there is no new one, and take the old one."""
    print(f"{why}: the old picture is kept")
    shutil.copyfile(OLD, target)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

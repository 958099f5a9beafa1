#!/usr/bin/env python3
"""`pairsweep view` of a map of 10^6 points in Chromium: seconds from the address to the map, and frames while one pans.

The store is made once (a few minutes) unless it is named. Usage: view.py [STORE]
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import pairsweep as ps

SPEC = """
title = "A million points"
analyses = ["growth"]
[grid]
kind = "bins"
n_energy = 1
n_theta = 1
n_phi = 4
energy_max = 20.0
[occupation]
pattern = "quadrant"
rho_high = { start = 0.0, stop = 1.0, num = 1000 }
rho_low = { start = 0.0, stop = 1.0, num = 1000 }
[coupling]
g = 1e-6
"""
TIMES = 5
STEPS = 60
DRAWN = "globalThis.Bokeh?.documents?.[0]?.is_idle"
FRAMES = """
window.frames_ = []
let last = performance.now()
const note = (now) => { window.frames_.push(now - last); last = now; requestAnimationFrame(note) }
requestAnimationFrame(note)
"""


def main(arguments: list[str]) -> None:
    """Print seconds to the map, and milliseconds of a frame."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        store = Path(arguments[0]) if arguments else Path(folder) / "million.zarr"
        if not arguments:
            ps.run(SPEC, store)
        page = ps.view(store)
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=found, args=root)
        seconds = []
        for _ in range(TIMES):
            tab = browser.new_context(viewport={"width": 1400, "height": 1000}).new_page()
            started = time.monotonic()
            tab.goto(page.url, wait_until="commit")
            tab.wait_for_function(DRAWN, timeout=120_000)
            seconds.append(time.monotonic() - started)
        print(
            f"first seen   {np.median(seconds):.2f} s (median of {TIMES}, {min(seconds):.2f} to {max(seconds):.2f})"
        )
        box = tab.locator("section[aria-label=map] .bk-Figure").bounding_box()
        assert box is not None
        x, y = box["x"] + 0.4 * box["width"], box["y"] + 0.4 * box["height"]
        tab.mouse.move(x, y)
        for _ in range(5):
            tab.mouse.wheel(0, -150)
        tab.wait_for_timeout(2000)
        tab.evaluate(FRAMES)
        tab.mouse.down()
        for step in range(STEPS):
            tab.mouse.move(x + 2 * step, y + step)
        tab.mouse.up()
        tab.wait_for_timeout(500)
        frames = np.array(tab.evaluate("window.frames_")[1:])
        print(
            f"a frame      {np.median(frames):.0f} ms while one pans, 95 % below {np.quantile(frames, 0.95):.0f} ms"
        )
        browser.close()
        page.close()


if __name__ == "__main__":
    main(sys.argv[1:])

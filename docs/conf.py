"""Sphinx settings of the guide; the reference pages are written from the code before Sphinx reads the folder."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import reference  # noqa: E402

import pairsweep  # noqa: E402

project = "pairsweep"
author = "the pairsweep authors"
release = version = pairsweep.__version__

extensions = ["myst_parser", "mathml"]
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "pairsweep"
html_math_renderer = "mathml"

GENERATED = HERE / "reference"
GENERATED.mkdir(exist_ok=True)
for name, text in reference.pages().items():
    page = GENERATED / name
    if not page.exists() or page.read_text("utf-8") != text:  # an untouched page is not built again
        page.write_text(text, "utf-8")

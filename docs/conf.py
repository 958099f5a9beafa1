"""Sphinx settings of the guide; the reference pages are made from the code before Sphinx reads the folder."""

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

reference.write()

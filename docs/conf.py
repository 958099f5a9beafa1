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

extensions = ["myst_nb", "mathml"]
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
nb_execution_mode = "force"  # the notebook is kept without its outputs
nb_execution_raise_on_error = True
nb_execution_timeout = 600  # it may have to compile everything
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "pairsweep"
html_math_renderer = "mathml"

reference.write()

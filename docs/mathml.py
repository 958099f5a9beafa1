"""Formulas as MathML: browsers draw it themselves, so the guide reads the same without a network."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

ACCENTS = "ˆˉ˙˜→"
logger = logging.getLogger(__name__)


def formula(latex: str, display: bool) -> str:
    """Translate LaTeX; an accented letter with an index gets its index beside it, not below."""
    text = tex2mathml(latex.strip(), as_block=display)
    plain = text.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "").replace(
        "&ApplyFunction;", "\u2061"
    )
    root = ET.fromstring(plain)
    for stack in list(root.iter("munderover")):
        base, index, accent = stack
        if accent.tag == "mo" and accent.text in ACCENTS:
            stack.tag = "msub"
            over = ET.Element("mover", accent="true")
            over.extend([base, accent])
            stack[:] = [over, index]
    return ET.tostring(root, encoding="unicode")


def _visit(self: HTML5Translator, node: nodes.math | nodes.math_block) -> None:
    display = isinstance(node, nodes.math_block)
    try:
        drawn = formula(node.astext(), display)
    except Exception as error:  # the translator raises many kinds, each with the place in its text
        logger.warning("formula %r: %s", node.astext(), error, location=node)
        raise nodes.SkipNode from error
    self.body.append(f'<div class="math">{drawn}</div>' if display else drawn)
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer under the name ``mathml``."""
    app.add_html_math_renderer("mathml", inline_renderers=(_visit, None), block_renderers=(_visit, None))
    return {"parallel_read_safe": True}

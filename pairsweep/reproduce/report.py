"""The report as one HTML file that opens from disk: pictures inside, no script, nothing from the network."""

from __future__ import annotations

import base64
import html
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pairsweep import __version__
from pairsweep.reproduce.figures import ReportFigure
from pairsweep.reproduce.statements import Statement

STYLE = """
body { font: 16px/1.5 Georgia, "Times New Roman", serif; color: #222; max-width: 62rem; margin: 2.5rem auto;
       padding: 0 1.2rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin-bottom: .3rem; }
h2 { font-size: 1.25rem; margin-top: 2.6rem; border-bottom: 1px solid #ddd; padding-bottom: .2rem; }
p.lead, td.remark, figcaption small, footer { color: #555; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; }
th, td { text-align: left; vertical-align: top; padding: .45rem .6rem; border-bottom: 1px solid #e4e4e4; }
th { border-bottom: 2px solid #999; }
td.place { white-space: nowrap; color: #555; }
td.outcome { white-space: nowrap; font-weight: bold; }
.agrees { color: #00694b; } .differs { color: #a83c00; } .answers { color: #00558a; }
figure { margin: 2rem 0; } figure img { max-width: 100%; display: block; margin: 0 auto .5rem; }
figcaption { font-size: .92rem; } figcaption small { display: block; margin-top: .2rem; }
code { font-size: .85em; overflow-wrap: anywhere; }
"""


@dataclass(frozen=True)
class Drawn:
    """A figure on disk, and what it was made from."""

    figure: ReportFigure
    png: Path
    digest: str
    store: str


def write_report(
    path: Path, statements: Sequence[Statement], drawn: Sequence[Drawn], failed: Mapping[str, int]
) -> None:
    """Write the report; ``failed`` counts the points without a result in each sweep that has some."""
    counts = Counter(statement.outcome for statement in statements)
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Collective pair oscillations, reproduced</title><style>{STYLE}</style></head><body>",
        "<h1>Collective neutrino-antineutrino pair oscillations, reproduced</h1>",
        '<p class="lead">Every quantitative statement of the Letter arXiv:2604.25687 beside what pairsweep '
        f"{_text(__version__)} finds: {counts['agrees']} agree, {counts['differs']} differ, "
        f"{counts['answers']} answer a question that the Letter leaves open. The model is the Letter's: a homogeneous "
        "gas of one flavour; inhomogeneous modes are not treated.</p>",
    ]
    if failed:
        names = ", ".join(f"{name} ({count})" for name, count in failed.items())
        parts.append(
            f'<p class="differs">Points without a result: {_text(names)}; what needs them is incomplete.</p>'
        )
    parts += ["<h2>Statements</h2>", *_table(statements), "<h2>Figures</h2>"]
    parts += [line for item in drawn for line in _figure(item)]
    parts.append("</body></html>")
    path.write_text("\n".join(parts) + "\n", encoding="utf-8")


def _text(text: str) -> str:
    return html.escape(text, quote=True)


def _table(statements: Sequence[Statement]) -> list[str]:
    rows = [
        f'<tr><td class="place">{_text(s.place)}</td><td>{_text(s.says)}</td>'
        f'<td class="outcome {s.outcome}">{s.outcome}</td><td>{_text(s.found)}</td>'
        f'<td class="remark">{_text(s.remark)}</td></tr>'
        for s in statements
    ]
    head = "<tr><th>Where</th><th>The Letter</th><th></th><th>Found</th><th>Remark</th></tr>"
    return ["<table>", f"<thead>{head}</thead><tbody>", *rows, "</tbody></table>"]


def _figure(item: Drawn) -> list[str]:
    data = base64.b64encode(item.png.read_bytes()).decode("ascii")
    figure = item.figure
    return [
        f'<figure id="{_text(figure.name)}"><img alt="{_text(figure.title)}" src="data:image/png;base64,{data}">',
        f"<figcaption><strong>{_text(figure.title)}.</strong> {_text(figure.caption)}",
        f"<small>From sweeps/{_text(figure.sweep)}.toml (digest <code>{_text(item.digest)}</code>), results in "
        f"<code>{_text(item.store)}</code>; also as {_text(item.png.name)} and PDF.</small></figcaption></figure>",
    ]

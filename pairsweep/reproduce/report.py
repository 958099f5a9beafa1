"""The report as one HTML file that opens from disk: pictures inside, no script, nothing from the network."""

from __future__ import annotations

import base64
import html
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pairsweep import __version__
from pairsweep.reproduce.figures import ReportFigure
from pairsweep.reproduce.statements import Statement

STYLE = """
:root { color-scheme: light dark; --ink: #222; --paper: #fff; --quiet: #555; --rule: #ddd;
        --agrees: #00694b; --differs: #a83c00; --answers: #00558a; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ddd; --paper: #181818; --quiet: #a5a5a5; --rule: #3c3c3c;
          --agrees: #4fc79b; --differs: #ff9d66; --answers: #6cbcf0; } }
body { font: 16px/1.5 Georgia, "Times New Roman", serif; color: var(--ink); background: var(--paper);
       max-width: 62rem; margin: 2.5rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin-bottom: .3rem; }
h2 { font-size: 1.25rem; margin-top: 2.6rem; border-bottom: 1px solid var(--rule); padding-bottom: .2rem; }
p.lead, td.remark, figcaption small, footer { color: var(--quiet); }
table { border-collapse: collapse; width: 100%; font-size: .88rem; }
th, td { text-align: left; vertical-align: top; padding: .45rem .6rem; border-bottom: 1px solid var(--rule); }
th { border-bottom: 2px solid var(--quiet); }
td.place { white-space: nowrap; color: var(--quiet); }
td.outcome { white-space: nowrap; font-weight: bold; }
.agrees { color: var(--agrees); } .differs { color: var(--differs); } .answers { color: var(--answers); }
sub, sup { line-height: 0; } i { padding-right: .05em; }
figure { margin: 2rem 0; }
figure img { max-width: 100%; box-sizing: border-box; display: block; margin: 0 auto .5rem; background: #fff; }
figcaption { font-size: .92rem; } figcaption small { display: block; margin-top: .2rem; }
code { font-size: .85em; overflow-wrap: anywhere; }
footer { margin-top: 3rem; font-size: .85rem; }
@media (prefers-color-scheme: dark) { figure img { padding: .6rem; border-radius: .3rem; } }
@media screen and (max-width: 44rem) {
  body { margin-top: 1.2rem; }
  thead { display: none; }
  table, tbody { display: block; }
  tr { display: flex; flex-wrap: wrap; border-bottom: 1px solid var(--rule); padding: .6rem 0; }
  td { flex: 0 0 100%; border: 0; padding: .1rem 0; }
  td.place, td.outcome { flex: none; order: -1; margin-right: .8rem; }
  td.found::before { content: "found: "; color: var(--quiet); }
  td:empty { display: none; } }
@media print {
  body { max-width: none; margin: 0; font-size: 11pt; } h2 { break-after: avoid; }
  tr, figure { break-inside: avoid; } figure img { max-height: 10cm; } }
"""

GREEK = {"kappa": "κ", "lambda": "λ", "mu": "μ", "phi": "φ", "rho": "ρ", "rhobar": "ρ̄", "theta": "θ"}
# What plain text writes for a formula, and how it is set; applied in this order to escaped text.
TYPESET: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"(?<![\w.])(\d+(?:\.\d+)?)e([+-]?)0*(\d+)", r"\1 x 10^\2\3"),
    (r"(?<![\w.])1 x 10\^", "10^"),
    (r" x 10\^", "\u202f×\u202f10^"),
    (r"\^(-?)\+?(\w+)", lambda found: f"<sup>{found[1].replace('-', '−')}{found[2]}</sup>"),
    (rf"(?<!\w)({'|'.join(GREEK)})(?![a-z])", lambda found: f"<i>{GREEK[found[1]]}</i>"),
    (r"(?<!\w)([A-Za-z])_(\w+)", r"<i>\1</i><sub>\2</sub>"),
    (r"</i>_(\w+)", r"</i><sub>\1</sub>"),
    (r"</i>&#x27;", "</i>′"),
    (r"&lt;\|", "⟨|"),
    (r"\|&gt;", "|⟩"),
    (r"&gt;&gt;", "≫"),
    (r"-&gt;", "→"),
    (r"sqrt\(", "√("),
    (r"(?<![\w.)])-(?=[\d.])| - ", lambda found: found[0].replace("-", "−")),
)


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
        "gas of one flavour; modes with a wave number are linear.</p>",
    ]
    if failed:
        names = ", ".join(f"{name} ({count})" for name, count in failed.items())
        parts.append(
            f'<p class="differs">Points without a result: {_text(names)}; what needs them is incomplete.</p>'
        )
    parts += ["<h2>Statements</h2>", *_table(statements), "<h2>Figures</h2>"]
    parts += [line for item in drawn for line in _figure(item)]
    parts += [
        f"<footer>Made by <code>pairsweep reproduce</code>, version {_text(__version__)}. The same command again "
        "computes only what is missing. Every store opens with <code>xarray.open_zarr</code>.</footer>",
        "</body></html>",
    ]
    path.write_text("\n".join(parts) + "\n", encoding="utf-8")


def _text(text: str) -> str:
    return html.escape(text, quote=True)


def typeset(text: str) -> str:
    """Escape text and set its formulas: Greek letters, indices, powers."""
    text = _text(text)
    for pattern, replacement in TYPESET:
        text = re.sub(pattern, replacement, text)
    return text


def _table(statements: Sequence[Statement]) -> list[str]:
    rows = [
        f'<tr><td class="place">{_text(s.place)}</td><td>{typeset(s.says)}</td>'
        f'<td class="outcome {s.outcome}">{s.outcome}</td><td class="found">{typeset(s.found)}</td>'
        f'<td class="remark">{typeset(s.remark)}</td></tr>'
        for s in statements
    ]
    titles = ("Where", "The Letter", "Outcome", "Found here", "Remark")
    head = "<tr>" + "".join(f'<th scope="col">{title}</th>' for title in titles) + "</tr>"
    return ["<table>", f"<thead>{head}</thead><tbody>", *rows, "</tbody></table>"]


def _figure(item: Drawn) -> list[str]:
    data = base64.b64encode(item.png.read_bytes()).decode("ascii")
    figure = item.figure
    return [
        f'<figure id="{_text(figure.name)}"><img alt="{_text(figure.title)}" src="data:image/png;base64,{data}">',
        f"<figcaption><strong>{typeset(figure.title)}.</strong> {typeset(figure.caption)}",
        f"<small>From sweeps/{_text(figure.sweep)}.toml (digest <code>{_text(item.digest)}</code>), results in "
        f"<code>{_text(item.store)}</code>; also as {_text(item.png.name)} and PDF.</small></figcaption></figure>",
    ]

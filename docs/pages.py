"""What a Markdown page holds for a program: its blocks of code, its headings and its links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

FENCE = re.compile(r"```(\S*)")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
NAMED = re.compile(r"#\s*([\w-]+\.(?:toml|py|sh))\b")


@dataclass(frozen=True)
class Block:
    """A fenced or indented block of code.

    Attributes
    ----------
    heading : the heading of level 2 it stands under
    line : number of its first line in the page
    """

    language: str
    text: str
    heading: str
    line: int

    @property
    def name(self) -> str | None:
        """Name of the file to save it as, if its first line is a comment that says so."""
        found = NAMED.match(self.text)
        return found[1] if found else None

    @property
    def commands(self) -> list[str]:
        """Lines of a shell block that run something; a backslash continues a line."""
        joined = self.text.replace("\\\n", " ")
        return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def blocks(markdown: str) -> Iterator[Block]:
    """Yield the blocks of a page in order."""
    lines = markdown.splitlines()
    heading, number = "", 0
    while number < len(lines):
        line = lines[number]
        if line.startswith("## "):
            heading = line[3:]
        fence = FENCE.match(line)
        if fence or line.startswith("    "):
            first = number + 1 if fence else number
            number = first
            while number < len(lines) and (
                lines[number] != "```" if fence else lines[number].startswith("    ")
            ):
                number += 1
            text = [part if fence else part[4:] for part in lines[first:number]]
            yield Block(fence[1] if fence else "", "\n".join(text) + "\n", heading, first + 1)
        number += 1


def links(markdown: str) -> list[str]:
    """Targets of links and pictures inside the guide, without what points inside a page."""
    return [target for target, _ in links_and_headings(markdown) if target]


def links_and_headings(markdown: str) -> list[tuple[str, str]]:
    """Targets of links inside the guide, and the headings they point at: "" for this page, or for none."""
    targets = (target.partition("#") for target in LINK.findall(_prose(markdown)) if "://" not in target)
    return [(target, heading) for target, _, heading in targets]


def anchors(markdown: str) -> set[str]:
    """Names by which a git host and the built guide know the headings of a page."""
    headings = re.findall(r"^#+ +(.*?) *$", _prose(markdown), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _prose(markdown: str) -> str:
    return re.sub(r"^```.*?^```", "", markdown, flags=re.DOTALL | re.MULTILINE)


def pairsweep_command(line: str) -> list[str] | None:
    """Arguments of a command line that calls pairsweep; None for any other. Variables count as 1."""
    words = [re.sub(r"\$\{?\w+\}?", "1", word) for word in shlex.split(line, comments=True)]
    while words and (words[0] == "exec" or "=" in words[0]):  # settings of the environment
        words = words[1:]
    if words[-1:] == ["&"]:
        words = words[:-1]
    return words[1:] if words[:1] == ["pairsweep"] else None

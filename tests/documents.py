"""The Markdown files of this repository, taken apart: headings, links, code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parent.parent
RULE_PAGES = ROOT / "docs" / "rules"

DOCUMENTS = (
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md")),
    ROOT / "lambda_lint" / "data" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
)
WRITTEN = tuple(one for one in DOCUMENTS if one.parent != RULE_PAGES)
"""Those that people write; the pages of rules are generated, and their examples tested there."""


class Code(NamedTuple):
    """A fenced block; `line` is the 1-based line of its fence."""

    path: Path
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        """Where it is, for people and for names of tests."""
        return f"{name(self.path)}:{self.line}"

    @property
    def file(self) -> str:
        """The file that it is to be saved as: its first line says so, or it is a fragment."""
        found = re.match(r"# (\S+\.ya?ml)\n", self.text)
        return found[1] if found else ""


def name(path: Path) -> str:
    """The path of a document as seen from the root."""
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path, *languages: str) -> list[Code]:
    """The fenced blocks of a document, of these languages or of all."""
    found = [
        Code(path, token.map[0] + 1, (token.info.split() or [""])[0], token.content)
        for token in _tokens(path)
        if token.type == "fence" and token.map
    ]
    return [one for one in found if not languages or one.language in languages]


def anchors(path: Path) -> set[str]:
    """The anchors of a document's headings, as forges make them."""
    found: dict[str, int] = {}
    tokens = _tokens(path)
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            text = "".join(one.content for one in tokens[number + 1].children or ())
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            found[slug] = found.get(slug, -1) + 1
            if found[slug]:
                found[f"{slug}-{found[slug]}"] = 0
    return set(found)


def links(path: Path) -> list[str]:
    """Where the links and pictures of a document lead."""
    return [
        str(token.attrs["href" if token.type == "link_open" else "src"])
        for token in _inline(path)
        if token.type in ("link_open", "image")
    ]


def code_spans(path: Path) -> list[str]:
    """What stands between backquotes."""
    return [token.content for token in _inline(path) if token.type == "code_inline"]


def _inline(path: Path) -> Iterator[Token]:
    for token in _tokens(path):
        yield from token.children or ()


@cache
def _tokens(path: Path) -> list[Token]:
    return MarkdownIt("gfm-like", {"linkify": False}).parse(path.read_text(encoding="utf-8"))

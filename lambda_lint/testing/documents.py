"""The pages of the rules as Markdown files, for people who read them on a forge.

    python -m lambda_lint.testing.documents          # write docs/rules
    python -m lambda_lint.testing.documents --check  # say what is not up to date, exit with 1

This is for a checkout; an installed linter has the pages as `lambda-lint rule NAME`.
Everything on a page comes from the file of the rule. What only tests need, the script that runs
the examples, is folded away.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from lambda_lint.registry import BUILTIN, load_rules
from lambda_lint.rule import CATEGORIES, Rule
from lambda_lint.testing.pages import fence_info, fences

COMMAND = "python -m lambda_lint.testing.documents"
"""What writes the pages; named wherever they turn out to be old."""

DIRECTORY = Path(__file__).resolve().parent.parent.parent / "docs" / "rules"
INDEX = "README.md"


def main(argv: Sequence[str] | None = None) -> int:
    """Write the pages, or with `--check` name the files that differ; returns the exit code."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Write the pages of the rules.")
    parser.add_argument("--check", action="store_true", help="only say what is not up to date")
    options = parser.parse_args(argv)
    if not DIRECTORY.parent.is_dir():
        print(f"there is no {DIRECTORY.parent}: run this in a checkout of lambda-lint")
        return 2
    wanted = documents(load_rules([BUILTIN]))
    old = outdated(wanted)
    if options.check:
        for name in old:
            print(f"docs/rules/{name} is not what the rules say: run `{COMMAND}`")
        return 1 if old else 0
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for name in old:
        if name in wanted:
            (DIRECTORY / name).write_text(wanted[name], encoding="utf-8", newline="\n")
        else:
            (DIRECTORY / name).unlink()
    return 0


def outdated(wanted: Mapping[str, str]) -> list[str]:
    """Return the names of the files below docs/rules that are missing, old or too many."""
    found = {
        file.name: file.read_bytes().decode("utf-8", "replace") for file in DIRECTORY.glob("*.md")
    }
    return sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))


def documents(rules: Sequence[Rule]) -> dict[str, str]:
    """Return all files by their names: one for each rule, and the index."""
    slugs = {one.code: one.slug for one in rules}
    pages = {f"{one.slug}.md": "\n".join(_page(one, slugs)) + "\n" for one in rules}
    return {**pages, INDEX: "\n".join(_index(rules)) + "\n"}


def _page(one: Rule, slugs: Mapping[str, str]) -> Iterator[str]:
    source = f"rules/{Path(one.path).name}"
    yield f"<!-- Written by `{COMMAND}` from {source}: change that file. -->"
    yield f"# {one.slug}"
    yield ""
    yield f"**{one.title}**"
    yield ""
    yield "| code | category | severity | fix |"
    yield "|---|---|---|---|"
    yield f"| {one.code} | {one.category} | {one.severity.value} | {_fix(one)} |"
    yield from _body(one, slugs)
    yield ""
    yield "---"
    yield ""
    yield (
        f"A line that ends in `# {one.code}` is one that is reported. Where it is right as it is: "
        f"`# lambda-lint: ignore[{one.slug}] why`."
    )
    yield f"[All rules]({INDEX}) · [When does a line run?](../guide.md) · [Source](../../{source})"


def _fix(one: Rule) -> str:
    """Say whether there is a fix, as the tests of a page hold it to: by its examples."""
    kinds = {fence_info(fence)[1] for fence in fences(one.page)}
    return "offered for some shapes" if "fixed" in kinds else "none"


def _body(one: Rule, slugs: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines below the title, with a label above each example."""
    lines = one.page.strip("\n").split("\n")
    inside = {fence.line - 1: fence for fence in fences("\n".join(lines))}
    number = 1
    while number < len(lines):
        fence = inside.get(number)
        if fence is None:
            line = lines[number]
            if line.startswith("Not run:"):
                yield f"*{line}" if lines[number + 1 : number + 2] != [""] else f"*{line}*"
            elif _ends_not_run(lines, number):
                yield f"{line}*"
            else:
                yield _linked(line, one.slug, slugs)
            number += 1
            continue
        after = number + len(fence.lines) + 2
        language, kind, options = fence_info(fence)
        mark = lines[number][:3]
        block = [f"{mark}{language}", *fence.lines, mark]
        if kind == "events":
            yield "<details><summary>The events that show it, as the tests send them</summary>"
            yield from ("", *block, "", "</details>")
        else:
            if label := _LABELS.get((language, kind)):
                name = options.get("name", "")
                yield from (f"**{label}: {name}**" if name else f"**{label}**", "")
            yield from block
        number = after


_LABELS = {
    ("python", "bad"): "Wrong",
    ("python", "fixed"): "After the fix",
    ("python", "good"): "Right",
    ("toml", "config"): "With these settings",
}


def _ends_not_run(lines: Sequence[str], number: int) -> bool:
    """Whether a line is the last of a paragraph of several lines that begins with `Not run:`."""
    if not lines[number] or lines[number + 1 : number + 2] not in ([], [""]):
        return False
    first = number
    while first and lines[first - 1]:
        first -= 1
    return first != number and lines[first].startswith("Not run:")


def _linked(line: str, own: str, slugs: Mapping[str, str]) -> str:
    """Return a line of prose in which other rules are links to their pages."""
    others = sorted(set(slugs.values()) - {own}, key=len, reverse=True)
    names = "|".join(map(re.escape, others))
    pattern = re.compile(
        rf"`(?P<quoted>{names})`|(?P<other>`[^`]*`|https?://\S+)"
        rf"|(?<![\w/-])(?:(?P<code>LMB[0-9]{{3}})|(?P<slug>{names}))(?![\w-])"
    )

    def link(found: re.Match[str]) -> str:
        if found["other"]:
            return found[0]
        slug = slugs.get(found["code"], "") if found["code"] else found["quoted"] or found["slug"]
        return f"[{found[0]}]({slug}.md)" if slug and slug != own else found[0]

    return pattern.sub(link, line)


def _index(rules: Iterable[Rule]) -> Iterator[str]:
    yield f"<!-- Written by `{COMMAND}` from the files in rules/: change these. -->"
    yield "# Rules"
    yield ""
    yield (
        "Findings of severity *info*, and those of low confidence, are shown only with `--strict` "
        "or when their rule is selected by name."
    )
    yield "`lambda-lint rule NAME` prints the page of a rule in the terminal."
    by_category: dict[str, list[Rule]] = {}
    for one in sorted(rules, key=lambda one: one.code):
        by_category.setdefault(one.category, []).append(one)
    for digit, category in sorted(CATEGORIES.items()):
        if category not in by_category:
            continue
        yield from ("", f"## {category}", "", f"{_MEANING[category]} (LMB{digit}xx)", "")
        yield from ("| code | rule | severity | |", "|---|---|---|---|")
        for one in by_category[category]:
            name = f"[`{one.slug}`]({one.slug}.md)"
            yield f"| {one.code} | {name} | {one.severity.value} | {one.title} |"


_MEANING = {
    "client-per-invocation": "What could be made once is made again for every event.",
    "mutable-global-state": "What one invocation leaves, the next one sees.",
    "unbounded-cache": "Caches that grow, never expire or never hit.",
    "leaked-listener-or-timer": "Listeners, timers, threads and processes that pile up.",
    "secret-in-global": "Secrets and credentials that are kept longer than they are good.",
    "stale-init-value": "What was true at the import, or when the snapshot was taken.",
    "tmp-or-env-leak": "Files, environment variables and settings of the whole process.",
    "connection-hygiene": "Connections that are dead, closed, left open, or in a transaction.",
    "lint": "What the linter says about itself and about comments for it.",
}


if __name__ == "__main__":
    sys.exit(main())

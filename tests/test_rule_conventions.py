"""What all rules that come with the linter have in common, one fact at a time."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from lambda_lint.config import KEYS
from lambda_lint.finding import Finding
from lambda_lint.registry import BUILTIN, load_rules
from lambda_lint.rule import CATEGORIES, Rule
from lambda_lint.testing.pages import Block, blocks
from lambda_lint.testing.projects import Page

RULES = load_rules([BUILTIN])
ROOT = Path(__file__).resolve().parent.parent
each_rule = pytest.mark.parametrize("one", RULES, ids=[one.slug for one in RULES])


@cache
def findings_of_bad_examples(one: Rule) -> tuple[Finding, ...]:
    """What a rule says about its own bad examples."""
    page = Page(Path(one.path))
    return tuple(
        finding
        for index, block in enumerate(page.blocks)
        if block.kind == "bad"
        for finding in page.checked(index).findings
        if finding.code == one.code
    )


def test_codes_are_unique() -> None:
    codes = [one.code for one in RULES]
    assert sorted(set(codes)) == codes


def test_pages_and_changelog_name_the_same_rules() -> None:
    """A page is what there is; the changelog is read by people, who are not to miss a rule."""
    rules = {(one.code, one.slug) for one in RULES}
    assert {Path(one.path).name for one in RULES} == {
        f"{slug.replace('-', '_')}.py" for _, slug in rules
    }
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert named_rules(changelog) == {slug for _, slug in rules}
    # Pages send their readers to other pages.
    for one in RULES:
        assert set(re.findall(r"\bLMB\d{3}\b", one.page)) <= {code for code, _ in rules}, one.slug


def named_rules(changelog: str) -> set[str]:
    """The names in backquotes that look like those of rules: no categories, no settings."""
    found = set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", changelog))
    others = {*CATEGORIES.values(), *(key.name for key in KEYS)}
    return found - (others - {one.slug for one in RULES})


def test_a_name_in_the_changelog_that_is_no_rule_is_found() -> None:
    assert named_rules("- `stale-thing`, `check`, `cdk.out` and LMB101") == {"stale-thing"}


@each_rule
def test_codes_are_such_that_flake8_takes_them(one: Rule) -> None:
    assert re.fullmatch(r"LMB[0-9]{3}", one.code)


@each_rule
def test_codes_of_the_linter_stay_out_of_the_range_for_projects(one: Rule) -> None:
    assert int(one.code[-2:]) < 50


@each_rule
def test_slug_file_and_function_have_one_name(one: Rule) -> None:
    path = Path(one.path)
    assert one.slug == path.stem.replace("_", "-") == one.check.__name__.replace("_", "-")


@each_rule
def test_the_category_is_that_of_the_hundred(one: Rule) -> None:
    assert CATEGORIES[one.code[3]] == one.category


@each_rule
def test_the_title_is_one_sentence_on_one_line(one: Rule) -> None:
    assert re.fullmatch(r"[A-Z`][^\n]{0,92}[^\n.]\.?", one.title)
    assert "TODO" not in one.page


@each_rule
@pytest.mark.parametrize("part", ["silent when", "limits"])
def test_the_page_has_every_part(one: Rule, part: str) -> None:
    """A part is a paragraph or a heading that begins with its name; examples are no parts."""
    prose = re.sub(r"(?ms)^(`{3,}|~{3,}).*?^\1", "", one.page)
    assert re.search(rf"(?im)^(?:\#+\s*|\*\*)?{part}\b", prose), f"say when: {part}"


@each_rule
def test_the_page_says_what_and_why_before_the_first_example(one: Rule) -> None:
    before, fence, _ = one.page.partition("\n```")
    assert fence
    paragraphs = [text for text in re.split(r"\n\s*\n", before.strip()) if text.strip()]
    assert len(paragraphs) >= 2, "below the title: what goes wrong, and why"


@each_rule
def test_the_reason_has_a_source(one: Rule) -> None:
    assert one.category == "lint" or "https://" in one.page


@each_rule
def test_messages_are_lower_case_without_a_full_stop(one: Rule) -> None:
    for finding in findings_of_bad_examples(one):
        message = finding.message
        assert not message.endswith("."), message
        assert "\n" not in message, message
        # A name of the code or an abbreviation may come first.
        first = message.split()[0]
        assert not re.fullmatch(r"[A-Z][a-z]+", first), message


@each_rule
def test_every_finding_says_what_to_do(one: Rule) -> None:
    for finding in findings_of_bad_examples(one):
        assert finding.help.strip(), finding.message


@each_rule
def test_a_witness_ends_where_the_finding_is(one: Rule) -> None:
    for finding in findings_of_bad_examples(one):
        if finding.witness:
            last = finding.witness[-1]
            assert (last.path, last.span.line) == (finding.path, finding.span.line)


@each_rule
def test_rules_import_the_public_interface_libcst_and_the_standard_library_only(one: Rule) -> None:
    allowed = {*sys.stdlib_module_names, "libcst"}
    tree = ast.parse(Path(one.path).read_bytes())
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = ["." * node.level + (node.module or "")]
        for name in names:
            assert name == "lambda_lint.rule" or name.partition(".")[0] in allowed, name


# Categories whose mistakes show as soon as an environment is used again.
SHOWN_BY_REUSE = frozenset("23457")


@each_rule
def test_a_mistake_that_reuse_shows_is_run_or_the_page_says_why_not(one: Rule) -> None:
    """How to write this stands in CONTRIBUTING.md; `test_demonstrations.py` runs it."""
    assert one.code[3] not in SHOWN_BY_REUSE or not not_demonstrated(Page(Path(one.path)).blocks)


def not_demonstrated(page: Sequence[Block]) -> list[int]:
    """The lines of bad examples that are not run, and without a reason."""
    return [
        block.line
        for block in page
        if block.kind == "bad" and block.events is None and not block.not_run
    ]


def test_what_is_not_demonstrated_is_found() -> None:
    events = "```python events\nsend(1)\n```\n"
    bad, good = "```python bad\n```\n", "```python good\n```\n"
    page = bad + "\nNot run: it needs\nRedis.\n" + bad + good + events + good + bad
    found = list(blocks(page))
    assert not_demonstrated(found) == [6]
    assert [block.not_run for block in found[:2]] == ["it needs Redis.", ""]

"""New rule files: they load as they are, and never take what is taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_lint import scaffold
from lambda_lint.registry import load_rule
from lambda_lint.rule import RuleError, Severity
from lambda_lint.scaffold import new_rule


def test_a_new_rule_loads_and_says_what_is_to_be_done(tmp_path: Path) -> None:
    path = new_rule(tmp_path, "queue-url-per-event", category="stale-init-value")
    assert path == tmp_path / "queue_url_per_event.py"
    one = load_rule(path)
    assert (one.code, one.slug) == ("LMB650", "queue-url-per-event")
    assert (one.category, one.severity) == ("stale-init-value", Severity.WARNING)
    assert "TODO" in one.title
    assert "LMB000" not in path.read_text(encoding="utf-8")


def test_codes_go_up(tmp_path: Path) -> None:
    names = ("first-one", "second-one", "third-one")
    codes = [load_rule(new_rule(tmp_path, name)).code for name in names]
    assert codes == ["LMB150", "LMB151", "LMB152"]


def test_rules_of_the_linter_itself_take_the_lowest_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scaffold, "BUILTIN", tmp_path)
    (tmp_path / "a.py").write_text('@rule(\n    "LMB101", category="x")\n', encoding="utf-8")
    (tmp_path / "b.py").write_text("@rule('LMB103')\nthis is broken(", encoding="utf-8")
    codes = [load_rule(new_rule(tmp_path, name)).code for name in ("first-one", "second-one")]
    assert codes == ["LMB102", "LMB104"]


def test_a_category_without_a_free_code(tmp_path: Path) -> None:
    taken = "".join(f'@rule("LMB1{number}")\n' for number in range(50, 100))
    (tmp_path / "many.py").write_text(taken, encoding="utf-8")
    with pytest.raises(RuleError, match="every code of client-per-invocation is taken"):
        new_rule(tmp_path, "one-more")


@pytest.mark.parametrize(
    ("name", "category", "message"),
    [
        ("Client", "lint", "'Client' is no name for a rule: name the mistake in lower case"),
        ("client_in_handler", "lint", "is no name for a rule"),
        ("client--twice", "lint", "is no name for a rule"),
        ("-client", "lint", "is no name for a rule"),
        ("1-client", "lint", "is no name for a rule"),
        ("../client", "lint", "is no name for a rule"),
        ("client\n", "lint", "is no name for a rule"),
        ("", "lint", "is no name for a rule"),
        ("a" * 61, "lint", "is no name for a rule"),
        ("class", "lint", "'class' is a word of Python itself"),
        ("match", "lint", "'match' is a word of Python itself"),
        ("good-name", "unbound-cache", r"unknown category .*; did you mean unbounded-cache\?"),
        ("good-name", "LMB1", "unknown category 'LMB1'; one of client-per-invocation, "),
        ("taken-already", "lint", r"taken_already\.py: there is a rule of this name"),
    ],
)
def test_names_that_are_refused(tmp_path: Path, name: str, category: str, message: str) -> None:
    (tmp_path / "taken_already.py").write_text("", encoding="utf-8")
    with pytest.raises(RuleError, match=message):
        new_rule(tmp_path, name, category=category)
    assert [path.name for path in tmp_path.iterdir()] == ["taken_already.py"]


def test_a_rule_is_not_written_where_there_is_no_directory(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="no such directory; make it, or name another one"):
        new_rule(tmp_path / "rules", "good-name")

"""Loading rule files, choosing rules by name, and what is shown to whom."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lambda_lint.finding import Confidence, Finding, Severity, Span
from lambda_lint.registry import BUILTIN, explicit, load_rules, select, shown
from lambda_lint.rule import Rule, RuleError

GOOD = '''\
# A comment may stand above the page.
r"""Client built on every invocation.

The page. A regular expression like \\d stays as it is.
"""

from collections.abc import Iterator

from lambda_lint.rule import Report, rule


@rule("LMB101", category="client-per-invocation")
def client_in_handler(call: int, project: object) -> Iterator[Report]:
    yield from ()
'''


def write(directory: Path, name: str, text: str) -> Path:
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


def variant(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def test_what_a_rule_knows_is_derived_from_its_file(tmp_path: Path) -> None:
    path = write(tmp_path, "client_in_handler.py", GOOD)
    write(tmp_path, "_shared.py", "raise RuntimeError('private files are not loaded')")
    (one,) = load_rules([tmp_path])
    assert (one.code, one.slug, one.category) == (
        "LMB101",
        "client-in-handler",
        "client-per-invocation",
    )
    assert (one.title, one.severity) == ("Client built on every invocation.", Severity.WARNING)
    assert (one.path, one.page_line, one.entity) == (str(path), 2, int)
    assert "\\d stays" in one.page


SECOND = variant(
    GOOD, ("client_in_handler", "other_name"), ("LMB101", "LMB199"), ("built on", "made on")
)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        pytest.param(
            {"client_in_handler.py": variant(GOOD, ("yield from ()", "yield from ("))},
            r"client_in_handler\.py:14: syntax error: '\(' was never closed",
            id="syntax error",
        ),
        pytest.param(
            {"client_in_handler.py": "import os\n"},
            r"client_in_handler\.py:1: a rule file starts with a docstring",
            id="no page",
        ),
        pytest.param(
            {"client_in_handler.py": '"""Title.\n\nText.\n"""\n'},
            r"client_in_handler\.py:4: no rule: mark one function with @rule",
            id="no rule",
        ),
        pytest.param(
            {"client_in_handler.py": GOOD + SECOND[SECOND.index("\n@rule") :]},
            r"client_in_handler\.py:16: one rule per file.*client_in_handler and other_name",
            id="two rules",
        ),
        pytest.param(
            {"other.py": GOOD},
            r"other\.py:12: the rule function is 'client_in_handler', its file 'other\.py'",
            id="named differently from its file",
        ),
        pytest.param(
            {"client_in_handler.py": variant(GOOD, ("LMB101", "LAMB101"))},
            r"client_in_handler\.py:12: a code is LMB and three digits, not 'LAMB101'",
            id="code that flake8 cannot take",
        ),
        pytest.param(
            {"client_in_handler.py": variant(GOOD, ("LMB101", "LMB201"))},
            r"py:12: the category of LMB201 is mutable-global-state, not 'client-per-invocation'",
            id="category of another hundred",
        ),
        pytest.param(
            {"client_in_handler.py": variant(GOOD, ("LMB101", "LMB001"))},
            r"py:12: the category of LMB001 is no category: LMB0 is not used",
            id="hundred without a category",
        ),
        pytest.param(
            {"client_in_handler.py": variant(GOOD, ("call: int", "call"))},
            r"client_in_handler\.py:12: annotate the first parameter",
            id="nothing says what the rule looks at",
        ),
        pytest.param(
            {"client_in_handler.py": variant(GOOD, ("call: int", "call: 'Missing'"))},
            r"py:12: the annotations cannot be evaluated: name 'Missing' is not defined",
            id="annotation that names nothing",
        ),
        pytest.param(
            {
                "client_in_handler.py": variant(
                    GOOD, ("from collections", "import nowhere_at_all\nfrom collections")
                )
            },
            r"py:7: cannot be loaded: ModuleNotFoundError: No module named 'nowhere_at_all'",
            id="import that fails",
        ),
        pytest.param(
            {"client_in_handler.py": GOOD + "\nraise SystemExit(0)\n"},
            r"py:16: cannot be loaded: SystemExit",
            id="file that wants to end the run",
        ),
        pytest.param(
            {
                "client_in_handler.py": GOOD,
                "other_name.py": variant(SECOND, ("LMB199", "LMB101")),
            },
            r"other_name\.py:12: LMB101 is already taken by .*client_in_handler\.py",
            id="one code twice",
        ),
    ],
)
def test_an_unusable_file_is_named_with_its_line(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    for name, text in files.items():
        write(tmp_path, name, text)
    with pytest.raises(RuleError, match=message):
        load_rules([tmp_path])


def test_a_rule_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes(b'"""Caf\xe9."""\n')
    with pytest.raises(RuleError, match=r"latin\.py: a rule file is UTF-8"):
        load_rules([tmp_path])


def test_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="no such directory of rules"):
        load_rules([tmp_path / "nowhere"])


def test_files_of_one_name_in_two_directories_stay_apart(tmp_path: Path) -> None:
    for name, text in (("a", GOOD), ("b", variant(GOOD, ("LMB101", "LMB102")))):
        (tmp_path / name).mkdir()
        write(tmp_path / name, "client_in_handler.py", text)
    with pytest.raises(RuleError, match="client-in-handler is already taken by"):
        load_rules([tmp_path / "a", tmp_path / "b"])
    first, second = (load_rules([tmp_path / name])[0] for name in ("a", "b"))
    assert first.check.__module__ != second.check.__module__


def test_one_directory_named_twice_is_loaded_once(tmp_path: Path) -> None:
    write(tmp_path, "client_in_handler.py", GOOD)
    assert [one.code for one in load_rules([tmp_path, tmp_path / "."])] == ["LMB101"]


def test_listing_the_rules_does_not_import_libcst() -> None:
    """The commands that print rules are to answer at once; LibCST takes 0.35 s to import."""
    program = (
        "import sys; from lambda_lint.registry import BUILTIN, load_rules;"
        "load_rules([BUILTIN]); raise SystemExit('libcst' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=BUILTIN.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def some_rules() -> tuple[Rule, ...]:
    slugs = {
        "LMB101": "client-in-handler",
        "LMB102": "per-tenant-client-uncached",
        "LMB201": "stale-global-read",
    }
    return tuple(
        Rule(code, slug, "", Severity.WARNING, "", "", "", None, check=lambda: iter(()))
        for code, slug in slugs.items()
    )


@pytest.mark.parametrize(
    ("names", "codes"),
    [
        pytest.param({}, "LMB101 LMB102 LMB201", id="every rule unless told otherwise"),
        pytest.param({"select": ["ALL"]}, "LMB101 LMB102 LMB201", id="ALL"),
        pytest.param({"select": ["LMB1"]}, "LMB101 LMB102", id="the beginning of a code"),
        pytest.param({"select": ["stale-global-read"]}, "LMB201", id="a slug"),
        pytest.param({"ignore": ["LMB1"]}, "LMB201", id="ignore by the beginning of a code"),
        pytest.param(
            {"select": ["LMB1"], "ignore": ["LMB101"]}, "LMB102", id="the more exact ignore wins"
        ),
        pytest.param(
            {"select": ["client-in-handler"], "ignore": ["LMB1"]},
            "LMB101",
            id="a slug is as exact as a whole code",
        ),
        pytest.param(
            {"select": ["LMB101"], "ignore": ["client-in-handler"]},
            "",
            id="ignoring wins between equals",
        ),
        pytest.param(
            {"select": ["LMB2"], "extend_select": ["LMB102"]},
            "LMB102 LMB201",
            id="extend-select adds to select",
        ),
        pytest.param({"ignore": ["ALL"]}, "", id="ignore ALL"),
        pytest.param(
            {"ignore": ["ALL"], "extend_select": ["LMB2"]}, "LMB201", id="only what is added"
        ),
    ],
)
def test_selection(names: dict[str, list[str]], codes: str) -> None:
    assert " ".join(one.code for one in select(some_rules(), **names)) == codes


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("clent-in-handler", r"'clent-in-handler'; did you mean client-in-handler \(LMB101\)\?"),
        ("LMB103", r"did you mean LMB10[12] \("),
        ("lmb101", r"did you mean LMB101 \(client-in-handler\)\?"),
        ("E501", "`lambda-lint rules` lists all of them"),
        ("", "unknown rule ''"),
        ("\x1b[31m", r"unknown rule '\\x1b\[31m'"),
    ],
)
@pytest.mark.parametrize("option", ["select", "ignore", "extend_select"])
def test_an_unknown_name_is_an_error_with_a_hint(option: str, name: str, hint: str) -> None:
    with pytest.raises(RuleError, match=hint):
        select(some_rules(), **{option: [name]})


@dataclass(frozen=True)
class Asked:
    strict: bool


@pytest.mark.parametrize(
    ("severity", "confidence", "strict", "names", "expected"),
    [
        (Severity.WARNING, Confidence.MEDIUM, False, [], True),
        (Severity.ERROR, Confidence.HIGH, False, [], True),
        (Severity.INFO, Confidence.HIGH, False, [], False),
        (Severity.ERROR, Confidence.LOW, False, [], False),
        (Severity.INFO, Confidence.LOW, True, [], True),
        (Severity.INFO, Confidence.LOW, False, ["LMB101"], True),
        (Severity.INFO, Confidence.LOW, False, ["client-in-handler"], True),
        (Severity.INFO, Confidence.HIGH, False, ["LMB1"], False),
        (Severity.INFO, Confidence.HIGH, False, ["ALL"], False),
        (Severity.INFO, Confidence.HIGH, False, ["LMB102"], False),
    ],
)
def test_information_and_guesses_are_for_those_who_ask(
    severity: Severity, confidence: Confidence, strict: bool, names: list[str], expected: bool
) -> None:
    finding = replace(FINDING, severity=severity, confidence=confidence)
    assert shown(finding, Asked(strict), explicit(some_rules(), names)) is expected


FINDING = Finding(
    path="app.py",
    span=Span(1, 1, 1, 2),
    code="LMB101",
    rule="client-in-handler",
    category="client-per-invocation",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    message="build this client once",
    help="move it to module level",
)

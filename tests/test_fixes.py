"""Putting edits together, encodings and line endings, fixpoints, diffs, and writing to disk."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from lambda_lint.finding import Confidence, Edit, Finding, Fix, Severity, Span
from lambda_lint.fixes import FixPass, Refused, apply_fixes, diff, fix_to_fixpoint, write
from lambda_lint.source import Source


def finding(*edits: tuple[int, int, str], line: int = 1, safe: bool = True) -> Finding:
    return Finding(
        path="app.py",
        span=Span(line, 1, line, 2),
        code="LMB101",
        rule="client-in-handler",
        category="",
        severity=Severity.WARNING,
        confidence=Confidence.HIGH,
        message="m",
        help="h",
        fix=Fix("change it", safe, tuple(Edit(*edit) for edit in edits)),
    )


def replacing(text: str, *changes: tuple[str, str], line: int = 1) -> Finding:
    """A fix that replaces each first part, which occurs once, by its second part."""
    edits = []
    for old, new in changes:
        assert text.count(old) == 1
        edits.append((text.index(old), text.index(old) + len(old), new))
    return finding(*edits, line=line)


def run(data: bytes, *findings: Finding, unsafe: bool = True) -> FixPass:
    return apply_fixes({"app.py": Source("app.py", data)}, findings, unsafe=unsafe)


TEXT = "import a\n\nx = 1\ny = 2\n"
X = TEXT.index("x = 1")
Y = TEXT.index("y = 2")


@pytest.mark.parametrize(
    ("findings", "expected", "reasons"),
    [
        pytest.param(
            [finding((X, X + 1, "z"), line=3), finding((Y, Y + 1, "w"), line=4)],
            "import a\n\nz = 1\nw = 2\n",
            [],
            id="edits of two findings in one pass",
        ),
        pytest.param(
            [
                finding((0, 0, "import b\n"), (X, X + 5, "b.x()"), line=3),
                finding((0, 0, "import b\n"), (Y, Y + 5, "b.y()"), line=4),
            ],
            "import b\nimport a\n\nb.x()\nb.y()\n",
            [],
            id="the same import for two findings is inserted once",
        ),
        pytest.param(
            [finding((X, X, "p = 1\n"), line=3), finding((X, X, "q = 2\n"), line=4)],
            "import a\n\np = 1\nq = 2\nx = 1\ny = 2\n",
            [],
            id="insertions at one place keep the order of the findings",
        ),
        pytest.param(
            [
                finding((0, 0, "c = a.b(1)\n"), (X, X + 5, "c"), line=3),
                finding((9, 9, "c = a.b(2)\n"), (Y, Y + 5, "c"), line=4),
            ],
            "c = a.b(1)\nimport a\n\nc\ny = 2\n",
            ["another fix binds the same name: fix again"],
            id="two fixes that choose one name for different things",
        ),
        pytest.param(
            [finding((X, X + 5, "pass"), line=3), finding((X + 4, X + 5, "2"), line=4)],
            "import a\n\npass\ny = 2\n",
            ["overlaps with another fix: fix again"],
            id="an overlap waits",
        ),
        pytest.param(
            [finding((X, Y + 5, "pass"), line=3), finding((Y, Y, "z = 3\n"), line=4)],
            "import a\n\npass\n",
            ["overlaps with another fix: fix again"],
            id="an insertion into what is replaced",
        ),
        pytest.param(
            [finding((Y, Y, "z = 3\n"), line=3), finding((X, Y + 5, "pass"), line=4)],
            "import a\n\nx = 1\nz = 3\ny = 2\n",
            ["overlaps with another fix: fix again"],
            id="a replacement of a place of insertion",
        ),
        pytest.param(
            [finding((X, X + 6, ""), line=3), finding((Y, Y + 1, "w"), line=4)],
            "import a\n\nw = 2\n",
            [],
            id="edits that meet",
        ),
        pytest.param(
            [finding((X, X + 6, "")), finding((X, X + 6, ""), line=2)],
            "import a\n\ny = 2\n",
            [],
            id="two findings with the same fix",
        ),
        pytest.param(
            [
                finding((X, X + 1, "z"), (Y, Y + 1, "w"), line=3),
                finding((0, 6, "from q import"), (Y, Y + 5, "pass"), line=4),
            ],
            "import a\n\nz = 1\nw = 2\n",
            ["overlaps with another fix: fix again"],
            id="a fix goes in as a whole or not at all",
        ),
        pytest.param(
            [finding((X, X + 1, "z"), (X, X + 2, "w"))],
            None,
            [f"the fix is broken: its edits overlap at {X}"],
            id="edits of one fix that overlap",
        ),
        pytest.param(
            [finding((X, X + 1000, ""))],
            None,
            [f"the fix is broken: an edit lies outside of the file: {X} to {X + 1000}"],
            id="behind the end",
        ),
        pytest.param(
            [finding((5, 4, ""))],
            None,
            ["the fix is broken: an edit lies outside of the file: 5 to 4"],
            id="backwards",
        ),
        pytest.param(
            [finding((X, X + 1, "x"))],
            None,
            ["the fix is broken: it changes nothing"],
            id="no change",
        ),
        pytest.param(
            [finding((X, X + 1, "(")), finding((Y, Y + 1, "w"), line=2)],
            "import a\n\nx = 1\nw = 2\n",
            ["the fix would break the file: "],
            id="a fix that breaks the syntax is left out, the others are not",
        ),
        pytest.param(
            [finding((0, 0, "# coding: latin-1\n# \N{EURO SIGN}\n"))],
            None,
            ["the fix would change how the file is decoded"],
            id="a fix that declares another encoding",
        ),
    ],
)
@pytest.mark.parametrize("order", [1, -1], ids=["forwards", "backwards"])
def test_one_pass(
    findings: list[Finding], expected: str | None, reasons: list[str], order: int
) -> None:
    done = run(TEXT.encode(), *findings[::order])
    assert done.changed == ({} if expected is None else {"app.py": expected.encode()})
    assert len(done.applied) + len(done.skipped) == len(findings)
    assert len(reasons) == len(done.skipped)
    assert all(
        one.reason.startswith(reason) for one, reason in zip(done.skipped, reasons, strict=True)
    )


def test_many_fixes_of_which_some_break_the_file() -> None:
    text = "".join(f"x{number} = {number}\n" for number in range(100))
    bad = {7, 8, 50, 99}
    findings = [
        replacing(text, (f"x{number} =", f"y{number} (=" if number in bad else f"y{number} ="))
        for number in range(100)
    ]
    done = run(text.encode(), *findings)
    assert {findings.index(one.finding) for one in done.skipped} == bad
    assert all(one.is_defect for one in done.skipped)
    assert done.changed["app.py"].decode() == re.sub(
        r"x(\d+)", lambda found: ("x" if int(found[1]) in bad else "y") + found[1], text
    )


def test_unsafe_fixes_are_for_those_who_ask() -> None:
    unsafe = finding((X, X + 1, "z"), safe=False)
    done = run(TEXT.encode(), unsafe, unsafe=False)
    assert (done.changed, done.skipped[0].reason) == ({}, "unsafe: apply it with --unsafe-fixes")
    assert run(TEXT.encode(), unsafe).changed == {"app.py": TEXT.replace("x", "z").encode()}


def test_findings_without_a_fix_or_a_file_change_nothing() -> None:
    elsewhere = apply_fixes({}, [finding((0, 0, "x"))], unsafe=True)
    assert (elsewhere.changed, elsewhere.skipped[0].reason) == (
        {},
        "its file is not part of this run",
    )


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xef\xbb\xbfx = 1\n", id="byte order mark"),
        pytest.param("# coding: latin-1\nx = 1  # é\n".encode("latin-1"), id="latin-1"),
        pytest.param("# coding: cp1251\nx = 1  # \u0436\n".encode("cp1251"), id="cp1251"),
        pytest.param("x = 1  # \N{GRINNING FACE}\n".encode(), id="beyond the BMP"),
        pytest.param(b"# a\r\nx = 1\r\n", id="Windows line ends"),
        pytest.param(b"# a\rx = 1\r", id="old Mac line ends"),
        pytest.param(b"# a\r\nx = 1\n# b\r", id="mixed line ends"),
        pytest.param(b"x = 1", id="no last line end"),
        pytest.param(b"\x0c\nx = 1\n\x0c", id="form feeds"),
        pytest.param(b"x = 1\n  \n\t\n", id="blank lines with blanks at the end"),
        pytest.param("a = '\u2028\x85'\nx = 1\n".encode(), id="separators that end no line"),
    ],
)
def test_bytes_outside_of_the_edits_stay(data: bytes) -> None:
    source = Source("app.py", data)
    at = source.text.index("x = 1")
    done = run(data, finding((at, at + 1, "y")))
    assert done.changed == {"app.py": data.replace(b"x = 1", b"y = 1")}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(
            b"# coding: utf-7\nx = 1 # +AGE-\n",
            "the file cannot be written back unchanged in its encoding, utf-7",
            id="text with several spellings",
        ),
        pytest.param(
            b"x = 1 # \xff\n", "the file cannot be written back unchanged", id="cannot be decoded"
        ),
    ],
)
def test_a_file_that_cannot_be_written_back_is_left_alone(data: bytes, reason: str) -> None:
    at = Source("app.py", data).text.index("x = 1")
    done = run(data, finding((at, at + 1, "y")))
    assert done.changed == {}
    assert done.skipped[0].reason.startswith(reason)


def test_a_character_that_the_encoding_does_not_have_is_refused() -> None:
    data = b"# coding: latin-1\nx = 1\n"
    done = run(data, finding((len(data), len(data), "# \N{EURO SIGN}\n")))
    assert (done.changed, done.skipped[0].reason) == (
        {},
        "the fix has characters that iso8859-1 cannot write",
    )


def test_an_edit_between_carriage_return_and_line_feed_is_refused() -> None:
    done = run(b"x = 1\r\ny = 2\r\n", finding((6, 6, "z")))
    assert done.skipped[0].reason == "the fix is broken: an edit splits a line ending: 6"


def each_word(old: str, new: str, at_once: int = 1000) -> object:
    """A linter that wants every word `old` to be `new`."""

    def lint(sources: Mapping[str, Source]) -> Iterator[Finding]:
        text = sources["app.py"].text
        for found in list(re.finditer(rf"\b{old}\b", text))[:at_once]:
            yield finding((found.start(), found.end(), new))

    return lint


@pytest.mark.parametrize(
    ("at_once", "passes", "converged"),
    [(1000, 1, True), (2, 3, True), (1, 4, False)],
    ids=["in one pass", "in several passes", "in too many"],
)
def test_passes_until_nothing_changes(at_once: int, passes: int, converged: bool) -> None:
    sources = {"app.py": Source("app.py", b"x\n" * 6), "other.py": Source("other.py", b"x\n")}
    done = fix_to_fixpoint(each_word("x", "y", at_once), sources, unsafe=True, limit=4)  # type: ignore[arg-type]
    assert (done.passes, done.converged) == (passes, converged)
    assert done.changed == {
        "app.py": b"y\n" * (6 if converged else 4) + b"x\n" * (2 - 2 * converged)
    }
    assert done.sources["other.py"] is sources["other.py"]
    assert sources["app.py"].data == b"x\n" * 6


def test_fixes_that_undo_each_other_never_come_to_rest() -> None:
    def lint(sources: Mapping[str, Source]) -> list[Finding]:
        return [finding((0, 1, "y" if sources["app.py"].text[0] == "x" else "x"))]

    done = fix_to_fixpoint(lint, {"app.py": Source("app.py", b"x\n")}, unsafe=True, limit=5)
    assert (done.converged, done.passes) == (False, 5)


def test_nothing_to_fix() -> None:
    sources = {"app.py": Source("app.py", b"x\n")}
    done = fix_to_fixpoint(lambda now: [], sources, unsafe=True)
    assert (done.changed, done.converged, done.passes) == ({}, True, 0)


@pytest.mark.parametrize(
    ("path", "before", "after", "expected"),
    [
        pytest.param(
            "app.py",
            "a\nb\n",
            "a\nc\n",
            "--- a/app.py\n+++ b/app.py\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n",
            id="one line",
        ),
        pytest.param("app.py", "a\n", "a\n", "", id="no change"),
        pytest.param(
            "app.py",
            "a",
            "b",
            "--- a/app.py\n+++ b/app.py\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n"
            "+b\n\\ No newline at end of file\n",
            id="no last line end",
        ),
        pytest.param(
            "app.py",
            "a\r\nb\r\n",
            "a\r\nc\r\n",
            "--- a/app.py\n+++ b/app.py\n@@ -1,2 +1,2 @@\n a\r\n-b\r\n+c\r\n",
            id="Windows line ends",
        ),
        pytest.param(
            "a\u2028.py",
            "a\x0cb\u2028c\n",
            "a\n",
            '--- "a/a\\342\\200\\250.py"\n+++ "b/a\\342\\200\\250.py"\n@@ -1 +1 @@\n'
            "-a\x0cb\u2028c\n+a\n",
            id="separators that end no line",
        ),
        pytest.param(
            'n\n"\\.py',
            "",
            "a\n",
            '--- "a/n\\012\\"\\\\.py"\n+++ "b/n\\012\\"\\\\.py"\n@@ -0,0 +1 @@\n+a\n',
            id="a hostile name, and a file that was empty",
        ),
    ],
)
def test_diff(path: str, before: str, after: str, expected: str) -> None:
    assert diff(Source(path, before.encode()), Source(path, after.encode())) == expected


def test_writing_keeps_the_mode_and_leaves_nothing_behind(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_bytes(b"x\r\n")
    file.chmod(0o751)
    assert write(tmp_path, {"app.py": Source("app.py", b"x\r\n")}, {"app.py": b"y\r\n"}) == ()
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"y\r\n", 0o751)
    assert os.listdir(tmp_path) == ["app.py"]


def test_a_file_that_changed_in_the_meantime_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_bytes(b"new\n")
    refused = write(tmp_path, {"app.py": Source("app.py", b"old\n")}, {"app.py": b"fixed\n"})
    assert refused == (Refused("app.py", "changed on disk in the meantime: run again"),)
    assert (tmp_path / "app.py").read_bytes() == b"new\n"
    assert os.listdir(tmp_path) == ["app.py"]


def test_links_are_followed_inside_the_project_only(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    for place in (root / "real.py", tmp_path / "outside.py"):
        place.write_bytes(b"old\n")
    (root / "inside.py").symlink_to("real.py")
    (root / "out.py").symlink_to("../outside.py")
    (root / "dangling.py").symlink_to("nowhere.py")
    names = ("inside.py", "out.py", "dangling.py", "../outside.py")
    refused = write(
        root, {name: Source(name, b"old\n") for name in names}, dict.fromkeys(names, b"new\n")
    )
    assert {one.path: one.reason for one in refused} == {
        "../outside.py": "leads out of the project",
        "dangling.py": "cannot be written: No such file or directory",
        "out.py": "leads out of the project",
    }
    assert (root / "inside.py").is_symlink()
    assert (root / "real.py").read_bytes() == b"new\n"
    assert (tmp_path / "outside.py").read_bytes() == b"old\n"


def test_what_is_no_regular_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "app.py").mkdir()
    refused = write(tmp_path, {"app.py": Source("app.py", b"")}, {"app.py": b"x\n"})
    assert refused == (Refused("app.py", "not a regular file"),)


def test_a_failure_while_writing_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "app.py").write_bytes(b"old\n")
    monkeypatch.setattr("lambda_lint.fixes.os.replace", full)
    refused = write(tmp_path, {"app.py": Source("app.py", b"old\n")}, {"app.py": b"new\n"})
    assert refused == (Refused("app.py", "cannot be written: No space left on device"),)
    assert (tmp_path / "app.py").read_bytes() == b"old\n"
    assert os.listdir(tmp_path) == ["app.py"]

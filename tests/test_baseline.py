"""Known findings stay hidden, new ones do not, and no doubt hides anything."""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from lambda_lint import cli
from lambda_lint.baseline import BaselineError, Entry, match, read, write
from lambda_lint.finding import Confidence, Finding, Severity, Span
from lambda_lint.fingerprint import fingerprint

NAME = "lambda-lint-baseline.json"
CONFIG = {"lambda-lint.toml": f'baseline = "{NAME}"\n'}


def app(*services: str, function: str = "lambda_handler") -> str:
    """Return a module whose handler makes a client for each service, on the lines from 5 on."""
    calls = "".join(f'    boto3.client("{one}").close()\n' for one in services)
    return f"import boto3\n\n\ndef {function}(event, context):\n{calls}    return None\n"


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("FORCE_COLOR", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(project: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(arguments)
        return code, *capsys.readouterr()

    return run


def lay(project: Path, files: Mapping[str, str]) -> None:
    """Make the Python files and settings of a project these and no others."""
    for file in project.rglob("*.py"):
        file.unlink()
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)


def seen(command: Command, *options: str) -> list[str]:
    """Return where `check` reports something, as `file:line`."""
    code, out, err = command("check", "--output-format", "concise", *options)
    assert code == (1 if out.count("\n") > 1 else 0), out + err
    return [":".join(line.split(":")[:2]) for line in out.splitlines()[:-1]]


ONE = app("s3")
FORMATTED = """\
import boto3




def lambda_handler(event, context):
    boto3.client(
        's3',
    ).close()
"""


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({"a.py": ONE}, {"a.py": ONE}, [], id="nothing changed"),
        pytest.param({"a.py": ONE}, {"a.py": "#\n\n" + ONE}, [], id="lines moved"),
        pytest.param({"a.py": ONE}, {"a.py": FORMATTED}, [], id="another formatter"),
        pytest.param({"a.py": ONE}, {"a.py": app("s3", "sqs")}, ["a.py:6"], id="one more"),
        pytest.param(
            {"a.py": ONE}, {"a.py": app("sqs", "s3")}, ["a.py:5"], id="one more above the known one"
        ),
        pytest.param(
            {"a.py": app("s3", "s3")}, {"a.py": app("s3")}, [], id="one of two equal ones is gone"
        ),
        pytest.param(
            {"a.py": app("s3", "s3")},
            {"a.py": app("s3", "s3", "s3")},
            ["a.py:7"],
            id="a third equal one is new",
        ),
        pytest.param({"a.py": ONE}, {"lib/handler.py": ONE}, [], id="renamed"),
        pytest.param(
            {"a.py": app("s3", "s3")},
            {"b.py": app("s3", "s3", "s3")},
            ["b.py:7"],
            id="renamed, and a third equal one is new",
        ),
        pytest.param(
            {"a.py": ONE}, {"b.py": app("sqs", "s3")}, ["b.py:5"], id="renamed, with one more"
        ),
        pytest.param({"a.py": ONE}, {"a.py": ONE, "b.py": ONE}, ["b.py:5"], id="a copy is new"),
        pytest.param(
            {"a.py": ONE, "b.py": ONE},
            {"b.py": app("s3", "s3")},
            ["b.py:6"],
            id="merged into a file that had its own",
        ),
        pytest.param(
            {"a.py": ONE},
            {"b.py": ONE, "c.py": ONE},
            ["b.py:5", "c.py:5"],
            id="two files that could be the renamed one: neither is",
        ),
        pytest.param(
            {"a.py": app("s3", "sqs")},
            {"b.py": ONE, "c.py": app("s3", "sqs")},
            ["b.py:5"],
            id="of two the one with most of the findings",
        ),
        pytest.param(
            {f"old/{name}/app.py": ONE for name in "xyz"},
            {f"new/{name}/app.py": ONE for name in "xyz"},
            [],
            id="a folder of equal files was moved",
        ),
        pytest.param(
            {f"old/{name}/app.py": ONE for name in "xyz"},
            {f"new/{name}/app.py": ONE for name in "xyzw"},
            ["new/w/app.py:5"],
            id="a folder of equal files was moved, and one is new",
        ),
        pytest.param(
            {"a.py": ONE},
            {"a.py": app("s3", function="handler")},
            ["a.py:5"],
            id="another function",
        ),
        pytest.param(
            {"a.py": ONE}, {"a.py": "def broken(:\n"}, ["a.py:1"], id="what is not analysed is told"
        ),
        pytest.param(
            {"a.py": "def broken(:\n"},
            {"a.py": "def broken(:\n"},
            ["a.py:1"],
            id="what was not analysed is not known",
        ),
    ],
)
def test_what_is_new(
    project: Path,
    command: Command,
    before: Mapping[str, str],
    after: Mapping[str, str],
    expected: list[str],
) -> None:
    lay(project, {**before, **CONFIG})
    assert command("baseline", "create")[0] == 0
    assert [one for one in seen(command) if "broken" not in before.get("a.py", "")] == []
    lay(project, {**after, **CONFIG})
    assert seen(command) == expected


def test_what_is_hidden_and_stale_is_said(project: Path, command: Command) -> None:
    lay(project, {"a.py": app("s3", "sqs", "sns"), **CONFIG})
    command("baseline", "create")
    lay(project, {"a.py": app("s3", "sqs")})
    assert command("check")[2].splitlines() == [
        f"lambda-lint: {NAME} hides 2 known findings; --no-baseline shows them",
        f"lambda-lint: 1 entry of {NAME} is no longer found; take it out with "
        "`lambda-lint baseline prune`",
    ]
    # What was not looked for is not gone.
    assert "no longer" not in command("check", "--ignore", "client-in-handler")[2]
    lay(project, {"a.py": app("s3", "sqs"), "b.py": "def broken(:\n"})
    assert "no longer" not in command("check")[2]
    assert seen(command, "--no-baseline", "a.py") == ["a.py:5", "a.py:6"]


def test_create_writes_readable_sorted_lines_and_tells_what_changed(
    project: Path, command: Command
) -> None:
    lay(project, {"b.py": app("s3"), "a.py": app("sqs", "s3")})
    code, out, err = command("baseline", "create")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"wrote 3 findings to {NAME}",
        f'commit it, and add `baseline = "{NAME}"` to [tool.lambda-lint] in pyproject.toml',
    ]
    text = (project / NAME).read_text()
    lines = text.splitlines()
    assert lines[:3] == ["{", '  "lambda-lint-baseline": 1,', '  "findings": [']
    assert [json.loads(line.strip().rstrip(","))["path"] for line in lines[3:-2]] == [
        *("a.py", "a.py"),
        "b.py",
    ]
    assert lines[3].startswith(
        '    {"path": "a.py", "rule": "client-in-handler", "code": "LMB101", "message": '
        '"`boto3.client(\\"s3\\")` makes a new SDK client on every invocation", "fingerprint": "'
    )
    lay(project, {"a.py": app("s3", "sns"), "b.py": app("s3")})
    assert command("baseline", "create")[1].startswith(
        f"wrote 3 findings to {NAME} (1 added, 1 removed)\n"
    )
    lay(project, {"b.py": app("s3"), "a.py": app("sqs", "s3")})
    command("baseline", "create")
    assert (project / NAME).read_text() == text


def test_create_for_some_paths_leaves_what_is_known_of_others(
    project: Path, command: Command
) -> None:
    lay(project, {"x/a.py": ONE, "y/a.py": ONE, **CONFIG})
    command("baseline", "create", "x")
    assert seen(command) == ["y/a.py:5"]
    command("baseline", "create", "y")
    assert seen(command) == []
    lay(project, {"x/a.py": app("sqs"), "y/a.py": app("sqs")})
    command("baseline", "create", "x")
    assert [one.path for one in read(project / NAME)] == ["x/a.py", "y/a.py"]
    assert seen(command) == ["y/a.py:5"]


def test_prune_takes_out_and_never_adds(project: Path, command: Command) -> None:
    lay(project, {"a.py": app("s3", "sqs"), "b.py": ONE, **CONFIG})
    command("baseline", "create")
    lay(project, {"a.py": app("s3", "sns"), "c.py": ONE})
    code, out, err = command("baseline", "prune")
    assert (code, err) == (0, "")
    assert out == f"removed 1 entry from {NAME}, 2 are left; 1 went along with renamed files\n"
    assert [one.path for one in read(project / NAME)] == ["a.py", "c.py"]
    assert seen(command) == ["a.py:6"]
    # What went along with a rename is now known under its new name only.
    lay(project, {"a.py": app("s3", "sns"), "c.py": ONE, "b.py": ONE})
    assert seen(command) == ["a.py:6", "b.py:5"]
    before = (project / NAME).stat()
    assert command("baseline", "prune")[1] == f"removed 0 entries from {NAME}, 2 are left\n"
    assert (project / NAME).stat().st_mtime_ns == before.st_mtime_ns


def test_prune_keeps_what_nobody_looked_for(project: Path, command: Command) -> None:
    lay(project, {"a.py": ONE, **CONFIG})
    command("baseline", "create")
    lay(project, {"a.py": "", "lambda-lint.toml": f'baseline = "{NAME}"\nignore = ["LMB101"]\n'})
    assert command("baseline", "prune")[1] == f"removed 0 entries from {NAME}, 1 is left\n"
    entry = read(project / NAME)[0]
    write(project / NAME, [entry, Entry("a.py", "a-rule-of-old", "LMB199", "", "0" * 32)])
    assert command("baseline", "prune")[1] == f"removed 1 entry from {NAME}, 1 is left\n"


def test_prune_does_nothing_where_something_was_not_analysed(
    project: Path, command: Command
) -> None:
    lay(project, {"a.py": ONE, **CONFIG})
    command("baseline", "create")
    before = (project / NAME).read_text()
    lay(project, {"a.py": "def broken(:\n"})
    code, out, err = command("baseline", "prune")
    assert (code, out) == (2, "")
    assert "a.py:1: not analysed" in err
    assert (project / NAME).read_text() == before


def test_create_says_what_it_could_not_look_at(project: Path, command: Command) -> None:
    lay(project, {"a.py": ONE, "b.py": "def broken(:\n"})
    code, out, err = command("baseline", "create")
    assert code == 0
    assert out.startswith(f"wrote 1 finding to {NAME}\n")
    assert err.startswith("lambda-lint: b.py:1 was not analysed (")


def test_a_crash_leaves_the_baseline_as_it_was(project: Path, command: Command) -> None:
    lay(project, {"a.py": ONE, **CONFIG})
    command("baseline", "create")
    before = (project / NAME).read_text()
    lay(
        project,
        {
            "a.py": app("sqs"),
            "lambda-lint.toml": f'{CONFIG["lambda-lint.toml"]}handlers = ["a.py:no"]\n',
        },
    )
    for action in ("create", "prune"):
        code, out, err = command("baseline", action)
        assert (code, out) == (2, "")
        assert f"{NAME} was not written" in err
    assert (project / NAME).read_text() == before


def test_strict_findings_are_new_to_a_baseline_without_them(
    project: Path, command: Command
) -> None:
    # An import that cannot be followed is information.
    lay(project, {"a.py": ONE.replace("None", "registry[event]()"), **CONFIG})
    everything = seen(command, "--strict", "--no-baseline")
    command("baseline", "create")
    shown = seen(command, "--strict")
    assert set(everything) - set(shown) == {"a.py:5"}
    command("baseline", "create", "--strict")
    assert seen(command, "--strict") == []


def test_only_what_is_shown_is_fixed(project: Path, command: Command) -> None:
    text = app().replace("    return None", '    client = boto3.client("s3")\n    return client')
    lay(project, {"a.py": text, **CONFIG})
    command("baseline", "create")
    lay(project, {"a.py": text, "b.py": text})
    code, out, err = command("check", "--fix")
    assert (project / "a.py").read_text() == text
    assert (project / "b.py").read_text() != text
    assert code == 0, out + err


def test_standard_input_is_compared_with_the_entries_of_its_file(
    project: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(project, {"a.py": ONE, **CONFIG})
    command("baseline", "create")
    for text, expected in ((ONE, []), (app("s3", "sqs"), ["a.py:6"])):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert seen(command, "--stdin-filename", "a.py", "-") == expected


def test_a_baseline_named_on_the_command_line_wins(project: Path, command: Command) -> None:
    lay(project, {"a.py": ONE, **CONFIG})
    (project / "elsewhere").mkdir()
    assert command("baseline", "create", "--baseline", "elsewhere/known.json")[0] == 0
    assert seen(command, "--baseline", "elsewhere/known.json") == []
    code, _, err = command("check")
    assert (code, f"{NAME}: there is no such baseline" in err) == (2, True)


ENTRY = (
    '{"path": "a.py", "rule": "client-in-handler", "code": "", "message": "", "fingerprint": "%s"}'
)
GOOD = '{"lambda-lint-baseline": 1, "findings": [%s]}' % (ENTRY % ("0" * 32))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, f"{NAME}: there is no such baseline; write it with", id="missing"),
        pytest.param(
            "", f"{NAME}:1: this is no baseline of lambda-lint: it is not JSON", id="empty"
        ),
        pytest.param(
            "{\n<<<<<<< HEAD\n=======\n>>>>>>> theirs\n}",
            f"{NAME}:2: the baseline has merge conflicts; keep the entries of both sides",
            id="a merge that is not done",
        ),
        pytest.param(
            GOOD.replace("1,", "2,"),
            f"{NAME}:1: version 2 of the format is not known",
            id="version",
        ),
        pytest.param(GOOD.replace("1,", "true,"), f"{NAME}:1: version True of the", id="no number"),
        pytest.param(
            GOOD.replace(", ", ",\n").replace("0" * 32, "xyz"),
            f"{NAME}:6: this is no baseline of lambda-lint: entry 1",
            id="no fingerprint",
        ),
        pytest.param(GOOD.replace('"a.py"', "3"), f"{NAME}:1: this is no", id="no path"),
        pytest.param('{"findings": []}', 'it has no "lambda-lint-baseline"', id="another file"),
        pytest.param('{"lambda-lint-baseline": 1}', 'it has no list "findings"', id="no findings"),
        pytest.param(
            '{"lambda-lint-baseline": 1, "findings": [], "findings": []}',
            "a key stands twice",
            id="two lists",
        ),
        pytest.param("[" * 100_000, f"{NAME}:1: this is no baseline", id="nested"),
        pytest.param("9" * 5000, f"{NAME}:1: this is no baseline", id="a large number"),
        pytest.param('\n"\udcff"', f"{NAME}:2: this is no baseline", id="no text"),
    ],
)
@pytest.mark.parametrize("arguments", [["check"], ["baseline", "prune"], ["baseline", "create"]])
def test_a_broken_baseline_hides_nothing_and_is_not_overwritten(
    project: Path, command: Command, content: str | None, said: str, arguments: list[str]
) -> None:
    lay(project, {"a.py": ONE, **CONFIG})
    data = None if content is None else content.encode("utf-8", "surrogateescape")
    if data is None and "create" in arguments:
        return
    if data is not None:
        (project / NAME).write_bytes(data)
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert data is None or (project / NAME).read_bytes() == data


def test_flake8_is_told_of_a_broken_baseline(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from flake8.main.cli import main as flake8

    lay(project, {"a.py": ONE, **CONFIG})
    assert flake8(["--isolated", "--jobs=1", "--select=LMB", "."]) == 1
    assert capsys.readouterr().out.startswith("./a.py:1:1: LMB900 not analysed: ")


@pytest.mark.parametrize("kind", ["directory", "pipe"])
def test_a_baseline_is_a_regular_file(project: Path, command: Command, kind: str) -> None:
    lay(project, {"a.py": ONE, **CONFIG})
    if kind == "pipe":
        os.mkfifo(project / NAME)
    else:
        (project / NAME).mkdir()
    for arguments in (["check"], ["baseline", "create"], ["baseline", "prune"]):
        code, _, err = command(*arguments)
        assert (code, "cannot be read" in err) == (2, True), err


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_directory_that_cannot_be_written_is_told(project: Path, command: Command) -> None:
    lay(project, {"a.py": ONE})
    project.chmod(0o555)
    try:
        code, _, err = command("baseline", "create", "--no-cache")
    finally:
        project.chmod(0o755)
    assert (code, "cannot be written" in err) == (2, True)


@pytest.mark.parametrize(
    "value", ['"../known.json"', '"/etc/known.json"', '""', '"."', "3", '"a\\u0000"']
)
def test_a_configuration_names_a_file_of_the_project(
    project: Path, command: Command, value: str
) -> None:
    lay(project, {"a.py": ONE, "lambda-lint.toml": f"\nbaseline = {value}\n"})
    code, _, err = command("check")
    assert code == 2
    assert "lambda-lint.toml:2: baseline: " in err


def test_a_link_that_leads_nowhere_is_not_followed(project: Path, command: Command) -> None:
    """A hostile repository could have a start file of the user's shell made."""
    lay(project, {"a.py": ONE})
    target = project.parent / "start-file"
    (project / NAME).symlink_to(target)
    code, _, err = command("baseline", "create")
    assert code == 2
    assert "link to a file that does not exist" in err
    assert not target.exists()


def test_a_link_stays_a_link_and_a_mode_stays(project: Path, command: Command) -> None:
    lay(project, {"a.py": ONE, **CONFIG})
    command("baseline", "create")
    assert stat.S_IMODE((project / NAME).stat().st_mode) == 0o666 & ~umask()
    shutil.move(project / NAME, project / "known.json")
    (project / "known.json").chmod(0o640)
    (project / NAME).symlink_to("known.json")
    lay(project, {"a.py": app("sqs")})
    command("baseline", "create")
    assert (project / NAME).is_symlink()
    assert stat.S_IMODE((project / "known.json").stat().st_mode) == 0o640
    assert seen(command) == []
    assert [one.name for one in project.iterdir() if one.name.startswith(".lambda-lint-")] == []


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def finding(path: str, occurrence: int = 0, code: str = "LMB101") -> Finding:
    bare = Finding(
        path=path,
        span=Span(1, 1, 1, 2),
        code=code,
        rule="some-rule",
        category="client-per-invocation",
        severity=Severity.WARNING,
        confidence=Confidence.HIGH,
        message="m",
        help="h",
    )
    name = fingerprint(bare, "make()", "handler", occurrence)
    return replace(bare, fingerprint=name)


def test_an_entry_written_by_hand_does_not_hide_what_was_not_analysed() -> None:
    one = finding("a.py", code="LMB900")
    found = match([Entry.of(one)], [one], lambda path: True)
    assert not found.hides(one)
    assert found.gone == (Entry.of(one),)


def test_entries_that_a_merge_doubled_count_once(tmp_path: Path) -> None:
    one = Entry.of(finding("a.py"))
    write(tmp_path / "b.json", [one, one])
    assert read(tmp_path / "b.json") == (one,)
    found = match([one, one], [finding("a.py"), finding("a.py", 1)], lambda path: True)
    assert found.kept == (one,)
    assert found.known == frozenset({one.fingerprint})


@pytest.mark.parametrize(
    "path", ["日本.py", "a\udcff.py", "a\u202eb.py", 'a"b\\c.py', "new\nline.py"]
)
def test_any_path_is_read_back_from_one_line(tmp_path: Path, path: str) -> None:
    one = Entry.of(finding(path))
    write(tmp_path / "b.json", [one])
    text = (tmp_path / "b.json").read_text()
    assert len(text.splitlines()) == 6
    assert text.replace("\n", "").isprintable()
    assert read(tmp_path / "b.json") == (one,)


def test_many_renamed_files_take_little_time() -> None:
    """160 000 pairs of files could be meant."""
    old = [Entry.of(finding(f"old/{number}/app.py")) for number in range(400)]
    new = [finding(f"new/{number}/app.py") for number in range(400)]
    found = match(old, new, lambda path: False)
    assert {one.path for one in found.kept} == {one.path for one in new}


def test_a_file_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="cannot be written"):
        write(tmp_path / "nowhere" / "b.json", [])

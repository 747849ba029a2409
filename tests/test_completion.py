"""What a shell offers when somebody presses the tab key, asked of the shells themselves."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from lambda_lint.cli import main

OWN_RULE = '''\
"""A rule of this project."""
from collections.abc import Iterator
from lambda_lint.rule import Project, Report, rule

@rule("LMB899", category="connection-hygiene")
def house_rule(project: Project, whole: Project) -> Iterator[Report]:
    yield from ()
'''


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


# The words on the line, of which the last one is not finished yet, and what has to be among the
# answers, or may not be.
OFFERED: list[tuple[Sequence[str], set[str], set[str]]] = [
    (["lambda-lint", ""], {"check", "config", "completion", "rule"}, {"LMB101"}),
    (["lambda-lint", "che"], {"check"}, {"config"}),
    (["lambda-lint", "check", "--sel"], {"--select"}, {"--severity"}),
    (["lambda-lint", "check", "--severity", ""], {"info", "warning", "error"}, {"LMB101"}),
    (["lambda-lint", "check", "--select", "LMB80"], {"LMB801", "LMB802"}, {"LMB101", "ALL"}),
    (["lambda-lint", "check", "--select", "client-in"], {"client-in-handler"}, {"LMB101"}),
    (["lambda-lint", "check", "--select", "A"], {"ALL"}, {"LMB101"}),
    (
        ["lambda-lint", "check", "--ignore", "LMB101,stale-db"],
        {"LMB101,stale-db-connection"},
        {"stale-db-connection"},
    ),
    (["lambda-lint", "rule", "stale-g"], {"stale-global-read"}, {"ALL"}),
    (["lambda-lint", "check", "ap"], {"app.py"}, {"check"}),
    (["lambda-lint", "completion", "z"], {"zsh"}, {"bash"}),
    (["lambda-lint", "check", "--output-format", "sar"], {"sarif"}, {"full"}),
]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "there", "not_there"), OFFERED, ids=[" ".join(w) for w, _, _ in OFFERED]
)
def test_bash_offers(
    words: Sequence[str],
    there: set[str],
    not_there: set[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text("")
    (tmp_path / "script").write_text(script("bash", capsys))
    asked = (
        "source ./script\n"
        f"COMP_WORDS=({shlex.join(words)})\n"
        f"COMP_CWORD={len(words) - 1}\n"
        "_shtab_lambda_lint\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(["bash", "-uc", asked], capture_output=True, text=True, check=False)
    offered = set(done.stdout.split())
    assert there <= offered, done.stderr
    assert not offered & not_there


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_knows_what_to_run_for_the_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "script").write_text(script("bash", capsys))
    done = subprocess.run(
        ["bash", "-c", "source ./script; complete -p lambda-lint"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "complete -o bashdefault -F _shtab_lambda_lint lambda-lint\n"


@pytest.mark.parametrize("shell", ["zsh", "fish", "tcsh"])
def test_other_shells_can_read_their_script(
    shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = script(shell, capsys)
    assert "handlers" in text
    assert shell == "tcsh" or "client-in-handler" in text
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed: only the text of its script was looked at")
    (tmp_path / "script").write_text(text)
    done = subprocess.run(
        [shell, "-n", "script"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_rules_of_the_project_are_among_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "house_rule.py").write_text(OWN_RULE)
    (tmp_path / "lambda-lint.toml").write_text('rule-directories = ["own"]\n')
    assert "house-rule" in script("bash", capsys)


def test_other_commands_do_not_import_what_makes_scripts() -> None:
    code = (
        "import sys\nfrom lambda_lint.cli import main\n"
        "main(['rules'])\nprint('shtab' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ},
    )
    assert done.stderr == "False\n"

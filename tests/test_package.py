"""What is installed: the wheel's contents, its doors, and what they cost to open."""

from __future__ import annotations

import configparser
import email
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

import lambda_lint

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built with the tools that are installed."""
    place = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"),
            *("--no-build-isolation", "--wheel-dir", str(place), str(ROOT)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return next(place.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the contents of the wheel, as in `site-packages`."""
    place = tmp_path_factory.mktemp("site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    return place


def test_wheel_holds_the_package_with_rules_and_data_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    code = {str(file.relative_to(ROOT).as_posix()) for file in (ROOT / "lambda_lint").rglob("*.py")}
    data = {
        str(file.relative_to(ROOT).as_posix())
        for file in (ROOT / "lambda_lint" / "data").glob("*.toml")
    }
    page = {
        str(file.relative_to(ROOT).as_posix())
        for pattern in ("*.html", "*.css", "*.js")
        for file in (ROOT / "lambda_lint" / "reporters" / "html").glob(pattern)
    }
    rules = {f"lambda_lint/rules/{file.name}" for file in (ROOT / "rules").glob("*.py")}
    assert data
    assert rules
    assert len(page) == 3
    assert (code | data | page | rules | {"lambda_lint/py.typed"}) - names == set()
    assert {name.partition("/")[0] for name in names} == {
        "lambda_lint",
        f"lambda_lint-{lambda_lint.__version__}.dist-info",
    }


def test_wheel_says_the_version_that_the_code_says(wheel: Path) -> None:
    metadata = email.message_from_string(read(wheel, "METADATA"))
    assert metadata["Name"] == "lambda-lint"
    assert metadata["Version"] == lambda_lint.__version__
    assert metadata["License-Expression"] == "MIT"


def test_wheel_registers_the_script_and_the_flake8_plugin(wheel: Path) -> None:
    entry_points = configparser.ConfigParser()
    # Names of entry points are case-sensitive.
    entry_points.optionxform = str  # type: ignore[assignment, method-assign]
    entry_points.read_string(read(wheel, "entry_points.txt"))
    assert {name: dict(entry_points[name]) for name in entry_points.sections()} == {
        "console_scripts": {"lambda-lint": "lambda_lint.cli:main"},
        "flake8.extension": {"LMB": "lambda_lint.flake8_plugin:Plugin"},
    }


def test_rules_are_not_importable_from_an_installed_wheel(installed: Path, tmp_path: Path) -> None:
    done = run_python(
        f"import sys; sys.path.insert(0, {str(installed)!r})\n"
        "from lambda_lint.registry import BUILTIN, load_rules\n"
        "print(BUILTIN)\n"
        "import rules\n",
        # Without site-packages, where an editable install puts the checkout on the path.
        flags=["-I", "-S"],
        directory=tmp_path,
    )
    assert done.stdout.strip() == str((installed / "lambda_lint" / "rules").resolve())
    assert "No module named 'rules'" in done.stderr


@pytest.mark.parametrize(
    "arguments", [["--version"], ["rule", "LMB101"], ["rules"], ["--help"]], ids=" ".join
)
def test_what_needs_no_syntax_tree_does_not_import_libcst(
    arguments: Sequence[str], tmp_path: Path
) -> None:
    """LibCST alone costs ten times the start of Python."""
    done = run_python(
        "import sys\n"
        "from lambda_lint.cli import main\n"
        "try:\n"
        f"    code = main({list(arguments)!r})\n"
        "except SystemExit as end:\n"
        "    code = end.code\n"
        "print('code', code, 'libcst' in sys.modules, file=sys.stderr)\n",
        directory=tmp_path,
    )
    assert done.stdout.strip()
    assert done.stderr.splitlines()[-1] in ("code 0 False", "code None False"), done.stderr


def test_the_flake8_plugin_loads_without_libcst(tmp_path: Path) -> None:
    done = run_python(
        "import sys, lambda_lint.flake8_plugin\nprint('libcst' in sys.modules)\n",
        directory=tmp_path,
    )
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_version_is_printed_by_the_module_as_well(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lambda_lint", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["lambda-lint", lambda_lint.__version__]


def read(wheel: Path, name: str) -> str:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(f"lambda_lint-{lambda_lint.__version__}.dist-info/{name}").decode()


def run_python(
    code: str, *, directory: Path, flags: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *flags, "-c", code],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )

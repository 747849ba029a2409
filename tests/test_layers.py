"""The architecture, as far as a machine can check it."""

from __future__ import annotations

import ast
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_imports_point_downwards() -> None:
    """The contract stands in pyproject.toml, and every module has its place in it."""
    script = Path(sysconfig.get_path("scripts")) / "lint-imports"
    done = subprocess.run(
        [script, "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Imports point downwards KEPT" in done.stdout


@pytest.mark.parametrize("folder", ["lambda_lint", "rules", "tests"])
def test_nobody_imports_the_rules_by_name(folder: str) -> None:
    """An importable `rules` would run the user's own folder of that name."""
    assert not (ROOT / "rules" / "__init__.py").exists()
    wrong = [
        f"{file.relative_to(ROOT)}:{line}"
        for file in sorted((ROOT / folder).rglob("*.py"))
        if "data" not in file.relative_to(ROOT).parts
        for line, module in imports(file)
        if module.partition(".")[0] == "rules" or module.startswith("lambda_lint.rules")
    ]
    assert wrong == []


def test_rules_import_the_public_interface_only() -> None:
    wrong = [
        f"{file.name}:{line}: {module}"
        for file in sorted((ROOT / "rules").glob("*.py"))
        for line, module in imports(file)
        if module.startswith("lambda_lint") and module != "lambda_lint.rule"
    ]
    assert wrong == []


def imports(file: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.lineno, node.module or ""

"""Scratch repositories for tests, which no configuration of the user has a say in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest


def git(directory: Path, *arguments: str) -> str:
    """Run git and return what it prints, without blanks around it."""
    done = subprocess.run(
        ["git", *arguments], cwd=directory, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(directory: Path, message: str = "work") -> None:
    """Commit all that is in a work tree."""
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--allow-empty", "--message", message)


def forget_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what git would learn from the environment, and say who commits."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "someone")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "someone@example.com")

"""From which directory the readers of a format count paths.

People and editors count from the working directory. GitHub and GitLab know only the repository, so
that a run in one of its folders must name the way to it as well. reviewdog puts that way in front
of relative paths itself, so `rdjson` is as for people.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from pathlib import Path

_REPOSITORY = "the repository"
_BASES: dict[str, tuple[str, ...]] = {
    # Where no git is installed, the checkout on GitHub is a plain folder, the workspace.
    "github": (_REPOSITORY, "GITHUB_WORKSPACE"),
    "sarif": (_REPOSITORY, "GITHUB_WORKSPACE"),
    "gitlab": ("CI_PROJECT_DIR", _REPOSITORY),
}


def displayed_for(
    output_format: str,
    root: Path,
    otherwise: Callable[[str], str],
    environment: Mapping[str, str],
) -> Callable[[str], str]:
    """Return a function from paths in the project to paths for the readers of a format.

    `root` is the root of the project, `otherwise` the function for people, which is also returned
    where there is neither a repository nor a workspace around the project.
    """
    for name in _BASES.get(output_format, ()):
        given = _repository(root) if name == _REPOSITORY else environment.get(name)
        base = os.path.realpath(given) if given else None
        if base is not None and _is_below(os.path.realpath(root), base):
            return _relative_to(base, os.path.realpath(root))
    return otherwise


def _relative_to(base: str, root: str) -> Callable[[str], str]:
    @functools.cache
    def displayed(path: str) -> str:
        # A link is a file of its own to a repository, without the lines of its target.
        file = os.path.normpath(os.path.join(root, path))
        target = os.path.realpath(file)
        shown = os.path.relpath(target if _is_below(target, base) else file, base)
        return shown.replace(os.sep, "/")

    return displayed


def _repository(root: Path) -> str | None:
    """Return the nearest directory at or above `root` that git knows as a repository."""
    for directory in (root, *root.parents):
        if os.path.lexists(directory / ".git"):
            return os.fspath(directory)
    return None


def _is_below(path: str, base: str) -> bool:
    try:
        return os.path.commonpath([path, base]) == base
    except ValueError:
        # Another drive.
        return False

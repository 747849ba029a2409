"""What libraries a project asks for: the files that installers read, as far as advice needs it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lambda_lint.source import Source

ADVISED = ("aws-lambda-powertools", "cachetools")
"""The libraries that advice makes use of, by the names that installers know them by."""

_NAME = re.compile(
    r"(?:[\w.-]*requirements[\w.-]*\.(?:txt|in)|pyproject\.toml|Pipfile|setup\.cfg)\Z"
)


def is_requirements(path: str) -> bool:
    """Whether a file of this path says what libraries the project needs, by its name."""
    return _NAME.fullmatch(path.rpartition("/")[2]) is not None


def libraries(files: Mapping[str, Source]) -> frozenset[str]:
    """Return those of the advised libraries that any of the files names outside of a comment."""
    found: set[str] = set()
    for path in files:
        if is_requirements(path):
            for line in files[path].lines:
                code = line.partition("#")[0].lower()
                found.update(one for one in ADVISED if _PATTERNS[one].search(code))
    return frozenset(found)


_PATTERNS = {
    one: re.compile(rf"(?:^|[\s\"'\[,]){one.replace('-', '[-_.]')}(?![\w-])") for one in ADVISED
}

"""The first version of a new rule file, with the blanks marked."""

from __future__ import annotations

import difflib
import keyword
import re
from pathlib import Path

from lambda_lint.registry import BUILTIN
from lambda_lint.rule import CATEGORIES, RuleError

#: Codes from here on are left to projects, so that a new version never takes one of theirs.
FIRST_OWN_NUMBER = 50


def new_rule(directory: Path, name: str, *, category: str = "client-per-invocation") -> Path:
    """Write the skeleton of the rule `name` (kebab-case) into `directory`; return its file.

    The file loads as it is, and its tests fail until the blanks are filled. It gets the next free
    code of its category: in the linter's own directory the first that no rule has, in a project's
    directory the first from 50 on. Raises RuleError for a name that is no rule's name or is taken,
    for an unknown category, and where the file cannot be written.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", name) or len(name) > 60:
        raise RuleError(
            f"{name!r} is no name for a rule: name the mistake in lower case with hyphens, such as "
            "client-in-handler"
        )
    function = name.replace("-", "_")
    if keyword.iskeyword(function) or keyword.issoftkeyword(function):
        raise RuleError(f"{name!r} is a word of Python itself: add what the mistake is about")
    if category not in CATEGORIES.values():
        near = difflib.get_close_matches(category, CATEGORIES.values(), 1)
        hint = f"did you mean {near[0]}?" if near else "one of " + ", ".join(CATEGORIES.values())
        raise RuleError(f"unknown category {category!r}; {hint}")
    place = directory.resolve()
    if not place.is_dir():
        raise RuleError(f"{directory}: no such directory; make it, or name another one")
    for existing in dict.fromkeys((place, BUILTIN)):
        if (existing / f"{function}.py").exists():
            raise RuleError(f"{existing / function}.py: there is a rule of this name")
    path = place / f"{function}.py"
    code = _free_code(place, category)
    text = _SKELETON.replace("LMB000", code).replace("CATEGORY", category)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text.replace("FUNCTION", function))
    except OSError as error:
        raise RuleError(f"{path}: cannot be written: {error.strerror or error}") from error
    return path


def _free_code(directory: Path, category: str) -> str:
    """Return the lowest code of the category that no rule in sight has."""
    hundred = next(digit for digit, name in CATEGORIES.items() if name == category)
    taken: set[str] = set()
    for place in (directory, BUILTIN):
        for path in place.glob("*.py"):
            taken.update(_CODE.findall(path.read_text(encoding="utf-8", errors="replace")))
    first = 1 if directory == BUILTIN else FIRST_OWN_NUMBER
    for number in range(first, 100):
        code = f"LMB{hundred}{number:02}"
        if code not in taken:
            return code
    raise RuleError(f"{directory}: every code of {category} is taken; choose another category")


# Files are not loaded for this: one that is broken has its code nevertheless.
_CODE = re.compile(r"@rule\(\s*[\"'](LMB[0-9]{3})[\"']")

_SKELETON = '''\
r"""TODO: the mistake in one line, as `lambda-lint rules` lists it.

TODO: what goes wrong, when, and why; with the page of AWS's documentation or the bug that shows it.

```python bad
def handler(event, context):
    return todo()  # LMB000 - TODO: the shortest code with the mistake
```

```python good
def handler(event, context):
    return None  # TODO: the same code without the mistake
```

Silent when: TODO: what looks alike and is right. Show each case as one more good example.

Limits: TODO: what the rule does not see.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Project, Report, Severity, rule


@rule("LMB000", category="CATEGORY", severity=Severity.WARNING)
def FUNCTION(call: Call, project: Project) -> Iterator[Report]:
    # TODO: the annotation of the first parameter says what the rule looks at, one at a time. Ask
    # the project about it, and yield a Report for a mistake.
    yield from ()
'''

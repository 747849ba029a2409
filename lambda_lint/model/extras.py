"""Entries for the tables that a project brings itself, checked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

KINDS = frozenset({"lazy", "connecting", "loop-bound", "heavy", "factory"})
"""What making the object costs and binds; `data/README.md` says what each means."""

RULES = frozenset({"client", "heavy", "none"})
"""Which rule speaks of a constructor that runs for every event; `none` if it may."""


class KnowledgeError(ValueError):
    """An entry that cannot be used. The text names its key path and what to change."""


def extra_constructors_as_json(extras: Iterable[object], key: str) -> str:
    """Return extra constructors as the JSON of valid entries."""
    return json.dumps(
        [_extra(extra, f"{key}[{number}]") for number, extra in enumerate(extras)], sort_keys=True
    )


def extra_effects_as_json(extras: Iterable[object]) -> str:
    """Return extra effects as the JSON of entries. The configuration has checked them."""
    return json.dumps(
        [
            {name: value for name, value in asdict(one).items() if value not in ("", ())}
            for one in extras
            if is_dataclass(one) and not isinstance(one, type)
        ],
        sort_keys=True,
    )


def _extra(extra: object, where: str) -> dict[str, Any]:
    """Return one extra constructor as an entry, or raise KnowledgeError."""
    if isinstance(extra, str):
        extra = {"names": [extra]}
    elif is_dataclass(extra) and not isinstance(extra, type):
        # A text or a list that was left empty is one that was not given.
        extra = {name: value for name, value in asdict(extra).items() if value not in ("", ())}
    if not isinstance(extra, Mapping):
        raise KnowledgeError(f"{where}: give a dotted name or a table with `names`")
    entry: dict[str, Any] = {"kind": "lazy", **extra}
    if "names" not in entry:
        raise KnowledgeError(f"{where}: `names` is missing; list the dotted names to call")
    for name, value in entry.items():
        check = _CONSTRUCTOR_KEYS.get(name)
        if check is None:
            known = ", ".join(sorted(_CONSTRUCTOR_KEYS))
            raise KnowledgeError(f"{where}.{name}: no such key; known are {known}")
        problem = check(value)
        if problem:
            raise KnowledgeError(f"{where}.{name}: {problem}")
    return entry


def _one_of(choices: frozenset[str]) -> Callable[[object], str]:
    """Return a check that a value is one of `choices`."""
    text = ", ".join(sorted(choices))
    return lambda value: (
        "" if isinstance(value, str) and value in choices else f"{value!r} is none of {text}"
    )


def _text(value: object) -> str:
    """Check a string."""
    return "" if isinstance(value, str) and value.strip() else "must be a text"


def _flag(value: object) -> str:
    """Check a truth value."""
    return "" if isinstance(value, bool) else "must be true or false"


def _words(value: object) -> str:
    """Check a list of identifiers, or of a lone star."""
    if not isinstance(value, list | tuple):
        return "must be a list of names"
    wrong = [word for word in value if not (isinstance(word, str) and _WORD.fullmatch(word))]
    return f"{wrong[0]!r} is no name of an argument or attribute" if wrong else ""


def _number(value: object) -> str:
    """Check a count or a position."""
    right = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return "" if right else "must be a number"


def _numbers(value: object) -> str:
    """Check a list of positions."""
    right = isinstance(value, list | tuple) and all(
        isinstance(number, int) and not isinstance(number, bool) and number >= 0 for number in value
    )
    return "" if right else "must be a list of positions, counted from 0"


def _dotted_names(value: object) -> str:
    """Check the names of an entry."""
    if not isinstance(value, list | tuple) or not value:
        return "must be a list of dotted names"
    wrong = [name for name in value if not (isinstance(name, str) and _DOTTED.fullmatch(name))]
    if not wrong:
        return ""
    return f"{wrong[0]!r} is no dotted name, like 'package.Client' or 'package.Client().connect'"


_WORD = re.compile(r"[^\W\d]\w*|\*")
#: A package, and what is looked up in it; `()` calls, `*` and `**` stand for any characters.
_DOTTED = re.compile(r"[^\W\d][\w*]*(?:\(\))*(?:\.[\w*]+(?:\(\))*)+")

_CONSTRUCTOR_KEYS: dict[str, Callable[[object], str]] = {
    "names": _dotted_names,
    "kind": _one_of(KINDS),
    "what": _text,
    "rule": _one_of(RULES),
    "family": _text,
    "info": _flag,
    "unless_arguments": _words,
    "only_with_arguments": _words,
    "constant_argument": _flag,
    "loop_only": _flag,
    "credential_arguments": _words,
    "credential_positions": _numbers,
    "closes": _words,
    "closes_on_exit": _flag,
    "reconnects": _flag,
    "liveness": _words,
    "closes_for_good": _flag,
    "per_thread": _flag,
    "must_close": _flag,
    "implicit_transaction": _flag,
    "settles": _words,
    "pool_argument": _text,
    "pool_position": _number,
    "pool_default": _number,
    "unless_address": _words,
    "lingers": _text,
    "starts": _words,
    "note": _text,
    "source": _text,
}

"""What a run found, as JSON: an unchanged project need not be analysed again.

The key is made of everything that the findings depend on and the cache does not know: the contents
of all files, the settings, the rules, the parser.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lambda_lint import life
from lambda_lint.finding import Confidence, Edit, Finding, Fix, Severity, Span, Step
from lambda_lint.life import Life
from lambda_lint.rule import Rule
from lambda_lint.settings import Settings
from lambda_lint.source import Failure, Source


@dataclass(frozen=True, slots=True)
class Outcome:
    """The findings of a whole project that no comment silences, and how much was looked at.

    Paths are relative to the root of the project. `errors` say what the tool could not do,
    `notes` what it did without. `declared` maps the handlers that nothing but descriptors shows, as
    `path:name`, to the files and lines (1-based) that do. `lives` are there only when they were
    asked for. `templates` counts the files that are no Python and hold code.
    """

    findings: tuple[Finding, ...]
    errors: tuple[str, ...]
    handlers: int
    parsed: int
    notes: tuple[str, ...] = ()
    declared: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    lives: tuple[Life, ...] = ()
    templates: int = 0


def key(
    sources: Mapping[str, Source],
    failures: Iterable[Failure],
    settings: Settings,
    rules: Sequence[Rule],
    scope: Sequence[str],
    descriptors: Mapping[str, Source] = MappingProxyType({}),
) -> str:
    """Return the name under which an outcome may be kept: equal for equal outcomes.

    `scope` says which files had to be checked for syntax errors.
    """
    digest = hashlib.blake2b(digest_size=20)

    def add(*words: str) -> None:
        for word in words:
            # Names of files may hold anything but NUL.
            digest.update(word.encode("utf-8", "surrogatepass") + b"\0")

    add(sys.version, settings.digest, _parser(), "\n", *scope, "\n")
    for one in rules:
        add(one.code, one.path, _content(one.path))
    for failure in sorted(failures, key=str):
        add(str(failure))
    for path in sorted(sources):
        add(path, sources[path].digest)
    add("\n")
    for path in sorted(descriptors):
        add(path, descriptors[path].digest)
    return digest.hexdigest()


def to_json(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as JSON can hold it."""
    return {
        "findings": [_finding_to_json(one) for one in outcome.findings],
        "errors": list(outcome.errors),
        "handlers": outcome.handlers,
        "parsed": outcome.parsed,
        "notes": list(outcome.notes),
        "declared": {name: [list(place) for place in at] for name, at in outcome.declared.items()},
        "lives": [life.to_json(one) for one in outcome.lives],
        "templates": outcome.templates,
    }


def from_json(value: object) -> Outcome | None:
    """Return a kept outcome, or None for anything that is none: a store may be damaged."""
    try:
        match value:
            case {
                "findings": [*findings],
                "errors": [*errors],
                "handlers": int(handlers),
                "parsed": int(parsed),
                "notes": [*notes],
                "declared": {**declared},
                "lives": [*lives],
                "templates": int(templates),
            }:
                return Outcome(
                    tuple(_finding_from_json(one) for one in findings),
                    tuple(str(one) for one in errors),
                    handlers,
                    parsed,
                    tuple(str(one) for one in notes),
                    {str(name): _places(at) for name, at in declared.items()},
                    tuple(life.from_json(one) for one in lives),
                    templates,
                )
    except (AttributeError, KeyError, TypeError, ValueError):
        pass
    return None


def _places(value: Any) -> tuple[tuple[str, int], ...]:
    return tuple((str(path), int(line)) for path, line in value)


def _finding_to_json(one: Finding) -> dict[str, Any]:
    return {
        "path": one.path,
        "span": list(one.span),
        "code": one.code,
        "rule": one.rule,
        "category": one.category,
        "severity": one.severity.value,
        "confidence": one.confidence.value,
        "message": one.message,
        "help": one.help,
        "handlers": list(one.handlers),
        "witness": [[step.path, list(step.span), step.message] for step in one.witness],
        "fix": one.fix
        and [one.fix.title, one.fix.safe, [[e.start, e.end, e.text] for e in one.fix.edits]],
        "url": one.url,
        "fingerprint": one.fingerprint,
    }


def _finding_from_json(value: dict[str, Any]) -> Finding:
    fix = value["fix"]
    return Finding(
        path=value["path"],
        span=Span(*value["span"]),
        code=value["code"],
        rule=value["rule"],
        category=value["category"],
        severity=Severity(value["severity"]),
        confidence=Confidence(value["confidence"]),
        message=value["message"],
        help=value["help"],
        handlers=tuple(value["handlers"]),
        witness=tuple(Step(path, Span(*span), text) for path, span, text in value["witness"]),
        fix=None if fix is None else Fix(fix[0], fix[1], tuple(Edit(*edit) for edit in fix[2])),
        url=value["url"],
        fingerprint=value["fingerprint"],
    )


def _parser() -> str:
    """Return words that change with the installed parser; the cache itself knows our own files."""
    found = importlib.util.find_spec("libcst")
    if found is None or found.origin is None:
        return ""
    status = os.stat(found.origin)
    return f"{found.origin} {status.st_size} {status.st_mtime_ns}"


def _content(path: str) -> str:
    """Return a digest of a rule file."""
    return hashlib.blake2b(Path(path).read_bytes(), digest_size=16).hexdigest()

"""The configuration as JSON Schema, for editors and for whoever writes it by a program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lambda_lint.config import values
from lambda_lint.config.keys import KEYS, OVERRIDE_KEYS, Key

# Editors for TOML know this draft best.
DIALECT = "http://json-schema.org/draft-07/schema#"


def schema(rules: Iterable[tuple[str, str, str]]) -> dict[str, Any]:
    """Return the schema of `lambda-lint.toml`, which is that of the table `[tool.lambda-lint]`.

    `rules` are code, name and title of those that are known. Other names are valid too, because
    projects have rules of their own; what only a look at the disk can tell is not in it.
    """
    known = [(spelling, title) for code, name, title in rules for spelling in (code, name)]
    return {
        "$schema": DIALECT,
        "title": "lambda-lint",
        "description": "The settings of lambda-lint: lambda-lint.toml, or [tool.lambda-lint] in "
        "pyproject.toml.",
        "type": "object",
        "properties": {key.name: _property(key) for key in KEYS},
        "additionalProperties": False,
        "definitions": {
            "rule": {
                "description": "A rule's code or name, the beginning of codes, or ALL.",
                "anyOf": [
                    {"const": "ALL", "description": "Every rule."},
                    *({"const": name, "description": title} for name, title in known),
                    {"type": "string", "pattern": f"^({values.CODE})$"},
                ],
            },
            "override": {
                "type": "object",
                "description": "What is different for some files.",
                "properties": {
                    # What is not set in an override is as in the rest of the project.
                    key.name: {"description": key.help, **key.shape}
                    for key in OVERRIDE_KEYS.values()
                },
                "required": ["files"],
                "minProperties": 2,
                "additionalProperties": False,
            },
        },
    }


def _property(key: Key) -> dict[str, Any]:
    found: dict[str, Any] = {"description": key.help, **key.shape}
    if key.default is not None:
        found["default"] = key.default
    return found

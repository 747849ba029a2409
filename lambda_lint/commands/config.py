"""`config`: what is in force for a project or for one file of it, and where it comes from."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from lambda_lint import config, terminal
from lambda_lint.commands import CLEAN, UnableError, catalogue
from lambda_lint.settings import FileSettings, Settings


def run(options: argparse.Namespace) -> int:
    """Run the command; returns 0. Raises UnableError for what cannot be understood."""
    if options.schema:
        return _show_schema(options)
    path = None if options.path is None else Path(options.path)
    if path is not None and not os.path.lexists(path):
        raise UnableError(f"{path}: there is no such file or directory; correct the path")
    from lambda_lint.commands import inputs

    options.paths = [] if path is None else [options.path]
    loaded = inputs.load_configuration(options)
    rules, _ = inputs.load_rules(loaded.settings)
    inside = None
    if path is not None and not path.is_dir():
        inside = _inside(path, loaded.settings)
        here = loaded.settings.for_file(inside)
        from lambda_lint import registry

        rules = tuple(
            one for one in rules if registry.runs_in(one.code, one.slug, loaded.settings, inside)
        )
    else:
        here = None
    values = list(_values(loaded, here, inside))
    shown_rules = [(one.code, one.slug, (one.weight or one.severity).value) for one in rules]
    if options.output_format == "json":
        terminal.write(_as_json(loaded, values, shown_rules, inside))
    else:
        terminal.write(_as_text(loaded, values, shown_rules, inside))
    return CLEAN


def _show_schema(options: argparse.Namespace) -> int:
    from lambda_lint.config.schema import schema

    if options.path is not None:
        raise UnableError("--schema is the same for all projects: leave the path out")
    rules = [(one.code, one.slug, one.title) for one in catalogue.known(options.config)]
    terminal.write(json.dumps(schema(rules), indent=2, ensure_ascii=False) + "\n")
    return CLEAN


def _inside(path: Path, settings: Settings) -> str:
    """Return a file's name in the project, as findings have it before they are shown."""
    absolute = Path(os.path.realpath(path.parent)) / path.name
    try:
        return absolute.relative_to(settings.root).as_posix()
    except ValueError:
        raise UnableError(f"{path} lies outside of the project, {settings.root}") from None


class _Value:
    """One key with its value, and in words where that comes from."""

    def __init__(self, key: config.Key, value: object, origins: Sequence[Any]) -> None:
        self.key = key
        self.value = value
        self.origins = origins

    @property
    def origin(self) -> str:
        """`default`, `command line`, or `file:line`; several places separated by commas."""
        return ", ".join(_place(one) for one in self.origins) or "default"


def _place(origin: config.Origin) -> str:
    return "command line" if origin.file is None else f"{_near(origin.file)}:{origin.line}"


def _near(path: Path) -> str:
    """Return a path as somebody in the working directory would write it."""
    try:
        return os.path.relpath(path).replace(os.sep, "/")
    except ValueError:
        # Another drive.
        return str(path)


def _values(loaded: config.Loaded, here: FileSettings | None, path: str | None) -> Iterator[_Value]:
    for key in config.KEYS:
        if key.name == "extend":
            continue
        value = getattr(loaded.settings, key.attribute)
        origins = loaded.origins.get(key.attribute, ())
        if here is not None and key.differs:
            value = getattr(here, key.attribute)
            assert path is not None
            origins = loaded.origins_in(key.attribute, path)
        yield _Value(key, value, origins)


def _as_text(
    loaded: config.Loaded,
    values: Sequence[_Value],
    rules: Sequence[tuple[str, str, str]],
    path: str | None,
) -> str:
    lines = [f"project: {_near(loaded.settings.root)}"]
    files = " <- ".join(_near(one) for one in reversed(loaded.files))
    lines.append(f"configuration: {files or 'none: everything is at its default'}")
    if path is not None:
        lines.append(f"file: {path}")
        numbers = [n for n, one in enumerate(loaded.settings.overrides, 1) if one.matches(path)]
        lines.append(f"overrides that speak of it: {', '.join(map(str, numbers)) or 'none'}")
        lines.append(f"per-file-ignores: {', '.join(loaded.settings.ignored_in(path)) or 'none'}")
    lines += ["", *(f"{one.key.name} = {_toml(one.value)}  # {one.origin}" for one in values)]
    lines += ["", f"rules that run{' in this file' if path else ''}:"]
    lines += [f"  {code} {slug} ({severity})" for code, slug, severity in rules] or ["  none"]
    return "".join(f"{terminal.printable(line)}\n" for line in lines)


def _as_json(
    loaded: config.Loaded,
    values: Sequence[_Value],
    rules: Sequence[tuple[str, str, str]],
    path: str | None,
) -> str:
    document = {
        "schema": 1,
        "root": str(loaded.settings.root),
        "files": [str(one) for one in reversed(loaded.files)],
        "path": path,
        "settings": {
            one.key.name: {
                "value": _plain(one.value),
                "origins": [
                    {"kind": "command line"}
                    if origin.file is None
                    else {"kind": "file", "file": str(origin.file), "line": origin.line}
                    for origin in one.origins
                ]
                or [{"kind": "default"}],
            }
            for one in values
        },
        "ignored": None if path is None else list(loaded.settings.ignored_in(path)),
        "rules": [
            {"code": code, "rule": slug, "severity": severity} for code, slug, severity in rules
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _plain(value: object) -> Any:
    """Return a value as TOML and JSON have it; what is not set in a table is left out."""
    if is_dataclass(value):
        given = {one.name: getattr(value, one.name) for one in fields(value)}
        dashed = "files" in given
        return {
            name.replace("_", "-") if dashed else name: _plain(one)
            for name, one in given.items()
            if one not in (None, (), "")
        }
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def _toml(value: object) -> str:
    """Return a value nearly as TOML has it, on one line; what is not set has no such form."""
    plain = _plain(value)
    if plain is None:
        return "not set"
    if isinstance(plain, dict):
        pairs = (f"{_toml_key(name)} = {_toml(one)}" for name, one in plain.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(plain, list):
        return f"[{', '.join(map(_toml, plain))}]"
    return json.dumps(plain)


def _toml_key(name: str) -> str:
    bare = name.replace("-", "").replace("_", "")
    return name if bare.isascii() and bare.isalnum() else json.dumps(name)

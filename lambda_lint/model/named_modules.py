"""Modules that are imported by a text: `import_module("jobs.mail")`, and Django's settings.

A text that is put together (`f"bots.{name}"`) names whatever fits in a folder of the project.

Only what is a module of the project is imported in the end, so a text that merely looks like a
name does no harm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from lambda_lint.syntax import nodes

if TYPE_CHECKING:
    from lambda_lint.model.program import Scope

_LISTED = ("ROOT_URLCONF", "WSGI_APPLICATION", "ASGI_APPLICATION", "REST_FRAMEWORK", "TEMPLATES")
_ENDINGS = ("_APPS", "MIDDLEWARE", "_CLASSES", "_BACKENDS")
"""Settings of Django that name modules, classes or functions, as `module.name`, and the endings
of the lists that projects put `INSTALLED_APPS` together from.

https://docs.djangoproject.com/en/stable/ref/settings/
"""

_LOADED = ("apps", "models")
"""Modules of an installed application that Django imports.

https://docs.djangoproject.com/en/stable/ref/applications/#initialization-process
"""


_DEPLOYED = ("base", "common", "aws", "production", "prod")
"""Modules of a `settings` package that are not those of a developer's machine."""


class Named(NamedTuple):
    """`from module import name`, with as many dots as `level`; without a name `import module`."""

    module: str
    name: str = ""
    level: int = 0


def named_by_call(call: nodes.Call) -> Iterator[Named]:
    """Yield what a call imports by a text.

    `os.environ.setdefault("DJANGO_SETTINGS_MODULE", …)` stands in every `wsgi.py` that Django
    wrote; the text may be the default of a variable of the environment. Where only the deployment
    says which settings are used, they are those beside the file.
    """
    match call:
        case nodes.Call(
            func=nodes.Attribute(attr="import_module") | nodes.Name(id="import_module"),
            arguments=[nodes.Argument(value=nodes.Constant(value=str(name)), star="")],
        ) if not name.startswith("."):
            yield Named(name)
        case nodes.Call(
            func=nodes.Name(id="get_wsgi_application" | "get_asgi_application"), arguments=[]
        ):
            yield Named("", "settings", 1)
            for one in _DEPLOYED:
                yield Named("settings", one, 1)
        case nodes.Call(
            func=nodes.Name(id="include") | nodes.Attribute(attr="include"),
            arguments=[nodes.Argument(value=value, star=""), *_],
        ) if not isinstance(value, nodes.Name | nodes.Attribute):
            for name in _texts(value):
                yield Named(name)
        case nodes.Call(
            func=nodes.Attribute(attr="setdefault"),
            arguments=[
                nodes.Argument(value=nodes.Constant(value="DJANGO_SETTINGS_MODULE")),
                nodes.Argument(value=value),
            ],
        ):
            for name in _texts(value):
                yield Named(name)


def pattern_of_call(call: nodes.Call, scope: Scope) -> str:
    """Return the modules that a call imports by a text that is put together: `bots.*`.

    The star stands for one part of the name; the text is empty where no folder is named.
    """
    match call:
        case nodes.Call(
            func=nodes.Attribute(attr="import_module")
            | nodes.Name(id="import_module" | "__import__"),
            arguments=[nodes.Argument(value=value, star=""), *_],
        ) if not isinstance(value, nodes.Constant):
            start, end = ends_of(value, scope)
            if "." in start and not start.startswith(".") and _is_dotted(start + end):
                return f"{start}*{end}"
    return ""


def ends_of(text: nodes.Expression, scope: Scope) -> tuple[str, str]:
    """Return how a text that is put together starts and ends, as far as constants tell."""
    match text:
        case nodes.FormattedString(parts=[first, *_] as parts):
            return _constant(first), _constant(parts[-1])
        case nodes.BinaryOperation(left=left, operator="+", right=right):
            return ends_of(left, scope)[0], ends_of(right, scope)[1]
        case nodes.BinaryOperation(left=nodes.Constant(value=str(found)), operator="%"):
            return found.partition("%")[0], re.split(r"%\w", found)[-1]
        case nodes.Call(
            func=nodes.Attribute(value=nodes.Constant(value=str(found)), attr="format")
        ):
            return found.partition("{")[0], found.rpartition("}")[2]
        case nodes.Call(
            func=nodes.Attribute(value=nodes.Constant(value=str(between)), attr="join"),
            arguments=[nodes.Argument(value=nodes.Collection(items=[first, *_, last]))],
        ):
            start, end = ends_of(first, scope)[0], ends_of(last, scope)[1]
            return start and start + between, end and between + end
        case nodes.Constant(value=str(found)):
            return found, found
        case nodes.Name(id=name):
            owner = scope.lookup(name)
            bindings = owner.bindings[name] if owner is not None else []
            if len(bindings) == 1 and bindings[0].kind == "assign":
                value = bindings[0].value
                if value is not None and not isinstance(value, nodes.Name):
                    return ends_of(value, bindings[0].scope)
    return "", ""


def _constant(part: nodes.Expression) -> str:
    return part.value if isinstance(part, nodes.Constant) and isinstance(part.value, str) else ""


def _is_dotted(text: str) -> bool:
    return all(part.isidentifier() for part in text.split(".") if part)


def named_by_target(
    target: nodes.Expression, value: nodes.Expression, *, at_module_level: bool
) -> Iterator[Named]:
    """Yield what assigning imports: a setting, or `os.environ["DJANGO_SETTINGS_MODULE"]`."""
    match target:
        case nodes.Subscript(index=nodes.Constant(value="DJANGO_SETTINGS_MODULE")):
            for name in _texts(value):
                yield Named(name)
        case nodes.Name(id=setting) if at_module_level and (
            setting in _LISTED or setting.endswith(_ENDINGS)
        ):
            for text in _texts(value):
                module, _, name = text.rpartition(".")
                if module:
                    yield Named(module, name)
                if setting.endswith("_APPS"):
                    for one in _LOADED:
                        yield Named(text, one)


def texts_of_setting(value: nodes.Expression) -> Iterator[Named]:
    """Yield what the dotted texts in the value of a setting name."""
    for text in _texts(value):
        module, _, name = text.rpartition(".")
        if module:
            yield Named(module, name)


def _texts(value: nodes.Expression) -> Iterator[str]:
    """Yield the texts in an expression that are dotted names."""
    for one in nodes.walk(value):
        text = one.value if isinstance(one, nodes.Constant) else None
        if isinstance(text, str) and all(part.isidentifier() for part in text.split(".")):
            yield text

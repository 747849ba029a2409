"""Modules that are imported by a text: `import_module("jobs.mail")`, and Django's settings.

Only what is a module of the project is imported in the end, so a text that merely looks like a
name does no harm.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.syntax import nodes

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


def named_by_call(call: nodes.Call) -> Iterator[tuple[str, str]]:
    """Yield (module, name) for what a call imports by a text; without a name it is a module.

    `os.environ.setdefault("DJANGO_SETTINGS_MODULE", …)` stands in every `wsgi.py` that Django
    wrote; the text may be the default of a variable of the environment.
    """
    match call:
        case nodes.Call(
            func=nodes.Attribute(attr="import_module") | nodes.Name(id="import_module"),
            arguments=[nodes.Argument(value=nodes.Constant(value=str(name)), star="")],
        ) if not name.startswith("."):
            yield name, ""
        case nodes.Call(
            func=nodes.Name(id="include") | nodes.Attribute(attr="include"),
            arguments=[nodes.Argument(value=value, star=""), *_],
        ) if not isinstance(value, nodes.Name | nodes.Attribute):
            for name in _texts(value):
                yield name, ""
        case nodes.Call(
            func=nodes.Attribute(attr="setdefault"),
            arguments=[
                nodes.Argument(value=nodes.Constant(value="DJANGO_SETTINGS_MODULE")),
                nodes.Argument(value=value),
            ],
        ):
            for name in _texts(value):
                yield name, ""


def named_by_target(
    target: nodes.Expression, value: nodes.Expression, *, at_module_level: bool
) -> Iterator[tuple[str, str]]:
    """Yield what an assignment imports: to a setting, or to `os.environ["DJANGO_SETTINGS_MODULE"]`.

    The pairs are as for `named_by_call`.
    """
    match target:
        case nodes.Subscript(index=nodes.Constant(value="DJANGO_SETTINGS_MODULE")):
            for name in _texts(value):
                yield name, ""
        case nodes.Name(id=setting) if at_module_level and (
            setting in _LISTED or setting.endswith(_ENDINGS)
        ):
            for text in _texts(value):
                module, _, name = text.rpartition(".")
                if module:
                    yield module, name
                if setting.endswith("_APPS"):
                    for one in _LOADED:
                        yield text, one


def texts_of_setting(value: nodes.Expression) -> Iterator[tuple[str, str]]:
    """Yield (module, name) for each dotted text in the value of a setting."""
    for text in _texts(value):
        module, _, name = text.rpartition(".")
        if module:
            yield module, name


def _texts(value: nodes.Expression) -> Iterator[str]:
    """Yield the texts in an expression that are dotted names."""
    for one in nodes.walk(value):
        text = one.value if isinstance(one, nodes.Constant) else None
        if isinstance(text, str) and all(part.isidentifier() for part in text.split(".")):
            yield text

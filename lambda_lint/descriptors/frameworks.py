"""Chalice, Zappa and further tools whose configuration is a small JSON, TOML or YAML file.

https://aws.github.io/chalice/topics/configfile.html and
https://github.com/zappa/Zappa#advanced-settings
"""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Iterator
from typing import Any

from lambda_lint.declaration import SCHEDULE, Declaration
from lambda_lint.descriptors.files import Files, inside, text_of
from lambda_lint.descriptors.functions import Described, declare
from lambda_lint.descriptors.tree import Node, TreeError, parse
from lambda_lint.finding import Confidence, Span
from lambda_lint.source import Source

_MOST_STAGES = 100


def is_chalice(path: str) -> bool:
    """Whether a file is the configuration of a Chalice project."""
    return f"/{path}".endswith("/.chalice/config.json")


def is_zappa(path: str) -> bool:
    """Whether a file has the settings of Zappa."""
    name = posixpath.basename(path)
    return re.fullmatch(r"zappa_settings[\w.-]*\.(?:json|ya?ml|toml)", name) is not None


def is_python_lambda(name: str, source: Source) -> bool:
    """Whether a file of this name (without folders) is the configuration of python-lambda."""
    return name in ("config.yaml", "config.yml") and b"function_name" in source.data


def chalice(source: Source, files: Files) -> Iterator[Declaration]:
    """Yield the application of a Chalice project: `app` in `app.py`, beside the configuration.

    https://aws.github.io/chalice/topics/packaging.html : it is the handler of the main function.
    """
    root = posixpath.dirname(posixpath.dirname(source.path))
    for document in parse(text_of(source))[:1]:
        name = document.string("app_name")
        if name is None:
            continue
        layer = "" if root == "" else root
        found = declare(
            _described(name, "Chalice", source, document.key_span("app_name"), "app.app", root),
            files,
        )
        # The configuration names no handler; one that was left behind declares nothing.
        expected = posixpath.join(layer, "app.py")
        words = (b"halice", b"Domovoi")
        if found is None or found.module != expected:
            continue
        if any(files.has_word(expected, word) for word in words):
            yield found


def zappa(source: Source, files: Files) -> Iterator[Declaration]:
    """Yield what the stages of a Zappa project name: application, handlers of events, callbacks."""
    root = posixpath.dirname(source.path)
    documents = [_toml(source)] if source.path.endswith(".toml") else parse(text_of(source))
    seen: set[tuple[str, Span]] = set()
    stages = [one for document in documents for one in document.items()]
    for count, (stage, settings) in enumerate(stages):
        if count >= _MOST_STAGES:
            return
        for handler, span, flags in _of_stage(settings):
            if (handler, span) in seen:
                continue
            seen.add((handler, span))
            described = _described(stage, "Zappa", source, span, handler, root)
            described.flags = flags
            # Where Django's application is, its settings may say otherwise.
            described.is_python = not handler.endswith(".wsgi:application")
            found = declare(described, files)
            if found is not None:
                yield found


def _of_stage(settings: Node) -> Iterator[tuple[str, Span, set[str]]]:
    application = settings.get("app_function")
    if application is not None and application.text:
        module, _, attribute = application.text.rpartition(".")
        yield f"{module}:{attribute}", application.span, set()
    django = settings.get("django_settings")
    if django is not None and django.text:
        # The settings may be a package of their own, beside the application.
        parts = django.text.split(".")[:3]
        for length in range(len(parts) - 1, 0, -1):
            yield f"{'.'.join(parts[:length])}.wsgi:application", django.span, set()
    own = settings.get("lambda_handler")
    if own is not None and own.text and own.text != "handler.lambda_handler":
        yield own.text, own.span, set()
    events = settings.get("events")
    for event in events.children() if events is not None else ():
        function = event.get("function")
        if function is not None and function.text:
            scheduled = event.get("expression") or event.get("expressions")
            yield function.text, function.span, {SCHEDULE} if scheduled is not None else set()
    for further in (settings.get("authorizer", "function"), settings.get("exception_handler")):
        if further is not None and further.text:
            yield further.text, further.span, set()


def _described(
    name: str, tool: str, source: Source, span: Span, handler: str, root: str
) -> Described:
    return Described(
        name=name,
        source=tool,
        path=source.path,
        span=span,
        handler=handler,
        near=root,
        roots=[root],
        is_complete=False,
        is_python=True,
    )


def _toml(source: Source) -> Node:
    """Return a TOML file as a tree, with the lines of texts found by searching for them."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    text = text_of(source)
    try:
        value = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise TreeError(str(error)) from error
    lines = text.splitlines()

    def node(one: Any, depth: int = 0) -> Node:
        if depth > 20:
            raise TreeError("nested too deep")
        if isinstance(one, dict):
            return Node(1, 1, entries={key: node(each, depth + 1) for key, each in one.items()})
        if isinstance(one, list):
            return Node(1, 1, elements=[node(each, depth + 1) for each in one])
        written = str(one)
        for number, line in enumerate(lines, 1):
            column = line.find(written) if written else -1
            if column >= 0:
                end = column + len(written) + 1
                return Node(number, column + 1, written, end_line=number, end_column=end)
        return Node(1, 1, written)

    return node(value)


_SST_HANDLER = re.compile(r"\bhandler\s*:\s*[`'\"]([\w./-]+\.[A-Za-z_]\w*)[`'\"]")
_PANTS = re.compile(r"\b(?:python_aws_lambda_function|python_awslambda)\s*\(([^()]*)\)", re.DOTALL)
_KEYWORD = re.compile(r"\b(name|handler)\s*=\s*[\"']([^\"']+)[\"']")


def sst(source: Source, files: Files) -> Iterator[Declaration]:
    """Yield Python handlers that a program of SST names: `handler: "functions/src/api.handler"`.

    https://sst.dev/docs/component/aws/function#handler : the path begins at the project's root.
    """
    root = posixpath.dirname(source.path)
    for number, line in enumerate(text_of(source).splitlines(), 1):
        for match in _SST_HANDLER.finditer(line[:2000]):
            handler = match[1].removeprefix("./")
            if files.module(root, handler.rpartition(".")[0]) is None:
                continue
            span = Span(number, match.start(1) + 1, number, match.end(1) + 1)
            name = posixpath.basename(handler.rpartition(".")[0])
            described = _described(name, "SST", source, span, handler, root)
            described.confidence = Confidence.MEDIUM
            found = declare(described, files)
            if found is not None:
                yield found


def pants(source: Source, files: Files) -> Iterator[Declaration]:
    """Yield the handlers of `python_aws_lambda_function(handler="file.py:function")` targets.

    https://www.pantsbuild.org/stable/reference/targets/python_aws_lambda_function
    """
    here = posixpath.dirname(source.path)
    text = text_of(source)
    for match in _PANTS.finditer(text):
        given = {one[1]: one for one in _KEYWORD.finditer(match[1])}
        if "handler" not in given:
            continue
        offset = match.start(1) + given["handler"].start(2)
        line = text.count("\n", 0, offset) + 1
        column = offset - text.rfind("\n", 0, offset)
        written = given["handler"][2]
        module, _, attribute = written.partition(":")
        span = Span(line, column, line, column + len(written))
        name = given["name"][2] if "name" in given else posixpath.basename(here) or "lambda"
        handler = f"{module.removesuffix('.py')}.{attribute}"
        described = _described(name, "Pants", source, span, handler, here)
        # A dotted module is looked for in the source roots, which another file lists.
        described.roots += ["", "src", "src/python"]
        found = declare(described, files)
        if found is not None:
            yield found


def function_json(source: Source, files: Files) -> Iterator[Declaration]:
    """Yield the function of a `function.json` as lambroll has it: `Handler`, code beside it.

    https://github.com/fujiwara/lambroll
    """
    root = posixpath.dirname(source.path)
    for document in parse(text_of(source))[:1]:
        handler = document.get("Handler")
        runtime = document.string("Runtime") or ""
        if handler is None or not handler.text or not runtime.startswith("python"):
            continue
        name = document.string("FunctionName") or posixpath.basename(root)
        described = _described(name, "lambroll", source, handler.span, handler.text, root)
        described.environment = {
            key: one.text
            for key, one in (document.get("Environment", "Variables") or document).items()
            if one.text is not None
        }
        found = declare(described, files)
        if found is not None:
            yield found


def python_lambda(source: Source, files: Files) -> Iterator[Declaration]:
    """Yield the function of python-lambda's `config.yaml`: `service.handler`, code beside it.

    https://github.com/nficano/python-lambda
    """
    root = posixpath.dirname(source.path)
    for document in parse(text_of(source))[:1]:
        handler = document.get("handler")
        name = document.string("function_name")
        if handler is None or not handler.text or name is None:
            continue
        described = _described(name, "python-lambda", source, handler.span, handler.text, root)
        described.is_python = (document.string("runtime") or "").startswith("python")
        described.environment = {
            key: one.text
            for key, one in (document.get("environment_variables") or document).items()
            if one.text is not None
        }
        found = declare(described, files)
        if found is not None:
            yield found


def architect(source: Source, files: Files) -> Iterator[Declaration]:
    """Yield the functions of Architect: `handler` in `lambda.py` or `index.py` of their folders.

    https://arc.codes/docs/en/get-started/runtime-support : folders are below `src`, by pragma.
    """
    root = posixpath.dirname(source.path)
    kinds = ("http", "events", "queues", "scheduled", "tables-streams", "ws", "customs", "macros")
    for path in sorted(files.paths):
        folder, name = posixpath.split(path)
        below = inside(root, "src")
        kind = folder[len(below or "") + 1 :].partition("/")[0] if below is not None else ""
        if below is None or not folder.startswith(f"{below}/") or kind not in kinds:
            continue
        if name not in ("lambda.py", "index.py", "handler.py") or folder.count("/") > 6:
            continue
        module = name.removesuffix(".py")
        described = _described(
            posixpath.basename(folder),
            "Architect",
            source,
            Span(1, 1, 1, 2),
            f"{module}.handler",
            folder,
        )
        described.flags = {SCHEDULE} if kind == "scheduled" else set()
        described.layers = [f"{below}/shared/python", f"{below}/shared"]
        found = declare(described, files)
        if found is not None:
            yield found

"""Functions that commands of the AWS CLI or steps of a workflow make: the last resort.

https://docs.aws.amazon.com/cli/latest/reference/lambda/create-function.html and
https://github.com/aws-actions/aws-lambda-deploy . Only the text is searched: what a variable holds
is not known.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from lambda_lint.declaration import Declaration
from lambda_lint.descriptors.files import Files, text_of
from lambda_lint.descriptors.functions import Described, declare, folder
from lambda_lint.descriptors.tree import Node, parse
from lambda_lint.finding import Confidence, Span
from lambda_lint.source import Source

_COMMAND = re.compile(r"\blambda\s+(?:create-function|update-function-configuration)\b")
_OPTION = re.compile(r"--(handler|runtime|function-name|zip-file)[ =\t]+[\"']?([^\s\"'\\]+)")
_ACTION = re.compile(r"aws-actions/aws-lambda-deploy(?:@.*)?")
_LONGEST = 4000
_MOST = 500


def is_script(path: str) -> bool:
    """Whether a file holds commands, by its name."""
    name = posixpath.basename(path)
    return name.endswith((".sh", ".mk")) or name.lower() in ("makefile", "gnumakefile")


def is_workflow(path: str) -> bool:
    """Whether a file is a workflow of GitHub's."""
    return f"/{path}".rpartition("/")[0].endswith("/.github/workflows")


def commands(source: Source, files: Files) -> Iterator[Declaration]:
    """Yield the functions that `aws lambda create-function` makes with a handler of the project."""
    text = text_of(source)
    here = posixpath.dirname(source.path)
    for count, match in enumerate(_COMMAND.finditer(text)):
        if count >= _MOST:
            return
        command = text[match.end() : match.end() + _LONGEST]
        further = _COMMAND.search(command)
        command = re.split(r"\n[ \t]*\n", command[: further.start()] if further else command)[0]
        given = {one[1]: one for one in reversed(list(_OPTION.finditer(command)))}
        if "handler" not in given:
            continue
        handler = given["handler"][2]
        offset = match.end() + given["handler"].start(2)
        described = Described(
            name=given["function-name"][2] if "function-name" in given else handler,
            source="AWS CLI",
            path=source.path,
            span=_span(text, offset, len(handler)),
            handler=handler,
            near="" if is_workflow(source.path) else here,
            hints=[given[one][2] for one in ("function-name", "zip-file") if one in given],
            confidence=Confidence.MEDIUM,
            is_complete=False,
        )
        runtime = given["runtime"][2] if "runtime" in given else "python"
        archive = given["zip-file"][2].removeprefix("fileb://") if "zip-file" in given else ""
        # The archive most often lies in the folder that it is made of, or beside it.
        root = folder(described.near, posixpath.dirname(archive) or ".")
        described.roots += [root] if root is not None else []
        found = declare(described, files) if runtime.startswith(("python", "$")) else None
        if found is not None:
            yield found


def workflow(source: Source, files: Files) -> Iterator[Declaration]:
    """Yield the functions that the steps of a workflow deploy."""
    yield from commands(source, files)
    if b"aws-lambda-deploy" not in source.data:
        return
    for document in parse(text_of(source)):
        for _, job in (document.get("jobs") or document).items():
            for step in (job.get("steps") or job).children()[:_MOST]:
                if _ACTION.fullmatch(step.string("uses") or ""):
                    yield from _step(step, source, files)


def _step(step: Node, source: Source, files: Files) -> Iterator[Declaration]:
    handler = step.get("with", "handler")
    runtime = step.string("with", "runtime") or ""
    if handler is None or handler.text is None or not runtime.startswith("python"):
        return
    root = folder("", step.string("with", "code-artifacts-dir"))
    described = Described(
        name=step.string("with", "function-name") or handler.text,
        source="GitHub Actions",
        path=source.path,
        span=handler.span,
        handler=handler.text,
        near="",
        roots=[root] if root is not None else [],
        hints=[step.string("with", "function-name") or ""],
        is_complete=False,
        is_python=True,
    )
    found = declare(described, files)
    if found is not None:
        yield found


def _span(text: str, offset: int, length: int) -> Span:
    line = text.count("\n", 0, offset) + 1
    column = offset - text.rfind("\n", 0, offset)
    return Span(line, column, line, column + length)

"""Scripts of Systems Manager Automation: Python that a runbook runs, and no Lambda function.

A step `aws:executeScript` names a function that takes `(events, context)` as a Lambda handler does,
but each execution starts a process of its own, so nothing outlives it:
https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-executeScript.html
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from textwrap import dedent

from lambda_lint.descriptors.files import Files, inside, text_of
from lambda_lint.descriptors.functions import beside
from lambda_lint.descriptors.tree import Node, parse
from lambda_lint.source import Source

ACTION = "aws:executeScript"

_FILE = re.compile(r"[\w./\\-]+\.py\b")
_MOST_NODES = 20_000


def scripts(source: Source, files: Files) -> Iterator[str]:
    """Yield the Python files of the project that the steps of a document run.

    A document of its own is looked at as well as one inside of a template. Raises TreeError for a
    text that is neither YAML nor JSON.
    """
    if ACTION.encode() not in source.data:
        return
    for document in parse(text_of(source)):
        for inputs in _steps(document):
            yield from _files(inputs, source.path, files)


def _steps(document: Node) -> Iterator[Node]:
    """Yield the inputs of all steps that run Python, however deep they stand."""
    pending, seen = [document], 0
    while pending and seen < _MOST_NODES:
        node = pending.pop()
        seen += 1
        inputs = node.get("inputs")
        if node.string("action") == ACTION and inputs is not None and _is_python(inputs):
            yield inputs
        pending += [*node.children(), *(one for _, one in node.items())]


def _is_python(inputs: Node) -> bool:
    return (inputs.string("Runtime") or "python").lower().startswith("python")


def _files(inputs: Node, path: str, files: Files) -> Iterator[str]:
    handler = inputs.string("Handler") or ""
    text = inputs.string("Script") or ""
    if text.count("\n") <= 1:
        # A build step puts the file in its place: `%%SCRIPT=name.py%%`, `${file(name.py)}`.
        for written in _FILE.findall(text):
            yield from _fitting(written, path, files)
        if not text:
            # The attachment is an archive or a file, and the handler tells its module.
            attached = inputs.string("Attachment") or ""
            module = handler.rpartition(".")[0] or posixpath.splitext(attached)[0]
            if module:
                yield from _fitting(f"{module.replace('.', '/')}.py", path, files)
        return
    # The text is written out: what is tested is often a copy of it in a file.
    word = f"def {handler}".encode()
    copies = [one for one in sorted(files.paths) if handler and files.has_word(one, word)]
    inline = Source(path, dedent(text).strip().encode("utf-8", "surrogatepass"))
    yield from (one for one in copies if files.likeness(one, inline) >= _ALIKE)


def _fitting(written: str, path: str, files: Files) -> list[str]:
    """Return the file that is meant: beside the document, or the nearest ones of its name."""
    exact = inside(posixpath.dirname(path), written)
    if exact is not None and exact in files.paths:
        return [exact]
    tail = posixpath.normpath(written.replace("\\", "/")).lstrip("./")
    found = files.ending_with(tail.removesuffix(".py"))
    return beside(path, found) or found


_ALIKE = 0.6
"""Which part of the lines a file shares with a text that is a copy of it."""

"""From the text of a file to its tree: the guard, LibCST, and the lowering to our own nodes.

This module and those that it is made of (`lower_statements`, `lower_expressions`) are the only
ones that know LibCST's classes. `libcst.metadata` and `libcst.matchers` are not used: importing
them takes as long as importing all the rest.
"""

from __future__ import annotations

import ast
import gc
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import libcst

from lambda_lint.source import Failure, Source
from lambda_lint.syntax import nodes
from lambda_lint.syntax.cursor import LoweringError
from lambda_lint.syntax.lower_statements import Statements
from lambda_lint.syntax.scan import MAX_BYTES, Scan, scan
from lambda_lint.syntax.stack import with_deep_stack

__all__ = ["parse", "with_deep_stack"]


def parse(source: Source, *, max_bytes: int = MAX_BYTES) -> nodes.Module | Failure:
    """Return the tree of a file, or why there is none: nothing is raised for whatever content.

    Syntax up to Python 3.15 is read on every Python, and `async` as the name that it was up to 3.6.
    A file of more than `max_bytes` bytes is a
    Failure. The work is done in a deep stack; who parses many files calls this within one.
    """
    if len(source.data) > max_bytes:
        message = f"the file has {len(source.data)} bytes; {max_bytes} are analysed at most"
        return Failure(source.path, 1, 1, message)
    decoded = source.decoded
    if isinstance(decoded, Failure):
        return decoded
    return with_deep_stack(_parse, source.path, decoded.text, max_bytes)


def _parse(path: str, text: str, max_bytes: int) -> nodes.Module | Failure:
    scanned = scan(text, max_bytes=max_bytes)
    if scanned.trouble:
        trouble = scanned.trouble
        return Failure(path, trouble.line, trouble.column, trouble.message)
    with _undisturbed():
        result = _tree(path, scanned)
        if isinstance(result, Failure):
            for other in (_with_async_as_name(scanned), _with_plain_templates(scanned)):
                tree = result if other is None else _tree(path, other)
                if not isinstance(tree, Failure):
                    return tree
    return result


def _tree(path: str, scanned: Scan) -> nodes.Module | Failure:
    try:
        try:
            module = libcst.parse_module(scanned.text)
        except (libcst.CSTValidationError, TypeError):
            ast.parse(scanned.text)
            with _unchecked():
                module = libcst.parse_module(scanned.text)
        return Statements(scanned).visit_Module(module)
    except LoweringError as error:
        return Failure(path, error.line, error.column, error.message)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # A panic of the native parser is no Exception.
        return _syntax_error(path, scanned.text, error)


_check_node = libcst.CSTNode.__post_init__


@contextmanager
def _unchecked() -> Iterator[None]:
    """Let LibCST make nodes without asking whether their text could be parsed.

    That is meant for nodes which programs put together. Of what its own parser has read it refuses
    some (`return(a if b else c)`, `return.5`, `await(a)or b`), and a mistake in it is a TypeError
    for `return(lambda: a)()`. Some checks are right (of `"a" b"c"`), so that Python has to read the
    text before. Another thread that parses meanwhile only misses the same question.
    """
    libcst.CSTNode.__post_init__ = _trust_node  # type: ignore[method-assign]
    try:
        yield
    finally:
        libcst.CSTNode.__post_init__ = _check_node  # type: ignore[method-assign]


def _trust_node(self: libcst.CSTNode) -> None:
    """Stand in for the check of a node that the parser has made."""


_ASYNC_AS_NAME = "\u00aasync"
"""As long as `async`, and equal to it once identifiers are normalised, but no keyword."""


def _with_async_as_name(scanned: Scan) -> Scan | None:
    """Return the same file with `async` as an ordinary name, None if it is not used as one.

    It was a name up to Python 3.6, for which much code of Lambda was written (`zappa.async`).
    """
    lines: list[str] | None = None
    words = list(scanned.words)
    for number, word in enumerate(words):
        if word == "async" and not _is_async_keyword(scanned, number):
            words[number] = _ASYNC_AS_NAME
            line, column, *_ = scanned.places[number]
            lines = lines or scanned.text.split("\n")
            text = lines[line - 1]
            lines[line - 1] = text[: column - 1] + _ASYNC_AS_NAME + text[column + 4 :]
    return None if lines is None else replace(scanned, text="\n".join(lines), words=words)


def _with_plain_templates(scanned: Scan) -> Scan | None:
    """Return the same file with f-strings for its t-strings, None if it has none.

    LibCST does not join t-strings that stand next to each other. Both become the same nodes.
    """
    lines: list[str] | None = None
    for word, (line, column, *_) in zip(scanned.words, scanned.places, strict=True):
        if word != 'f"':
            continue
        lines = lines or scanned.text.split("\n")
        text = lines[line - 1]
        prefix = text[column - 1 : column + 1]
        plain = prefix.split('"')[0].split("'")[0]
        if "t" in plain.lower():
            changed = plain.replace("t", "f").replace("T", "f")
            lines[line - 1] = text[: column - 1] + changed + text[column - 1 + len(changed) :]
    changed_text = "\n".join(lines) if lines is not None else scanned.text
    return None if changed_text == scanned.text else replace(scanned, text=changed_text)


def _is_async_keyword(scanned: Scan, number: int) -> bool:
    """Whether `def`, `for` or `with` follows in the same line."""
    following = scanned.words[number + 1 : number + 2]
    if not following or following[0] not in ("def", "for", "with"):
        return False
    return scanned.places[number + 1][0] == scanned.places[number][0]


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Parse without warnings and without garbage collection.

    Evaluating literals warns of invalid escapes, which are the author's matter. A tree has no
    cycles, but so many objects that looking for cycles would take a fifth of the time.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if collecting:
            gc.enable()


def _syntax_error(path: str, text: str, error: BaseException) -> Failure:
    """Say why LibCST did not read a file, in the words of Python itself where it agrees.

    Python's message and place are better: LibCST says which tokens it expected, and its line is
    sometimes the one before or behind.
    """
    try:
        ast.parse(text)
    except SyntaxError as found:
        line = found.lineno or 1
        message = f"syntax error: {found.msg}"
        if not isinstance(error, libcst.ParserSyntaxError):
            # Its grammar knows the text, so that this Python may only be too old for it.
            running = ".".join(map(str, sys.version_info[:2]))
            message = (
                f"the parser gave up, and Python {running} reads it as far as here ({found.msg}); "
                "it may be newer syntax"
            )
        return Failure(path, line, max(1, found.offset or 1), message)
    except (ValueError, MemoryError, RecursionError) as found:
        return Failure(
            path, 1, 1, f"Python cannot read the file: {type(found).__name__} {found}".rstrip()
        )
    if isinstance(error, libcst.ParserSyntaxError):
        reason = error.message.partition("\n")[0]
        return Failure(
            path,
            max(1, error.editor_line),
            max(1, error.editor_column),
            f"LibCST cannot read this although Python can: {reason}",
        )
    reason = f"{type(error).__name__}: {error}".partition("\n")[0]
    return Failure(path, 1, 1, f"LibCST cannot read the file although Python can: {reason}")

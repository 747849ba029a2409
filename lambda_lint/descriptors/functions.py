"""From what a descriptor says of one function to a declaration, with its file looked up."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lambda_lint.declaration import TELEMETRY, WEB_ADAPTER, Declaration
from lambda_lint.descriptors.commands import Started, in_script
from lambda_lint.descriptors.files import Files, above, inside, is_test
from lambda_lint.descriptors.redirections import redirected, sends_telemetry
from lambda_lint.finding import Confidence, Span

_HANDLER = re.compile(r"[^\s$:{}]+\.[A-Za-z_]\w*")
_USUAL = frozenset({"index", "app", "main", "handler", "handlers", "lambda_function", "lambda"})
"""Names of modules that templates give."""

_USUAL_NAMES = frozenset(
    {"handler", "lambda_handler", "main", "handle", "run", "app", "lambdahandler"}
)
"""Names of functions that templates give."""

_AFFIXES = ("lambda", "function", "func", "handler", "daemon", "resource")
"""What the name of a function may have around the name of its folder."""

_SHORTEST = 4
"""Letters that a name has at least, when something was taken off it."""

_BUILT = frozenset({"python", "py", "src", "lambda", "function", "code", "index", "handler", "zip"})


@dataclass(slots=True)
class Described:
    """A function as a descriptor writes it, before anything is looked up.

    `roots` are folders of the project that may be its code root, the likeliest first. When the
    code comes from where it was built or stored, there is none, and `hints` are names (of an
    archive, of the function) that the folder may have. `near` is the folder of the descriptor.
    `is_complete` says whether the first root is deployed as it lies there.
    """

    name: str
    source: str
    path: str
    span: Span
    handler: str
    near: str
    roots: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    layers: list[str] = field(default_factory=list)
    layer_names: list[str] = field(default_factory=list)
    environment: Mapping[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    confidence: Confidence = Confidence.HIGH
    is_complete: bool = True
    is_python: bool = False


def declare(found: Described, files: Files) -> Declaration | None:
    """Return the declaration, None for what is no Python function.

    When the runtime is not known to be Python, only a file of the project shows that it is.
    """
    flags = set(found.flags)
    if any(sends_telemetry(one) for one in found.layer_names):
        flags.add(TELEMETRY)
    handler = redirected(found.handler.strip(), found.environment)
    if _has_adapter(found):
        flags.add(WEB_ADAPTER)
        started = _start_script(found, handler, files)
        if started is None:
            return None
        handler = f"{started.module}:{started.attribute}"
    serves = ":" in handler
    if not serves and not _HANDLER.fullmatch(handler):
        return None
    module, _, attribute = handler.rpartition(":" if serves else ".")
    place, root = look_up(module, attribute, found, files)
    if place is None and not found.is_python:
        return None
    return Declaration(
        name=found.name,
        source=found.source,
        path=found.path,
        span=found.span,
        handler=handler,
        root=root,
        code_root=found.roots[0] if found.roots else None,
        layers=tuple(dict.fromkeys(found.layers)),
        module=place,
        attribute=attribute,
        flags=frozenset(flags),
        confidence=found.confidence,
        is_complete=found.is_complete and bool(found.roots) and files.has_folder(found.roots[0]),
    )


def look_up(
    module: str, attribute: str, found: Described, files: Files
) -> tuple[str | None, str | None]:
    """Return the file that a module is, and its code root; both None if it is not certain.

    Where the code root is not known, only files come into question that have the attribute's name
    in them.
    """
    for root in (*found.roots, *found.layers):
        place = files.module(root, module)
        if place is not None:
            return place, root
    tail = module.replace(".", "/").strip("/")
    name = attribute.encode("utf-8", "surrogatepass")
    fits = [
        one for one in files.ending_with(module) if not is_test(one) and files.has_word(one, name)
    ]
    for base in found.roots or [""]:
        # The build flattens a folder: what is below the given one comes first.
        below = [one for one in fits if not base or one.startswith(f"{base}/")]
        if base and len(below) == 1:
            return below[0], _root(below[0], tail)
    absent = [one for one in found.roots if one not in files.folders]
    hints = _without_affixes({_plain(one) for one in (*found.hints, *absent)} - _BUILT - {""})
    hinted = [one for one in fits if hints & _folder_names(one)]
    near = [one for one in fits if not found.near or one.startswith(f"{found.near}/")]
    exact = [one for one in hinted if hints & _last_folder_names(one)]
    # Half of all functions have such a name; one that lies elsewhere is another's.
    is_usual = _USUAL.issuperset(tail.split("/")) and attribute in _USUAL_NAMES
    anywhere = [] if is_usual else fits
    nearest = [beside(found.path, some) for some in (exact, hinted, [] if is_usual else fits)]
    both = [one for one in hinted if one in near]
    for some in (exact, nearest[0], both, hinted, near, *nearest[1:], anywhere):
        if len(some) == 1:
            return some[0], _root(some[0], tail)
    return None, None


def beside(descriptor: str, fits: list[str]) -> list[str]:
    """Return those of the files that lie below the nearest folder above the descriptor."""
    for base in above(posixpath.dirname(descriptor)):
        below = [one for one in fits if base and one.startswith(f"{base}/")]
        if below:
            return below
    return []


def folder(base: str, written: str | None) -> str | None:
    """Return the folder of the project that a path of a descriptor means, if it is one."""
    if written is None or any(one in written for one in ("$", "{", "s3://")):
        return None
    return inside(base, written.strip())


def _has_adapter(found: Described) -> bool:
    # https://github.com/awslabs/aws-lambda-web-adapter: a layer, and a wrapper that starts it.
    return found.environment.get("AWS_LAMBDA_EXEC_WRAPPER") == "/opt/bootstrap" or any(
        "LambdaAdapterLayer" in one for one in found.layer_names
    )


def _start_script(found: Described, handler: str, files: Files) -> Started | None:
    for root in found.roots:
        path = inside(root, handler)
        text = files.text(path) if path is not None else None
        if text is not None:
            started = in_script(text, found.environment)
            if started is not None and started.is_server:
                return started
    return None


def _root(path: str, tail: str) -> str:
    for end in (f"{tail}.py", f"{tail}/__init__.py"):
        if path == end:
            return ""
        if path.endswith(f"/{end}"):
            return path[: -len(end) - 1]
    return posixpath.dirname(path)


def _plain(name: str) -> str:
    # What only the deployment knows is no part of the name.
    known = re.sub(r"\$\{[^}]*\}", "", name)
    stem = re.sub(r"\.(?:zip|py|jar)$", "", posixpath.basename(known))
    return re.sub(r"[^a-z0-9]", "", stem.lower())


def _without_affixes(names: set[str]) -> set[str]:
    """Return the names, and those that are left of them without `lambda` or `function`."""
    found = set(names)
    for name in names:
        for affix in _AFFIXES:
            for short in (name.removeprefix(affix), name.removesuffix(affix)):
                if len(short) >= _SHORTEST:
                    found.add(short)
    return found - _BUILT - _USUAL


def _last_folder_names(path: str) -> set[str]:
    parts = [_plain(one) for one in path.split("/")[-8:-1]]
    return {"".join(parts[start:]) for start in range(len(parts))}


def _folder_names(path: str) -> set[str]:
    """Return what a file's folders may be called in one word: `orders/show` is `orders_show`."""
    parts = [_plain(one) for one in path.split("/")[-8:]]
    return {
        "".join(parts[start:end])
        for start in range(len(parts))
        for end in range(start + 1, len(parts) + 1)
    }


def names(values: Sequence[str | None]) -> list[str]:
    """Return the texts among values that may be none."""
    return [one for one in values if one]

"""What the analysis costs, and how that grows with the size of a project.

`python tests/benchmarks/growth.py [DIRECTORY]` prints how many lines a second each stage does on
the project (the fixtures, if none is named), and then the time of the model and the rules for 1,
2, 4 and 8 copies of it, put together in several ways. Times are those of one processor; only their
ratios mean anything on another machine. A growth of 1 is linear, of 2 quadratic.

It is no test, because a busy machine would fail it. The exit code is 1 when a growth is above
`--limit`.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import libcst

from lambda_lint import engine
from lambda_lint.config import load
from lambda_lint.discovery import discover
from lambda_lint.model import program
from lambda_lint.model.project import Project
from lambda_lint.registry import BUILTIN, load_rules
from lambda_lint.rule import Rule
from lambda_lint.settings import Settings
from lambda_lint.source import Failure, Source
from lambda_lint.syntax import lower, nodes
from lambda_lint.syntax.scan import scan
from lambda_lint.syntax.stack import with_deep_stack

T = TypeVar("T")

COPIES = (1, 2, 4, 8)

LIMIT = 1.3
"""What still counts as near linear; sorting and full processor caches cost a little more."""

Files = Mapping[str, str]


def main(arguments: Sequence[str]) -> int:
    """Print the tables; return 1 when something grows faster than the limit, otherwise 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "directory",
        nargs="?",
        type=Path,
        default=Path(__file__).resolve().parents[2] / "fixtures" / "apps",
        help="the project that is copied (default: the fixtures)",
    )
    parser.add_argument("--limit", type=float, default=LIMIT, help=f"default: {LIMIT}")
    parser.add_argument("--only", choices=[*SHAPES, *ALONE], help="only this shape")
    given = parser.parse_args(arguments)
    settings = replace(load([given.directory]), root=given.directory.resolve(), handlers=())
    sources = discover(settings).sources
    files = {
        path: source.text
        for path, source in sources.items()
        if not isinstance(source.decoded, Failure)
    }
    rules = load_rules([BUILTIN])
    print(f"{len(files)} files, {sum(map(_lines, files.values()))} lines", flush=True)
    if given.only is None:
        with_deep_stack(_print_stages, files)
    worst = 0.0
    for name, shape in SHAPES.items():
        if given.only in (None, name):
            worst = max(worst, _print_growth(name, partial(shape, files), rules, settings))
    for name, made in ALONE.items():
        if given.only in (None, name):
            worst = max(worst, _print_growth(name, made, rules, settings))
    print(f"\nfastest growth: {worst:.2f}")
    return 1 if worst > given.limit else 0


def _lines(text: str) -> int:
    return text.count("\n") + 1


def _print_stages(files: Files) -> None:
    """Print the lines a second of what is done for each file alone."""
    print("\nstage          lines/s")
    lines = sum(map(_lines, files.values()))
    scanned = _stage("scan", lines, lambda: [scan(text) for text in files.values()])
    texts = [one.text for one in scanned if not one.trouble]
    _stage("parse", lines, lambda: [_parsed(text) for text in texts])
    sources = [Source(path, text.encode()) for path, text in files.items()]
    trees = _stage("parse + lower", lines, lambda: [lower.parse(one) for one in sources])
    modules = [tree for tree in trees if isinstance(tree, nodes.Module)]
    _stage("index", lines, lambda: [program.index("app.py", tree) for tree in modules])


def _parsed(text: str) -> object:
    try:
        return libcst.parse_module(text)
    except libcst.ParserSyntaxError as error:
        return error


def _stage(name: str, lines: int, run: Callable[[], T]) -> T:
    start = time.process_time()
    result = run()
    print(f"{name:14} {lines / (time.process_time() - start):8.0f}", flush=True)
    return result


def _print_growth(
    name: str, made: Callable[[int], Files], rules: Sequence[Rule], settings: Settings
) -> float:
    """Print one table; return the growth from the second-largest size to the largest.

    Small sizes do not count, because what each run costs hides what grows.
    """
    print(f"\n{name}\ncopies     lines   read  model  rules  findings  growth", flush=True)
    before: float | None = None
    growth = 0.0
    for copies in COPIES:
        files = made(copies)
        read, model, asked, findings = _run(files, rules, settings)
        shown = ""
        if before is not None:
            growth = math.log2((model + asked) / before)
            shown = f"{growth:7.2f}"
        before = model + asked
        lines = sum(map(_lines, files.values()))
        print(
            f"{copies:6}{lines:10}{read:7.2f}{model:7.2f}{asked:7.2f}{findings:10} {shown}",
            flush=True,
        )
    return growth


def _run(
    files: Files, rules: Sequence[Rule], settings: Settings
) -> tuple[float, float, float, int]:
    """Return the seconds of reading, of the model, of the rules, and how much they found."""
    times: dict[str, float] = {}

    def timed(name: str, run: Callable[..., T]) -> Callable[..., T]:
        def wrapper(*args: Any) -> T:
            start = time.process_time()
            try:
                return run(*args)
            finally:
                times[name] = time.process_time() - start

        return wrapper

    kept = engine._read, engine._project, engine._ask
    engine._read = timed("read", engine._read)
    engine._project = timed("model", engine._project)
    engine._ask = timed("rules", engine._ask)
    try:
        sources = {path: Source(path, text.encode()) for path, text in sorted(files.items())}
        result = engine.lint(sources, settings, rules)
    finally:
        engine._read, engine._project, engine._ask = kept
    assert isinstance(result.project, Project)
    return times["read"], times["model"], times["rules"], len(result.findings)


def _side_by_side(files: Files, copies: int) -> Files:
    """Each copy in a folder of its own, as a repository of many functions has them."""
    return {f"copy{i}/{path}": text for i in range(copies) for path, text in files.items()}


def _shared_helper(files: Files, copies: int) -> Files:
    """Every function of every copy calls a module that all share, as those of a layer do."""
    found = {
        path: _calling("growth_shared.note", text)
        for path, text in _side_by_side(files, copies).items()
    }
    return {**found, "growth_shared.py": _SHARED}


def _chain(files: Files, copies: int) -> Files:
    """Every function of a copy calls into the next copy, so that handlers reach ever more."""
    found: dict[str, str] = {}
    for i in range(copies):
        for path, text in files.items():
            found[f"copy{i}/{path}"] = _calling(f"growth_link{i}.note", text)
        found[f"growth_link{i}.py"] = _LINK.format(following=f"growth_link{i + 1}")
    return {**found, f"growth_link{copies}.py": _SHARED}


def _calling(callee: str, text: str) -> str:
    """Put a call in front of the body of every function whose head is one line."""
    changed = _HEAD.sub(rf"\g<0>\g<1>    {callee}(\g<2>)\n", text)
    future = "from __future__ import annotations\n"
    head = f"import {callee.partition('.')[0]}\n"
    if future in changed:
        return changed.replace(future, future + head, 1)
    return head + changed


_HEAD = re.compile(r"^( *)(?:async )?def \w+\((?:self, )?(?:(\w+)[^()\n]*)?\)[^()\n]*:\n", re.M)
"""A function's first line; its indentation, and its first parameter but `self`."""

_SHARED = """\
import boto3
_clients = {}
def note(value=None):
    keep(value)
    fresh(value)
    return value
def keep(value):
    if "sqs" not in _clients:
        _clients["sqs"] = boto3.client("sqs")
    return _clients["sqs"].send_message(MessageBody=str(value))
def fresh(value):
    return boto3.client("sns").publish(Message=str(value))
"""

_LINK = """\
import boto3
import {following}
def note(value=None):
    boto3.client("sns").publish(Message=str(value))
    return {following}.note(value)
"""

SHAPES: Mapping[str, Callable[[Files, int], Files]] = {
    "side by side": _side_by_side,
    "shared helper": _shared_helper,
    "chain": _chain,
}


def _one_function(copies: int) -> Files:
    """One handler with ever more lines, each of them a finding, between tests and stores."""
    return {"app.py": "".join(_huge_lines(500 * copies))}


def _huge_lines(count: int) -> Iterator[str]:
    yield "import boto3\nkept = None\ntable = {}\ndef lambda_handler(event, context):\n"
    yield "    global kept\n"
    for i in range(count):
        yield f"    if event.get('a{i}') is None: return\n"
        yield f"    client{i} = boto3.client('s{i}')\n"
        yield f"    table['k{i}'] = client{i}.get(event['x'])\n"
        yield f"    if kept is None: kept = boto3.resource('r{i}')\n"


def _layers(copies: int) -> Files:
    """Layers of functions that call all of the layer below: the ways through them are many.

    Twice as many copies make twice as many lines, but sixteen times as many ways.
    """
    width = round(6 * math.sqrt(copies))
    text = ["import boto3", "import structlog"]
    for layer in range(_DEPTH):
        for i in range(width):
            text.append(f"def call_{layer}_{i}(name, value):")
            for j in range(width):
                below = f"call_{layer + 1}_{j}(name, value)" if layer < _DEPTH - 1 else "end(name)"
                text.append(f"    {below}")
    text.append("def end(name):")
    text.append("    structlog.contextvars.bind_contextvars(tenant=name)")
    text.append("    boto3.client(name)")
    text.append("def lambda_handler(event, context):")
    text += [f"    call_0_{i}(event['name'], {i})" for i in range(width)]
    return {"app.py": "\n".join(text) + "\n"}


_DEPTH = 7
"""As deep as the search for constant arguments goes."""

ALONE: Mapping[str, Callable[[int], Files]] = {"one function": _one_function, "layers": _layers}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""From the sources of a project to their trees, with all processors and without crashes.

LibCST's native parser can overflow the stack, which ends the process, and can take for ever. The
guard in front of it keeps both away as far as is known; for what is not known, files are parsed in
worker processes, where they cost one file and not the run.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing

from lambda_lint.cache import Cache
from lambda_lint.source import Failure, Source
from lambda_lint.syntax import nodes, scan, store, workers
from lambda_lint.syntax.stack import with_deep_stack, without_collecting


def parse_all(
    sources: Iterable[Source],
    *,
    jobs: int = 1,
    cache: Cache | None = None,
    max_bytes: int = scan.MAX_BYTES,
) -> dict[str, nodes.Module | Failure]:
    """Return the tree of each source by its path, or why it has none; in the order of the paths.

    Up to `jobs` worker processes help, if that is worth their start. With one job, and for a few
    files, the work is done in this process, except for files that look like none of a human.
    Files of more than `max_bytes` bytes are failures. The result does not depend on `jobs`.
    """
    kind = f"tree-{max_bytes}"
    results: dict[str, nodes.Module | Failure] = {}
    missing = []
    with without_collecting():
        for source in sources:
            found = _kept(source, kind, cache)
            if found is None:
                missing.append(source)
            else:
                results[source.path] = found
        here, elsewhere = _divide(missing, jobs, _tree_bytes_worth_a_start())
        try:
            with closing(_elsewhere("tree", elsewhere, jobs, max_bytes)) as replies:
                for source, reply in replies:
                    results[source.path] = _take(source, reply, kind, cache)
        except workers.UnavailableError:
            here += [source for source in elsewhere if source.path not in results]
        if here:
            with_deep_stack(_parse_here, here, kind, cache, max_bytes, results)
    return {path: results[path] for path in sorted(results)}


def syntax_errors(
    sources: Iterable[Source],
    *,
    jobs: int = 1,
    cache: Cache | None = None,
    max_bytes: int = scan.MAX_BYTES,
) -> dict[str, Failure]:
    """Return why sources cannot be parsed, by path; for files whose trees nobody needs.

    Python itself says which files are right, several times as fast as LibCST; a file that it
    refuses is parsed, as LibCST knows the syntax of later versions. Otherwise as `parse_all`.
    """
    kind = f"check-{max_bytes}"
    doubtful = []
    missing = []
    for source in sources:
        known = None if cache is None else cache.get(kind, source.digest)
        if known is None:
            missing.append(source)
        elif known is not True:
            doubtful.append(source)
    here, elsewhere = _divide(missing, jobs, _CHECK_BYTES_WORTH_A_START)
    verdicts: dict[str, bool] = {}
    try:
        with closing(_elsewhere("check", elsewhere, jobs, max_bytes)) as replies:
            for source, reply in replies:
                verdicts[source.path] = reply == ("check", True)
    except workers.UnavailableError:
        here += [source for source in elsewhere if source.path not in verdicts]
    with without_collecting():
        for source in here:
            verdicts[source.path] = workers.is_python(source, max_bytes=max_bytes)
    for source in missing:
        if cache is not None:
            cache.put(kind, source.digest, verdicts[source.path])
        if not verdicts[source.path]:
            doubtful.append(source)
    parsed = parse_all(doubtful, jobs=jobs, cache=cache, max_bytes=max_bytes)
    return {path: one for path, one in parsed.items() if isinstance(one, Failure)}


def default_jobs() -> int:
    """How many worker processes are worth having: the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        processors = len(os.sched_getaffinity(0))
    else:
        processors = os.cpu_count() or 1
    return max(1, min(processors, _MOST_JOBS))


_MOST_JOBS = 8
"""One process reads the trees of all workers, and takes a seventh of the time of parsing them."""

_CHECK_BYTES_WORTH_A_START = 3_000_000


def _tree_bytes_worth_a_start() -> int:
    """From how many bytes on workers are faster, measured with two processors.

    A worker must import LibCST, which takes a third of a second, and so must this process, if
    it has not done so before.
    """
    return 400_000 if "libcst" in sys.modules else 200_000


_UNUSUAL = re.compile(rb"[(\[{][\s(\[{]{40}|[^\n]{10000}")
"""What no human writes, though the guard lets it pass: dozens of open brackets, endless lines."""


def _divide(sources: Sequence[Source], jobs: int, worth: int) -> tuple[list[Source], list[Source]]:
    """Say which sources to read in this process and which in workers, the largest first.

    Workers that are there already cost nothing more.
    """
    total = sum(len(source.data) for source in sources)
    if jobs > 1 and len(sources) > 1 and (workers.are_waiting() or total >= worth):
        return [], sorted(sources, key=lambda source: -len(source.data))
    here: list[Source] = []
    elsewhere: list[Source] = []
    for source in sources:
        (elsewhere if _UNUSUAL.search(source.data) else here).append(source)
    return here, elsewhere


def _elsewhere(
    kind: str, sources: Sequence[Source], jobs: int, max_bytes: int
) -> Generator[tuple[Source, workers.Reply], None, None]:
    """Yield each source with the reply of a worker; to be closed, so that no work goes on."""
    if sources:
        tasks = [workers.Task(kind, one.path, one.data, max_bytes) for one in sources]
        with closing(workers.run(tasks, jobs=jobs)) as replies:
            yield from zip(sources, replies, strict=True)


def _kept(source: Source, kind: str, cache: Cache | None) -> nodes.Module | Failure | None:
    """Return what an earlier run has made of this content; what is damaged counts as nothing."""
    value = None if cache is None else cache.get(kind, source.digest)
    if not isinstance(value, list):
        return None
    match value:
        case ["tree", tree]:
            try:
                return store.load(tree)
            except store.StoreError:
                return None
        case ["failure", [int(line), int(column), str(message)]] if line > 0 and column > 0:
            return Failure(source.path, line, column, message)
    return None


def _take(
    source: Source, reply: workers.Reply, kind: str, cache: Cache | None
) -> nodes.Module | Failure:
    """Make of a reply what it says, and keep it. That a worker was lost may be chance."""
    if reply.kind == "lost":
        return Failure(source.path, 1, 1, str(reply.value))
    if cache is not None:
        cache.put(kind, source.digest, list(reply))
    if reply.kind == "tree":
        return store.load(reply.value)
    line, column, message = reply.value
    return Failure(source.path, line, column, message)


def _parse_here(
    sources: Iterable[Source],
    kind: str,
    cache: Cache | None,
    max_bytes: int,
    results: dict[str, nodes.Module | Failure],
) -> None:
    for source in sources:
        result = workers.parse(source, max_bytes=max_bytes)
        results[source.path] = result
        if cache is not None:
            cache.put(kind, source.digest, list(workers.reply_of(result)))

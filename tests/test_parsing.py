from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lambda_lint import parsing
from lambda_lint.cache import CACHE_DIRECTORY, Cache
from lambda_lint.parsing import default_jobs, parse_all, syntax_errors
from lambda_lint.source import Failure, Source
from lambda_lint.syntax import nodes, store, workers

posix = pytest.mark.skipif(os.name == "nt", reason="needs signals and fork")

MAX_BYTES = 20_000

# The content of a file, and where and why it fails, if it does.
FILES: list[tuple[str, bytes, tuple[int, int, str] | None]] = [
    ("empty", b"", None),
    ("usual", b"import boto3\nclient = boto3.client('s3')\n", None),
    ("old escape", b"x = '\\d'\n", None),
    ("Latin 1", b"# coding: latin-1\nx = '\xe9'\n", None),
    ("BOM and CR LF", b"\xef\xbb\xbfx = 1\r\ny = 2\r\n", None),
    ("later syntax", b"type X = int\nmatch x:\n    case 1: pass\n", None),
    ("except star", b"try: pass\nexcept* E: pass\n", None),
    ("broken", b"x = 1\ndef f(:\n", (2, 7, "syntax error")),
    ("Python 2", b"\nprint 'x'\n", (2, 1, "syntax error")),
    ("no UTF-8", b"x = '\xe9'\n", (1, 6, "not utf-8")),
    ("NUL", b"x = 1\n\0", (2, 1, "NUL")),
    ("nested", b"x = " + b"(" * 5000 + b"1" + b")" * 5000, (1, 205, "nested more than 200")),
    ("too large", b"#\n" * 10_001, (1, 1, "20000")),
]
FAILURES = {name: failure for name, _, failure in FILES if failure}


def _check(results: dict[str, Failure], expected: dict[str, tuple[int, int, str]]) -> None:
    assert set(results) == set(expected)
    for name, (line, column, part) in expected.items():
        failure = results[name]
        assert (failure.path, failure.line, failure.column) == (name, line, column)
        assert part in failure.message


def _failures(results: dict[str, nodes.Module | Failure]) -> dict[str, Failure]:
    return {path: one for path, one in results.items() if isinstance(one, Failure)}


def _trees(results: dict[str, nodes.Module | Failure]) -> dict[str, object]:
    return {path: store.dump(one) for path, one in results.items() if isinstance(one, nodes.Module)}


@pytest.fixture
def sources() -> list[Source]:
    return [Source(name, data) for name, data, _ in FILES]


@pytest.fixture
def own_workers() -> Iterator[None]:
    """Processes that were started by other tests, and those of this one, serve no other."""
    workers.stop()
    yield
    workers.stop()


@pytest.fixture
def always_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test has too little to read for workers to be worth their start."""
    monkeypatch.setattr(parsing, "_tree_bytes_worth_a_start", lambda: 0)
    monkeypatch.setattr(parsing, "_CHECK_BYTES_WORTH_A_START", 0)


def test_trees_and_failures_in_this_process(sources: list[Source]) -> None:
    results = parse_all(sources, max_bytes=MAX_BYTES)
    _check(_failures(results), FAILURES)
    assert list(results) == sorted(results)
    assert set(results) == {name for name, _, _ in FILES}


@pytest.mark.usefixtures("own_workers", "always_workers")
def test_workers_say_the_same(sources: list[Source]) -> None:
    here = parse_all(sources, jobs=1, max_bytes=MAX_BYTES)
    there = parse_all(sources[::-1], jobs=2, max_bytes=MAX_BYTES)
    assert workers.are_waiting()
    assert _failures(here) == _failures(there)
    assert _trees(here) == _trees(there)
    assert list(here) == list(there)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.usefixtures("always_workers")
def test_syntax_errors(sources: list[Source], jobs: int) -> None:
    _check(syntax_errors(sources, jobs=jobs, max_bytes=MAX_BYTES), FAILURES)


@pytest.mark.filterwarnings("error")
def test_syntax_check_is_silent_about_warnings() -> None:
    assert syntax_errors([Source("a.py", b"x = '\\d' is 1\n")]) == {}


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.usefixtures("always_workers")
def test_cache_gives_the_same(sources: list[Source], tmp_path: Path, jobs: int) -> None:
    fresh = parse_all(sources, jobs=1)
    errors = syntax_errors(sources, jobs=1)
    for _ in range(2):
        with Cache(tmp_path / CACHE_DIRECTORY, "key") as cache:
            found = parse_all(sources, jobs=jobs, cache=cache)
            assert (_trees(found), _failures(found)) == (_trees(fresh), _failures(fresh))
            assert syntax_errors(sources, jobs=jobs, cache=cache) == errors


def test_cached_failure_is_told_of_the_file_that_has_it_now(tmp_path: Path) -> None:
    with Cache(tmp_path / CACHE_DIRECTORY, "key") as cache:
        for name in ("old.py", "new.py"):
            assert [
                one.path
                for one in _failures(parse_all([Source(name, b"def")], cache=cache)).values()
            ] == [name]


POISON: list[object] = [
    1,
    "tree",
    [],
    ["tree"],
    ["tree", None],
    ["tree", [1, 2, 3]],
    ["failure", [0, 0, "x"]],
    ["failure", ["1", "1", "x"]],
    ["failure", [1, 1, "x"], 1],
    {"tree": []},
    [["tree"], []],
]


@pytest.mark.parametrize("poison", POISON, ids=repr)
def test_poisoned_value_is_not_believed(tmp_path: Path, poison: object) -> None:
    source = Source("a.py", b"x = 1\n")
    with Cache(tmp_path / CACHE_DIRECTORY, "key") as cache:
        for kind in ("tree", "check"):
            cache.put(f"{kind}-{1 << 20}", source.digest, poison)
        assert isinstance(parse_all([source], cache=cache)["a.py"], nodes.Module)
        assert syntax_errors([source], cache=cache) == {}


@pytest.mark.parametrize("function", ["parse_all", "syntax_errors"])
def test_nothing_changed_needs_no_libcst(tmp_path: Path, function: str) -> None:
    script = (
        "import sys; from pathlib import Path; from lambda_lint.cache import Cache\n"
        f"from lambda_lint.parsing import {function}; from lambda_lint.source import Source\n"
        "with Cache(Path(sys.argv[1]), '') as cache:\n"
        f"    {function}([Source('a.py', b'x = 1'), Source('b.py', b'def')], cache=cache)\n"
        "print('libcst' in sys.modules)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / CACHE_DIRECTORY)]
    outputs = [
        subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        for _ in range(2)
    ]
    assert outputs == ["True", "False"]


CRASH = """
import lambda_lint.syntax.lower as lower, os, re, signal, sys, time
real = lower.parse
def parse(source, **options):
    if source.data.startswith(b"# crash"):
        {crash}
    return real(source, **options)
lower.parse = parse
workers.serve()
"""
CRASHES: list[tuple[str, str, str]] = [
    ("exit", "os._exit(0)", "did not survive"),
    ("exit of Python", "sys.exit(1)", "did not survive"),
    ("stack overflow", "os.kill(os.getpid(), signal.SIGSEGV)", "did not survive"),
    ("killed for its memory", "os.kill(os.getpid(), signal.SIGKILL)", "did not survive"),
    ("sleeps", "time.sleep(60)", "longer than 1 s"),
    (
        "native code that never returns",
        "re.match(r'(a|a)*$', 'a' * 200 + 'b')",
        "longer than 1 s",
    ),
    ("mistake of ours", "raise KeyError('x\\x1b')", "please report this: KeyError('x\\x1b')"),
]


@posix
@pytest.mark.parametrize(
    ("crash", "message"), [one[1:] for one in CRASHES], ids=[one[0] for one in CRASHES]
)
@pytest.mark.usefixtures("own_workers", "always_workers")
def test_crash_costs_one_file(monkeypatch: pytest.MonkeyPatch, crash: str, message: str) -> None:
    _boot(monkeypatch, CRASH.format(crash=crash))
    monkeypatch.setattr(workers, "TIME_LIMIT", 1.0)
    innocent = [Source(f"{number}.py", b"x = %d" % number) for number in range(12)]
    results = parse_all([*innocent, Source("bad.py", b"# crash")], jobs=2)
    failures = _failures(results)
    assert list(failures) == ["bad.py"]
    assert message in failures["bad.py"].message
    assert len(results) == 13


@posix
@pytest.mark.usefixtures("own_workers", "always_workers")
def test_lost_worker_is_not_remembered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sources = [Source("bad.py", b"# crash"), Source("a.py", b"")]
    with monkeypatch.context() as patch, Cache(tmp_path / CACHE_DIRECTORY, "") as cache:
        _boot(patch, CRASH.format(crash="os._exit(1)"))
        assert set(_failures(parse_all(sources, jobs=2, cache=cache))) == {"bad.py"}
    workers.stop()
    with Cache(tmp_path / CACHE_DIRECTORY, "") as cache:
        assert _failures(parse_all(sources, jobs=2, cache=cache)) == {}


@posix
@pytest.mark.usefixtures("own_workers", "always_workers")
def test_accident_is_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mark = str(tmp_path / "mark")
    _boot(
        monkeypatch,
        CRASH.format(
            crash=f"os.path.exists({mark!r}) or os._exit(open({mark!r}, 'w').close() or 1)"
        ),
    )
    results = parse_all([Source("bad.py", b"# crash"), Source("a.py", b"")], jobs=2)
    assert _failures(results) == {}
    assert os.path.exists(mark)


@pytest.mark.parametrize(
    "text",
    ["x = " + "[" * 60 + "]" * 60, "x = " + "(\n" * 60 + ")" * 60, "x = '" + "a" * 20_000 + "'"],
    ids=["brackets", "brackets on lines", "endless line"],
)
@posix
@pytest.mark.usefixtures("own_workers")
def test_unusual_file_goes_to_a_worker_also_with_one_job(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    _boot(monkeypatch, CRASH.format(crash="os._exit(1)"))
    results = parse_all([Source("bad.py", f"# crash\n{text}".encode()), Source("a.py", b"")])
    assert set(_failures(results)) == {"bad.py"}


@pytest.mark.usefixtures("own_workers", "always_workers")
def test_what_a_worker_prints_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    _boot(monkeypatch, CRASH.format(crash="print('x' * 99, flush=True); os.write(1, b'yyyyyyy')"))
    results = parse_all([Source("bad.py", b"# crash"), Source("a.py", b"")], jobs=2)
    assert _failures(results) == {}


def _no_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "")


def _other_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")


def _frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)


def _broken_start(monkeypatch: pytest.MonkeyPatch) -> None:
    _boot(monkeypatch, "raise ImportError")


@pytest.mark.parametrize("spoil", [_no_interpreter, _other_program, _frozen, _broken_start])
@pytest.mark.usefixtures("own_workers", "always_workers")
def test_without_workers_files_are_read_here(
    monkeypatch: pytest.MonkeyPatch,
    sources: list[Source],
    spoil: Callable[[pytest.MonkeyPatch], None],
) -> None:
    expected = parse_all(sources, jobs=1), syntax_errors(sources, jobs=1)
    spoil(monkeypatch)
    results = parse_all(sources, jobs=2)
    assert not workers.are_waiting()
    assert _failures(results) == _failures(expected[0])
    assert _trees(results) == _trees(expected[0])
    assert syntax_errors(sources, jobs=2) == expected[1]


@pytest.mark.usefixtures("own_workers", "always_workers")
def test_modules_of_the_project_are_not_imported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A project may have files named like modules of the standard library, or like ours."""
    trap = f"open({str(tmp_path / 'sprung')!r}, 'w')"
    names = ["queue", "signal", "struct", "marshal", "importlib", "libcst", "lambda_lint", "gc"]
    for name in [*names, "sitecustomize", "usercustomize", "selectors", "random", "ast"]:
        (tmp_path / f"{name}.py").write_text(trap)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    assert _failures(parse_all([Source("a.py", b""), Source("b.py", b"")], jobs=2)) == {}
    assert workers.are_waiting()
    assert not (tmp_path / "sprung").exists()


PARENT = """
import sys, time
from lambda_lint import parsing
from lambda_lint.source import Source
from lambda_lint.syntax import workers
before, _, _ = workers.BOOT.rpartition("workers.serve()")
workers.BOOT = before + '''
import lambda_lint.syntax.lower as lower, os, time
def parse(source, **options):
    with open(os.path.join({directory!r}, str(os.getpid())), "w"): pass
    time.sleep(60)
lower.parse = parse
workers.serve()
'''.replace("{{", "{{{{").replace("}}", "}}}}")
parsing._tree_bytes_worth_a_start = lambda: 0
parsing.parse_all([Source(name, b"") for name in "abcd"], jobs=2)
"""


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_leaves_no_process(tmp_path: Path, number: int) -> None:
    script = PARENT.format(directory=str(tmp_path))
    parent = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
    try:
        _wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
        os.kill(parent.pid, number)
        assert parent.wait(timeout=10) != 0
    finally:
        parent.kill()
        parent.wait()
    children = [int(file.name) for file in tmp_path.iterdir()]
    if number == signal.SIGINT:
        assert [child for child in children if _is_running(child)] == []
    else:
        # Nobody was left to end them: they end with the file that they read, or the watchdog.
        for child in children:
            os.kill(child, signal.SIGKILL)


@posix
def test_worker_that_waits_ends_with_its_parent() -> None:
    script = (
        "import os; from lambda_lint.syntax import workers\n"
        "worker = workers._Worker(); print(worker.process.pid, flush=True); os._exit(0)"
    )
    output = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    pid = int(output.stdout)
    _wait_until(lambda: not _is_running(pid))


def _parse_in_child(results: multiprocessing.Queue[list[str]]) -> None:
    parsing._tree_bytes_worth_a_start = lambda: 0
    found = parse_all([Source("a.py", b""), Source("b.py", b"def")], jobs=2)
    results.put([*sorted(_failures(found)), str(workers.are_waiting())])


@posix
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.usefixtures("always_workers")
def test_in_daemonic_processes_of_every_start_method(method: str) -> None:
    """The processes of flake8 are such; the parent has workers of its own at that time."""
    sources = [Source("a.py", b""), Source("b.py", b"")]
    parse_all(sources, jobs=2)
    context = multiprocessing.get_context(method)
    queue: multiprocessing.Queue[list[str]] = context.Queue()
    processes = [
        context.Process(target=_parse_in_child, args=(queue,), daemon=True)  # type: ignore[attr-defined]
        for _ in range(2)
    ]
    for process in processes:
        process.start()
    assert [queue.get(timeout=30) for _ in processes] == [["b.py", "True"]] * 2
    for process in processes:
        process.join()
    assert _failures(parse_all(sources, jobs=2)) == {}


@pytest.mark.usefixtures("own_workers")
def test_few_small_files_start_no_process(sources: list[Source]) -> None:
    usual = [source for source in sources if source.path != "nested"]
    parse_all(usual, jobs=8)
    syntax_errors(usual, jobs=8)
    assert not workers.are_waiting()


def test_default_jobs_are_those_this_process_may_use() -> None:
    assert 1 <= default_jobs() <= (os.cpu_count() or 1)


def _boot(monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """Let the program of the workers end in another way."""
    before, serve, _ = workers.BOOT.rpartition("workers.serve()")
    assert serve
    monkeypatch.setattr(workers, "BOOT", before + end.replace("{", "{{").replace("}", "}}"))


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        # A process that nobody has waited for is dead all the same.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True


def _wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)

from __future__ import annotations

import json
import multiprocessing
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lambda_lint import cache as cache_module
from lambda_lint.cache import CACHE_DIRECTORY, Cache

KEPT: list[object] = [
    None,
    False,
    0,
    "",
    "caf\u00e9 \udc80 \u202e",
    [1, [2.5, {"a": None}]],
    {"deep": [[[[]]]]},
]


@pytest.mark.parametrize("value", KEPT)
def test_value_comes_back_in_the_same_and_in_the_next_run(place: Path, value: object) -> None:
    with Cache(place, "key") as cache:
        cache.put("kind", "digest", value)
        assert cache.get("kind", "digest") == value
    with Cache(place, "key") as cache:
        assert cache.get("kind", "digest") == value


@pytest.mark.parametrize(
    ("key", "kind", "digest"),
    [("other", "kind", "digest"), ("key", "other", "digest"), ("key", "kind", "other")],
)
def test_another_key_kind_or_content_has_no_value(
    place: Path, key: str, kind: str, digest: str
) -> None:
    with Cache(place, "key") as cache:
        cache.put("kind", "digest", 1)
    with Cache(place, key) as cache:
        assert cache.get(kind, digest) is None


def test_another_version_has_no_value(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Cache(place, "key") as cache:
        cache.put("kind", "digest", 1)
    monkeypatch.setattr(cache_module, "__version__", "0.0.0")
    assert Cache(place, "key").get("kind", "digest") is None


def test_last_value_counts(place: Path) -> None:
    for value in (1, 2):
        with Cache(place, "key") as cache:
            cache.put("kind", "digest", value)
    assert Cache(place, "key").get("kind", "digest") == 2


def _nested(depth: int) -> object:
    value: object = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("value", [_nested(100_000), 10**5000], ids=["deep", "long number"])
def test_what_json_cannot_carry_is_not_kept(place: Path, value: object) -> None:
    if value == 10**5000 and not hasattr(sys, "set_int_max_str_digits"):
        pytest.skip("this Python has no limit")
    with Cache(place, "key") as cache:
        cache.put("kind", "digest", value)
        assert cache.get("kind", "digest") is None


def test_value_of_another_type_is_a_mistake_of_the_caller(place: Path) -> None:
    with pytest.raises(TypeError):
        Cache(place, "key").put("kind", "digest", {1, 2})


def test_directory_is_marked_and_hides_itself_from_git(place: Path) -> None:
    with Cache(place, "key") as cache:
        cache.put("kind", "digest", 1)
    tag = (place / "CACHEDIR.TAG").read_text()
    assert tag.startswith("Signature: 8a477f597d28d172789f06886806bc55")
    assert (place / ".gitignore").read_text() == "*\n"


def test_nothing_is_made_before_there_is_a_value(place: Path) -> None:
    Cache(place, "key").close()
    assert not place.exists()


def _overwrite(data: bytes) -> Callable[[Path], None]:
    def spoil(database: Path) -> None:
        database.write_bytes(data)

    return spoil


def _truncate(database: Path) -> None:
    os.truncate(database, database.stat().st_size // 2)


def _execute(statement: str) -> Callable[[Path], None]:
    def spoil(database: Path) -> None:
        connection = sqlite3.connect(database)
        connection.executescript(statement)
        connection.close()

    return spoil


# What is done to the database, and whether the run after the next one has a cache again.
DAMAGE: list[tuple[str, Callable[[Path], None], bool]] = [
    ("no database", _overwrite(b"not a database, but long enough to be one" * 100), True),
    ("header alone", _overwrite(b"SQLite format 3\0" + b"\xff" * 4096), True),
    ("empty", _overwrite(b""), True),
    ("half of it", _truncate, True),
    ("table is gone", _execute("DROP TABLE entry"), True),
    ("no JSON", _execute("UPDATE entry SET value = '[1, 2'"), True),
    ("deep JSON", _execute(f"UPDATE entry SET value = '{'[' * 100_000}'"), True),
    ("bytes for text", _execute("UPDATE entry SET value = x'ff00ff'"), True),
    ("other columns", _execute("DROP TABLE entry; CREATE TABLE entry (a)"), False),
]


@pytest.mark.parametrize(
    ("damage", "heals"), [one[1:] for one in DAMAGE], ids=[one[0] for one in DAMAGE]
)
def test_damage_means_no_cache(place: Path, damage: Callable[[Path], None], heals: bool) -> None:
    with Cache(place, "key") as cache:
        for number in range(500):
            cache.put("kind", str(number), "x" * 100)
    (database,) = place.glob("*.sqlite3")
    for log in place.glob("*.sqlite3-*"):
        log.unlink()
    damage(database)
    with Cache(place, "key") as cache:
        assert [cache.get("kind", str(number)) for number in (0, 250, 499)].count("x" * 100) < 3
        cache.put("kind", "new", 1)
    with Cache(place, "key") as cache:
        cache.put("kind", "new", 2)
    assert (Cache(place, "key").get("kind", "new") == 2) is heals


def _file_in_place(place: Path) -> None:
    place.write_text("")


def _no_parent(place: Path) -> None:
    place.parent.rmdir()


def _read_only(place: Path) -> None:
    place.mkdir(mode=0o500)
    if os.access(place, os.W_OK):
        pytest.skip("the superuser writes everywhere")


def _link(place: Path) -> None:
    (place.parent.parent / "elsewhere").mkdir()
    place.symlink_to("../elsewhere")


@pytest.mark.parametrize("make", [_file_in_place, _no_parent, _read_only, _link])
def test_unusable_place_means_no_cache(place: Path, make: Callable[[Path], None]) -> None:
    make(place)
    with Cache(place, "key") as cache:
        cache.put("kind", "digest", 1)
    assert Cache(place, "key").get("kind", "digest") is None
    elsewhere = place.parent.parent / "elsewhere"
    assert not elsewhere.exists() or not list(elsewhere.iterdir())


def test_link_in_place_of_the_database_is_not_written_through(place: Path) -> None:
    with Cache(place, "key") as cache:
        cache.put("kind", "digest", 1)
    (database,) = place.glob("*.sqlite3")
    database.unlink()
    target = place.parent / "precious"
    target.write_text("")
    database.symlink_to(target)
    with Cache(place, "key") as cache:
        cache.put("kind", "digest", 1)
    assert target.read_text() == ""


def test_database_that_came_with_the_project_is_not_read(place: Path, tmp_path: Path) -> None:
    """Whoever can add files to a pull request must not be able to say that nothing is found."""
    with Cache(place, "key") as cache:
        cache.put("kind", "digest", "poison")
    copy = tmp_path / "checkout"
    copy.mkdir()
    for file in place.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    assert Cache(copy, "key").get("kind", "digest") is None


def test_full_disk_means_no_cache(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Cache(place, "key") as cache:
        cache.put("kind", "old", 1)
    with Cache(place, "key") as cache:
        assert cache.get("kind", "old") == 1
        assert cache._connection is not None
        cache._connection.execute("PRAGMA max_page_count = 1")
        cache.put("kind", "new", "x" * 100_000)
    assert Cache(place, "key").get("kind", "new") is None
    assert Cache(place, "key").get("kind", "old") == 1


def test_locked_database_means_no_cache(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "_BUSY_SECONDS", 0.05)
    with Cache(place, "key") as cache:
        cache.put("kind", "old", 1)
    (database,) = place.glob("*.sqlite3")
    other = sqlite3.connect(database)
    other.execute("BEGIN EXCLUSIVE")
    with Cache(place, "key") as cache:
        cache.put("kind", "new", 1)
    other.rollback()
    other.close()
    assert Cache(place, "key").get("kind", "new") is None


def test_python_without_sqlite(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    with Cache(place, "key") as cache:
        cache.put("kind", "digest", 1)
    assert Cache(place, "key").get("kind", "digest") is None


def test_old_values_go_when_there_are_too_many(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "MAX_BYTES", 400_000)
    for number in range(20):
        with Cache(place, "key") as cache:
            cache.put("kind", str(number), "x" * 50_000)
    with Cache(place, "key") as cache:
        assert cache.get("kind", "19") is not None
        assert cache.get("kind", "0") is None
    assert sum(file.stat().st_size for file in place.glob("*.sqlite3")) < 800_000


def test_values_are_written_before_there_are_too_many(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "_PENDING_BYTES", 1000)
    unfinished = Cache(place, "key")
    unfinished.put("kind", "digest", "x" * 2000)
    assert Cache(place, "key").get("kind", "digest") is not None


@pytest.mark.skipif(os.name == "nt", reason="needs fork")
def test_fork_does_not_touch_the_database_of_its_parent(place: Path) -> None:
    cache = Cache(place, "key")
    cache.put("kind", "digest", 1)
    cache.close()
    assert cache.get("kind", "digest") == 1
    process = multiprocessing.get_context("fork").Process(target=_use_in_fork, args=(cache,))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert cache.get("kind", "digest") == 1


def _use_in_fork(cache: Cache) -> None:
    found = cache.get("kind", "digest")
    cache.close()
    os._exit(0 if found is None else 1)


WRITER = """
import sys
from pathlib import Path
from lambda_lint.cache import Cache
for turn in range(5):
    with Cache(Path(sys.argv[1]), "key") as cache:
        for number in range(20):
            found = cache.get("kind", str(number))
            assert found in (None, [number] * 50), found
            cache.put("kind", str(number), [number] * 50)
"""


def test_eight_processes_at_once(place: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(place)]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(8)]
    assert [(one.communicate()[1], one.returncode) for one in running] == [(b"", 0)] * 8
    with Cache(place, "key") as cache:
        assert cache.get("kind", "7") == [7] * 50


def test_payload_is_json_text(place: Path) -> None:
    with Cache(place, "key") as cache:
        cache.put("kind", "digest", {"a": [1]})
    (database,) = place.glob("*.sqlite3")
    connection = sqlite3.connect(database)
    ((text,),) = connection.execute("SELECT value FROM entry").fetchall()
    connection.close()
    assert json.loads(text) == {"a": [1]}
    assert stat.S_ISREG(os.lstat(database).st_mode)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the cache of an empty project will be."""
    root = tmp_path / "project"
    root.mkdir()
    return root / CACHE_DIRECTORY

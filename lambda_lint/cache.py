"""What earlier runs have found out, kept on disk.

The cache only saves time: whatever is wrong with it (damaged, read-only, locked, a full disk, a
Python without sqlite3), the run goes on as if there were none, and says nothing. Values are JSON
and never code, but they decide what is reported; see `Cache` for who can have written them.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from lambda_lint import __version__

if TYPE_CHECKING:
    import sqlite3

CACHE_DIRECTORY = ".lambda_lint_cache"
"""The name of the directory in the root of a project."""

MAX_BYTES = 128 * 1024 * 1024
"""When the stored values take more, the older half of them goes."""

_BUSY_SECONDS = 2.0
_PENDING_BYTES = 4 * 1024 * 1024

# https://bford.info/cachedir/: backup programs look for exactly this signature.
_TAG = """Signature: 8a477f597d28d172789f06886806bc55
# This file marks a cache directory of lambda-lint. It can be deleted at any time.
"""


class Cache:
    """A store of JSON values by kind and digest, in a directory that may not exist yet.

    `key` names what the values depend on besides the content of a file, such as
    `Settings.digest`; the version and the files of the linter itself are added to it. Values do
    not depend on the Python that runs.

    The name of the database has the inode number of the directory in it. So a database that came
    with the project (checked in by somebody who wants a run to find nothing) is not read, as
    the directory was made anew by the checkout; nor is one that was copied from elsewhere. Links
    in place of the directory or the database are not followed.

    Several processes may use one directory. Values are written when there are many of them and on
    `close`, so use it in a `with` statement. Only the process and not its forks may use an object.
    """

    def __init__(self, directory: Path, key: str) -> None:
        """Open nothing yet: that happens with the first value."""
        self._directory = os.fspath(directory)
        whole = "\0".join((__version__, _own_files(), key))
        self._key = hashlib.blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        self._connection: sqlite3.Connection | None = None
        self._broken = False
        self._process = os.getpid()
        self._pending: dict[tuple[str, str], str] = {}
        self._pending_bytes = 0

    def __enter__(self) -> Cache:
        """Return the cache itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write what is left, also when the run was interrupted."""
        self.close()

    def get(self, kind: str, digest: str) -> object | None:
        """Return the value that was put for this kind and digest, None when there is none.

        It is what JSON makes of it: tuples have become lists. The caller checks its shape, as
        damage that leaves valid JSON is not noticed here.
        """
        text: object = self._pending.get((kind, digest))
        if text is None:
            rows = self._run(
                "SELECT value FROM entry WHERE key = ? AND kind = ? AND digest = ?",
                (self._key, kind, digest),
            )
            text = rows[0][0] if rows else None
        if not isinstance(text, str):
            return None
        try:
            value: object = json.loads(text)
        except (ValueError, RecursionError):
            return None
        return value

    def put(self, kind: str, digest: str, value: object) -> None:
        """Keep a value of lists, dictionaries, strings, numbers, booleans and None.

        Raises TypeError for anything else. What JSON cannot carry all the same (nested thousands
        of levels deep, numbers of thousands of digits) is not kept.
        """
        if self._broken:
            return
        try:
            text = json.dumps(value, separators=(",", ":"))
        except (ValueError, RecursionError):
            return
        self._pending[kind, digest] = text
        self._pending_bytes += len(text)
        if self._pending_bytes > _PENDING_BYTES:
            self._write()

    def close(self) -> None:
        """Write what is left and close the database; a later `get` or `put` opens it again."""
        self._write()
        connection, self._connection = self._connection, None
        if connection is not None and self._process == os.getpid():
            with contextlib.suppress(Exception):
                connection.close()

    def _write(self) -> None:
        pending, self._pending, self._pending_bytes = self._pending, {}, 0
        if not pending or self._connect() is None:
            return
        rows = [(self._key, kind, digest, text) for (kind, digest), text in pending.items()]
        self._run("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)", rows)
        self._prune()

    def _prune(self) -> None:
        used = self._run(
            "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, "
            "pragma_freelist_count, pragma_page_size"
        )
        if used and used[0][0] > MAX_BYTES:
            # A replaced row gets a new number, so the lowest numbers are the oldest values.
            self._run(
                "DELETE FROM entry WHERE rowid <= "
                "(SELECT rowid FROM entry ORDER BY rowid LIMIT 1 "
                "OFFSET (SELECT count(*) / 2 FROM entry))"
            )

    def _run(
        self,
        statement: str,
        values: tuple[object, ...] | list[tuple[bytes, str, str, str]] = (),
    ) -> list[tuple[Any, ...]] | None:
        """Run a statement, once for each row of a list; None when there is no database."""
        connection = self._connect()
        if connection is None:
            return None
        import sqlite3

        try:
            if isinstance(values, list):
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(statement, values)
                connection.execute("COMMIT")
                return []
            return connection.execute(statement, values).fetchall()
        except (sqlite3.Error, OSError, MemoryError) as error:
            self._give_up(error)
            return None

    def _connect(self) -> sqlite3.Connection | None:
        if self._process != os.getpid():
            return None
        if self._connection is None and not self._broken:
            try:
                # Some Pythons are built without it, and runs without a cache do not need it.
                import sqlite3
            except ImportError:
                self._broken = True
                return None
            try:
                self._connection = sqlite3.connect(
                    self._prepare(),
                    timeout=_BUSY_SECONDS,
                    isolation_level=None,
                    check_same_thread=False,
                )
                with contextlib.suppress(sqlite3.OperationalError):
                    # Readers then do not wait for writers; some file systems cannot do it.
                    self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = NORMAL")
                self._connection.execute(
                    "CREATE TABLE IF NOT EXISTS entry (key BLOB NOT NULL, kind TEXT NOT NULL, "
                    "digest TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (key, kind, digest))"
                )
            except (sqlite3.Error, OSError, ValueError) as error:
                self._give_up(error)
        return self._connection

    def _prepare(self) -> str:
        """Make the directory and return the path of the database. Raises OSError."""
        with contextlib.suppress(FileExistsError):
            os.mkdir(self._directory)
        status = os.lstat(self._directory)
        if not stat.S_ISDIR(status.st_mode):
            raise OSError("a link in place of the directory could lead anywhere")
        for name, text in (("CACHEDIR.TAG", _TAG), (".gitignore", "*\n")):
            with (
                contextlib.suppress(FileExistsError),
                open(os.path.join(self._directory, name), "x", encoding="utf-8") as stream,
            ):
                stream.write(text)
        path = self._database(status.st_ino)
        if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
            raise OSError("a link in place of the database could lead anywhere")
        return path

    def _database(self, inode: int) -> str:
        return os.path.join(self._directory, f"v1-{inode:x}.sqlite3")

    def _give_up(self, error: BaseException) -> None:
        """Do without a cache from now on, and let the next run start with a new one if need be."""
        import sqlite3

        connection, self._connection, self._broken = self._connection, None, True
        self._pending.clear()
        with contextlib.suppress(Exception):
            if connection is not None:
                connection.close()
        # An OperationalError tells of the surroundings: locked, read-only, full.
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(
            error, sqlite3.OperationalError
        ):
            with contextlib.suppress(OSError):
                path = self._database(os.lstat(self._directory).st_ino)
                for suffix in ("", "-wal", "-shm"):
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(path + suffix)


@functools.cache
def _own_files() -> str:
    """The sizes and times of the linter's own files: the version stays while it is worked on."""
    found = []
    top = os.path.dirname(os.path.abspath(__file__))
    for directory, directories, files in os.walk(top):
        directories[:] = sorted(name for name in directories if name != "__pycache__")
        for name in sorted(files):
            path = os.path.join(directory, name)
            with contextlib.suppress(OSError):
                status = os.stat(path)
                found.append((os.path.relpath(path, top), status.st_size, status.st_mtime_ns))
    return repr(found)

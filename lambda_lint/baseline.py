"""The findings that a team knows and has put off: a file of them, and who of the present is in it.

An entry is recognised by its fingerprint, so lines may move and code may be formatted. When the
file of an entry is gone and the same findings turn up in another file that had none, the file was
renamed: this is decided by what is there and not by git, so that a shallow clone, an editor and
flake8 say the same. A copy is new, because the first file is still there.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from lambda_lint import fingerprint
from lambda_lint.files import read_regular
from lambda_lint.finding import Finding

DEFAULT_NAME = "lambda-lint-baseline.json"
VERSION = 1
NEVER = frozenset({"LMB900"})
"""What was not analysed is no finding that one can know of and put off."""

_LIMIT = 64 * 1024 * 1024
_CREATE = "`lambda-lint baseline create`"


class BaselineError(Exception):
    """The file cannot be used: the tool must stop with exit code 2. The text names it."""


@dataclass(frozen=True, order=True, slots=True)
class Entry:
    """One known finding. Only path, rule and fingerprint mean anything; the rest is for readers."""

    path: str
    rule: str
    code: str
    message: str
    fingerprint: str

    @classmethod
    def of(cls, finding: Finding) -> Entry:
        """Return the entry for a finding, whose path is relative to the root of the project."""
        return cls(finding.path, finding.rule, finding.code, finding.message, finding.fingerprint)


@dataclass(frozen=True, slots=True)
class Match:
    """What became of the entries of a baseline.

    `known` are the fingerprints of the findings that are in it. `kept` are the entries that have a
    finding, with the path and the fingerprint that it has now; `gone` those that have none.
    """

    known: frozenset[str]
    kept: tuple[Entry, ...]
    gone: tuple[Entry, ...]

    def hides(self, finding: Finding) -> bool:
        """Whether a finding is known."""
        return finding.fingerprint in self.known and finding.code not in NEVER


def match(
    entries: Iterable[Entry], findings: Iterable[Finding], exists: Callable[[str], bool]
) -> Match:
    """Compare a baseline with all findings of a project.

    `exists` says whether there is a file of a path (relative to the root) now.
    """
    present = {
        one.fingerprint: one.path for one in findings if one.fingerprint and one.code not in NEVER
    }
    kept: set[Entry] = set()
    left: set[Entry] = set()
    for entry in entries:
        (kept if entry.fingerprint in present else left).add(entry)
    known = {entry.fingerprint for entry in kept}
    with_entries = {entry.path for entry in kept | left}
    unknown = {
        name: path
        for name, path in present.items()
        if name not in known and path not in with_entries
    }
    for old, new in _renamed(sorted(one for one in left if not exists(one.path)), unknown):
        left.remove(old)
        kept.add(new)
        known.add(new.fingerprint)
    return Match(frozenset(known), tuple(sorted(kept)), tuple(sorted(left)))


def _renamed(gone: Sequence[Entry], unknown: Mapping[str, str]) -> list[tuple[Entry, Entry]]:
    """Return the entries of renamed files, each with what it is now.

    `gone` are entries of files that do not exist; `unknown` maps the fingerprints of findings that
    no entry has to their paths. A file is renamed to the one that has most of its findings; of
    several, to the one whose path has most in common with its own; if that leaves two, to none.
    """
    half = fingerprint.LENGTH // 2
    by_content: dict[str, set[str]] = defaultdict(set)
    for name, path in unknown.items():
        by_content[name[:half]].add(path)
    moves: dict[tuple[str, str], list[tuple[Entry, str]]] = defaultdict(list)
    for entry in gone:
        occurrence = fingerprint.occurrence_in(entry.fingerprint, entry.path)
        if occurrence is None:
            continue
        for path in by_content.get(entry.fingerprint[:half], ()):
            now = fingerprint.renamed(entry.fingerprint, path, occurrence)
            if unknown.get(now) == path:
                moves[entry.path, path].append((entry, now))
    ranks: dict[tuple[int, int, int], list[tuple[str, str]]] = defaultdict(list)
    for pair, moved in moves.items():
        ranks[_nearness(pair, len(moved))].append(pair)
    settled_old: set[str] = set()
    settled_new: set[str] = set()
    found: list[tuple[Entry, Entry]] = []
    for rank in sorted(ranks):
        pairs = [
            (old, new)
            for old, new in ranks[rank]
            if old not in settled_old and new not in settled_new
        ]
        times_old, times_new = Counter(old for old, _ in pairs), Counter(new for _, new in pairs)
        for old, new in pairs:
            settled_old.add(old)
            settled_new.add(new)
            if times_old[old] == 1 and times_new[new] == 1:
                found += [
                    (entry, replace(entry, path=new, fingerprint=now))
                    for entry, now in moves[old, new]
                ]
    return found


def _nearness(pair: tuple[str, str], shared: int) -> tuple[int, int, int]:
    """Return a key that sorts the most likely rename first."""
    old, new = pair[0].split("/"), pair[1].split("/")
    beginning = _in_common(old, new)
    old.reverse()
    new.reverse()
    return (-shared, -_in_common(old, new), -beginning)


def _in_common(one: list[str], other: list[str]) -> int:
    """Return how many items two lists begin with that are the same."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


# The file.


def read(file: Path) -> tuple[Entry, ...]:
    """Return the entries of a baseline. Raises BaselineError for what is not exactly one."""
    try:
        data = read_regular(file, _LIMIT)
    except FileNotFoundError:
        raise BaselineError(
            f"{file}: there is no such baseline; write it with {_CREATE}, and commit it"
        ) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise BaselineError(f"{file}: the baseline cannot be read: {why}") from None
    if len(data) > _LIMIT:
        raise BaselineError(f"{file}: a baseline has {_LIMIT} bytes at most; fix some findings")
    marker = re.search(rb"^(?:<{7}|\|{7}|={7}|>{7})", data, re.MULTILINE)
    if marker:
        line = data.count(b"\n", 0, marker.start()) + 1
        raise BaselineError(
            f"{file}:{line}: the baseline has merge conflicts; keep the entries of both sides (one "
            "line each, with commas between them), then run `lambda-lint baseline prune`"
        )
    try:
        text = data.decode("utf-8")
        content = json.loads(text, object_pairs_hook=_without_duplicates)
    except RecursionError:
        raise _broken(file, 1, "it is nested too deeply") from None
    except UnicodeDecodeError as error:
        raise _broken(file, data.count(b"\n", 0, error.start) + 1, "it is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _broken(file, error.lineno, f"it is not JSON: {error.msg}") from None
    except ValueError as error:
        raise _broken(file, 1, f"it is not JSON: {error}") from None
    if not isinstance(content, dict) or "lambda-lint-baseline" not in content:
        raise _broken(file, 1, 'it has no "lambda-lint-baseline"')
    version = content["lambda-lint-baseline"]
    if version != VERSION or isinstance(version, bool):
        line = _line_of(text, '"lambda-lint-baseline"')
        raise BaselineError(
            f"{file}:{line}: version {_shown(version)} of the format is not known, only {VERSION}; "
            f"update lambda-lint, or delete the file and run {_CREATE}"
        )
    listed = content.get("findings")
    if not isinstance(listed, list):
        raise _broken(file, 1, 'it has no list "findings"')
    return tuple(_entry(file, text, number, one) for number, one in enumerate(listed, 1))


def write(file: Path, entries: Iterable[Entry]) -> None:
    """Write a baseline in the place of an older one.

    Equal entries give equal bytes. Raises BaselineError if it cannot be written; then the older
    file is as it was.
    """
    lines = ",\n".join(f"    {_line(one)}" for one in sorted(set(entries)))
    body = f"\n{lines}\n  ]" if lines else "]"
    text = f'{{\n  "lambda-lint-baseline": {VERSION},\n  "findings": [{body}\n}}\n'
    if file.is_symlink() and not file.exists():
        # Of a repository that nobody trusts it could lead to a script of the user's shell.
        raise BaselineError(
            f"{file}: the baseline is a link to a file that does not exist; delete the link"
        )
    # A link stays a link.
    target = Path(os.path.realpath(file))
    temporary = ""
    try:
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=".lambda-lint-")
        with open(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        os.chmod(temporary, _mode(target))
        os.replace(temporary, target)
    except (OSError, ValueError) as error:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        why = getattr(error, "strerror", None) or str(error)
        raise BaselineError(f"{file}: the baseline cannot be written: {why}") from None


def _line(entry: Entry) -> str:
    values = asdict(entry)
    text = json.dumps(values, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(values)


def _mode(target: Path) -> int:
    """Return the permissions of a file that exists, or those that a new one gets."""
    with contextlib.suppress(OSError):
        return os.stat(target).st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


_FINGERPRINT = rf"[0-9a-f]{{{fingerprint.LENGTH}}}"


def _entry(file: Path, text: str, number: int, value: object) -> Entry:
    problem = f"entry {number} of the findings is no object with path, rule and fingerprint"
    line = 1
    if isinstance(value, dict):
        given: dict[str, Any] = {one.name: value.get(one.name, "") for one in fields(Entry)}
        if all(isinstance(one, str) for one in given.values()):
            entry = Entry(**given)
            is_name = re.fullmatch(_FINGERPRINT, entry.fingerprint)
            if entry.path and entry.rule and is_name:
                return entry
            line = _line_of(text, json.dumps(entry.fingerprint))
            problem = f"entry {number} of the findings has no path, no rule or no fingerprint"
    raise _broken(file, line, problem)


def _broken(file: Path, line: int, what: str) -> BaselineError:
    return BaselineError(
        f"{file}:{line}: this is no baseline of lambda-lint: {what}; take back what was edited by "
        f"hand, or delete the file and run {_CREATE}"
    )


def _line_of(text: str, words: str) -> int:
    found = text.find(words)
    return text.count("\n", 0, found) + 1 if found >= 0 else 1


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        # Of two lists of findings, which a merge can leave, JSON would forget one.
        raise ValueError("a key stands twice in one object")
    return found

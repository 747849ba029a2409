"""The hash of a line by which GitHub recognises an alert after the file has changed.

It is the one that `github/codeql-action` computes at upload (`src/fingerprints.ts`) and compares
with ours; the REST interface does not compute it and needs ours.
"""

from __future__ import annotations

import re
import struct
from collections import Counter

_WINDOW = 100
_BASE = 37
_MODULUS = 1 << 64
_END_OF_FILE = "\uffff"


class LineHashes:
    """The hashes of the lines of one file.

    A line is hashed together with what follows it, 100 UTF-16 units in all, blanks and tabs left
    out: a polynomial of base 37 modulo 2 to the 64. A number after it tells lines with equal
    hashes apart.
    """

    def __init__(self, text: str) -> None:
        """Take the whole decoded file, without its byte order mark.

        GitHub counts the mark in, so the hash of the first line of a file that has one differs.
        """
        units = re.sub("\r\n?", "\n", text).translate({ord(" "): None, ord("\t"): None})
        data = (units + _END_OF_FILE).encode("utf-16-le", "surrogatepass")
        self._starts = _line_starts(data)
        self._data = data + bytes(2 * _WINDOW)
        # Equal windows have equal hashes. GitHub counts the hashes; different windows that share
        # one do not occur by chance, and only the hashes that are asked for get computed.
        seen: Counter[bytes] = Counter()
        self._occurrences: list[int] = []
        for start in self._starts:
            window = self._window(start)
            seen[window] += 1
            self._occurrences.append(seen[window])

    def of(self, line: int) -> str | None:
        """Return `hash:occurrence` of a 1-based line, None for a line that the file has not.

        After the last line ending there is one more, empty, line.
        """
        if not 1 <= line <= len(self._starts):
            return None
        value = 0
        for unit in struct.unpack(f"<{_WINDOW}H", self._window(self._starts[line - 1])):
            value = (value * _BASE + unit) % _MODULUS
        return f"{value:x}:{self._occurrences[line - 1]}"

    def _window(self, start: int) -> bytes:
        return self._data[start : start + 2 * _WINDOW]


def _line_starts(data: bytes) -> list[int]:
    starts = [0]
    at = data.find(b"\n\x00")
    while at != -1:
        # At an odd offset these bytes belong to two units, such as U+0A00 and the one after it.
        if at % 2 == 0:
            starts.append(at + 2)
        at = data.find(b"\n\x00", at + 1)
    return starts

"""What a stream can show: colour, width and links, and signs of life during a long run.

Nothing here knows findings. All decisions are made from the stream, the environment and the
command line, so that reporters are told plain facts.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import TextIO

PLAIN_WIDTH = 100
"""Columns of output that goes to no terminal: the same everywhere, whatever window is open."""

_NARROWEST = 40


def prepare_streams() -> None:
    """Let standard output and standard error take any character, whatever their encoding.

    File names and source lines may hold what an ASCII or cp1252 stream cannot say, lone
    surrogates included; such a character is written as an escape instead of ending the run.
    """
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def wants_colour(choice: str, stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Tell whether to colour what goes to `stream`.

    `choice` is `always`, `never` or `auto`. For `auto`: `NO_COLOR` wins when it is not empty
    (no-color.org), then `FORCE_COLOR`, then `TERM=dumb`, then whether the stream is a terminal.
    """
    if choice != "auto":
        return choice == "always"
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return environment.get("TERM") != "dumb" and is_terminal(stream)


def wants_links(colour: bool, stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Tell whether OSC 8 hyperlinks may be written: only where somebody looks at a terminal.

    Terminals that do not know them ignore them; a continuous-integration log shows them raw.
    """
    return colour and is_terminal(stream) and not environment.get("CI")


def width(stream: TextIO, environment: Mapping[str, str]) -> int:
    """Return how many columns a line of `stream` may take, at least 40.

    `COLUMNS` wins, then the size of the terminal; what is no terminal gets `PLAIN_WIDTH`.
    """
    given = environment.get("COLUMNS", "")
    # A number of more digits than any screen has is no wish for a width.
    if given.isascii() and given.isdecimal() and 0 < len(given) < 6 and int(given):
        return max(int(given), _NARROWEST)
    if not is_terminal(stream):
        return PLAIN_WIDTH
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return max(columns, _NARROWEST) if columns else PLAIN_WIDTH


def is_ascii_only(stream: TextIO) -> bool:
    """Tell whether the encoding of `stream` lacks the characters that frames are drawn with."""
    try:
        "─│╭╰→…".encode(getattr(stream, "encoding", None) or "ascii")
    except (LookupError, UnicodeError):
        return True
    return False


def is_terminal(stream: TextIO) -> bool:
    """Tell whether `stream` is a terminal; a closed stream, or an absent one, is none."""
    try:
        return stream.isatty()
    except (AttributeError, ValueError):
        return False


def abandon_output() -> None:
    """Forget what could not be written to standard output: nobody reads it any more."""
    _give_up(sys.stdout)


def write(text: str) -> None:
    """Write to standard output; a reader that has seen enough (`| head`) is no error.

    Raises OSError when it cannot be written for another reason, such as a full disk.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        # Windows says EINVAL for a pipe that nobody reads.
        if error.errno not in (errno.EPIPE, errno.EINVAL):
            raise
        _give_up(sys.stdout)


def finish_output() -> None:
    """Write what is still to be written, or throw it away if nobody takes it.

    Without this the interpreter would complain at its end, and change the exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            _give_up(stream)


def printable(text: str) -> str:
    """Return a message with everything escaped that a terminal would obey; lines are kept."""
    from lambda_lint.reporters.safe_text import visible

    return "\n".join(visible(line) for line in text.split("\n"))


def _give_up(stream: TextIO) -> None:
    """Connect a stream that nobody reads with nothing."""
    try:
        descriptor = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
    except (AttributeError, OSError, ValueError):
        return
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


@contextlib.contextmanager
def progress(stream: TextIO | None = None) -> Iterator[Callable[[str], None]]:
    """Say on standard error what takes so long, from the first second on, on a terminal only.

    Yields a function that takes what is being done, such as `checking 812 files`. A timer signal
    drives it, because a thread must not run while worker processes are forked. Where there is no
    such signal, or this is not the main thread, it stays silent.
    """
    import signal
    import threading

    line = _ProgressLine(stream if stream is not None else sys.stderr)
    possible = (
        hasattr(signal, "setitimer")
        and threading.current_thread() is threading.main_thread()
        and is_terminal(line.stream)
    )
    if not possible:
        yield line.say
        return
    before = signal.signal(signal.SIGALRM, line.tick)
    signal.setitimer(signal.ITIMER_REAL, 1.0, 1.0)
    try:
        yield line.say
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
        line.clear()


class _ProgressLine:
    """One line that is written again and again."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.what = "working"
        self.seconds = 0

    def say(self, what: str) -> None:
        self.what = what

    def tick(self, _signal: int, _frame: FrameType | None) -> None:
        self.seconds += 1
        self._write(f"\r\x1b[K{self.what} … {self.seconds} s")

    def clear(self) -> None:
        if self.seconds:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        # A broken standard error, or one that was being written to when the signal came
        # (RuntimeError: reentrant call), is no reason to end the run.
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            self.stream.write(text)
            self.stream.flush()

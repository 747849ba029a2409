"""The commands, one module each; none of them is imported before it is asked for."""

from __future__ import annotations

CLEAN = 0
FINDINGS = 1
UNABLE = 2


class UnableError(Exception):
    """The tool cannot do its job. The text says what is wrong, where, and what to do next."""

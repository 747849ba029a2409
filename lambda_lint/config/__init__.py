"""Where a project begins and what its owner wants: the settings, read and checked once.

Nothing is guessed: what cannot be understood is a `ConfigError` with the place and the next step,
because a setting that is silently ignored looks exactly like a clean project.
"""

from __future__ import annotations

from lambda_lint.config.documents import CONFIG_NAME, place_of
from lambda_lint.config.errors import ConfigError
from lambda_lint.config.keys import KEYS, OVERRIDE_KEYS, Key
from lambda_lint.config.loading import Loaded, Origin, load, read
from lambda_lint.settings import Settings

__all__ = [
    "CONFIG_NAME",
    "KEYS",
    "OVERRIDE_KEYS",
    "ConfigError",
    "Key",
    "Loaded",
    "Origin",
    "Settings",
    "load",
    "place_of",
    "read",
]

r"""The age of a cache is measured by a clock that stands still while the environment is frozen.

Between two events an environment is frozen, for minutes or hours. `time.monotonic` is the clock
`CLOCK_MONOTONIC`, which does not count time in which the machine is suspended
(https://man7.org/linux/man-pages/man2/clock_gettime.2.html), so that an entry for five minutes may
serve for a day of quiet traffic; restored from a snapshot, it is younger than new. It is also the
default of `cachetools.TTLCache`. Seen in the field:
https://github.com/aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws/pull/508

```python events
ssm = aws("ssm")
ssm.put_parameter(Name="/shop/limit", Value="5", Type="String")
see(send({}))
ssm.put_parameter(Name="/shop/limit", Value="7", Type="String", Overwrite=True)
frozen(hours=1)
see(send({}))
# file: cachetools.py
import functools
import time

class TTLCache(dict):
    def __init__(self, maxsize, ttl, timer=time.monotonic):
        self.ttl, self.timer, self.ends = ttl, timer, {}

    def __setitem__(self, key, value):
        self.ends[key] = self.timer() + self.ttl
        super().__setitem__(key, value)

    def __contains__(self, key):
        return key in self.ends and self.timer() < self.ends[key]

def cached(cache):
    def decorate(function):
        @functools.wraps(function)
        def get(*key):
            if key not in cache:
                cache[key] = function(*key)
            return cache[key]
        return get
    return decorate
```

```python bad
import boto3
from cachetools import TTLCache, cached

ssm = boto3.client("ssm")

@cached(TTLCache(maxsize=16, ttl=300))  # LMB303
def parameter(name):
    return ssm.get_parameter(Name=name)["Parameter"]["Value"]

def handler(event, context):
    return {"limit": parameter("/shop/limit")}
```

```python fixed
import time
import boto3
from cachetools import TTLCache, cached

ssm = boto3.client("ssm")

@cached(TTLCache(maxsize=16, ttl=300, timer=time.time))
def parameter(name):
    return ssm.get_parameter(Name=name)["Parameter"]["Value"]

def handler(event, context):
    return {"limit": parameter("/shop/limit")}
```

```python bad name="a test of one's own"
import time

import boto3

ssm = boto3.client("ssm")
_cache = {}

def parameter(name):
    entry = _cache.get(name)
    if entry and time.monotonic() < entry["expires"]:  # LMB303
        return entry["value"]
    value = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    _cache[name] = {"value": value, "expires": time.monotonic() + 300}
    return value

def handler(event, context):
    return {"limit": parameter("/shop/limit")}
```

```python bad name="a class"
import time

import boto3

class Settings:
    def __init__(self):
        self._ssm = boto3.client("ssm")
        self._values = {}
        self._loaded_at = None

    def get(self, name):
        now = time.monotonic()
        if self._loaded_at is None or now - self._loaded_at > 300:  # LMB303
            self._values[name] = self._ssm.get_parameter(Name=name)["Parameter"]["Value"]
            self._loaded_at = now
        return self._values[name]

settings = Settings()

def handler(event, context):
    return {"limit": settings.get("/shop/limit")}
```

```python good
import time

import boto3

ssm = boto3.client("ssm")
_cache = {}

def parameter(name):
    entry = _cache.get(name)
    if entry and time.time() < entry["expires"]:
        return entry["value"]
    value = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    _cache[name] = {"value": value, "expires": time.time() + 300}
    return value

def handler(event, context):
    return {"limit": parameter("/shop/limit")}
```

A setting that is kept for good is worth no warning (`config-without-ttl`), so one that is kept
somewhat longer than its time is none either: a cache of a library is told of for information, and
as a warning when its name says that it decides who may come in.

Silent when another clock is given (`timer=time.time`), when the cache or the time is gone with the
invocation, and when the clock is for a pause, a timeout or a measurement:

```python good name="within one invocation"
import time

import boto3
from cachetools import TTLCache

ssm = boto3.client("ssm")
_started = 0.0

def handler(event, context):
    global _started
    _started = time.monotonic()
    cache = TTLCache(maxsize=16, ttl=300)
    while time.monotonic() < _started + 1:
        if "/shop/limit" not in cache:
            cache["/shop/limit"] = ssm.get_parameter(Name="/shop/limit")["Parameter"]["Value"]
            break
    return {"limit": dict.get(cache, "/shop/limit")}
```

Limits: a cache is told from a pause by the names in the test. How much of the time a frozen
environment misses hangs on the platform and is not promised.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lambda_lint.rule import Aging, Project, Report, Severity, name_clock, rule


@rule("LMB303", category="unbounded-cache", severity=Severity.WARNING)
def monotonic_ttl(aging: Aging, project: Project) -> Iterator[Report]:
    made = project.call_at(aging.site.node) if aging.site is not None else None
    if aging.site is None:
        help = "use `time.time()` here and where the time is kept, and None for what was never "
        help += "fetched"
    elif aging.given:
        help = "measure its ages by `timer=time.time`"
    else:
        help = "add `timer=time.time`"
    yield Report.of_sighting(
        aging,
        message=f"`{aging.shown}` ages by `{aging.clock}`, which may stand still while the "
        "environment is frozen, so that it outlives its time",
        help=help,
        before_last=(aging.used,) if aging.used is not None else (),
        last=f"its age is measured by `{aging.clock}`",
        fix=name_clock(made) if made is not None and not aging.given else None,
        severity=None if aging.site is None or _GUARDS.search(aging.shown) else Severity.INFO,
    )


_GUARDS = re.compile(r"(?i)secret|token|credential|password|auth|permission|tenant")
"""Names of what lets somebody in, where a time that is too long is more than an old setting."""

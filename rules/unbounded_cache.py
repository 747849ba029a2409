r"""A cache keeps one entry for every key that events bring, and forgets none.

The keys have no end and the environment lives for hours: memory grows until the function runs out
of it and is ended, which looks like a failure of the event that came last. A bound, or a lifetime,
keeps what is used and drops the rest:
https://docs.python.org/3/library/functools.html#functools.lru_cache

```python events
watch("memory")
for number in range(64):
    send({"order": str(number)})
# file: shop.py
def load(order):
    return {"order": order, "lines": [order + str(one) for one in range(30)]}
```

```python bad
import shop

_orders = {}

def order(event):
    key = event["order"]
    if key not in _orders:
        _orders[key] = shop.load(key)  # LMB301
    return _orders[key]

def handler(event, context):
    return len(order(event)["lines"])
```

```python good
import functools

import shop

@functools.lru_cache(maxsize=16)
def order(key):
    return shop.load(key)

def handler(event, context):
    return len(order(event["order"])["lines"])
```

```python bad name="a decorator without a bound"
import functools

import shop

@functools.cache  # LMB301
def order(key):
    return shop.load(key)

@functools.lru_cache(maxsize=None)  # LMB301
def lines(key):
    return shop.load(key)["lines"]

def handler(event, context):
    return len(order(event["order"])["lines"]) + len(lines(event["order"]))
```

```python bad name="one dictionary for each kind"
import shop

_kept = {"order": {}}

def look_up(key, kind="order"):
    found = _kept.get(kind)
    if found is None:
        found = _kept[kind] = {}
    one = found.get(key)
    if one is None:
        one = found[key] = shop.load(key)  # LMB301
    return one

def handler(event, context):
    return len(look_up(event["order"])["lines"])
```

Silent when something is taken out again, when a test looks at the size or the age, when the keys
are constants or come from the environment, and when their name says that they are few: a region, an
account, a table, a language:

```python events
watch("memory")
for number in range(64):
    send({"order": str(number), "region": "eu-central-1"})
# file: shop.py
def load(order):
    return {"order": order, "lines": [order + str(one) for one in range(30)]}
def prices(region):
    return {"region": region}
```

```python good name="few keys, or entries that go again"
import functools
import os

import shop

_orders = {}
_prices = {}

def order(key):
    if key not in _orders:
        if len(_orders) > 15:
            _orders.clear()
        _orders[key] = shop.load(key)
    return _orders[key]

def prices(region):
    if region not in _prices:
        _prices[region] = shop.prices(region)
    return _prices[region]

@functools.cache
def setting(name):
    return os.environ.get(name)

def handler(event, context):
    return [len(order(event["order"])["lines"]), prices(event["region"]), setting("STAGE")]
```

```python events
watch("memory")
for number in range(64):
    send({"catalog": "summer", "query": str(number)})
# file: shop.py
def load(order):
    return {"order": order, "lines": [order + str(one) for one in range(30)]}
```

```python good name="few objects, and few catalogs"
import functools

import shop

def kept_for_session(function):
    @functools.cache
    def cached(session, self, *more):
        return function(self, *more)

    def wrapper(self, *more):
        return cached(self.session, self, *more)

    return wrapper

class Search:
    def __init__(self):
        self.session = "session"
        self.query = None

    @kept_for_session
    def index(self):
        return shop.load("index")

    @functools.cache
    def plugin(self, catalog):
        return shop.load(catalog)

search = Search()

def handler(event, context):
    search.query = event["query"]
    return [len(search.index()["lines"]), len(search.plugin(event["catalog"])["lines"])]
```

Locks are small, and one that is dropped while somebody holds it protects nothing any more. A
dictionary of them is information, shown with `--strict`:

```python bad name="locks"
import threading

_locks = {}

def lock_for(key):
    if key not in _locks:
        _locks[key] = threading.Lock()  # LMB301
    return _locks[key]

def handler(event, context):
    with lock_for(event["order"]):
        return event["order"]
```

Not run: an environment notices only millions of them.

A cache is told of once, where it is filled first, and a time in a test counts where the test is
about what the cache keeps:

```python events
watch("memory")
for number in range(64):
    send({"order": str(number), "day": "2026-01-02"})
# file: shop.py
def load(order):
    return {"order": order, "lines": [order + str(one) for one in range(30)]}
```

```python bad name="filled in two places"
import datetime
import time

import shop

_orders = {}

def order(key, day):
    key = f"{key}:{day.isoformat()}"
    if key in _orders:
        return _orders[key]
    found = shop.load(key)
    if len(found["lines"]) > 3:
        _orders[key] = found  # LMB301
        return found
    _orders[key] = found
    return found

def handler(event, context):
    now = time.time()
    day = datetime.date.fromisoformat(event["day"])
    known = _orders.get(event["order"])
    if now < 1000:
        return known
    return len(order(event["order"], day)["lines"])
```

Limits: how many different keys there are in operation is not known; a name that does not say so
makes an alarm of a few.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Caching, Project, Report, Severity, bounded_cache, rule


@rule("LMB301", category="unbounded-cache", severity=Severity.WARNING)
def unbounded_cache(caching: Caching, project: Project) -> Iterator[Report]:
    if caching.problem != "unbounded":
        return
    yield Report.of_cache(
        caching,
        project,
        message=f"`{caching.shown}` keeps an entry for every `{caching.key}` that events bring, "
        "and forgets none",
        help=bounded_cache(caching, project),
        last=f"`{caching.shown}` grows by one entry for each new key",
        # A lock has a hundred bytes: it takes millions of them to be noticed.
        severity=Severity.INFO if caching.keeps_locks else None,
    )

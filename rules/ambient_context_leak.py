r"""Context of one event goes along with what later invocations log and report.

Keys of a logger, context variables, the scope of Sentry and log levels belong to the process, and
stay until something takes them away. What only some invocations set, because of a test or a
failure, is then written into the lines of others: the order of the customer before, the error of an
hour ago. The documentation of the logger says so, too:
https://docs.powertools.aws.dev/lambda/python/latest/core/logger/#clearing-all-state
Seen in the field: https://github.com/passportxyz/passport/issues/3035

```python events
send({"order_id": "a-17"})
send({})
# file: aws_lambda_powertools/__init__.py
import functools
import effects

class Logger:
    def __init__(self, **rest):
        self.keys = {}

    def append_keys(self, **keys):
        self.keys.update(keys)

    def info(self, message):
        effects.record("log", message, self.keys)

    def inject_lambda_context(self, function=None, clear_state=False):
        if function is None:
            return functools.partial(self.inject_lambda_context, clear_state=clear_state)
        def handle(event, context):
            if clear_state:
                self.keys.clear()
            return function(event, context)
        return handle
```

```python bad
from aws_lambda_powertools import Logger

logger = Logger(service="orders")

@logger.inject_lambda_context
def handler(event, context):
    if "order_id" in event:
        logger.append_keys(order_id=event["order_id"])  # LMB206
    logger.info("order received")
    return {"status": "ok"}
```

```python good
from aws_lambda_powertools import Logger

logger = Logger(service="orders")

@logger.inject_lambda_context(clear_state=True)
def handler(event, context):
    if "order_id" in event:
        logger.append_keys(order_id=event["order_id"])
    logger.info("order received")
    return {"status": "ok"}
```

```python good name="set for every event"
from aws_lambda_powertools import Logger

logger = Logger(service="orders")

@logger.inject_lambda_context
def handler(event, context):
    logger.append_keys(order_id=event.get("order_id"), status="new")
    if not event:
        logger.append_keys(status="empty")
    logger.info("order received")
    return {"status": "ok"}
```

The same holds for variables of a context, and for the level of a logger:

```python events
send({"tenant": "alice", "debug": True})
send({})
# file: store.py
import effects

def write(*what):
    effects.record("write", *what)
```

```python bad name="a context variable, and a level"
import logging
from contextvars import ContextVar

import store

logger = logging.getLogger("shop")
tenant = ContextVar("tenant", default="nobody")

def handler(event, context):
    if event.get("debug"):
        logger.setLevel(logging.DEBUG)  # LMB206
    if event.get("tenant"):
        tenant.set(event["tenant"])  # LMB206
    store.write(tenant.get(), logger.level)
    return {"tenant": tenant.get()}
```

```python good name="taken back, or set on both ways"
import logging
from contextvars import ContextVar

import store

logger = logging.getLogger("shop")
tenant = ContextVar("tenant", default="nobody")

def handler(event, context):
    if event.get("debug"):
        logger.setLevel(logging.DEBUG)
    else:
        logger.setLevel(logging.INFO)
    token = None
    if event.get("tenant"):
        token = tenant.set(event["tenant"])
    try:
        store.write(tenant.get(), logger.level)
    finally:
        if token is not None:
            tenant.reset(token)
    return {"status": "ok"}
```

Silent when every invocation sets it, also elsewhere on the way of the event, when something takes
it back (`clear_state`, `remove_keys`, `clear_contextvars`, `reset`, a scope of its own, the
integration of Sentry), when the test is the same for all events, and for context variables in a
coroutine or thread, which has a copy of its own.

Limits: early ways out in front of it, and routes of which only one sets it, are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Project, Report, Severity, rule


@rule("LMB206", category="mutable-global-state", severity=Severity.WARNING)
def ambient_context_leak(call: Call, project: Project) -> Iterator[Report]:
    effect, when = call.effect, call.stays_ambient
    if effect is None or when is None:
        return
    condition = when.describe(project.sources)
    yield Report.of_call(
        call,
        message=f"`{call.shown}` sets {_article(effect.what)} {condition}, and later invocations "
        "still have it",
        help=effect.remedy,
        last=f"this is set here, {condition}, and nothing takes it back",
    )


def _article(what: str) -> str:
    return what if what.endswith("s") else f"the {what}"

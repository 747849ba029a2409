r"""A handler, listener or hook is registered again on every invocation.

A logger, an SDK client, an application and the interpreter itself outlive the invocation, and what
is registered on them stays. So the second event writes every log line twice, the hundredth a
hundred times; hooks run once more for each request, routes pile up, and what the listener refers
to is never freed. Mostly a helper such as `configure_logging()` does it, which the handler calls.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html and
https://docs.python.org/3/library/logging.html#logging.Logger.addHandler

```python events
watch("logging_handlers")
for number in range(4):
    send({"id": number})
```

```python bad
# file: app.py
from log import configure_logging

def handler(event, context):
    logger = configure_logging()
    logger.info("order %s", event["id"])

# file: log.py
import logging
import sys

def configure_logging():
    logger = logging.getLogger()
    stream = logging.StreamHandler(sys.stdout)
    stream.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger.addHandler(stream)  # LMB401
    return logger
```

```python good name="once, when the module is imported"
# file: app.py
from log import configure_logging

logger = configure_logging()

def handler(event, context):
    logger.info("order %s", event["id"])

# file: log.py
import logging
import sys

def configure_logging():
    logger = logging.getLogger("shop")
    logger.addHandler(logging.StreamHandler(sys.stdout))
    return logger
```

The interpreter has such lists, too:

```python events
watch("exit_callbacks")
for number in range(4):
    send({"id": number})
```

```python bad name="exit functions"
import atexit

def handler(event, context):
    atexit.register(print, "done")  # LMB401
    return event["id"]
```

And so have clients, applications and bots:

```python events
aws("s3").create_bucket(Bucket="orders")
aws("s3").put_object(Bucket="orders", Key="a", Body="hello")
send({"key": "a"})
send({"key": "a"})
# file: tracing.py
import effects

def trace(event_name="finished", **rest):
    effects.record("trace", event_name)
# file: telegram/ext.py
import effects

class Filters:
    text = "text"

def MessageHandler(which, callback):
    return which, callback

class Dispatcher:
    def __init__(self, bot, queue):
        self.handlers = []

    def add_handler(self, handler):
        self.handlers.append(handler)
        effects.record("handlers of the bot", len(self.handlers))
# file: pyee.py
class EventEmitter:
    def __init__(self):
        self.listeners = []

    def on(self, event, listener):
        self.listeners.append((event, listener))
        return listener

    def emit(self, event):
        for one in self.listeners:
            one[1](event)

    def remove_listener(self, event, listener):
        self.listeners.remove((event, listener))
```

```python bad name="hooks and bots"
import boto3
from telegram.ext import Dispatcher, Filters, MessageHandler
from tracing import trace

s3 = boto3.client("s3")
dispatcher = Dispatcher(None, None)

def handler(event, context):
    s3.meta.events.register("before-send.s3", trace)  # LMB401
    dispatcher.add_handler(MessageHandler(Filters.text, trace))  # LMB401
    return s3.get_object(Bucket="orders", Key=event["key"])["ContentLength"]
```

```python good name="told apart by an id, made by the invocation, or taken off again"
import boto3
from pyee import EventEmitter
from tracing import trace

s3 = boto3.client("s3")
jobs = EventEmitter()

def handler(event, context):
    s3.meta.events.register("before-send.s3", trace, unique_id="trace")
    mine = EventEmitter()
    mine.on("finished", lambda result: trace(result))
    mine.emit("finished")
    listener = jobs.on("finished", lambda result: trace(result))
    try:
        jobs.emit("finished")
        return s3.get_object(Bucket="orders", Key=event["key"])["ContentLength"]
    finally:
        jobs.remove_listener("finished", listener)
```

A `once` listener is taken off when its event comes. If another event comes, it stays:

```python events
watch("memory")
for number in range(40):
    send({"id": number})
# file: pyee.py
class EventEmitter:
    def __init__(self):
        self.listeners = []

    def once(self, event, listener):
        self.listeners.append((event, listener))

    def emit(self, event, *what):
        for one in [one for one in self.listeners if one[0] == event]:
            self.listeners.remove(one)
            one[1](*what)
```

```python bad name="once, and its sibling"
from pyee import EventEmitter

jobs = EventEmitter()

def handler(event, context):
    done = []
    jobs.once("finished", lambda result: done.append(result))  # LMB401
    jobs.once("failed", lambda error: done.append(error))  # LMB401
    jobs.emit("finished", event["id"])
    return done
```

```python events
watch("logging_handlers")
for number in range(4):
    send({"id": number})
```

```python good name="asked for first, taken off before, or the same"
import logging

logger = logging.getLogger("shop")
stream = logging.StreamHandler()

def get_logger():
    found = logging.getLogger("shop.orders")
    if not found.handlers:
        found.addHandler(logging.StreamHandler())
    return found

def capture(event):
    memory = logging.StreamHandler()
    audit = logging.getLogger("audit")
    audit.addFilter(print)
    root = logging.getLogger("once")
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(memory)

def handler(event, context):
    logger.addHandler(stream)
    get_logger().info("order %s", event["id"])
    capture(event)
    return event["id"]
```

Further calls are named in the configuration:

```toml config
[[registrations]]
names = ["company.bus.Bus().on"]
what = "listener"
undo = ["off"]
```

```python events
send({"id": 1})
send({"id": 2})
# file: company/bus.py
import effects

class Bus:
    def __init__(self):
        self.listeners = []

    def on(self, event, listener):
        self.listeners.append(listener)

    def send(self, event, what):
        for listener in self.listeners:
            effects.record("called", event, what)
            listener(what)
```

```python bad name="of your own"
from company.bus import Bus

bus = Bus()

def handler(event, context):
    bus.on("order", print)  # LMB401
    bus.send("order", event["id"])
```

Registrations that only take the place of the ones before are told of once for a function:

```python bad name="in the place of the one before"
import linebot

bot = linebot.WebhookHandler("secret")

def handler(event, context):
    @bot.add(event["kind"])  # LMB401
    def answer(text):
        return text

    @bot.add("follow")
    def greet(text):
        return "hello"

    return bot.handle(event["body"], event["signature"])
```

Not run: the second registration does what the first one did.

Silent when a test asks what is registered (`if not logger.handlers`), when something that the
handler runs takes it off or replaces the list (`removeHandler`, `handlers.clear()`, `dictConfig`,
`basicConfig(force=True)`), when the very same object is registered again and the library keeps it
once, and when what it is registered on was made by the invocation.

Limits: one removal on the way of the event speaks for all registrations of its kind. Loggers and
other objects of unknown type are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Phase, Project, Report, Severity, rule


@rule("LMB401", category="leaked-listener-or-timer", severity=Severity.WARNING)
def registration_in_handler(call: Call, project: Project) -> Iterator[Report]:
    effect = call.effect
    if effect is None or effect.kind != "listener" or call.phase is not Phase.INVOKE:
        return
    if not call.handlers or call.in_lifespan or not call.adds_up:
        return
    if effect.replaces and call.follows_its_like:
        return
    again = "registers its" if effect.replaces else "adds one more"
    why = "again, in the place of the one before" if effect.replaces else "and none is taken off"
    yield Report.of_call(
        call,
        message=f"`{call.shown}` {again} {effect.what} on every invocation, {why}",
        help=_help(call),
        last=f"one more {effect.what} is added here" if not effect.replaces else "added again here",
    )


def _help(call: Call) -> str:
    remedy = call.remedy
    helper = call.helper
    if helper is not None:
        class_ = helper.caller.class_
        caller = f"{class_.name}.{helper.caller.name}" if class_ else helper.caller.name
        return (
            f"call `{helper.callee.name}` once, at module level, instead of in `{caller}`, or do "
            f"this {remedy or 'once'}"
        )
    if call.depends_on:
        # What is registered is made from the event, and cannot be made at import.
        return f"register one that does not depend on the event once, at module level{_or(remedy)}"
    return f"move this registration to module level{_or(remedy)}"


def _or(remedy: str) -> str:
    if not remedy:
        return ""
    return f", or {remedy}" if remedy.startswith("take") else f", or do it {remedy}"

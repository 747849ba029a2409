r"""A durable function reads a global that invocations change, and a replay sees another value.

A durable function is run again from its first line whenever it goes on after a wait or a failure,
and what its steps gave is replayed. What stands between the steps has to come out the same each
time; a variable of the module does not, because the first run changed it, or because the next one
is in another environment. Mutable global state belongs into a durable operation:
https://docs.aws.amazon.com/durable-execution/patterns/best-practices/determinism/

```python events
send({"id": 1})
send({"id": 1, "recorded": {"pause": None}})
# file: shop.py
import effects

def ship(number):
    effects.record("ship", number)
    return number
# file: aws_durable_execution_sdk_python.py
class Suspended(Exception):
    pass

class Context:
    def __init__(self, recorded):
        self.recorded = recorded

    def step(self, function, name):
        return self.recorded[name] if name in self.recorded else function(None)

    def wait(self, seconds, name):
        if name not in self.recorded:
            raise Suspended(name)

def durable_execution(function):
    def run(event, context):
        try:
            return function(event, Context(event.get("recorded", {})))
        except Suspended:
            return "suspended"
    return run
```

```python bad
import shop
from aws_durable_execution_sdk_python import durable_execution

SEEN = set()

@durable_execution
def handler(event, context):
    if event["id"] in SEEN:  # LMB211
        return "shipped before"
    SEEN.add(event["id"])
    context.wait(60, name="pause")
    return context.step(lambda _: shop.ship(event["id"]), name="ship")
```

```python good
import shop
from aws_durable_execution_sdk_python import durable_execution

runs = 0

@durable_execution
def handler(event, context):
    global runs
    runs += 1
    print("run number", runs)
    context.wait(60, name="pause")
    return context.step(lambda _: shop.ship(event["id"]), name="ship")
```

Silent when the variable is a memo (a client is the same in each run), when this run wrote it
before, when only logs see it, and inside of a step, whose result is replayed. Only functions under
`@durable_execution`, or declared to be durable, are looked at.

Limits: clocks, identifiers and requests between the steps are as wrong, and not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Project, Replayed, Report, Severity, rule


@rule("LMB211", category="mutable-global-state", severity=Severity.ERROR)
def durable_global_state(replayed: Replayed, project: Project) -> Iterator[Report]:
    yield Report.of_sighting(
        replayed,
        message=f"`{replayed.shown}` {replayed.use} between the steps of a durable function, and "
        "is another one when the function is replayed",
        help="read and change it in a step, in a store that all environments share: "
        '`context.step(lambda _: store.seen(...), name="seen")`',
        before_last=(replayed.changed,),
        last="the replay comes here again, and sees what the first run left",
    )

r"""A value that an earlier invocation left is read as if it were this one's.

What stands outside of the handler stays as it is when the next event comes to the same environment.
A variable that only some ways through the code write still holds the value of whoever came before,
so that the wrong customer is charged: AWS's own example,
https://docs.aws.amazon.com/lambda/latest/operatorguide/global-scope.html
Each environment starts with a correct first event, and emulators that start the container for
every event never show it.

```python events
send({"existing": True, "customer": "alice", "amount": 5})
send({"existing": False, "amount": 7})
# file: payments.py
import effects

def is_existing(event):
    return event["existing"]

def charge(customer, amount):
    effects.record("charge", customer, amount)
```

```python bad
import payments

customer_id = None

def handler(event, context):
    global customer_id
    if payments.is_existing(event):
        customer_id = event["customer"]
    payments.charge(customer_id, event["amount"])  # LMB201
```

```python good
import payments

def handler(event, context):
    customer_id = event["customer"] if payments.is_existing(event) else None
    payments.charge(customer_id, event["amount"])
```

An exception that is handled leaves the old value in place as well, and so does a loop that has
nothing to do:

```python events
send({"service": "billing"})
send({"service": "mail"})
# file: vault.py
def fetch(service):
    if service != "billing":
        raise LookupError(service)
    return "of-" + service

# file: gateway.py
import effects

def post(service, token):
    effects.record("post", service, token)
```

```python bad name="after a failure"
import gateway
import vault

token = None

def forward(service):
    global token
    try:
        token = vault.fetch(service)
    except LookupError as error:
        print("no token:", error)
    gateway.post(service, token)  # LMB201

def handler(event, context):
    forward(event["service"])
```

```python events
send({"items": [{"name": "a"}]})
send({"items": []})
```

```python bad name="nothing to do"
last = None

def handler(event, context):
    global last
    for item in event["items"]:
        last = item["name"]
    return {"last": last}  # LMB201
```

```python events
send({"httpMethod": "PATCH", "size": 20})
send({"httpMethod": "GET"})
# file: cluster.py
def resize(size):
    if size > 9:
        raise ValueError("too large")
```

```python bad name="a reason that nobody forgets"
import cluster

failure_reason = ""

def scale(event):
    global failure_reason
    try:
        cluster.resize(event["size"])
    except ValueError as error:
        failure_reason = str(error)

def handler(event, context):
    if event["httpMethod"] == "PATCH":
        scale(event)
    return {"status": "ok", "failureReason": failure_reason}  # LMB201
```

So does a failure before the end of a function, which was to set a flag back:

```python events
send({"trace": True, "steps": 0})
send({"trace": False, "steps": 1})
# file: steps.py
def run(count):
    return 10 // count
```

```python bad name="a flag that is set back only if nothing fails"
import steps

is_outermost = True
trace = False

def run(event):
    global is_outermost, trace
    if is_outermost:  # LMB201
        trace = event["trace"]
    is_outermost = False
    result = {"each": steps.run(event["steps"]), "trace": trace}  # LMB201
    is_outermost = True
    return result

def handler(event, context):
    try:
        return run(event)
    except ZeroDivisionError as error:
        return {"error": str(error)}
```

And where a kind of event sets what all of them use:

```python events
send({"method": "PATCH", "topic": "alarms"})
send({"method": "GET"})
# file: alarms.py
import effects

def put(action):
    effects.record("alarm", action)
```

```python bad name="what another kind of event has set"
import os

import alarms

ACTION = ""

def handler(event, context):
    global ACTION
    if event["method"] == "PATCH":
        ACTION = os.environ.get("ACTION", "scale")
    alarms.put(ACTION)  # LMB201
```

A value need not come from the event; it is enough that the event decides whether it is set:

```python events
send({"country": "us", "name": "a"})
send({"country": "de", "name": "b"})
# file: buckets.py
import effects

def make(name, region):
    effects.record("make", name, region)
```

```python bad name="what one event has chosen"
import buckets

region = "eu-west-1"

def handler(event, context):
    global region
    if event["country"] == "us":
        region = "us-east-1"
    buckets.make(event["name"], region)  # LMB201
```

```python events
send({"user": {"name": "a"}, "order": 1, "id": 1, "b": "x", "debug": True})
send({"user": {"name": "b"}, "order": 2, "id": 2})
# file: store.py
import effects

def read(order):
    return {"price": order, "count": 2}

def write(value):
    effects.record("write", value)
```

```python good name="written or emptied on all ways"
import store

user = None
order = None
mode = ""
state = {"id": None}
is_cold = True
failed = False

def load(event):
    global order
    order = store.read(event["order"])

def total():
    return order["price"] * order["count"]

def greet():
    return f"hello {user['name']}"

def handler(event, context):
    global user, mode, is_cold, failed
    print("cold start:", is_cold)
    is_cold = False
    user = event["user"]
    mode = "a"
    if event.get("b"):
        mode = event["b"]
    load(event)
    state["id"] = event["id"]
    if event.get("debug"):
        failed = event["debug"]
    if event.get("debug"):
        store.write(failed)
    return {"text": greet(), "total": total(), "mode": mode, "id": state["id"]}
```

```python events
send({"user": "alice", "name": "a"})
send({"name": "b"})
# file: service.py
import effects

def send(name, user):
    effects.record("send", name, user)
```

```python good name="emptied in the end"
import service

current = None

def send(name):
    service.send(name, current)

def handler(event, context):
    global current
    if event.get("user"):
        current = event["user"]
    try:
        send(event["name"])
    finally:
        current = None
```

Silent when this invocation certainly wrote the value before (also in a helper, or under the same
test), when all that it can hold is the same for all events, when a memo fills it, when it is
emptied before the handler ends (a flag also when `finally` sets it back), and when only logs and
metrics see it.

Limits: what a library calls back later is not followed, unless it is handed over as `on_…` or
`…callback` and a loop waits for what it sets; and of two tests that are written
differently it is not known that they mean the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import REBOUND, Project, Report, Severity, State, rule, stories


@rule("LMB201", category="mutable-global-state", severity=Severity.ERROR)
def stale_global_read(state: State, project: Project) -> Iterator[Report]:
    for story in stories(state, REBOUND):
        shown = story.change.spot.describe()
        when = story.condition(project.sources)
        yield Report.of_story(
            story,
            project,
            message=f"`{shown}` {story.stale.use} and may be what an earlier invocation left: "
            f"this one writes it {when}",
            help=f"keep `{shown}` in a local variable and hand it on, or give it a value at the "
            "start of the handler",
            left=f"invocation 1 writes `{shown}` here, {when}",
            seen=f"invocation 2 may come here without writing `{shown}`, and sees that of "
            "invocation 1",
        )

r"""Something that outlives the invocation is added to by every one of them.

The list, dictionary or counter of the module is not new when the next event comes: it still holds
what the events before have put in, perhaps of another customer, and the next result contains it.
Sources: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html and
https://github.com/Azure/azure-functions-python-worker/issues/271

```python events
send({"Records": [{"body": "a"}]})
send({"Records": [{"body": "b"}]})
```

```python bad
results = []

def handler(event, context):
    for record in event["Records"]:
        results.append(record["body"])  # LMB203
    return results
```

```python good
def handler(event, context):
    return [record["body"] for record in event["Records"]]
```

Texts, counters and dictionaries add up in the same way, also in a helper:

```python events
send({"text": "a", "parts": 2, "account": "one", "regions": ["x"]})
send({"text": "b", "parts": 3, "account": "two", "regions": ["y"]})
# file: mail.py
import effects

def send(name, regions):
    effects.record("mail", name, regions)
```

```python bad name="texts, counters, dictionaries"
import mail

report = ""
accounts = {}
totals = {"parts": 0}

def note(text):
    global report
    report = report + text  # LMB203

def count(parts):
    totals["parts"] += parts  # LMB203

def handler(event, context):
    note(event["text"])
    count(event["parts"])
    accounts[event["account"]] = event["regions"]  # LMB203
    for name, regions in accounts.items():
        mail.send(name, regions)
    return {"report": report, "parts": totals}
```

```python events
send({"row": 1})
send({"row": 2})
```

```python bad name="given to a helper"
rows = []

def fill(table, event):
    table.append(event["row"])  # LMB203

def handler(event, context):
    fill(rows, event)
    return {"rows": rows}
```

```python events
aws("s3").create_bucket(Bucket="texts")
aws("s3").put_object(Bucket="texts", Key="k", Body=b"text")
send({"Records": [{"body": "a", "messageId": "1"}], "id": 1, "key": "k"})
send({"Records": [{"body": "b", "messageId": "2"}], "id": 2, "key": "k"})
```

```python good name="emptied, bounded, or a cache"
from collections import deque

import boto3

s3 = boto3.client("s3")
batch = []
lines = []
recent = deque(maxlen=20)
bodies = {}
calls = 0
plugins = []

def plugin(function):
    plugins.append(function)
    return function

@plugin
def first(event):
    return event

def body(key):
    if key not in bodies:
        if len(bodies) >= 100:
            bodies.clear()
        bodies[key] = s3.get_object(Bucket="texts", Key=key)["Body"].read().decode()
    return bodies[key]

def flush():
    text = "\n".join(lines)
    lines.clear()
    return text

def handler(event, context):
    global calls
    calls += 1
    print(f"call {calls} of this environment")
    batch.clear()
    for record in event["Records"]:
        batch.append(record["body"])
        lines.append(record["messageId"])
    recent.append(event["id"])
    return {"batch": batch, "lines": flush(), "body": body(event["key"]), "few": len(recent) <= 20}
```

Silent when it is emptied before it is used, or before the handler ends; when things are taken out
again (a queue); when it has a fixed size; when it is a cache, which is asked by key; and when only
logs and metrics see it.

Limits: that printing a list of the module is the report itself, and not a log, is an assumption.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import GROWN, Project, Report, Severity, State, rule, stories


@rule("LMB203", category="mutable-global-state", severity=Severity.ERROR)
def accumulating_global(state: State, project: Project) -> Iterator[Report]:
    if state.place.kind in ("default", "class"):
        return
    for story in stories(state, GROWN):
        shown = story.change.spot.describe()
        so_far = "not every way empties it" if state.is_emptied else "nothing empties it"
        yield Report.of_story(
            story,
            project,
            at_change=True,
            message=f"every invocation adds to `{shown}`, which {story.stale.use} with what the "
            "ones before added",
            help=f"make `{shown}` anew in the handler and hand it on, or empty it at the start",
            seen=f"invocation 2 finds here what invocation 1 added, and it {story.stale.use}",
            left=f"invocations 1 and 2 add to the same `{shown}` here, and {so_far}",
        )

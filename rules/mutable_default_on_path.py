r"""A default argument, or an attribute of a class, is one object for all invocations, and grows.

The default of a parameter is made once, when the function is defined, and what a class body
assigns is shared by all objects. What one invocation puts in, the next one finds there:
https://docs.python.org/3/reference/compound_stmts.html#function-definitions and
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html

```python events
send({"items": [{"id": 1}]})
send({"items": [{"id": 2}]})
```

```python bad
def collect(items, found=[]):
    for item in items:
        found.append(item["id"])  # LMB205
    return found

def handler(event, context):
    return {"ids": collect(event["items"])}
```

```python good
def collect(items, found=None):
    found = [] if found is None else found
    for item in items:
        found.append(item["id"])
    return found

def handler(event, context):
    return {"ids": collect(event["items"])}
```

```python events
send({"item": 1, "row": 1, "n": 3})
send({"item": 2, "row": 2, "n": 3})
```

```python bad name="in a class body"
class Batch:
    items = []

    def add(self, item):
        self.items.append(item)  # LMB205

def handler(event, context):
    batch = Batch()
    batch.add(event["item"])
    return {"items": batch.items}
```

What Lambda or a framework calls gets what they give it, and the default of all else:

```python bad name="called by Chalice, and by Lambda"
# file: app.py
from chalice import Chalice

app = Chalice(app_name="shop")

@app.route("/shops/{shop}/skus", methods=["GET"])
def collect(shop, skus=[]):
    skus.append(shop)  # LMB205
    return {"skus": skus}

# file: job.py
def handler(event, context, found=[]):
    found.append(event["item"])  # LMB205
    return {"found": found}
```

Not run: it has two handlers, and Chalice answers only to API Gateway.

```python good name="named in the path"
from chalice import Chalice

app = Chalice(app_name="shop")

@app.route("/skus/{skus}", methods=["GET"])
def collect(skus=[]):
    skus.append(len(skus))
    return {"skus": skus}
```

Not run: Chalice answers only to API Gateway.

```python good name="never changed, given, one for each object, or a cache"
class Batch:
    items = []

    def __init__(self):
        self.items = []

    def add(self, item):
        self.items.append(item)

def merged(first, more={}):
    return {**first, **more}

def fill(row, into=[]):
    into.append(row)
    return into

def square(number, _known={}):
    if number not in _known:
        _known[number] = number * number
    return _known[number]

def handler(event, context):
    batch = Batch()
    batch.add(event["item"])
    rows = fill(event["row"], [])
    return {"items": batch.items, "a": merged(event), "b": rows, "c": square(event["n"])}
```

Silent when every call gives the argument, when the default is only read, when it is a cache, and
when each object gets its own.

Limits: only defaults that are written as a display (`[]`, `{}`) are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import GROWN, Project, Report, Severity, State, rule, stories


@rule("LMB205", category="mutable-global-state", severity=Severity.ERROR)
def mutable_default_on_path(state: State, project: Project) -> Iterator[Report]:
    if state.place.kind not in ("default", "class"):
        return
    is_default = state.place.kind == "default"
    for story in stories(state, GROWN):
        shown = story.change.spot.describe()
        what = "the default of" if is_default else "the class attribute"
        yield Report.of_story(
            story,
            project,
            at_change=True,
            message=f"{what} `{shown}` is one object for all invocations, and each adds to it",
            help=f"take None as the default of `{shown}` and make a new one in the body"
            if is_default
            else f"assign `{state.place.name}` in `__init__`, so that each object has its own",
            seen=f"invocation 2 finds here what invocation 1 added, and it {story.stale.use}",
            left=f"invocations 1 and 2 add to the same `{shown}` here",
        )

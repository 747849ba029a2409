r"""A template of the module, or what a cache hands out, is changed in place.

A dictionary or list that the module fills is there once for all invocations. Writing into it, also
through another name, changes what the next one starts from: headers of one caller reach the next,
a placeholder that was filled in is gone. The same holds for objects that a cache hands out, see
https://github.com/tkem/cachetools/issues/184 and
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html

```python events
send({"user": "alice"})
send({})
```

```python bad
RESPONSE = {"statusCode": 200, "headers": {"Content-Type": "text/plain"}}

def handler(event, context):
    response = RESPONSE
    if event.get("user"):
        response["headers"]["X-User"] = event["user"]  # LMB204
    return response
```

```python good
import copy

RESPONSE = {"statusCode": 200, "headers": {"Content-Type": "text/plain"}}

def handler(event, context):
    response = copy.deepcopy(RESPONSE)
    if event.get("user"):
        response["headers"]["X-User"] = event["user"]
    return response
```

```python events
send({"bucket": "one"})
send({"bucket": "two"})
# file: buckets.py
import effects

def put_policy(bucket, policy):
    effects.record("policy", bucket, policy)
```

```python bad name="a placeholder that is gone"
import json

import buckets

POLICY = {"Effect": "Deny", "Resource": "arn:aws:s3:::BUCKET/*"}
DOCUMENT = {"Version": "2012-10-17", "Statement": []}

def handler(event, context):
    POLICY["Resource"] = POLICY["Resource"].replace("BUCKET", event["bucket"])  # LMB204
    DOCUMENT["Statement"].append(POLICY)  # LMB204
    buckets.put_policy(event["bucket"], json.dumps(DOCUMENT))
```

```python events
send({"debug": True, "level": "all"})
send({})
# file: settings.json
{"level": "info"}
```

```python bad name="what a cache hands out"
import functools
import json

@functools.lru_cache
def settings():
    with open("settings.json") as file:
        return json.load(file)

def handler(event, context):
    found = settings()
    if event.get("debug"):
        found["level"] = event["level"]  # LMB204
    return found
```

```python events
send({"id": 1, "text": "a", "level": "x", "region": "r"})
send({"id": 2, "text": "b", "level": "y", "region": "s"})
```

```python good name="copied, or always replaced"
import json

DEFAULTS = {"level": "info", "region": None}
BODY = {"id": "", "text": ""}

def handler(event, context):
    BODY["id"] = event["id"]
    BODY["text"] = event["text"]
    options = dict(DEFAULTS)
    options["level"] = event["level"]
    merged = {**DEFAULTS, "region": event["region"]}
    return {"body": json.dumps(BODY), "options": options, "merged": merged}
```

```python events
send({"id": 1})
send({"id": 2})
# file: tracing.py
import effects

def start(options):
    effects.record("start", options["APPLICATION"])
```

```python good name="a setting of the environment"
import os

import tracing

OPTIONS = {"LOG_BODY": True}

def start(options):
    options["APPLICATION"] = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
    tracing.start(options)

def handler(event, context):
    start(OPTIONS)
    return {"id": event["id"]}
```

Silent when a copy is changed, when every invocation replaces the same parts before anybody reads
them, when every invocation puts the same setting of the environment into them, and when nothing but
logs sees it.

Limits: copies are not told apart by how deep they go. That a setting of the environment is put in
only after it is read, so that the first event goes without, is not seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import RESHAPED, Project, Report, Severity, State, rule, stories


@rule("LMB204", category="mutable-global-state", severity=Severity.ERROR)
def shared_template_mutated(state: State, project: Project) -> Iterator[Report]:
    for story in stories(state, RESHAPED):
        shown = story.change.spot.describe()
        whole = state.place.describe()
        yield Report.of_story(
            story,
            project,
            at_change=True,
            message=f"`{shown}` is changed for all later invocations: `{whole}` is made once",
            help=f"change a copy: `copy.deepcopy({whole})`",
            seen=f"what invocation 1 changed {story.stale.use} in invocation 2",
            left=f"invocation 1 changes `{shown}` in place here",
        )

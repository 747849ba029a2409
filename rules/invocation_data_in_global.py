r"""Data of one event is kept where every later event of the environment can see it.

A module variable that holds the user, the token or the request of one invocation is still there
when the next one begins. Today each invocation may write it before it is read; one new early
return, and the next caller acts as this one. AWS asks not to keep user data, events or other
information with security implications: https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html

```python bad
token = None

def load(event):
    global token
    token = event["headers"]["authorization"]  # LMB202

def call():
    return {"authorization": token}

def handler(event, context):
    load(event)
    return call()
```

Not run: as long as every invocation overwrites the value before it reads it, nothing shows.

```python good
import contextvars

_token = contextvars.ContextVar("token")

def call():
    return {"authorization": _token.get()}

def handler(event, context):
    before = _token.set(event["headers"]["authorization"])
    try:
        return call()
    finally:
        _token.reset(before)
```

```python good name="not of the event, emptied, or for logs"
import time

_now = 0.0
_current = None
_seen = ""

def use():
    return _current, _now

def handler(event, context):
    global _now, _current, _seen
    _now = time.time()
    _current = event["user"]
    _seen = event["id"]
    print("event", _seen)
    try:
        return use()
    finally:
        _current = None
```

A client is no secret, whatever its name says, and a failure before the value is written that leads
to no read of it is no reason to call it written now and then; both are for information only:

```python bad name="a client, or written unless something fails"
import boto3

secrets = None
token = None
sts = boto3.client("sts")

def client(role):
    keys = sts.assume_role(RoleArn=role, RoleSessionName="orders")["Credentials"]
    return boto3.client(
        "secretsmanager",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )

def handler(event, context):
    global secrets, token
    try:
        token = event["token"]  # LMB202
        if event.get("role"):
            secrets = client(event["role"])  # LMB202
            return secrets.list_secrets()["SecretList"]
        return {"authorization": token}
    except KeyError as error:
        return {"error": str(error)}
```

Not run: here, too, nothing shows.

Silent when it is emptied before the handler ends, and when only logs and metrics see it. Where the
next invocation may read it, `stale-global-read` says so as an error; what is left here is written
before every read, so it is information, and a warning when the name says that it is a secret and it
is not always written.

Limits: what is put into a container under a key that is no constant is left to the rules of caches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lambda_lint.rule import (
    EVENT,
    REBOUND,
    Project,
    Report,
    Severity,
    State,
    condition,
    kind_of,
    rule,
    stories,
)

_SECRET = re.compile(r"token|secret|password|credential|api_?key|auth|session_id|cookie", re.I)


@rule("LMB202", category="mutable-global-state", severity=Severity.WARNING)
def invocation_data_in_global(state: State, project: Project) -> Iterator[Report]:
    if not state.is_read or state.is_cache or any(stories(state, REBOUND)):
        return
    if all(one in state.cleaned_by for one in state.handlers):
        return
    for change in state.changes:
        if EVENT not in change.depends_on or kind_of(state, change) != REBOUND:
            continue
        shown = change.spot.describe()
        touch = change.touch
        # No invocation reads what another one left, so a failure leads to no read of it either.
        is_secret = _SECRET.search(shown) and condition(touch, failures=False) is not None
        if project.serves_one_tenant(touch.function) or (
            # A client may have got a secret, and is none.
            touch.value is not None and project.is_made_object(touch.value, touch.scope)
        ):
            is_secret = False
        yield Report.of_touch(
            touch,
            project,
            message=f"`{shown}` keeps data of the event for as long as the environment lives",
            help=f"hand `{shown}` on as an argument, or reset a ContextVar in `finally`",
            last=f"invocation 1 leaves its `{shown}` here for whatever runs next",
            severity=None if is_secret else Severity.INFO,
        )
        return

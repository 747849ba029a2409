r"""Authorisation of one event is put on a session that all invocations share.

Headers, cookies and authorisation of a session are sent with every request of it. What one
invocation sets for its own caller, the next one sends for another, as soon as one way through the
code does not set it again. AWS asks not to keep data with security implications:
https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html and
https://requests.readthedocs.io/en/latest/user/advanced/#session-objects

```python bad
import requests

session = requests.Session()

def handler(event, context):
    session.headers["Authorization"] = event["headers"]["authorization"]  # LMB209
    return session.get("https://api.internal/orders", timeout=5).json()
```

Not run: it needs a server that answers.

```python good
import requests

session = requests.Session()

def handler(event, context):
    headers = {"Authorization": event["headers"]["authorization"]}
    return session.get("https://api.internal/orders", headers=headers, timeout=5).json()
```

```python bad name="in a helper"
import requests

session = requests.Session()

def sign(user, password):
    session.auth = (user, password)  # LMB209

def handler(event, context):
    sign(event["user"], event["password"])
    return session.get("https://api.internal/orders", timeout=5).json()
```

Not run: it needs a server that answers.

```python good name="the same for all, or a session of its own"
import os

import requests

session = requests.Session()
session.headers["User-Agent"] = "orders"

def handler(event, context):
    session.headers["X-Api-Key"] = os.environ["KEY"]
    own = requests.Session()
    own.headers["Authorization"] = event["headers"]["authorization"]
    own.get("https://api.internal/me", timeout=5)
    return session.get("https://api.internal/orders", timeout=5).json()
```

Silent when what is set does not come from the event, and for a session of one invocation. A warning
where a descriptor says that the function has tenant isolation: each environment is one tenant's.

Limits: `session.headers.update(…)` and keys that a library keeps in its module are not seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import CREDENTIALS, EVENT, Project, Report, Severity, State, rule

_PARTS = (".headers", ".auth", ".cookies", ".cert", ".params")


@rule("LMB209", category="mutable-global-state", severity=Severity.ERROR)
def credentials_on_shared_client(state: State, project: Project) -> Iterator[Report]:
    if "http" not in state.families:
        return
    for change in state.changes:
        if change.spot.path[:1] and change.spot.path[0] in _PARTS:
            if not change.depends_on & {EVENT, CREDENTIALS}:
                continue
            shown = change.spot.describe()
            yield Report.of_touch(
                change.touch,
                project,
                message=f"`{shown}` is sent with every later request of the shared session",
                help="give it to the request itself (`headers=`, `auth=`)",
                severity=Severity.WARNING
                if project.serves_one_tenant(change.touch.function)
                else None,
                last=f"invocation 1 leaves its `{shown}` here, and invocation 2 sends it",
            )

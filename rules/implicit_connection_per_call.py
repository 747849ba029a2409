r"""Each request opens a connection of its own, although the host is always the same.

`requests.get` and its like make a session for one request and close it afterwards: name, TCP and
TLS are negotiated again each time, which often takes longer than the request. A session at module
level keeps the connection, between the items of a batch and between invocations
(https://requests.readthedocs.io/en/latest/user/advanced/#session-objects).

```python bad
import requests

def handler(event, context):
    for record in event["Records"]:
        requests.post("https://api.example.com/orders", json=record, timeout=5)  # LMB105
```

```python good name="one session for all of them"
import requests

http = requests.Session()

def handler(event, context):
    for record in event["Records"]:
        http.post("https://api.example.com/orders", json=record, timeout=5)
```

A warning only where a loop certainly repeats it; elsewhere it is a note, shown with `--strict`.

```python bad name="once for each event: a note"
import os
import urllib.request

def handler(event, context):
    url = f"{os.environ['API_URL']}/status/{event['id']}"
    with urllib.request.urlopen(url, timeout=5) as response:  # LMB105
        return response.read()
```

Silent when the host comes with the event or from a loop, for extensions on the same machine, and
for hosts of which nothing is known:

```python good name="other hosts each time, and the local machine"
import requests

def handler(event, context):
    requests.put(event["ResponseURL"], data=b"{}", timeout=5)
    for url in event["targets"]:
        requests.head(url, timeout=5)
    found = requests.get("http://localhost:2773/secretsmanager/get?secretId=key", timeout=5)
    return found.json()
```

A session keeps cookies, too: none is needed for requests in the name of different users.

Limits: a server may close the connection before the next invocation; then nothing is won, and
nothing lost, for sessions connect again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lambda_lint.rule import Call, Phase, Project, Report, Severity, rule


@rule("LMB105", category="client-per-invocation", severity=Severity.INFO)
def implicit_connection_per_call(call: Call, project: Project) -> Iterator[Report]:
    request = call.request
    if request is None or call.phase is not Phase.INVOKE or call.in_lifespan:
        return
    url = call.argument("url", request.url)
    if url is None:
        return
    address = call.address_of(url)
    if address.depends_on or _LOCAL.match(address.beginning):
        return
    repeated = address.is_fixed and call.repeated_for_items
    often = "each time an invocation gets here" if call.is_conditional else "on every invocation"
    if repeated:
        often = "for every item of a loop"
    yield Report.of_call(
        call,
        message=f"`{call.shown}` opens a connection of its own {often}",
        help=f"use {request.remedy}, which keeps the connection open",
        last="the connection is opened and closed here",
        severity=Severity.WARNING if repeated else Severity.INFO,
    )


_LOCAL = re.compile(r"https?://(?:localhost|127\.|0\.0\.0\.0|\[::1\]|169\.254\.|sandbox\.local)")
"""Extensions and the platform itself: there is no distance to save."""

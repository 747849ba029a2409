r"""Something is fetched from the network while the module is imported.

The import has ten seconds, and when a service is slow or refuses, the whole initialisation is ended
and begun again within the first invocation, at its cost and within its timeout. What was fetched is
as old as the environment, and tests cannot import the module without the service.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html

```python bad
import os

import boto3
import requests

KEYS = requests.get(os.environ["KEYS_URL"], timeout=3).json()  # LMB604
LIMIT = boto3.client("ssm").get_parameter(Name="/shop/limit")["Parameter"]["Value"]  # LMB604

def handler(event, context):
    return {"limit": LIMIT, "key": KEYS[event["kid"]]}
```

```python good
import os
import time

import boto3
import requests

ssm = boto3.client("ssm")
_keys = None
_fetched_at = 0.0

def keys():
    global _keys, _fetched_at
    if _keys is None or time.time() - _fetched_at > 300:
        _keys = requests.get(os.environ["KEYS_URL"], timeout=3).json()
        _fetched_at = time.time()
    return _keys

def handler(event, context):
    return {"key": keys()[event["kid"]]}
```

```python good name="only a script does"
# file: app.py
import settings

def handler(event, context):
    return settings.NAME

# file: settings.py
import boto3

NAME = "shop"

def secret():
    return boto3.client("secretsmanager").get_secret_value(SecretId="shop")["SecretString"]

# file: deploy.py
import settings

print(settings.secret())
```

Silent when a client is only made, which connects when it is used, and when the file is run as a
program only. This rule informs; it is shown with `--strict` or when it is selected.

Limits: some functions fetch at import on purpose, so that the first event finds all there; with
provisioned concurrency that is right.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Phase, Project, Report, Severity, Sighting, rule


@rule("LMB604", category="stale-init-value", severity=Severity.INFO)
def network_io_at_import(call: Call, project: Project) -> Iterator[Report]:
    if call.phase is not Phase.INIT or not call.asks_network:
        return
    handlers = tuple(call.importing)
    if not handlers:
        return
    yield Report.of_sighting(
        Sighting(call.path, call.span, (handlers[0].step,), handlers),
        message=f"`{call.shown}` waits for the network while the module is imported",
        help="call it from a function that the first invocation runs, and keep what it gives for a "
        "time",
        last="this runs when an environment starts, before the first event",
    )

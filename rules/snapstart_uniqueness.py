r"""An identifier is made before the snapshot, and all environments share it.

With SnapStart a function is initialised once, when a version is published, and each execution
environment is a copy of that. What is random or unique in one environment otherwise is then the
same in all of them: identifiers collide, and tokens can be guessed.
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-uniqueness.html

```toml config
snapstart = true
```

```python bad
import uuid

import boto3

NODE_ID = uuid.uuid4().hex  # LMB602
table = boto3.resource("dynamodb").Table("t")

def handler(event, context):
    table.put_item(Item={"id": NODE_ID + event["id"]})
```

```python good
import uuid

import boto3

table = boto3.resource("dynamodb").Table("t")

def handler(event, context):
    table.put_item(Item={"id": uuid.uuid4().hex})
```

```python good name="made anew when the snapshot is restored"
import uuid

import boto3
from snapshot_restore_py import register_after_restore

NODE_ID = uuid.uuid4().hex
table = boto3.resource("dynamodb").Table("t")

@register_after_restore
def restored():
    global NODE_ID
    NODE_ID = uuid.uuid4().hex

def handler(event, context):
    table.put_item(Item={"id": NODE_ID + event["id"]})
```

Silent when a hook makes it anew after the restore, when an invocation does, and without SnapStart,
which the setting or the deployment says.

Limits: only identifiers and tokens are looked at, not the state of random number generators.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Frozen, Project, Report, Severity, rule


@rule("LMB602", category="stale-init-value", severity=Severity.ERROR)
def snapstart_uniqueness(found: Frozen, project: Project) -> Iterator[Report]:
    if found.what.what != "identifier" or found.restored:
        return
    if not project.starts_from_snapshot(found):
        return
    yield Report.of_frozen(
        found,
        project,
        message=f"`{found.shown}` is the same in every environment that starts from the snapshot",
        help="make it in the handler, or again in a function under `@register_after_restore`",
        made="this is evaluated before the snapshot is taken",
    )

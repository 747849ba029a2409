r"""Processes that share `/tmp` write to one name there.

On Lambda Managed Instances an execution environment works on several events at the same time, each
in a process of its own. Variables are not shared, but `/tmp` is: while one process reads the file,
another one writes it, and a response holds another event's data, or half of it. Everywhere else an
environment has one event at a time, and this rule is silent.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-python-runtime.html

```toml config
managed-instances = true
```

```python bad
import json

def handler(event, context):
    with open("/tmp/report.json", "w") as target:  # LMB703
        json.dump(event, target)
    with open("/tmp/report.json") as source:
        return source.read()
```

Not run: it needs several processes at a time.

```python good name="a folder of its own, or a file that is there already"
import json
import os
import tempfile

import boto3

s3 = boto3.client("s3")

def handler(event, context):
    if not os.path.exists("/tmp/model.bin"):
        s3.download_file("models", "model.bin", "/tmp/model.bin")
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "report.json"), "w") as target:
            json.dump(event, target)
    return os.path.getsize("/tmp/model.bin")
```

Silent when no template declares a capacity provider for a function that gets here and
`managed-instances` is not set, behind a test of whether the file is there, and when a lock or a
rename shows that somebody thought of it.

Limits: only names that are written out are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Project, Report, Severity, rule


@rule("LMB703", category="tmp-or-env-leak", severity=Severity.ERROR)
def shared_tmp_collision(call: Call, project: Project) -> Iterator[Report]:
    if not call.on_managed_instances:
        return
    path = call.fixed_file
    if path is None:
        return
    yield Report.of_call(
        call,
        message=f"every process of the environment writes `{path}`, at the same time as others",
        help="put it into `with tempfile.TemporaryDirectory() as folder:`, or into its name "
        "`context.aws_request_id`, and remove it in a `finally`",
        last="the file is written here",
    )

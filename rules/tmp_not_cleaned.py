r"""A file under a new name is left in `/tmp` by every invocation.

`/tmp` is not emptied between events: it belongs to the environment, and has 512 MB unless more is
paid for. Files that are called after an event, an id or the time pile up until a write fails with
"No space left on device", on the busiest environments first; and whatever walks through `/tmp`
finds the files of other events. A name that is used again overwrites itself, and does not count.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html

```python events
aws("s3").create_bucket(Bucket="uploads")
watch("tmp_files")
for number in range(4):
    key = f"upload-{number}"
    aws("s3").put_object(Bucket="uploads", Key=key, Body=b"text")
    send({"key": key, "body": "text"})
```

```python bad
import os

import boto3

s3 = boto3.client("s3")

def handler(event, context):
    path = os.path.join("/tmp", event["key"])
    s3.download_file("uploads", event["key"], path)  # LMB701
    return os.path.getsize(path)
```

```python bad name="names that tempfile invents"
import tempfile
import uuid
from pathlib import Path

def handler(event, context):
    folder = tempfile.mkdtemp()  # LMB701
    path = Path("/tmp") / event["key"]
    path.write_text(event["body"])  # LMB701
    with open(f"/tmp/{uuid.uuid4()}.json", "w") as target:  # LMB701
        target.write(event["body"])
    with tempfile.NamedTemporaryFile("w", delete=False) as report:  # LMB701
        report.write(folder)
    return report.name
```

```python good name="removed when it is done"
import os
import tempfile

import boto3

s3 = boto3.client("s3")

def handler(event, context):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "upload")
        s3.download_file("uploads", event["key"], path)
        return os.path.getsize(path)
```

```python good name="in a finally, perhaps by a helper"
import os
import tempfile

def work(path):
    try:
        return os.path.getsize(path)
    finally:
        os.remove(path)

def handler(event, context):
    with tempfile.NamedTemporaryFile("w", delete=False) as target:
        target.write(event["body"])
    return work(target.name)
```

```python events
for bucket in ("models", "tenants"):
    aws("s3").create_bucket(Bucket=bucket)
    for key in ("model.bin", "alice"):
        aws("s3").put_object(Bucket=bucket, Key=key, Body=b"text")
for number in range(4):
    send({"tenant": "alice", "body": "text"})
```

```python good name="one name, kept on purpose, or closed and gone"
import os
import tempfile

import boto3

s3 = boto3.client("s3")
MODEL = "/tmp/model.bin"

def handler(event, context):
    if not os.path.exists(MODEL):
        s3.download_file("models", "model.bin", MODEL)
    cached = f"/tmp/{event['tenant']}.json"
    if not os.path.exists(cached):
        s3.download_file("tenants", event["tenant"], cached)
    with open("/tmp/request.json", "w") as target:
        target.write(event["body"])
    with tempfile.NamedTemporaryFile("w") as scratch:
        scratch.write(event["body"])
    return os.path.getsize(MODEL)
```

A folder that is the same for all invocations, and packed as a whole, brings the files of other
events into the archive of this one:

```python events
import io
import zipfile

aws("s3").create_bucket(Bucket="parts")
for name in ("a", "b"):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"parts/{name}.txt", name)
    aws("s3").put_object(Bucket="parts", Key=name, Body=packed.getvalue())
see(send({"key": "a"}))
see(send({"key": "b"}))
```

```python bad name="a folder that is packed with all that is in it"
import shutil
import zipfile

import boto3

s3 = boto3.client("s3")

def handler(event, context):
    path = f"/tmp/{event['key']}.zip"
    s3.download_file("parts", event["key"], path)  # LMB701
    with zipfile.ZipFile(path) as part:
        part.extractall("/tmp/unpacked")
    made = shutil.make_archive("/tmp/made", "zip", "/tmp/unpacked", "parts")  # LMB701
    with zipfile.ZipFile(made) as archive:
        return archive.namelist()
```

```python good name="a folder of this invocation, and a name from a table"
import json
import shutil
import tempfile
import zipfile

import boto3

s3 = boto3.client("s3")
NAMES = {"a": "parts.json", "b": "parts.json"}

def handler(event, context):
    s3.download_file("parts", event["key"], "/tmp/part.zip")
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile("/tmp/part.zip") as part:
            part.extractall(folder)
        made = shutil.make_archive("/tmp/made", "zip", folder, "parts")
    name = NAMES[event["key"]]
    with open(f"/tmp/{name}", "w") as target:
        json.dump(event, target)
    with zipfile.ZipFile(made) as archive:
        return archive.namelist()
```

Silent when the handler runs anything that removes or moves files, when the name is the same for
every event, when the call stands behind a test of whether the file is there, and when the folder
is not known to be below `/tmp`.

Limits: one removal speaks for all files of a handler, also where it is not on every way out.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Project, Report, Severity, Step, rule


@rule("LMB701", category="tmp-or-env-leak", severity=Severity.WARNING)
def tmp_not_cleaned(call: Call, project: Project) -> Iterator[Report]:
    packed = call.packed
    if packed is not None:
        filling = packed.filling
        yield Report.of_call(
            call,
            message=f"`{call.shown}` packs `{packed.folder}` with what earlier invocations "
            "unpacked there",
            help="unpack into a folder of this invocation and pack that: "
            "`with tempfile.TemporaryDirectory() as folder:`",
            last="the files of earlier invocations are packed as well",
            before_last=(Step(filling.module.path, filling.span, "it is unpacked here"),),
        )
    left = call.left_file
    if left is None:
        return
    what = left.fact.what
    done = (
        "unpacks into a new folder of" if what == "files" else f"leaves a {what} with a new name in"
    )
    yield Report.of_call(
        call,
        message=f"`{call.shown}` {done} /tmp on every invocation, and nothing removes it",
        help=_help(left.fact.remedy, what, fresh=left.fresh, returned=left.returned),
        last=f"the {what} is written here",
    )


def _help(remedy: str, what: str, *, fresh: bool, returned: bool) -> str:
    if returned:
        # A `with` here would remove it before the caller gets to it.
        removal = "shutil.rmtree(path)" if what == "directory" else "os.unlink(path)"
        return f"remove it where it was used: `{removal}` in a `finally` of the caller"
    if fresh:
        return f"use `{remedy}`, which removes it on every way out"
    return (
        "put it into a folder that is removed, `with tempfile.TemporaryDirectory() as folder:`, or "
        "remove it in a `finally`"
    )

r"""A setting of the whole process is changed for one event and stays for the next.

There is one environment, one working directory, one search path and one locale in a process, and
the process serves many events. What the event of one tenant put there is what the next one finds,
in code that reads it before it is set again, in threads, and in every child process. What is added
on each event grows until something is slow, or too long.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html

```python events
send({"tenant": "alice"})
send({})
```

```python bad
import os

def handler(event, context):
    if "tenant" in event:
        os.environ["TENANT"] = event["tenant"]  # LMB702
    return run()

def run():
    return f"/data/{os.environ.get('TENANT', 'nobody')}"
```

```python good
def handler(event, context):
    return run(event.get("tenant", "nobody"))

def run(tenant):
    return f"/data/{tenant}"
```

```python events
watch("sys_path")
for number in range(4):
    send({"id": number})
# file: plugin.py
def run(event):
    return event["id"]
```

```python bad name="what grows"
import os
import sys

def handler(event, context):
    os.environ["PATH"] = os.environ["PATH"] + ":/opt/tools"  # LMB702
    sys.path.insert(0, "/opt/plugins")  # LMB702
    import plugin
    return plugin.run(event)
```

```python events
send({"folder": "/"})
send({})
```

```python bad name="where the process is, and how it speaks"
import locale
import os

def handler(event, context):
    if "locale" in event:
        locale.setlocale(locale.LC_ALL, event["locale"])  # LMB702
    if "folder" in event:
        os.chdir(event["folder"])  # LMB702
    return os.getcwd() == "/"
```

```python events
for number in range(4):
    send({"id": str(number), "tenant": "alice", "folder": "/"})
```

```python good name="given as an argument, set once, or set back"
import os
import subprocess
import sys

os.environ["PATH"] += ":/opt/tools"
sys.path.insert(0, "/opt/plugins")

def run(tenant):
    subprocess.run(["env"], env={**os.environ, "TENANT": tenant}, check=True)

def handler(event, context):
    os.environ["TZ"] = "UTC"
    os.environ.setdefault("STAGE", "prod")
    if "/opt/more" not in sys.path:
        sys.path.append("/opt/more")
    run(event["tenant"])
    before = os.getcwd()
    os.environ["REQUEST"] = event["id"]
    try:
        os.chdir(event["folder"])
        return os.getcwd()
    finally:
        os.chdir(before)
        os.environ.pop("REQUEST", None)
```

Silent when the value is the same for every event, when the same handler removes it or sets it back,
and when a test asks first whether it is there. Credentials in the environment are the matter of
another rule.

Limits: one removal speaks for all settings of its name. Attributes of modules of libraries are not
looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Project, Report, Severity, StateChange, rule


@rule("LMB702", category="tmp-or-env-leak", severity=Severity.WARNING)
def process_state_in_handler(change: StateChange, project: Project) -> Iterator[Report]:
    messages = {
        "event": f"{change.what} is set from the event, and stays for the next invocation",
        "grows": f"{change.what} grows with every invocation",
        "moves": f"{change.what} moves on with every invocation, because the path is relative",
    }
    yield Report.of_change(
        change,
        project,
        message=messages[change.why],
        help=change.remedy,
        last="it is changed here, for the whole process",
    )

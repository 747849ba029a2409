r"""A file is to be fetched again when it is too old, and the test for that is never true.

What is kept in `/tmp` stays as long as the environment, which may be hours. So a cache there needs
an age, and the age needs to be asked for the right way round: a file is too old when its time
*plus* what it may be kept is *before* now. `mtime > now + ttl` asks whether it is from the future,
and the first copy is used for ever.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html and
https://docs.python.org/3/library/os.html#os.stat_result.st_mtime

```python events
aws("s3").create_bucket(Bucket="rules")
aws("s3").put_object(Bucket="rules", Key="rules.json", Body=b"old")
send({})
aws("s3").put_object(Bucket="rules", Key="rules.json", Body=b"new")
later(hours=1)
send({})
```

```python bad
import os
import time

import boto3

s3 = boto3.client("s3")
PATH = "/tmp/rules.json"

def handler(event, context):
    if not os.path.exists(PATH) or os.stat(PATH).st_mtime > time.time() + 900:  # LMB707
        s3.download_file("rules", "rules.json", PATH)
    with open(PATH) as source:
        return source.read()
```

```python good
import os
import time

import boto3

s3 = boto3.client("s3")
PATH = "/tmp/rules.json"

def handler(event, context):
    if not os.path.exists(PATH) or time.time() > os.stat(PATH).st_mtime + 900:
        s3.download_file("rules", "rules.json", PATH)
    with open(PATH) as source:
        return source.read()
```

```python good name="other questions"
import os
import time

PATH = "/tmp/lock"

def handler(event, context):
    with open(PATH, "w") as target:
        target.write("now")
    is_fresh = os.path.getmtime(PATH) > time.time() - 900
    is_older = os.path.getmtime(PATH) > event.get("since", 0)
    return [is_fresh, is_older]
```

Silent when one side is not written out: the time of a file, and `time.time()` plus something that
is no negative number.

Limits: times that were kept in variables are not followed.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Project, Report, Severity, rule


@rule("LMB707", category="tmp-or-env-leak", severity=Severity.WARNING)
def impossible_file_age(project: Project, same: Project) -> Iterator[Report]:
    for change in project.impossible_ages():
        yield Report.of_change(
            change,
            project,
            message="no file is from the future: this test is never true, and the file is used "
            "for as long as the environment lives",
            help=change.remedy,
            last="the age is asked for here",
        )

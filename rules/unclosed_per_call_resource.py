r"""Something that the garbage collector does not end is made for every event and left open.

A file or a socket is closed when nobody refers to it any more. A browser is not: its processes go
on, hold memory and ports, and the next event starts more of them, until the environment is out of
memory or the browser does not start. The same is true of figures, which pyplot keeps in a list of
its own, and of numbers of open files, which are no objects at all.
https://www.selenium.dev/documentation/webdriver/drivers/ and
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html

```python events
watch("processes")
for number in range(4):
    send({"url": "https://example.com"})
# file: selenium/webdriver/__init__.py
import subprocess

class Element:
    text = "not found"

class Chrome:
    title = "Shop"

    def __init__(self):
        self.process = subprocess.Popen(["sleep", "60"])

    def get(self, url):
        pass

    def find_element(self, by, name):
        return Element()

    def close(self):
        pass

    def quit(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.quit()

Firefox = Chrome
# file: selenium/webdriver/common/by.py
class By:
    TAG_NAME = "tag name"
```

```python bad
from selenium import webdriver

def handler(event, context):
    driver = webdriver.Chrome()  # LMB406
    driver.get(event["url"])
    return driver.title
```

`close()` closes a window; the browser and its driver go on. And a `return` before `quit()` is a way
out as well:

```python bad name="closed, but not ended"
from selenium import webdriver

def handler(event, context):
    driver = webdriver.Chrome()  # LMB406
    driver.get(event["url"])
    title = driver.title
    driver.close()
    return title
```

```python bad name="not on every way out"
from selenium import webdriver
from selenium.webdriver.common.by import By

def handler(event, context):
    try:
        driver = webdriver.Chrome()  # LMB406
        driver.get(event["url"])
        if "not found" in driver.find_element(By.TAG_NAME, "h1").text:
            return None
        title = driver.title
        driver.quit()
        return title
    except Exception as error:
        return {"error": str(error)}
```

```python events
watch("memory")
for number in range(40):
    send({"values": [number]})
# file: matplotlib/pyplot.py
kept = []

class Figure:
    def __init__(self):
        self.canvas = bytearray(10_000)

    def savefig(self, target):
        target.write(b"figure")

class Axes:
    def plot(self, values):
        pass

def subplots():
    kept.append(Figure())
    return kept[-1], Axes()

def close(figure):
    kept.remove(figure)
```

```python bad name="figures"
import io

import matplotlib.pyplot as plt

def handler(event, context):
    figure, axes = plt.subplots()  # LMB406
    axes.plot(event["values"])
    buffer = io.BytesIO()
    figure.savefig(buffer)
    return len(buffer.getvalue())
```

```python good name="figures that are closed"
import io

import matplotlib.pyplot as plt

def handler(event, context):
    figure, axes = plt.subplots()
    axes.plot(event["values"])
    buffer = io.BytesIO()
    figure.savefig(buffer)
    plt.close(figure)
    return len(buffer.getvalue())
```

```python events
watch("processes")
for number in range(4):
    send({"url": "https://example.com"})
# file: selenium/webdriver/__init__.py
import subprocess

class Element:
    text = "not found"

class Chrome:
    title = "Shop"

    def __init__(self):
        self.process = subprocess.Popen(["sleep", "60"])

    def get(self, url):
        pass

    def find_element(self, by, name):
        return Element()

    def close(self):
        pass

    def quit(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.quit()

Firefox = Chrome
# file: selenium/webdriver/common/by.py
class By:
    TAG_NAME = "tag name"
```

```python good name="ended on every way out"
from selenium import webdriver

def handler(event, context):
    driver = webdriver.Chrome()
    try:
        driver.get(event["url"])
        title = driver.title
    finally:
        driver.quit()
    with webdriver.Firefox() as other:
        other.get(event["url"])
    return title
```

Silent when it is kept for the next invocation, when it is given to somebody who may end it, and for
files, sockets and connections: those are ended when they are forgotten, or connection-never-closed
speaks of them.

Limits: an exception that leaves the handler is no way out here.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Phase, Project, Report, Severity, rule


@rule("LMB406", category="leaked-listener-or-timer", severity=Severity.WARNING)
def unclosed_per_call_resource(call: Call, project: Project) -> Iterator[Report]:
    if call.phase is not Phase.INVOKE or not call.handlers:
        return
    effect = call.effect
    if effect is not None and effect.kind == "resource":
        if call.adds_up:
            yield Report.of_call(
                call,
                message=f"each invocation makes another {effect.what} with `{call.shown}`, and "
                "none is closed",
                help=f"call {call.remedy} when it is done, in a `finally`",
                last=f"one more {effect.what} is made here",
            )
        return
    made = call.constructor
    if made is None or not made.lingers or made.family == "thread":
        return
    leak = call.leak
    if leak is None:
        return
    where = "on some ways out" if leak.ever else "at all"
    close = made.closes[0]
    yield Report.of_call(
        call,
        message=f"the {made.what} of `{call.shown}` is not ended {where}, and stays when the "
        "handler returns",
        help=f"call `{close}()` in a `finally`"
        + ("; `close()` only closes a window" if close == "quit" else ""),
        last=f"the {made.what} is started here",
        before_last=(leak.step,) if leak.step is not None else (),
    )

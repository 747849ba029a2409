"""Runs made by hand for the tests of the HTML report."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lambda_lint.finding import Confidence, Edit, Finding, Fix, Severity, Span, Step
from lambda_lint.life import Deployed, Life, Mark, Moment, Thing
from lambda_lint.reporters import Run, Summary
from lambda_lint.reporters.html import page

APP = """\
import boto3

SEEN = []


def handler(event, context):
    s3 = boto3.client("s3")
    SEEN.append(event["id"])
    return {"seen": SEEN}
"""

FINDING = Finding(
    path="app.py",
    span=Span(7, 10, 7, 28),
    code="LMB101",
    rule="client-in-handler",
    category="client-per-invocation",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    message='`boto3.client("s3")` makes a new SDK client on every invocation',
    help="make it once:\n\n    S3 = boto3.client('s3')",
    handlers=("app.py:handler",),
    witness=(
        Step("app.py", Span(6, 5, 6, 12), "`handler` runs for every event"),
        Step("app.py", Span(7, 10, 7, 28), "a new SDK client is made here"),
    ),
    fix=Fix("Make it once", True, (Edit(14, 14, "S3 = boto3.client('s3')\n"),)),
    url="https://example.org/rules/client_in_handler.py",
    fingerprint="0123456789abcdef0123456789abcdef",
)
STORY = replace(
    FINDING,
    span=Span(8, 5, 8, 29),
    code="LMB203",
    rule="accumulating-global",
    severity=Severity.ERROR,
    message="every invocation adds to `SEEN`",
    witness=(
        Step("app.py", Span(6, 5, 6, 12), "`handler` runs for every event"),
        Step("app.py", Span(9, 21, 9, 25), "invocation 2 finds here what invocation 1 added"),
        Step("app.py", Span(8, 5, 8, 29), "invocations 1 and 2 add to the same `SEEN` here"),
    ),
    fix=None,
    fingerprint="fedcba9876543210fedcba9876543210",
)
UNPARSED = replace(
    FINDING,
    path="broken.py",
    span=Span(7, 1, 7, 1),
    code="LMB900",
    category="lint",
    message="the file cannot be parsed",
    help="",
    handlers=(),
    witness=(),
    fix=None,
    fingerprint="",
)
SEEN = Thing(
    "state",
    Moment.INIT,
    Mark("app.py", 3),
    "SEEN",
    "module variable",
    writes=(Mark("app.py", 8),),
    reads=(Mark("app.py", 9),),
)
CLIENT = Thing(
    "object", Moment.EACH, Mark("app.py", 7), made='boto3.client("s3")', what="SDK client"
)
LIFE = Life(
    Mark("app.py", 6),
    "handler",
    "high",
    ("takes `(event, context)`",),
    ("snapstart",),
    (Deployed("Orders", Mark("template.yaml", 4)),),
    2,
    (SEEN, CLIENT),
    ((FINDING.fingerprint, Moment.EACH), (STORY.fingerprint, Moment.EACH)),
)


def run_of(*findings: Finding, text: str = APP, **changes: Any) -> Run:
    run = Run(
        findings=tuple(sorted(findings, key=lambda finding: finding.sort_key)),
        summary=Summary(files_seen=3, files_parsed=2, handlers=1),
        source_lines=lambda path: tuple(text.splitlines(keepends=True)) if path == "app.py" else (),
        version="0.1.0",
    )
    return replace(run, **changes)


def many(count: int, severity: Severity = Severity.WARNING) -> list[Finding]:
    return [
        replace(STORY, severity=severity, fingerprint=f"{severity.value}{number:026x}")
        for number in range(count)
    ]


HOSTILE_NAMES = (
    "a%0A::error::x,y:z.py",
    "nl\nname\r.py",
    "esc\x1b[2J\u202e.py",
    "bytes\udcff.py",
    "<script>alert(1)</script>.py",
    "\" onload=alert(1) x='.py",
)
HOSTILE_TEXT = (
    "x = 1  ##[stop-commands]x\n"
    "::error::y = '\x1b[2J\x1b]8;;https://evil.example\x1b\\' + '\u202egnp.exe'\n"
    "</script></style><img src=https://evil.example/a.png onerror=alert(1)><!--\n"
    "{{ 7 * 7 }} {% include 'x' %} &lt; &#x3c; ]]> \x00\x07\x9b\t\u2066\n"
)
HOSTILE = [
    replace(
        FINDING,
        path=name,
        span=Span(number % 4 + 1, 1, number % 4 + 1, 12),
        rule="</script><b>rule",
        message=f"</script><script>alert('{name}')</script> ##[error]\u202e `<i>`",
        help="::error::do\n\t::warning::this\x1b[0m\n    </code><script>",
        handlers=(f"{name}:<img src=x>",),
        witness=(Step(name, Span(2, 1, 2, 9), "::notice::\x07<b>first</b>"),),
        url="javascript:alert(1)",
        fix=Fix("<script>", False, (Edit(0, 0, "</script>##[x]\n"),)),
        fingerprint=f"{number:032x}",
    )
    for number, name in enumerate(HOSTILE_NAMES)
]
HOSTILE_LIFE = Life(
    Mark("nl\nname\r.py", 1),
    "<script>alert(1)</script>",
    "high",
    ("::error::\x1b[2J",),
    ("<b>",),
    (Deployed("</title><script>", Mark("</x>", 1)),),
    1,
    (replace(CLIENT, made="</code><script>##[x]"), replace(SEEN, name="\u202e<img src=x>" * 40)),
    (("0" * 32, Moment.UNKNOWN),),
)

RUNS = {
    "nothing": run_of(),
    "no handler": run_of(summary=Summary(files_seen=3)),
    "not analysed": run_of(UNPARSED, errors=("a rule failed",), notes=("no HCL reader",)),
    "findings": run_of(FINDING, STORY, UNPARSED, lives=(LIFE,)),
    "same names": run_of(FINDING, FINDING, UNPARSED, UNPARSED, lives=(LIFE, LIFE)),
    "hostile": run_of(
        *HOSTILE,
        lives=(HOSTILE_LIFE,),
        errors=("::error::<script>",),
        notes=("##[x] <img src=x>",),
        source_lines=lambda _: tuple(HOSTILE_TEXT.splitlines(keepends=True)),
    ),
    "too many": run_of(*many(page.FINDINGS + 7), lives=(LIFE,)),
    "many handlers": run_of(
        lives=tuple(replace(LIFE, at=Mark(f"f{number}.py", 1)) for number in range(70))
    ),
}

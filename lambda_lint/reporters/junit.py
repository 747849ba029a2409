"""JUnit's XML, which most servers for continuous integration show as the result of tests.

Every finding is a failed test, named by its rule, in a suite named by its file; of several with one
name GitLab would keep the first, so they are numbered. What could not be analysed, and what the
tool could not do, are errors; that no handler was found is a skipped test. A run with nothing to
say is one test that passed. Nothing in it depends on the time, which readers take for zero.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from lambda_lint.finding import Finding
from lambda_lint.reporters.run import Look, Run
from lambda_lint.reporters.safe_text import visible
from lambda_lint.reporters.statistics import listed, summary_line

FAILED = "LMB900"
"""The code of a file that could not be analysed."""

HANDLERS = 5
"""How many handlers of a finding are named."""

OURS = "lambda-lint"
"""The suite of what belongs to no file."""


def render(run: Run, _look: Look) -> str:
    """Return the run as an XML document in ASCII.

    Names are what they are, as far as XML can say it; its illegal characters (most controls,
    U+FFFE, U+FFFF, and surrogates) are written as visible escapes.
    """
    root = Element("testsuites", name=OURS)
    ours = [_of_error(error, number) for number, error in enumerate(run.errors, 1)]
    if not run.summary.handlers:
        ours.append(_of_no_handler(run))
    elif not run.errors and not run.findings:
        ours.append(Element("testcase", name=summary_line(run), classname=OURS))
    if ours:
        _add_suite(root, OURS, ours)
    for path, findings in groupby(run.findings, key=lambda finding: finding.path):
        _add_suite(root, _legal(path), _cases(list(findings)))
    _count(root)
    ElementTree.indent(root)
    return _finished(ElementTree.tostring(root, encoding="us-ascii", xml_declaration=False))


def _cases(findings: Sequence[Finding]) -> list[Element]:
    seen: Counter[str] = Counter()
    cases: list[Element] = []
    for finding in findings:
        seen[finding.code] += 1
        name = f"{finding.code} {finding.rule}"
        if seen[finding.code] > 1:
            name += f" ({seen[finding.code]})"
        path = _legal(finding.path)
        case = Element("testcase", name=_legal(name), classname=path, file=path)
        case.set("line", str(finding.span.line))
        case.set("column", str(finding.span.column))
        tag = "error" if finding.code == FAILED else "failure"
        outcome = SubElement(case, tag, message=visible(finding.message))
        outcome.set("type", finding.severity.value)
        outcome.text = _legal(_text(finding))
        cases.append(case)
    return cases


def _text(finding: Finding) -> str:
    """Return what GitLab shows, which does not look at the attribute `message`."""
    place = f"{finding.path}:{finding.span.line}:{finding.span.column}"
    lines = [visible(f"{place}: {finding.code} {finding.message}")]
    if finding.handlers:
        lines.append(f"reached from {visible(listed(finding.handlers, HANDLERS))}")
    lines += [
        visible(f"{number}. {step.path}:{step.span.line}: {step.message}")
        for number, step in enumerate(finding.witness, 1)
    ]
    help_lines = [visible(line.expandtabs(4)) for line in finding.help.splitlines()]
    if help_lines:
        lines += [f"help: {help_lines[0]}", *help_lines[1:]]
    return "\n".join(lines)


def _of_error(error: str, number: int) -> Element:
    case = Element("testcase", name=f"error {number}", classname=OURS)
    outcome = SubElement(case, "error", message=visible(error), type="error")
    outcome.text = _legal(visible(error))
    return case


def _of_no_handler(run: Run) -> Element:
    case = Element("testcase", name="handlers", classname=OURS)
    SubElement(case, "skipped", message=summary_line(run)).text = summary_line(run)
    return case


def _add_suite(root: Element, name: str, cases: Sequence[Element]) -> None:
    SubElement(root, "testsuite", name=name).extend(cases)


def _count(root: Element) -> None:
    for element in (*root, root):
        for name, found in (
            ("tests", element.iter("testcase")),
            ("failures", element.iter("failure")),
            ("errors", element.iter("error")),
            ("skipped", element.iter("skipped")),
        ):
            element.set(name, str(sum(1 for _ in found)))


def _legal(text: str) -> str:
    return _ILLEGAL.sub(lambda found: visible(found.group()), text)


# All but the characters of XML 1.0, section 2.2.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _finished(document: bytes) -> str:
    text = document.decode("ascii")
    # A reader would take a bare carriage return for a line feed, and a terminal would obey it.
    for character in "\t\r\x7f":
        text = text.replace(character, f"&#{ord(character)};")
    # The runner of GitHub Actions obeys these wherever they are printed.
    text = text.replace("##[", "#&#35;[")
    text = re.sub(r"(?m)^(\s*)::", r"\1&#58;:", text)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'

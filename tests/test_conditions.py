"""How a finding speaks of a call that invocations may pass by, and what its fix dares to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_lint.engine import lint
from lambda_lint.finding import Finding
from lambda_lint.registry import BUILTIN, load_rules
from lambda_lint.settings import Settings
from lambda_lint.source import Source

RULES = load_rules([BUILTIN])

ALWAYS = "on every invocation"
HERE = "each time an invocation gets here"
ITEMS = "for every item of a loop"
LOOP = "each time a loop gets here"

MAKE = "    sqs = boto3.client('sqs')\n    return sqs.list_queues()\n"

SAID = {
    "in the body": (MAKE, ALWAYS, True),
    "after a return in a branch": (
        f"    if event['warm']:\n        return None\n{MAKE}",
        HERE,
        False,
    ),
    "after a check that raises": (
        f"    if 'id' not in event:\n        raise ValueError(event)\n{MAKE}",
        HERE,
        False,
    ),
    "after a return in a loop": (
        f"    for one in event['all']:\n        if one:\n            return one\n{MAKE}",
        HERE,
        False,
    ),
    "after a failure that is answered": (
        f"    try:\n        print(event)\n    except OSError:\n        return None\n{MAKE}",
        ALWAYS,
        True,
    ),
    "after a loop that skips items": (
        f"    for one in event['all']:\n        if one:\n            continue\n{MAKE}",
        ALWAYS,
        True,
    ),
    "after a return of a function inside": (
        f"    def inner():\n        return event\n{MAKE}",
        ALWAYS,
        True,
    ),
    "after a branch that a constant closes": (
        f"    if OFF:\n        return None\n{MAKE}",
        ALWAYS,
        True,
    ),
    "behind a call that a branch decides over": (
        "    if event['more']:\n        more()\n    return None\n\ndef more():\n"
        "    s3 = boto3.client('s3')\n    return s3.list_buckets()\n",
        HERE,
        False,
    ),
    "in a branch that a constant opens": (
        "    if not OFF:\n        sqs = boto3.client('sqs')\n        return sqs.list_queues()\n",
        ALWAYS,
        False,
    ),
    "for items that are given, in the branch for callers that give none": (
        "    for one in event['all']:\n        queue(one)\n    queue()\n\ndef queue(name=None):\n"
        "    if name:\n        return name\n    else:\n        return boto3.client('sqs')\n",
        LOOP,
        False,
    ),
    "for every item": (
        "    for one in event['all']:\n        boto3.client('sqs').list_queues()\n",
        ITEMS,
        False,
    ),
    "for some items": (
        "    for one in event['all']:\n        if one == 'a':\n            print(one)\n"
        "        elif one == 'b':\n            boto3.client('sqs').list_queues()\n",
        LOOP,
        False,
    ),
    "for items that are not skipped": (
        "    for one in event['all']:\n        if not one:\n            continue\n"
        "        boto3.client('sqs').list_queues()\n",
        LOOP,
        False,
    ),
    "for every item, unless it were given": (
        "    for one in event['all']:\n        make()\n\ndef make(client=None):\n"
        "    return client or boto3.client('sqs')\n",
        ITEMS,
        False,
    ),
    "for some items, in a function": (
        "    for one in event['all']:\n        some(one)\n\ndef some(one):\n"
        "    if one:\n        boto3.client('sqs').list_queues()\n",
        LOOP,
        False,
    ),
}


def only_finding(body: str, **files: str) -> Finding:
    text = f"import boto3\n\nOFF = False\n\ndef lambda_handler(event, context):\n{body}"
    sources = {"app.py": Source("app.py", text.encode())}
    for name, content in files.items():
        path = f"tests/test_{name}.py"
        sources[path] = Source(path, content.encode())
    (found,) = lint(sources, Settings(root=Path("/project")), RULES).findings
    return found


@pytest.mark.parametrize(("body", "wording", "safe"), SAID.values(), ids=SAID)
def test_wording_and_safety(body: str, wording: str, safe: bool) -> None:
    found = only_finding(body)
    assert found.message.endswith(wording)
    assert found.severity.name == ("ERROR" if wording == ITEMS else "WARNING")
    assert (found.fix is not None and found.fix.safe) is safe


@pytest.mark.parametrize(
    "test",
    [
        "import sys\nsys.modules['boto3'] = Mock()\napp = __import__('app')\n",
        'with patch.dict("sys.modules", boto3=Mock()):\n    import app\n',
        "@mock_aws\ndef test(): ...\nfrom moto import mock_aws\n",
    ],
)
def test_fix_is_not_safe_where_tests_replace_the_sdk(test: str) -> None:
    found = only_finding(MAKE, app=test)
    assert found.fix is not None
    assert not found.fix.safe


def test_region_needs_no_session() -> None:
    found = only_finding("    return boto3.session.Session().region_name\n")
    assert found.help is not None
    assert "AWS_REGION" in found.help


@pytest.mark.parametrize(
    ("body", "advice"),
    {
        "its name": (
            "    with tempfile.NamedTemporaryFile(delete=False) as f:\n"
            "        f.write(b'')\n    return f.name\n",
            "unlink",
        ),
        "a name for its name": (
            "    f = tempfile.NamedTemporaryFile(delete=False)\n    path = f.name\n"
            "    return path\n",
            "unlink",
        ),
        "a path that mkstemp gave": (
            "    number, path = tempfile.mkstemp()\n    return path\n",
            "unlink",
        ),
        "a folder": ("    return tempfile.mkdtemp()\n", "rmtree"),
        "a path with the event in it": (
            "    path = f'/tmp/{key}'\n    with open(path, 'w') as f:\n"
            "        f.write('')\n    return path\n",
            "unlink",
        ),
        "something else": (
            "    with tempfile.NamedTemporaryFile(delete=False) as f:\n"
            "        return f.write(b'')\n",
            "NamedTemporaryFile",
        ),
    }.values(),
)
def test_a_file_whose_path_callers_get_is_removed_by_them(body: str, advice: str) -> None:
    text = (
        f"import tempfile\n\ndef fetch(key):\n{body}\n"
        "def lambda_handler(event, context):\n    return len(open(fetch(event['key'])).read())\n"
    )
    result = lint({"app.py": Source("app.py", text.encode())}, Settings(root=Path()), RULES)
    (found,) = [one for one in result.findings if one.code == "LMB701"]
    assert found.help is not None
    assert advice in found.help
    assert ("finally" in found.help) is (advice != "NamedTemporaryFile")

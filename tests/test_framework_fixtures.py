"""The fixture application of each framework: who is its handler, why, and how a route is reached.

What is said of the lines is in their marks, see `test_fixtures.py`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from lambda_lint import engine
from lambda_lint.discovery import discover
from lambda_lint.finding import Severity
from lambda_lint.registry import BUILTIN, load_rules
from lambda_lint.settings import Settings

ROOT = Path(__file__).resolve().parent.parent / "fixtures" / "frameworks"

HANDLERS = [
    # application, handler, what is among its evidence
    ("alexa", "lambda_function.py:lambda_handler", "made by `lambda_handler`"),
    ("alexa", "decorated/lambda_function.py:handler", "calls `lambda_handler()`"),
    ("chalice", "app.py:app", "is a Chalice application"),
    ("chalice", "app.py:authorise", "`authorise` is called by the Chalice application"),
    ("chalice", "app.py:scanned", "`scanned` is called by the Chalice application"),
    ("chalice", "chalicelib/catalogue.py:changed", "is called by the Chalice application"),
    ("chalice", "chalicelib/admin.py:remind", "is called by the Chalice application"),
    ("class-handlers", "functions/orders.py:handler", "assigned to a module variable"),
    ("class-handlers", "functions/orders.py:lambda_handler", "takes `(event, context)`"),
    ("class-handlers", "functions/invoices.py:lambda_handler", "assigned to a module variable"),
    ("class-handlers", "functions/report.py:report_handler", "assigned to a module variable"),
    ("concurrency", "functions/async_app.py:handler", "takes `(event, context)`"),
    ("custom-resources", "helper/app.py:lambda_handler", "calls `CfnResource()`"),
    ("custom-resources", "inline/index.py:handler", "calls `send`"),
    ("custom-resources", "provider/index.py:on_event", "takes `(event, context)`"),
    ("dispatch", "functions/router/app.py:lambda_handler", "takes `(event, context)`"),
    ("django", "lambda_handler.py:handler", "calls `handle_request`"),
    ("django", "apig_handler.py:lambda_handler", "made by `make_lambda_handler`"),
    ("django", "shop/asgi.py:handler", "made by `Mangum`"),
    ("fastapi", "app/main.py:handler", "made by `Mangum`"),
    ("flask", "site_handler.py:lambda_handler", "calls `handle_request`"),
    ("flask", "api_handler.py:handler", "made by `make_lambda_handler`"),
    ("flask", "hooks_handler.py:handle", "calls `response`"),
    ("graphql", "bindable/app.py:lambda_handler", "calls `graphql_sync`"),
    ("graphql", "typed/app.py:handler", "made by `Mangum`"),
    ("graphql", "named/app.py:handler", "takes `(event, context)`"),
    ("line", "app.py:lambda_handler", "is named `lambda_handler`"),
    ("middleware", "handlers/users.py:create_handler", "has the decorator `cors_headers`"),
    ("middleware", "handlers/users.py:list_handler", "assigned to a module variable"),
    ("middleware", "handlers/users.py:staff_handler", "takes `(event, context)`"),
    ("powertools-agents", "appsync/app.py:lambda_handler", "calls `resolve`"),
    ("powertools-agents", "agent/app.py:lambda_handler", "calls `resolve`"),
    ("powertools-agents", "tools/app.py:lambda_handler", "calls `resolve`"),
    ("powertools-batch", "functions/orders/app.py:lambda_handler", "process_partial_response"),
    ("powertools-batch", "functions/stream/app.py:lambda_handler", "async_process_partial"),
    ("powertools-batch", "functions/context/app.py:fifo_handler", "decorator `event_source`"),
    ("powertools-batch", "functions/decorated/app.py:lambda_handler", "`batch_processor`"),
    ("powertools-batch", "functions/decorated/app.py:parsed_handler", "`event_parser`"),
    ("powertools-http", "functions/http/app.py:lambda_handler", "calls `resolve`"),
    ("powertools-http", "functions/balanced/app.py:lambda_handler", "calls `resolve`"),
    ("powertools-http", "functions/url/main.py:handler", "is a Powertools application"),
    ("powertools-rest", "service/handlers/create_order.py:lambda_handler", "calls `resolve`"),
    ("slack-bolt", "app.py:handler", "calls `handle`"),
    ("starlette", "asgi.py:handler", "made by `Mangum`"),
    ("state-machine", "functions/buyer/app.py:lambda_handler", "annotated Lambda context"),
    ("state-machine", "functions/approver/app.py:main", "annotated Lambda context"),
    ("telegram", "bot/main.py:lambda_handler", "is named `lambda_handler`"),
    ("telegram", "older/handler.py:webhook", "takes `(event, context)`"),
]

WITNESSES = [
    # application, where the finding is, the text of the line, a step of its witness
    ("alexa", "stock.py", '"sqs"', "is called by the Alexa skill application"),
    ("chalice", "chalicelib/search.py", '"sns"', "is called by the Chalice application"),
    ("custom-resources", "helper/buckets.py", '"cloudfront"', "by the custom resource"),
    ("django", "orders/invoices.py", '"unpaid"', "is called by the Django application"),
    ("django", "shop/tracing.py", '"xray"', "`process_request` is called by the Django"),
    ("django", "catalogue/serializers.py", '"rekognition"', "`validate` is called by the Django"),
    ("fastapi", "app/core/crud.py", '"cognito-idp"', "is called by the FastAPI application"),
    ("fastapi", "app/api/deps.py", '"ssm"', "`__init__` is a dependency of routes"),
    ("flask", "flaskr/auth.py", 'client("sqs")', "`load_logged_in_user` is called by the Flask"),
    ("flask", "flaskr/pages.py", '"cloudfront"', "`put` is called by the Flask application"),
    ("graphql", "typed/books.py", '"sqs"', "`lend` is called by the GraphQL application"),
    ("graphql", "named/mutations.py", '"sns"', "`mutate` is called by the GraphQL application"),
    ("line", "bot/postbacks.py", '"cloudwatch"', "is called by the LINE bot application"),
    (
        "powertools-agents",
        "agent/documents.py",
        'client("s3").put',
        "by the Powertools application",
    ),
    (
        "powertools-http",
        "functions/url/queue_client.py",
        'return boto3.client("sqs")  #',
        "`accept`",
    ),
    ("powertools-rest", "service/dal/orders.py", '"sqs"', "by the Powertools application"),
    ("slack-bolt", "listeners/store.py", '"s3"', "is called by the Slack Bolt application"),
    ("starlette", "pages/letters.py", '"workmail"', "`get` is called by the Starlette application"),
    ("telegram", "bot/storage.py", '"sqs"', "`pressed` is called by the Telegram bot application"),
]


@cache
def linted(application: str) -> engine.Result:
    root = ROOT / application
    found = discover(Settings(root=root))
    return engine.lint(found.sources, Settings(root=root), load_rules([BUILTIN]))


@pytest.mark.parametrize(("application", "handler", "evidence"), HANDLERS)
def test_the_handler_is_known_by_its_evidence(
    application: str, handler: str, evidence: str
) -> None:
    known = {one.label: one.evidence for one in linted(application).project.handlers}
    assert handler in known, f"missed: {sorted(known)}"
    assert any(evidence in one for one in known[handler]), known[handler]


@pytest.mark.parametrize(("application", "path", "text", "step"), WITNESSES)
def test_the_witness_goes_through_the_framework(
    application: str, path: str, text: str, step: str
) -> None:
    lines = (ROOT / application / path).read_text(encoding="utf-8").split("\n")
    (line,) = (number for number, one in enumerate(lines, 1) if text in one)
    steps = [
        one.message
        for finding in linted(application).findings
        if (finding.path, finding.span.line) == (path, line)
        for one in finding.witness
    ]
    assert any(step in one for one in steps), steps


def test_custom_resources_are_information() -> None:
    """Somebody who changes a stack waits for minutes anyway."""
    loud = [
        f"{one.path}:{one.span.line}"
        for one in linted("custom-resources").findings
        if one.severity is not Severity.INFO
    ]
    assert loud == []


def test_every_application_is_asked_for_its_handlers() -> None:
    assert {path.name for path in ROOT.iterdir() if path.is_dir()} == {one[0] for one in HANDLERS}

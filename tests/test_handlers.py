"""Which functions are handlers, under which name, and which of them answer CloudFormation."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from lambda_lint import engine
from lambda_lint.model.entries import Handler
from lambda_lint.model.routes import is_test_path
from lambda_lint.settings import Settings
from lambda_lint.source import Source


def handlers(files: dict[str, str]) -> list[Handler]:
    sources = {path: Source(path, dedent(text).encode()) for path, text in files.items()}
    return engine.lint(sources, Settings(root=Path("/nowhere")), ()).project.handlers


CHALICE = """
    from chalice import Chalice
    class OurChalice(Chalice):
        def __call__(self, event, context):
            return super().__call__(event, context)
"""

# Why, the files, and the labels of the handlers that there are.
TABLE: list[tuple[str, dict[str, str], set[str]]] = [
    (
        "a helper that uses the context is called by the handler",
        {
            "securityhub.py": """
            def send_findings(findings, context):
                print(context.aws_request_id, findings)
            def lambda_handler(event, context):
                send_findings(event["findings"], context)
            """
        },
        {"securityhub.py:lambda_handler"},
    ),
    (
        "a handler that hands its event and context to those of its folder",
        {
            "content/handler.py": """
            def handler(event, context):
                if event["httpMethod"] == "GET":
                    from get import handler as get_handler
                    return get_handler(event, context)
                from create import handler as create_handler
                return create_handler({"body": event["body"]}, context)
            """,
            "content/get.py": "def handler(event, context):\n    return event",
            "content/create.py": "def handler(event, context):\n    return event",
        },
        {"content/handler.py:handler", "content/create.py:handler"},
    ),
    (
        "the only handler of a project is in a file that is called like a test",
        {
            "test.py": """
            import boto3
            def lambda_handler(event, context):
                return boto3.client("s3").list_buckets()
            """,
            "chrome.py": "OPTIONS = []",
        },
        {"test.py:lambda_handler"},
    ),
    (
        "a handler in a test beside that of the function",
        {
            "test.py": "def lambda_handler(event, context):\n    return event",
            "tests/test.py": "def lambda_handler(event, context):\n    return event",
            "app.py": "def lambda_handler(event, context):\n    return event",
        },
        {"app.py:lambda_handler"},
    ),
    (
        "a helper with a handler's name is called by a handler of another module",
        {
            "work.py": """
            def order_handler(event, context):
                return context.function_name
            """,
            "app.py": """
            from work import order_handler
            def lambda_handler(event, context):
                return order_handler(event, context)
            """,
        },
        {"app.py:lambda_handler"},
    ),
    (
        "a helper that an executor runs",
        {
            "app.py": """
            from concurrent.futures import ThreadPoolExecutor
            def one_handler(event, context):
                return context.aws_request_id
            def lambda_handler(event, context):
                with ThreadPoolExecutor() as pool:
                    pool.submit(one_handler, event, context)
            """
        },
        {"app.py:lambda_handler"},
    ),
    (
        "two functions are deployed, and one hands its records to the other",
        {
            "star.py": """
            def sqs_handler(event, context):
                return [handler(one, context) for one in event["Records"]]
            def handler(event, context):
                return event
            """
        },
        {"star.py:sqs_handler", "star.py:handler"},
    ),
    (
        "a library's decorator says so, whoever else calls it",
        {
            "app.py": """
            from aws_lambda_powertools import Logger
            logger = Logger()
            @logger.inject_lambda_context
            def nightly(event, context):
                return event
            def lambda_handler(event, context):
                return nightly(event, context)
            """
        },
        {"app.py:nightly", "app.py:lambda_handler"},
    ),
    (
        "called below `__main__`, with a third parameter that has a default",
        {
            "job.py": """
            def create_order(event, context, dry_run=False):
                return event
            if __name__ == "__main__":
                create_order({}, None, dry_run=True)
            """
        },
        {"job.py:create_order"},
    ),
    (
        "called by a function that `__main__` calls, and by one that nobody calls",
        {
            "job.py": """
            def create_order(event, context=None):
                return event
            def example():
                create_order({"id": 1})
            def main():
                create_order({"id": 2})
            if __name__ == "__main__":
                main()
            """
        },
        {"job.py:create_order"},
    ),
    (
        "called with a context that is made up: by a server for trying it out, and by tests",
        {
            "job.py": """
            def create_order(event, context):
                return event
            """,
            "server.py": """
            from flask import Flask
            from job import create_order
            app = Flask(__name__)
            @app.route("/")
            def index():
                return create_order({}, None)
            """,
            "tests/test_job.py": """
            from job import create_order
            def test_job(event, context):
                create_order(event, context)
            """,
        },
        {"job.py:create_order"},
    ),
    (
        "calls itself",
        {
            "job.py": """
            def drain(event, context):
                if event["more"]:
                    return drain(event["more"], context)
            """
        },
        {"job.py:drain"},
    ),
    (
        "a helper of a handler that a module tries out by hand",
        {
            "search.py": """
            def search_handler(event, context):
                return search(event, context)
            def search(event, context):
                return event
            if __name__ == "__main__":
                search({}, object())
                search_handler({}, None)
            """
        },
        {"search.py:search_handler"},
    ),
    (
        "a route of Chalice is called by Chalice",
        {
            "app.py": """
            from chalice import Chalice
            app = Chalice(app_name="x")
            @app.route("/{platform}/{bot_name}", methods=["POST"])
            def webhook_handler(platform, bot_name):
                return {}
            """
        },
        {"app.py:app"},
    ),
    (
        "Chalice deploys what it schedules and what authorises as functions of their own",
        {
            "app.py": """
            from chalice import Chalice
            app = Chalice(app_name="x")
            @app.route("/")
            def index():
                return {}
            @app.schedule("rate(1 hour)")
            def sweep(event):
                return {}
            @app.authorizer()
            def authorise(request):
                return {}
            @app.lambda_function()
            def pure(event, context):
                return {}
            """
        },
        {"app.py:app", "app.py:sweep", "app.py:authorise", "app.py:pure"},
    ),
    (
        "an application without routes is not deployed beside its functions",
        {
            "app.py": """
            from chalice import Chalice
            app = Chalice(app_name="x")
            @app.schedule("rate(1 hour)")
            def sweep(event):
                return {}
            """
        },
        {"app.py:sweep"},
    ),
    (
        "a decorator of a library gives the handler more than it gets itself",
        {
            "metrics.py": """
            from aws_embedded_metrics import metric_scope
            @metric_scope
            def lambda_handler(event, context, metrics):
                return {}
            @metric_scope
            def count(name, value, metrics):
                return {}
            """
        },
        {"metrics.py:lambda_handler"},
    ),
    (
        "a middleware of Powertools is given the handler, and is none",
        {
            "app.py": """
            from aws_lambda_powertools.middleware_factory import lambda_handler_decorator
            @lambda_handler_decorator
            def audited(handler, event, context):
                return handler(event, context)
            @audited
            def nightly(event, context):
                return {}
            """
        },
        {"app.py:nightly"},
    ),
    (
        "a request that a library answers for CloudFormation",
        {
            "provider.py": """
            from cfn_resource_provider import ResourceProvider
            class User(ResourceProvider):
                def create(self):
                    return None
            provider = User()
            def handler(request, context):
                return provider.handle(request, context)
            """
        },
        {"provider.py:handler"},
    ),
    (
        "three applications of one class of the project",
        {
            "web.py": CHALICE,
            **{
                f"lambdas/{name}/app.py": """
                from web import OurChalice
                app = OurChalice("x")
                @app.route("/")
                def index():
                    return {}
                """
                for name in ("indexer", "service", "layer")
            },
        },
        {f"lambdas/{name}/app.py:app" for name in ("indexer", "service", "layer")},
    ),
    (
        "crhelper calls what is registered on it, and the function in front of it is the handler",
        {
            "resource.py": """
            from crhelper import CfnResource
            helper = CfnResource()
            @helper.create
            @helper.update
            def create_handler(event, context):
                print(context.invoked_function_arn)
            def lambda_handler(event, context):
                helper(event, context)
            """
        },
        {"resource.py:lambda_handler"},
    ),
    (
        "a resolver is no handler when a function stands in front of it",
        {
            "index.py": """
            from aws_lambda_powertools.event_handler import APIGatewayRestResolver
            app = APIGatewayRestResolver()
            @app.get("/")
            def index():
                return {}
            def lambda_handler(event, context):
                return app.resolve(event, context)
            """
        },
        {"index.py:lambda_handler"},
    ),
    (
        "what an adapter or a wrapper is put around is not deployed",
        {
            "app.py": """
            import sentry_sdk.integrations.serverless as sentry
            def traced(function):
                def wrapper(event, context):
                    return function(event, context)
                return wrapper
            def work(event, context):
                return event
            def other(event, context):
                return event
            first = traced(work)
            second = sentry.serverless_function(other)
            """
        },
        {"app.py:first", "app.py:second"},
    ),
    (
        "functions of a command line whose parameters are not an event and a context",
        {
            "cli/handler.py": """
            def _create_alarm_handler(options, config):
                return options
            def alarm_handler(options, config):
                return options
            def _alarm(event, context):
                return event
            """
        },
        set(),
    ),
    (
        "a decorator of the project takes the event, and gives the handler one thing more",
        {
            "auth.py": """
            import functools
            def auth_required(function):
                @functools.wraps(function)
                def wrapper(event, context):
                    return function(event, context, auth=event["headers"])
                return wrapper
            """,
            "app.py": """
            from auth import auth_required
            @auth_required
            def lambda_handler(event, context, auth):
                return auth
            def helper(event, context, auth):
                return auth
            """,
        },
        {"app.py:lambda_handler"},
    ),
    (
        "a router of the project calls what is kept in it",
        {
            "router.py": """
            class Router:
                def __init__(self):
                    self.routes = {}
                def attach(self, path):
                    def decorator(function):
                        self.routes[path] = function
                        return function
                    return decorator
                def handle(self, event, context):
                    return self.routes[event["path"]](event, context)
            """,
            "app.py": """
            from router import Router
            router = Router()
            @router.attach("/users")
            def users(event, context):
                return {}
            def lambda_handler(event, context):
                return router.handle(event, context)
            """,
        },
        {"app.py:lambda_handler"},
    ),
    (
        "a registry that no handler was seen to use leaves the function a handler",
        {
            "app.py": """
            KNOWN = []
            def deployed(function):
                KNOWN.append(function)
                return function
            @deployed
            def users(event, context):
                return {}
            """
        },
        {"app.py:users"},
    ),
]


@pytest.mark.parametrize(
    ("files", "expected"), [pytest.param(files, labels, id=why) for why, files, labels in TABLE]
)
def test_handlers(files: dict[str, str], expected: set[str]) -> None:
    assert {one.label for one in handlers(files)} == expected


def test_evidence_is_said_once() -> None:
    files = {
        "app.py": """
        from aws_lambda_powertools.utilities.data_classes import SQSEvent
        from aws_lambda_powertools.utilities.typing import LambdaContext
        def lambda_handler(event: SQSEvent, context: LambdaContext):
            return context.aws_request_id, context.function_name
        """
    }
    assert [one.evidence for one in handlers(files)] == [
        (
            "takes an annotated Lambda event",
            "takes an annotated Lambda context",
            "takes `(event, context)`",
            "uses `context.aws_request_id`",
            "is named `lambda_handler`",
        )
    ]


# Why, the module, and whether its `lambda_handler` answers CloudFormation.
CUSTOM_RESOURCES: list[tuple[str, str, bool]] = [
    (
        "the handler reads the kind of the request",
        """
        def lambda_handler(event, context):
            return {} if event["RequestType"] == "Delete" else event
        """,
        True,
    ),
    (
        "a function of the module that it calls reads it, under another name",
        """
        def act(request):
            return request.get("RequestType")
        def lambda_handler(event, context):
            return act(event)
        """,
        True,
    ),
    (
        "the handler polls for CloudFormation: only such events have the properties",
        """
        def lambda_handler(event, context):
            return event["ResourceProperties"]["Table"]
        """,
        True,
    ),
    (
        "asks whether the event is such a request",
        """
        def lambda_handler(event, context):
            return "ResponseURL" in event
        """,
        True,
    ),
    (
        "sends the answer with cfnresponse",
        """
        import cfnresponse
        def lambda_handler(event, context):
            cfnresponse.send(event, context, cfnresponse.SUCCESS, {})
        """,
        True,
    ),
    (
        "hands the event to crhelper",
        """
        from crhelper import CfnResource
        helper = CfnResource()
        def lambda_handler(event, context):
            helper(event, context)
        """,
        True,
    ),
    (
        "the resources of a stack have such keys too",
        """
        import boto3
        def lambda_handler(event, context):
            found = boto3.client("cloudformation").describe_stack_resources(StackName="s")
            return [one["PhysicalResourceId"] for one in found["StackResources"]]
        """,
        False,
    ),
    (
        "a class beside it, which it does not use, serves custom resources",
        """
        import cfnresponse
        class Resource:
            def act(self, event):
                cfnresponse.send(event, None, "SUCCESS", {})
                return event["ResourceProperties"], event["RequestType"]
        def lambda_handler(event, context):
            return event
        """,
        False,
    ),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [pytest.param(text, is_one, id=why) for why, text, is_one in CUSTOM_RESOURCES],
)
def test_custom_resources(text: str, expected: bool) -> None:
    (handler,) = handlers({"app.py": text})
    assert handler.custom_resource is expected


INHERITED = """
    class Resource:
        def __init__(self, event):
            self.event = event
        @property
        def url(self):
            return self.event.get("{key}")
        def act(self):
            return self.url
    """


@pytest.mark.parametrize(
    ("key", "own", "expected"),
    [
        pytest.param("ResponseURL", True, True, id="an inherited method knows where to answer"),
        pytest.param("RequestType", True, False, id="objects keep other requests with a type too"),
        pytest.param("ResponseURL", False, False, id="a helper that others use as well"),
    ],
)
def test_inherited_custom_resources(key: str, own: bool, expected: bool) -> None:
    app = """
        from resource_base import Resource
        class Own(Resource):
            pass
        def lambda_handler(event, context):
            return Own(event).act()
        """
    if not own:
        app = app.replace("class Own(Resource):\n            pass", "Own = Resource")
    (handler,) = handlers({"app.py": app, "resource_base.py": INHERITED.format(key=key)})
    assert handler.custom_resource is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("src/test.py", True),
        ("tests.py", True),
        ("src/handler_tests.py", True),
        ("src/handler_test.py", True),
        ("src/HANDLER_TEST.py", True),
        ("src/test_handler.py", True),
        ("tests/unit/handler.py", True),
        ("conftest.py", True),
        ("src/contest.py", False),
        ("src/latest.py", False),
        ("src/testimonials.py", False),
        ("attests/handler.py", False),
    ],
)
def test_files_of_tests(path: str, expected: bool) -> None:
    assert is_test_path(path) is expected


UNKNOWN = """
    from somewhere import made
    handler = made.handler()
    def work(event, context):
        return event
    renamed = work
    def twice(event, context):
        return 1
    def twice(event, context):
        return 2
    class Jobs:
        def run(self, event, context):
            return event
    job = Jobs().run
"""


@pytest.mark.parametrize(
    ("name", "line"),
    [
        pytest.param("work", 4, id="a function"),
        pytest.param("renamed", 4, id="another name for a function"),
        pytest.param("twice", 9, id="the last of two definitions"),
        pytest.param("Jobs.run", 12, id="a method"),
        pytest.param("job", 12, id="a method in a variable"),
    ],
)
def test_configured_handler_is_found(name: str, line: int) -> None:
    sources = {"app.py": Source("app.py", dedent(UNKNOWN).encode())}
    settings = Settings(root=Path("/nowhere"), handlers=(f"app.py:{name}",))
    result = engine.lint(sources, settings, ())
    assert result.errors == ()
    (handler,) = [one for one in result.project.handlers if one.name == name]
    assert handler.entries[-1].function.name_span.line == line


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        pytest.param("app.py:handler", "what app.py keeps as 'handler' is not known", id="unknown"),
        pytest.param("app.py:other", "app.py defines no 'other'", id="not there"),
        pytest.param("lib.py:handler", "the project has no analysed file 'lib.py'", id="no file"),
    ],
)
def test_configured_handler_that_cannot_be_followed(entry: str, said: str) -> None:
    sources = {"app.py": Source("app.py", dedent(UNKNOWN).encode())}
    settings = Settings(root=Path("/nowhere"), handlers=(entry,))
    (error,) = engine.lint(sources, settings, ()).errors
    assert said in error

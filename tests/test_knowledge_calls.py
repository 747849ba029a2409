"""What is known about memoising decorators, runners of callables, handlers and frameworks."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from lambda_lint.model.knowledge import Knowledge, NameEvidence

KNOWN = Knowledge.load()


class TestCaches:
    @pytest.mark.parametrize(
        ("name", "per", "keyed", "bound"),
        [
            ("functools.cache", "function", True, None),
            ("functools.lru_cache", "function", True, 128),
            ("functools.cached_property", "instance", False, None),
            ("werkzeug.utils.cached_property", "instance", False, None),
            ("django.utils.functional.cached_property", "instance", False, None),
            ("async_lru.alru_cache", "function", True, 128),
            ("cachetools.cached", "function", True, None),
            ("cachetools.cachedmethod", "instance", True, None),
            ("cachetools.func.ttl_cache", "function", True, 128),
            ("methodtools.lru_cache", "instance", True, 128),
            ("aiocache.cached", "function", True, None),
            ("cachier.cachier", "function", True, None),
            ("joblib.Memory().cache", "function", True, None),
            ("diskcache.Cache().memoize", "function", True, None),
        ],
    )
    def test_decorators(self, name: str, per: str, keyed: bool, bound: int | None) -> None:
        found = KNOWN.cache_decorator(name)
        assert found is not None, f"false alarm: {name} is a guard"
        assert (found.per, found.keyed, found.bound) == (per, keyed, bound)

    @pytest.mark.parametrize(
        "name",
        [
            "functools.wraps",
            "functools.partial",
            "property",
            "tenacity.retry",
            "cachetools.TTLCache",
            "pydantic.computed_field",
            "aws_secretsmanager_caching.InjectSecretString",
            "my.cache",
        ],
    )
    def test_decorators_that_remember_nothing(self, name: str) -> None:
        assert KNOWN.cache_decorator(name) is None, f"missed alarm: {name} is no guard"

    @pytest.mark.parametrize(
        ("name", "form", "argument"),
        [
            ("dependency_injector.providers.Singleton", "call", 0),
            ("dependency_injector.providers.ThreadSafeSingleton", "call", 0),
            ("dependency_injector.providers.Resource", "call", 0),
            ("injector.singleton", "decorator", None),
            ("lagom.Singleton", "call", 0),
            ("kink.di", "item", None),
        ],
    )
    def test_containers(self, name: str, form: str, argument: int | None) -> None:
        found = KNOWN.container(name)
        assert found is not None
        assert (found.form, found.factory_argument) == (form, argument)

    @pytest.mark.parametrize(
        "name", ["dependency_injector.providers.Factory", "dependency_injector.providers.Callable"]
    )
    def test_providers_that_make_a_new_object_each_time(self, name: str) -> None:
        assert KNOWN.container(name) is None, f"missed alarm: {name} is no guard"


class TestRunners:
    @pytest.mark.parametrize(
        ("name", "position", "keyword", "when"),
        [
            ("concurrent.futures.ThreadPoolExecutor().submit", 0, "fn", "now"),
            ("concurrent.futures.thread.ThreadPoolExecutor().map", 0, "fn", "now"),
            ("threading.Thread", 1, "target", "now"),
            ("threading.Timer", 1, "function", "now"),
            ("multiprocessing.Process", 1, "target", "now"),
            ("multiprocessing.Pool().map", 0, "func", "now"),
            ("asyncio.run", 0, "main", "now"),
            ("asyncio.create_task", 0, "coro", "now"),
            ("asyncio.to_thread", 0, "func", "now"),
            ("asyncio.get_event_loop().run_until_complete", 0, "coro", "now"),
            ("asyncio.get_running_loop().run_in_executor", 1, "func", "now"),
            ("anyio.run", 0, "func", "now"),
            ("asgiref.sync.async_to_sync", 0, "awaitable", "called"),
            ("functools.partial", 0, "", "called"),
            ("functools.reduce", 0, "key", "now"),
            ("map", 0, "key", "now"),
            ("sorted", None, "key", "now"),
            ("tenacity.Retrying()", 0, "f", "now"),
            ("retry.api.retry_call", 0, "f", "now"),
            ("contextlib.ExitStack().callback", 0, "callback", "now"),
            ("atexit.register", 0, "func", "later"),
            ("signal.signal", 1, "handler", "later"),
            (
                "aws_lambda_powertools.utilities.batch.process_partial_response",
                1,
                "record_handler",
                "now",
            ),
            ("aws_lambda_powertools.utilities.batch.BatchProcessor()", 1, "handler", "now"),
            ("fastapi.Depends", 0, "dependency", "route"),
        ],
    )
    def test_runners(self, name: str, position: int | None, keyword: str, when: str) -> None:
        found = KNOWN.runner(name)
        assert found is not None, f"missed alarm: {name} runs what it is given"
        assert (found.position, found.keyword, found.when) == (position, keyword, when)

    @pytest.mark.parametrize(
        ("name", "key", "value"),
        [
            ("asyncio.run", "loop", "new"),
            ("asyncio.run", "takes", "coroutine"),
            ("asyncio.Runner().run", "loop", "kept"),
            ("asyncio.new_event_loop().run_until_complete", "loop", "kept"),
            ("asyncio.gather", "rest", True),
            ("concurrent.futures.ThreadPoolExecutor().submit", "passes", "rest"),
            ("concurrent.futures.ThreadPoolExecutor().map", "passes", "items"),
            ("aws_lambda_powertools.utilities.batch.process_partial_response", "passes", "records"),
            ("multiprocessing.Process", "where", "process"),
        ],
    )
    def test_particulars(self, name: str, key: str, value: object) -> None:
        assert getattr(KNOWN.runner(name), key) == value

    @pytest.mark.parametrize(
        "name",
        [
            "print",
            "logging.getLogger",
            "concurrent.futures.ThreadPoolExecutor().shutdown",
            "my.pool.submit",
        ],
    )
    def test_calls_that_run_nothing(self, name: str) -> None:
        assert KNOWN.runner(name) is None

    @pytest.mark.parametrize(
        ("name", "only"),
        [
            ("click.command", True),
            ("typer.Typer().command", True),
            ("atexit.register", True),
            ("snapshot_restore_py.register_after_restore", True),
            ("tenacity.retry", False),
            ("functools.wraps", False),
            ("my.decorator", False),
        ],
    )
    def test_decorators_that_only_register(self, name: str, only: bool) -> None:
        assert KNOWN.registers_only(name) is only


class TestHandlers:
    @pytest.mark.parametrize(
        "name",
        [
            "aws_lambda_powertools.Logger().inject_lambda_context",
            "aws_lambda_powertools.Tracer().capture_lambda_handler",
            "aws_lambda_powertools.Metrics().log_metrics",
            "aws_lambda_powertools.utilities.data_classes.event_source",
            "aws_lambda_powertools.utilities.parser.event_parser",
            "aws_lambda_powertools.utilities.validation.validator",
            "aws_lambda_powertools.utilities.idempotency.idempotent",
            "aws_durable_execution_sdk_python.durable_execution",
            "datadog_lambda.wrapper.datadog_lambda_wrapper",
            "epsagon.lambda_wrapper",
            "chalice.Chalice().on_sqs_message",
            "shared.observability.logger.inject_lambda_context",
            "unknown.capture_lambda_handler",
        ],
    )
    def test_decorators_of_handlers(self, name: str) -> None:
        found = KNOWN.handler_decorator(name)
        assert found is not None, f"missed alarm: {name}"
        assert (found.points > 0, found.platform) == (True, "lambda")

    @pytest.mark.parametrize(
        ("name", "platform"),
        [
            ("functions_framework.cloud_event", "google"),
            ("azure.functions.FunctionApp().route", "azure"),
            ("click.command", "other"),
            ("pytest.fixture", "other"),
            ("aiohttp.web.RouteTableDef().get", "web"),
        ],
    )
    def test_decorators_of_something_else(self, name: str, platform: str) -> None:
        found = KNOWN.handler_decorator(name)
        assert found is not None, f"false alarm: {name}"
        assert (found.points < 0, found.platform) == (True, platform)

    @pytest.mark.parametrize(
        "name", ["functools.wraps", "staticmethod", "aws_lambda_powertools.Tracer().capture_method"]
    )
    def test_decorators_that_say_nothing(self, name: str) -> None:
        assert KNOWN.handler_decorator(name) is None

    @pytest.mark.parametrize(
        ("name", "argument", "takes"),
        [
            ("mangum.Mangum", 0, "application"),
            ("apig_wsgi.make_lambda_handler", 0, "application"),
            ("ask_sdk_core.skill_builder.SkillBuilder().lambda_handler", None, "receiver"),
            ("datadog_lambda.wrapper.datadog_lambda_wrapper", 0, "function"),
        ],
    )
    def test_wrappers(self, name: str, argument: int | None, takes: str) -> None:
        found = KNOWN.handler_wrapper(name)
        assert found is not None, f"missed alarm: {name}"
        assert (found.argument, found.takes) == (argument, takes)

    @pytest.mark.parametrize(
        ("name", "event", "context"),
        [
            ("aws_lambda_powertools.event_handler.APIGatewayRestResolver().resolve", 0, 1),
            ("aws_lambda_powertools.event_handler.AppSyncResolver()", 0, 1),
            (
                "aws_lambda_powertools.event_handler.events_appsync.AppSyncEventsResolver().resolve",
                0,
                1,
            ),
            ("aws_lambda_powertools.utilities.batch.process_partial_response", 0, 3),
            ("awsgi.response", 1, 2),
            ("serverless_wsgi.handle_request", 1, 2),
            ("mangum.Mangum()", 0, 1),
            ("slack_bolt.adapter.aws_lambda.SlackRequestHandler().handle", 0, 1),
            ("crhelper.CfnResource()", 0, 1),
        ],
    )
    def test_bodies(self, name: str, event: int, context: int) -> None:
        found = KNOWN.handler_body(name)
        assert found is not None, f"missed alarm: {name}"
        assert (found.event, found.context) == (event, context)

    @pytest.mark.parametrize(
        ("attribute", "points"),
        [
            ("aws_request_id", 3),
            ("get_remaining_time_in_millis", 3),
            ("function_name", 2),
            ("tenant_id", 1),
            ("user", None),
        ],
    )
    def test_attributes_of_the_context(self, attribute: str, points: int | None) -> None:
        found = KNOWN.context_attribute(attribute)
        assert (found.points if found else None) == points

    @pytest.mark.parametrize(
        ("name", "points"),
        [
            ("aws_lambda_powertools.utilities.typing.LambdaContext", 3),
            ("aws_lambda_typing.context.Context", 3),
            ("awslambdaric.lambda_context.LambdaContext", 3),
            ("project.types.LambdaContext", 3),
            ("aws_lambda_powertools.utilities.data_classes.SQSEvent", 2),
            ("aws_lambda_powertools.utilities.data_classes.s3_event.S3Event", 2),
            ("click.Context", None),
            ("telegram.ext.CallbackContext", None),
            ("dict", None),
        ],
    )
    def test_annotations(self, name: str, points: int | None) -> None:
        found = KNOWN.annotation(name)
        assert (found.points if found else None) == points

    @pytest.mark.parametrize(
        ("name", "platform"),
        [
            ("functions_framework", "google"),
            ("azure.functions", "azure"),
            ("azure.functions.HttpRequest", "azure"),
            ("aws_cdk.aws_lambda", "other"),
            ("azure.storage.blob", None),
            ("boto3", None),
        ],
    )
    def test_modules(self, name: str, platform: str | None) -> None:
        found = KNOWN.platform_module(name)
        assert (found.platform if found else None) == platform

    @staticmethod
    def parameter_points(first: str, second: str) -> int:
        return next(
            (
                one.points
                for one in KNOWN.parameter_evidence
                if first in one.first and second in one.second
            ),
            0,
        )

    @pytest.mark.parametrize(
        ("first", "second", "sign"),
        [
            ("event", "context", 1),
            ("event", "_context", 1),
            ("_event", "ctx", 1),
            ("event", "_", 1),
            ("payload", "context", 1),
            ("exc", "context", -1),
            ("request", "exc", -1),
            ("req", "context", -1),
            ("request", "exception", -1),
            ("signum", "frame", -1),
            ("update", "context", -1),
            ("a", "b", 0),
        ],
    )
    def test_parameters_speak_for_or_against(self, first: str, second: str, sign: int) -> None:
        points = self.parameter_points(first, second)
        assert (points > 0) - (points < 0) == sign

    def test_the_documented_names_say_more_than_others(self) -> None:
        assert self.parameter_points("event", "context") > self.parameter_points("payload", "_")

    @staticmethod
    def pattern_points(evidence: tuple[NameEvidence, ...], name: str) -> int:
        return next(
            (
                one.points
                for one in evidence
                if any(fnmatchcase(name, glob) for glob in one.patterns)
            ),
            0,
        )

    @pytest.mark.parametrize(
        ("name", "sign"),
        [
            ("lambda_handler", 1),
            ("handler", 1),
            ("upload_handler", 1),
            ("myHandler", 1),
            ("main", 1),
            ("custom_exception_handler", -1),
            ("handler404", -1),
            ("signal_handler", -1),
            ("sigterm_handler", -1),
            ("process", 0),
        ],
    )
    def test_names_speak_for_or_against(self, name: str, sign: int) -> None:
        points = self.pattern_points(KNOWN.name_evidence, name)
        assert (points > 0) - (points < 0) == sign

    @pytest.mark.parametrize(
        ("path", "points"),
        [
            ("lambda_function.py", 1),
            ("handler.py", 1),
            ("src/lambda/ingest/core.py", 1),
            ("functions/ingest/core.py", 1),
            ("backend/my-lambda/core.py", 1),
            ("src/core.py", 0),
        ],
    )
    def test_files(self, path: str, points: int) -> None:
        assert self.pattern_points(KNOWN.file_evidence, path) == points


class TestFrameworks:
    @pytest.mark.parametrize(
        ("name", "on_lambda", "routes"),
        [
            (
                "aws_lambda_powertools.event_handler.APIGatewayRestResolver",
                True,
                {"get", "post", "route", "not_found"},
            ),
            ("aws_lambda_powertools.event_handler.APIGatewayHttpResolver", True, {"get"}),
            ("aws_lambda_powertools.event_handler.ALBResolver", True, {"get"}),
            ("aws_lambda_powertools.event_handler.ApiGatewayResolver", True, {"get"}),
            ("aws_lambda_powertools.event_handler.LambdaFunctionUrlResolver", True, {"get"}),
            ("aws_lambda_powertools.event_handler.VPCLatticeResolver", True, {"get"}),
            ("aws_lambda_powertools.event_handler.VPCLatticeV2Resolver", True, {"get"}),
            ("aws_lambda_powertools.event_handler.BedrockAgentResolver", True, {"get"}),
            (
                "aws_lambda_powertools.event_handler.AppSyncResolver",
                True,
                {"resolver", "batch_resolver"},
            ),
            ("aws_lambda_powertools.event_handler.AppSyncEventsResolver", True, {"on_publish"}),
            ("aws_lambda_powertools.event_handler.BedrockAgentFunctionResolver", True, {"tool"}),
            ("aws_lambda_powertools.event_handler.router.Router", True, {"get"}),
            ("aws_lambda_powertools.event_handler.router.ALBRouter", True, {"get"}),
            ("aws_lambda_powertools.event_handler.appsync.Router", True, {"resolver"}),
            ("chalice.Chalice", True, {"route", "on_ws_message"}),
            ("chalice.Blueprint", True, {"route"}),
            ("fastapi.FastAPI", False, {"get", "exception_handler"}),
            ("fastapi.APIRouter", False, {"get"}),
            ("starlette.applications.Starlette", False, {"route"}),
            ("flask.Flask", False, {"route", "before_request"}),
            ("flask.Blueprint", False, {"route"}),
            ("slack_bolt.App", False, {"command", "event"}),
            ("ask_sdk_core.skill_builder.SkillBuilder", True, {"request_handler"}),
            ("crhelper.CfnResource", True, {"create", "poll_create"}),
        ],
    )
    def test_routes(self, name: str, on_lambda: bool, routes: set[str]) -> None:
        found = KNOWN.framework(name)
        assert found is not None, f"missed alarm: {name}"
        assert found.on_lambda is on_lambda
        assert routes <= set(found.routes)

    @pytest.mark.parametrize(
        ("name", "key", "value"),
        [
            (
                "aws_lambda_powertools.event_handler.APIGatewayRestResolver",
                "includes",
                "include_router",
            ),
            ("aws_lambda_powertools.event_handler.APIGatewayRestResolver", "dispatch", "resolve"),
            ("chalice.Chalice", "includes", "register_blueprint"),
            ("chalice.Chalice", "handlers", "on_s3_event"),
            ("fastapi.FastAPI", "includes", "include_router"),
            ("fastapi.FastAPI", "registers", "add_api_route"),
            ("fastapi.FastAPI", "lifecycle", "on_event"),
            ("flask.Flask", "includes", "register_blueprint"),
            ("flask.Flask", "registers", "add_url_rule"),
            ("ask_sdk_core.skill_builder.SkillBuilder", "registers", "add_request_handler"),
            ("ask_sdk_core.skill_builder.SkillBuilder", "methods", "handle"),
        ],
    )
    def test_methods(self, name: str, key: str, value: str) -> None:
        assert value in getattr(KNOWN.framework(name), key)

    def test_a_built_application_is_found_by_the_class_of_what_building_returns(self) -> None:
        made = KNOWN.canonical("telegram.ext.Application.builder().build()")
        found = KNOWN.framework(made.removesuffix("()"))
        assert found is not None
        assert "add_handler" in found.registers

    @pytest.mark.parametrize(
        "name", ["aws_lambda_powertools.event_handler.Response", "fastapi.HTTPException", "my.App"]
    )
    def test_other_classes(self, name: str) -> None:
        assert KNOWN.framework(name) is None

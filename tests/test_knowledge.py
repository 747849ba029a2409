"""The tables about libraries: well-formed, without contradictions, extended by settings."""

from __future__ import annotations

import itertools
import sys
import typing
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import pytest

from lambda_lint.model import knowledge as module
from lambda_lint.model.facts import Asking
from lambda_lint.model.knowledge import (
    DATA,
    KINDS,
    RULES,
    CacheDecorator,
    Change,
    Constructor,
    Container,
    Effect,
    Evidence,
    Fact,
    Framework,
    Issued,
    Knowledge,
    KnowledgeError,
    Lifetime,
    Momentary,
    NameEvidence,
    ParameterEvidence,
    Registering,
    Request,
    Runner,
    Stored,
    Taker,
    Timeout,
    Written,
)

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

KNOWN = Knowledge.load()

TABLES: list[tuple[str, str, type[Any]]] = [
    *(
        (f"constructors/{one.stem}", "constructor", Constructor)
        for one in sorted((DATA / "constructors").iterdir())
    ),
    ("caches", "decorator", CacheDecorator),
    ("caches", "lifetime", Lifetime),
    ("caches", "container", Container),
    ("runners", "runner", Runner),
    ("runners", "registering", Registering),
    *(
        ("handlers", one, Evidence)
        for one in ("decorator", "attribute", "wrapper", "body", "context", "annotation", "module")
    ),
    ("handlers", "name", NameEvidence),
    ("handlers", "parameters", ParameterEvidence),
    ("handlers", "file", NameEvidence),
    ("frameworks", "framework", Framework),
    ("constants", "pure", Fact),
    ("constants", "method", Fact),
    ("constants", "momentary", Momentary),
    ("constants", "stopping", Fact),
    ("network", "request", Request),
    ("network", "fetch", Stored),
    ("network", "store", Stored),
    ("network", "opening", Fact),
    ("secrets", "address", Issued),
    ("secrets", "asking", Asking),
    ("secrets", "issued", Issued),
    ("resources", "taker", Taker),
    ("resources", "timeout", Timeout),
    ("effects", "effect", Effect),
    ("effects", "shared", Fact),
    ("effects", "signal", Fact),
    ("effects", "file", Written),
    ("effects", "removal", Fact),
    ("effects", "unique", Fact),
    ("effects", "change", Change),
    ("effects", "primitive", Fact),
    ("effects", "ending", Fact),
]

FAMILIES = frozenset(
    {
        *("aws", "http", "rpc", "database", "orm", "document", "cache", "search", "messaging"),
        *("mail", "network", "service", "ai", "model", "template", "schema", "data", "framework"),
        "thread",
    }
)

CHOICES: dict[tuple[type[Any], str], frozenset[str]] = {
    (Constructor, "kind"): KINDS,
    (Constructor, "rule"): RULES,
    (Constructor, "family"): FAMILIES,
    (Issued, "kind"): frozenset({"secret", "credentials", "setting"}),
    (CacheDecorator, "per"): frozenset({"function", "instance"}),
    (CacheDecorator, "called"): frozenset({"never", "always", "either"}),
    (CacheDecorator, "clock"): frozenset({"", "wall", "monotonic"}),
    (CacheDecorator, "store"): frozenset({"memory", "disk", "argument"}),
    (Container, "form"): frozenset({"call", "decorator", "item"}),
    (Runner, "when"): frozenset({"now", "called", "route", "around", "later"}),
    (Runner, "takes"): frozenset({"callable", "coroutine"}),
    (Runner, "passes"): frozenset({"", "rest", "items", "args", "initargs", "records"}),
    (Runner, "loop"): frozenset({"", "new", "kept"}),
    (Runner, "where"): frozenset({"here", "thread", "process"}),
    (Evidence, "takes"): frozenset({"nothing", "application", "function", "receiver"}),
    (Evidence, "platform"): frozenset({"lambda", "google", "azure", "web", "test", "other"}),
    (NameEvidence, "parameters"): frozenset({"any", "two"}),
    (Framework, "kind"): frozenset({"app", "router"}),
    (Taker, "takes"): frozenset({"borrows", "closes"}),
    (Effect, "kind"): frozenset(
        {
            *("listener", "background", "alarm", "work", "resource", "buffer", "context", "level"),
        }
    ),
    (Effect, "keeper"): frozenset({"receiver", "argument", "process"}),
}

UNNAMED = (NameEvidence, ParameterEvidence)


def read(stem: str) -> dict[str, Any]:
    loaded: dict[str, Any] = tomllib.loads((DATA / f"{stem}.toml").read_text(encoding="utf-8"))
    return loaded


def entries() -> Iterator[tuple[str, type[Any], dict[str, Any]]]:
    for stem, table, kind in TABLES:
        for number, entry in enumerate(read(stem)[table]):
            label = (entry.get("names") or entry.get("patterns") or entry["first"])[0]
            yield f"{stem}.toml [[{table}]] {number} ({label})", kind, entry


def fits(value: object, hint: Any) -> bool:
    """Whether a TOML value is what a field of this type is made from."""
    if hint == tuple[str, ...]:
        return isinstance(value, list) and all(isinstance(one, str) and one for one in value)
    if hint == tuple[int, ...]:
        return isinstance(value, list) and all(type(one) is int for one in value)
    if typing.get_origin(hint) is not None or not isinstance(hint, type):
        return type(value) in typing.get_args(hint)
    return type(value) is hint


class TestTheTables:
    def test_every_file_is_known(self) -> None:
        found = {
            str(one.relative_to(DATA).with_suffix("")).replace("\\", "/")
            for one in DATA.rglob("*.toml")
        }
        assert found == {stem for stem, _, _ in TABLES} | {"aliases", "returns"}
        for stem in found:
            known = {table for one, table, _ in TABLES if one == stem} or {stem}
            assert set(read(stem)) == known, f"{stem}.toml has a table that nothing reads"

    def test_keys_and_values(self) -> None:
        for where, kind, entry in entries():
            hints = typing.get_type_hints(kind)
            allowed = {one.name for one in fields(kind)}
            required = {"note", "source"} | {
                one.name for one in fields(kind) if one.default is one.default_factory
            }
            if kind not in UNNAMED:
                allowed.add("names")
                required.add("names")
            assert set(entry) <= allowed, f"{where}: unknown key {set(entry) - allowed}"
            assert required <= set(entry), f"{where}: missing {required - set(entry)}"
            for key, value in entry.items():
                hint = tuple[str, ...] if key == "names" else hints[key]
                assert fits(value, hint), f"{where}: {key} = {value!r}"
                choices = CHOICES.get((kind, key))
                assert choices is None or value in choices, f"{where}: {key} = {value!r}"

    def test_notes_and_sources(self) -> None:
        for where, _, entry in entries():
            assert entry["note"].endswith("."), f"{where}: the note is a sentence"
            assert len(entry["note"]) <= 160, f"{where}: the note is too long"
            assert entry["source"].startswith("https://"), f"{where}: the source is no page"

    def test_no_fact_is_said_twice(self) -> None:
        for _, same in itertools.groupby(TABLES, key=lambda one: one[1:]):
            seen: dict[str, str] = {}
            for stem, table, kind in same:
                if kind in UNNAMED:
                    continue
                for entry in read(stem)[table]:
                    for name in entry["names"]:
                        canonical = name if "*" in name else KNOWN.canonical(name)
                        assert canonical not in seen, (
                            f"{stem}.toml: {name!r} says the same as {seen[canonical]!r}"
                        )
                        seen[canonical] = name

    def test_aliases_lead_to_a_canonical_name_in_one_step_and_stay_there(self) -> None:
        for spelling, canonical in read("aliases")["aliases"].items():
            assert not f"{canonical}.".startswith(f"{spelling}."), f"{spelling} grows for ever"
            assert KNOWN.canonical(canonical) == canonical, f"{spelling}: {canonical} is an alias"

    def test_returned_classes_are_canonical(self) -> None:
        for callable_, class_ in read("returns")["returns"].items():
            assert KNOWN.canonical(callable_) == callable_, f"{callable_} is an alias"
            assert KNOWN.canonical(class_) == class_, f"{class_} is an alias"

    def test_the_readme_describes_every_key(self) -> None:
        text = (DATA / "README.md").read_text(encoding="utf-8")
        text += (DATA / "frameworks.toml").read_text(encoding="utf-8").partition("[[")[0]
        for _, _, kind in TABLES:
            for one in fields(kind):
                mentioned = f"`{one.name}`" in text or f"# {one.name} " in text
                assert mentioned, f"data/README.md does not say what `{one.name}` means"


class TestCanonicalNames:
    @pytest.mark.parametrize(
        ("written", "canonical"),
        [
            ("boto3.client", "boto3.client"),
            ("boto3.Session", "boto3.session.Session"),
            ("boto3.Session()", "boto3.session.Session()"),
            ("boto3.Session().client", "boto3.session.Session().client"),
            (
                "boto3.client().meta.events.register",
                "botocore.client.BaseClient().meta.events.register",
            ),
            ("boto3.Session().resource().Table", "boto3.resources.base.ServiceResource().Table"),
            (
                "botocore.session.get_session().create_client",
                "botocore.session.Session().create_client",
            ),
            ("mypy_boto3_s3.client.S3Client", "botocore.client.BaseClient"),
            (
                "types_boto3_dynamodb.DynamoDBServiceResource",
                "boto3.resources.base.ServiceResource",
            ),
            ("requests.session().get", "requests.sessions.Session().get"),
            ("redis.StrictRedis.from_url", "redis.client.Redis.from_url"),
            ("redis.StrictRedis.from_url().get", "redis.client.Redis().get"),
            ("redis.from_url().get", "redis.client.Redis().get"),
            ("redis.asyncio.Redis", "redis.asyncio.client.Redis"),
            ("pymysql.Connect", "pymysql.connections.Connection"),
            ("psycopg.connect().cursor", "psycopg.Connection().cursor"),
            ("psycopg2.connect", "psycopg2.connect"),
            ("sqlmodel.create_engine", "sqlalchemy.create_engine"),
            ("sqlalchemy.orm.sessionmaker()()", "sqlalchemy.orm.Session()"),
            ("openai.Client", "openai.OpenAI"),
            (
                "aws_lambda_powertools.Logger().inject_lambda_context",
                "aws_lambda_powertools.logging.logger.Logger().inject_lambda_context",
            ),
            (
                "asyncio.new_event_loop().run_until_complete",
                "asyncio.AbstractEventLoop().run_until_complete",
            ),
            # Names that only begin like a known one, and names of nobody's.
            ("boto3.SessionManager", "boto3.SessionManager"),
            ("boto3", "boto3"),
            ("redis_tools.Redis", "redis_tools.Redis"),
            ("mypy_boto3_s3.type_defs.ObjectTypeDef", "mypy_boto3_s3.type_defs.ObjectTypeDef"),
            ("requests.sessionmaker", "requests.sessionmaker"),
            ("", ""),
        ],
    )
    def test_canonical(self, written: str, canonical: str) -> None:
        assert KNOWN.canonical(written) == canonical
        assert KNOWN.canonical(canonical) == canonical

    def test_a_circle_of_aliases_ends(self) -> None:
        names = module._names({"aliases": {"a.b": "a.c", "a.c": "a.b"}}, {"returns": {}})
        assert names.canonical("a.b.d") in ("a.b.d", "a.c.d")

    @pytest.mark.parametrize(
        ("name", "class_"),
        [
            ("requests.session", "requests.sessions.Session"),
            ("boto3.client", "botocore.client.BaseClient"),
            ("boto3.Session().client", "botocore.client.BaseClient"),
            ("redis.Redis.from_url", "redis.client.Redis"),
            ("boto3.Session", None),
            ("my.client", None),
        ],
    )
    def test_returns(self, name: str, class_: str | None) -> None:
        assert KNOWN.returns(name) == class_


@dataclass(frozen=True)
class FromSettings:
    """As what the configuration makes of a table."""

    names: tuple[str, ...]
    kind: str = "lazy"
    what: str = "reusable object"
    note: str = ""
    closes: tuple[str, ...] = ()


class TestExtraConstructors:
    def test_a_name(self) -> None:
        known = Knowledge.load(["acme.db.Gateway"])
        found = known.constructor("acme.db.Gateway")
        assert found == Constructor(kind="lazy", what="reusable object", rule="client")
        assert KNOWN.constructor("acme.db.Gateway") is None

    @pytest.mark.parametrize(
        "extra",
        [
            {"names": ["acme.*.Gateway"], "kind": "connecting", "what": "gateway"},
            FromSettings(("acme.*.Gateway",), "connecting", "gateway"),
        ],
    )
    def test_a_table_or_a_dataclass(self, extra: object) -> None:
        found = Knowledge.load([extra]).constructor("acme.db.Gateway")
        assert found == Constructor(kind="connecting", what="gateway")

    def test_extras_win_over_the_packaged_ones_under_any_spelling(self) -> None:
        known = Knowledge.load([{"names": ["redis.StrictRedis"], "info": True}])
        found = known.constructor("redis.Redis")
        assert found is not None
        assert found.info
        assert known.constructor("redis.Redis.from_url") == KNOWN.constructor(
            "redis.Redis.from_url"
        )

    def test_methods_of_made_objects(self) -> None:
        known = Knowledge.load(["acme.Factory().client"])
        assert known.constructor("acme.Factory().client") is not None
        assert known.constructor("acme.Factory") is None

    def test_the_packaged_knowledge_is_loaded_once(self) -> None:
        assert Knowledge.load() is KNOWN
        assert Knowledge.load(["a.b"]) is Knowledge.load(["a.b"])

    @pytest.mark.parametrize("name", ["", "Gateway", "a.b(", "*.Client", "a..b", "a b.c", 1])
    def test_what_is_no_dotted_name_is_refused(self, name: object) -> None:
        with pytest.raises(KnowledgeError) as caught:
            Knowledge.load(["acme.Fine", {"names": ["acme.Too", name]}])
        assert str(caught.value) == (
            f"reusable-constructors[1].names: {name!r} is no dotted name, "
            "like 'package.Client' or 'package.Client().connect'"
        )

    @pytest.mark.parametrize(
        ("extra", "text"),
        [
            (7, ": give a dotted name or a table with `names`"),
            ({}, ": `names` is missing; list the dotted names to call"),
            ({"names": []}, ".names: must be a list of dotted names"),
            ({"names": "a.b"}, ".names: must be a list of dotted names"),
            (
                {"names": ["a.b"], "kind": "slow"},
                ".kind: 'slow' is none of connecting, factory, heavy, lazy, loop-bound",
            ),
            (
                {"names": ["a.b"], "kind": []},
                ".kind: [] is none of connecting, factory, heavy, lazy, loop-bound",
            ),
            (
                {"names": ["a.b"], "rule": "LMB101"},
                ".rule: 'LMB101' is none of client, heavy, none",
            ),
            ({"names": ["a.b"], "info": 1}, ".info: must be true or false"),
            ({"names": ["a.b"], "what": " "}, ".what: must be a text"),
            ({"names": ["a.b"], "closes": "close"}, ".closes: must be a list of names"),
            (
                {"names": ["a.b"], "closes": ["close()"]},
                ".closes: 'close()' is no name of an argument or attribute",
            ),
            (
                {"names": ["a.b"], "credential_positions": [-1]},
                ".credential_positions: must be a list of positions, counted from 0",
            ),
        ],
    )
    def test_errors_name_the_key_and_say_what_to_change(self, extra: object, text: str) -> None:
        with pytest.raises(KnowledgeError) as caught:
            Knowledge.load(["acme.Fine", extra])
        assert str(caught.value) == f"reusable-constructors[1]{text}"

    def test_an_unknown_key_is_refused_with_the_known_ones(self) -> None:
        with pytest.raises(
            KnowledgeError, match=r"^x\[0\]\.kinds: no such key; known are closes, "
        ):
            Knowledge.load([{"names": ["a.b"], "kinds": "lazy"}], key="x")

"""Which calls are known to make something worth keeping, under the names that people write."""

from __future__ import annotations

import pytest

from lambda_lint.model.knowledge import Knowledge

KNOWN = Knowledge.load()


def words(*lines: str) -> list[str]:
    return " ".join(lines).split()


PYTHAW = words(
    "boto3.client boto3.resource boto3.Session pymysql.connect psycopg2.connect redis.Redis",
    "redis.StrictRedis httpx.Client requests.Session",
)

SONAR_S6243 = words(
    "boto3.client boto3.resource boto3.session.Session pymysql.connect",
    "mysql.connector.connect psycopg2.connect pymongo.MongoClient sqlite3.connect redis.Redis",
    "redis.StrictRedis sqlalchemy.orm.sessionmaker peewee.PostgresqlDatabase",
    "peewee.MySQLDatabase peewee.SqliteDatabase mongoengine.connect",
)

CONSTRUCTORS: dict[str, list[str]] = {
    "lazy": words(
        """
        boto3.client boto3.resource boto3.Session().client boto3.session.Session().resource
        botocore.session.get_session().create_client botocore.session.Session().create_client
        requests.Session requests.session requests.sessions.Session httpx.Client
        urllib3.PoolManager urllib3.ProxyManager urllib3.HTTPSConnectionPool
        http.client.HTTPSConnection requests_cache.CachedSession niquests.Session
        cloudscraper.create_scraper gql.Client pyathena.connect sqlalchemy.create_engine
        sqlalchemy.engine_from_config sqlmodel.create_engine peewee.PostgresqlDatabase
        peewee.MySQLDatabase playhouse.pool.PooledPostgresqlDatabase mongoengine.connect
        pymongo.MongoClient pymongo.mongo_client.MongoClient redis.Redis redis.StrictRedis
        redis.client.Redis redis.from_url redis.Redis.from_url redis.Sentinel redis.ConnectionPool
        redis.ConnectionPool.from_url valkey.Valkey valkey.from_url pymemcache.Client
        pymemcache.client.base.PooledClient pylibmc.Client bmemcached.Client momento.CacheClient
        neo4j.GraphDatabase.driver opensearchpy.OpenSearch elasticsearch.Elasticsearch
        qdrant_client.QdrantClient pinecone.Pinecone chromadb.Client meilisearch.Client
        typesense.Client confluent_kafka.Producer confluent_kafka.Consumer stomp.Connection
        paho.mqtt.client.Client kombu.Connection grpc.insecure_channel grpc.secure_channel
        slack_sdk.WebClient slack_sdk.WebhookClient stripe.StripeClient twilio.rest.Client
        sendgrid.SendGridAPIClient openai.OpenAI openai.AzureOpenAI anthropic.Anthropic
        anthropic.AnthropicBedrock google.cloud.storage.Client
        google.cloud.pubsub_v1.PublisherClient googleapiclient.discovery.build gspread.authorize
        azure.storage.blob.BlobServiceClient azure.keyvault.secrets.SecretClient pusher.Pusher
        github.Github hvac.Client langchain_openai.ChatOpenAI langchain_aws.ChatBedrock
        litellm.Router
        """
    ),
    "factory": words(
        """
        boto3.Session boto3.session.Session botocore.session.get_session botocore.session.Session
        aioboto3.Session aiobotocore.session.get_session
        """
    ),
    "connecting": words(
        """
        amazondax.AmazonDaxClient zeep.Client suds.client.Client psycopg2.connect
        psycopg2.pool.SimpleConnectionPool psycopg2.pool.ThreadedConnectionPool psycopg.connect
        psycopg.Connection.connect psycopg_pool.ConnectionPool pg8000.connect
        pg8000.native.Connection pymysql.connect pymysql.Connect pymysql.Connection
        pymysql.connections.Connection mysql.connector.connect
        mysql.connector.pooling.MySQLConnectionPool MySQLdb.connect pyodbc.connect pymssql.connect
        oracledb.connect oracledb.create_pool cx_Oracle.connect snowflake.connector.connect
        redshift_connector.connect databricks.sql.connect vertica_python.connect ibm_db.connect
        clickhouse_connect.get_client clickhouse_driver.Client pony.orm.Database
        redis.RedisCluster redis.cluster.RedisCluster cassandra.cluster.Cluster
        couchbase.cluster.Cluster weaviate.connect_to_weaviate_cloud weaviate.connect_to_local
        kafka.KafkaProducer kafka.KafkaConsumer kafka.KafkaAdminClient pika.BlockingConnection
        jira.JIRA simple_salesforce.Salesforce slack_bolt.App
        """
    ),
    "loop-bound": words(
        """
        aioboto3.Session().client aioboto3.Session().resource
        aiobotocore.session.get_session().create_client httpx.AsyncClient aiohttp.ClientSession
        aiohttp.TCPConnector psycopg.AsyncConnection.connect psycopg_pool.AsyncConnectionPool
        asyncpg.connect asyncpg.create_pool aiopg.create_pool aiomysql.connect
        aiomysql.create_pool asyncmy.connect sqlalchemy.ext.asyncio.create_async_engine
        tortoise.Tortoise.init databases.Database pymongo.AsyncMongoClient
        motor.motor_asyncio.AsyncIOMotorClient redis.asyncio.Redis redis.asyncio.from_url
        redis.asyncio.Redis.from_url aiocache.Cache opensearchpy.AsyncOpenSearch
        elasticsearch.AsyncElasticsearch aiokafka.AIOKafkaProducer nats.connect
        grpc.aio.insecure_channel openai.AsyncOpenAI openai.AsyncAzureOpenAI
        anthropic.AsyncAnthropic
        """
    ),
}

FOR_INFORMATION = words(
    """
    sqlite3.connect duckdb.connect sqlalchemy.orm.sessionmaker sqlalchemy.orm.scoped_session
    peewee.SqliteDatabase smtplib.SMTP smtplib.SMTP_SSL ftplib.FTP imaplib.IMAP4_SSL
    telnetlib.Telnet paramiko.SSHClient ldap3.Connection
    """
)

HEAVY = words(
    """
    joblib.load pickle.load torch.load torch.jit.load onnxruntime.InferenceSession
    tensorflow.keras.models.load_model tensorflow.saved_model.load
    tflite_runtime.interpreter.Interpreter transformers.pipeline
    transformers.AutoModelForCausalLM.from_pretrained sentence_transformers.SentenceTransformer
    spacy.load xgboost.Booster lightgbm.Booster easyocr.Reader whisper.load_model faiss.read_index
    nltk.download ultralytics.YOLO jinja2.Environment jinja2.Template jsonschema.Draft7Validator
    jsonschema.Draft202012Validator fastjsonschema.compile pydantic.TypeAdapter marshmallow.Schema
    avro.schema.parse xmlschema.XMLSchema lxml.etree.XSLT re.compile tiktoken.get_encoding
    geoip2.database.Reader maxminddb.open_database aws_lambda_powertools.Logger
    aws_lambda_powertools.Tracer aws_lambda_powertools.Metrics
    aws_lambda_powertools.utilities.parameters.SSMProvider
    aws_lambda_powertools.utilities.parameters.SecretsProvider
    aws_lambda_powertools.utilities.idempotency.DynamoDBPersistenceLayer
    aws_lambda_powertools.utilities.feature_flags.FeatureFlags
    aws_lambda_powertools.event_handler.APIGatewayRestResolver
    aws_lambda_powertools.event_handler.AppSyncResolver mangum.Mangum fastapi.FastAPI flask.Flask
    chalice.Chalice
    """
)

NO_CONSTRUCTORS = words(
    """
    sqlalchemy.orm.Session sqlalchemy.orm.sessionmaker() sqlmodel.Session
    sqlalchemy.create_engine().connect sqlalchemy.create_engine().begin boto3.resource().Table
    boto3.resource().Bucket boto3.client().get_paginator boto3.setup_default_session
    boto3.session.Config botocore.config.Config psycopg2.connect().cursor
    psycopg_pool.ConnectionPool().connection psycopg2.pool.SimpleConnectionPool().getconn
    redis.Redis().pipeline redis.exceptions.ConnectionError httpx.Timeout httpx.get requests.get
    requests.Request aws_lambda_powertools.utilities.batch.BatchProcessor
    aws_lambda_powertools.metrics.EphemeralMetrics aws_lambda_powertools.single_metric
    mcp.server.streamable_http_manager.StreamableHTTPSessionManager orders_pb2_grpc.OrdersStub
    my.boto3.client boto3_helpers.client client unknown.Session
    concurrent.futures.ThreadPoolExecutor datetime.datetime.now
    google.cloud.storage.Client().bucket azure.functions.HttpResponse
    azure.storage.blob.BlobServiceClient().get_blob_client openai.OpenAI().chat.completions.create
    """
)


class TestConstructors:
    @pytest.mark.parametrize("name", [*PYTHAW, *SONAR_S6243])
    def test_what_the_peers_report_is_known(self, name: str) -> None:
        found = KNOWN.constructor(name)
        assert found is not None, f"missed alarm: {name}"
        assert found.rule == "client"

    @pytest.mark.parametrize(
        ("name", "kind"), [(name, kind) for kind, names in CONSTRUCTORS.items() for name in names]
    )  # fmt: skip
    def test_clients(self, name: str, kind: str) -> None:
        found = KNOWN.constructor(name)
        assert found is not None, f"missed alarm: {name}"
        assert (found.rule, found.kind, found.info) == ("client", kind, False)

    @pytest.mark.parametrize("name", FOR_INFORMATION)
    def test_what_may_be_right_for_each_event_is_for_information(self, name: str) -> None:
        found = KNOWN.constructor(name)
        assert found is not None, f"missed alarm: {name}"
        assert (found.rule, found.info) == ("client", True)

    @pytest.mark.parametrize("name", HEAVY)
    def test_heavy_objects_are_left_to_the_other_rule(self, name: str) -> None:
        found = KNOWN.constructor(name)
        assert found is not None, f"missed alarm: {name}"
        assert found.rule == "heavy"

    @pytest.mark.parametrize("name", NO_CONSTRUCTORS)
    def test_what_is_right_for_each_event_is_unknown(self, name: str) -> None:
        found = KNOWN.constructor(name)
        assert found is None or found.rule == "none", f"false alarm: {name}"

    @pytest.mark.parametrize(
        ("name", "key", "value"),
        [
            ("redis.Redis", "unless_arguments", ("connection_pool",)),
            ("googleapiclient.discovery.build", "unless_arguments", ("http",)),
            (
                "boto3.client",
                "credential_arguments",
                ("aws_access_key_id", "aws_secret_access_key", "aws_session_token"),
            ),
            ("boto3.Session", "credential_positions", (0, 1, 2)),
            ("boto3.client", "credential_positions", (6, 7, 8)),
            ("pymysql.connect", "closes_on_exit", True),
            ("psycopg.connect", "closes_on_exit", True),
            ("psycopg2.connect", "closes_on_exit", False),
            ("requests.Session", "closes_on_exit", False),
            ("psycopg2.connect", "liveness", ("closed",)),
            ("psycopg2.connect", "reconnects", False),
            ("redis.Redis", "reconnects", True),
            ("pickle.loads", "constant_argument", True),
            ("xgboost.Booster", "only_with_arguments", ("model_file",)),
            ("boto3.client", "what", "SDK client"),
            ("boto3.Session", "what", "SDK session"),
        ],
    )  # fmt: skip
    def test_particulars(self, name: str, key: str, value: object) -> None:
        assert getattr(KNOWN.constructor(name), key) == value

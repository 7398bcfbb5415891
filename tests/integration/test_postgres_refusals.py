"""What the Postgres store refuses, or is refused, in words."""

from __future__ import annotations

import logging
from collections.abc import Callable

import psycopg
import pytest

from durable_import.errors import StoreRefusedError, StoreUnavailableError
from durable_import.stores.postgres.address import Address
from durable_import.stores.postgres.failures import explain
from durable_import.stores.postgres.store import PostgresStateStore
from durable_import.testing.contract import refused, state
from durable_import.testing.contract.store import begin, commit, saved
from tests.harness.postgres import PostgresServer


def read_only(server: PostgresServer, schema: str) -> str:
    return server.url(schema=schema, options="-c%20default_transaction_read_only%3Don")


def no_such_database(server: PostgresServer, schema: str) -> str:
    return server.url("nowhere", schema=schema)


def no_such_user(server: PostgresServer, schema: str) -> str:
    return server.url(schema=schema).replace("tester@", "stranger:secret%2Fword@")


def few_connections(server: PostgresServer, schema: str) -> str:
    server.execute("DROP ROLE IF EXISTS crowded")
    server.execute("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0")
    return server.url(schema=schema).replace("tester@", "crowded:secret%2Fword@")


def no_rights(server: PostgresServer, schema: str) -> str:
    server.execute("DROP ROLE IF EXISTS guest")
    server.execute("CREATE ROLE guest LOGIN")
    return server.url(schema=schema).replace("tester@", "guest:secret%2Fword@")


def narrow_encoding(server: PostgresServer, schema: str) -> str:
    server.execute("DROP DATABASE IF EXISTS narrow")
    server.execute("CREATE DATABASE narrow ENCODING 'LATIN1' TEMPLATE template0")
    return server.url("narrow", schema=schema)


def their_tables(server: PostgresServer, schema: str) -> str:
    server.execute(f"CREATE SCHEMA {schema} CREATE TABLE event (x int)")
    return server.url(schema=schema)


def newer(server: PostgresServer, schema: str) -> str:
    server.execute(f"CREATE SCHEMA {schema} CREATE TABLE durable_import_format (version int)")
    server.execute(f"INSERT INTO {schema}.durable_import_format VALUES (9)")
    return server.url(schema=schema)


def nobody_there(server: PostgresServer, schema: str) -> str:  # noqa: ARG001
    return f"postgresql://tester:secret%2Fword@127.0.0.1:1/x?schema={schema}"


@pytest.mark.parametrize(
    ("arrange", "words"),
    [
        (read_only, "is read-only"),
        (no_such_database, 'cannot be connected to.*"nowhere" does not exist'),
        (no_such_user, 'cannot be connected to.*"stranger" does not exist'),
        (few_connections, "too many connections"),
        (no_rights, "grant CREATE on the database"),
        (narrow_encoding, "has the encoding LATIN1"),
        (their_tables, "belongs to another program: it has the tables event"),
        (newer, "has format 9, this durable_import knows up to 7"),
        (nobody_there, "cannot be connected to.*Start the server"),
    ],
)
async def test_what_the_server_refuses(
    postgres_server: PostgresServer,
    schema: str,
    caplog: pytest.LogCaptureFixture,
    arrange: Callable[[PostgresServer, str], str],
    words: str,
) -> None:
    """Each refusal says what to do, names the place, and shows no password, neither in errors nor in the log."""
    caplog.set_level(logging.DEBUG)
    store = PostgresStateStore(arrange(postgres_server, schema))
    with pytest.raises(StoreUnavailableError, match=words) as caught:
        await store.save("a", state(1))
    assert f"schema={schema}" in str(caught.value) or f"schema {schema}" in str(caught.value)
    shown = [str(caught.value), repr(caught.value.__cause__), repr(store), caplog.text, repr(store.address)]
    assert not any("secret" in each for each in shown)
    await store.close()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (psycopg.errors.DiskFull, "its disk is full"),
        (psycopg.errors.TooManyConnections, "too many connections"),
        (psycopg.errors.AdminShutdown, "is shutting down"),
        (psycopg.errors.QueryCanceled, "time limit"),
        (psycopg.errors.LockNotAvailable, "locked by another transaction"),
        (psycopg.errors.UndefinedTable, "has lost the store's tables"),
        (psycopg.errors.ConnectionFailure, "the connection broke"),
        (psycopg.errors.DataCorrupted, "damaged data"),
        (psycopg.errors.FeatureNotSupported, "Repair what PostgreSQL names"),
    ],
)
def test_words_for_what_servers_say(kind: type[psycopg.Error], words: str) -> None:
    """What cannot be made to happen here is said in words too, and the original error stays the cause."""
    error = kind("as the server says it")
    explained = explain(error, Address.of("postgresql://me:secret@h/db"))
    is_for_ever = kind in (psycopg.errors.UndefinedTable, psycopg.errors.FeatureNotSupported)
    assert type(explained) is (StoreRefusedError if is_for_ever else StoreUnavailableError)
    assert words in str(explained)
    assert "as the server says it" in str(explained)
    assert explained.__cause__ is error


async def test_dropped_tables_are_not_made_again(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """A store whose tables are dropped while it is in use says so instead of starting with empty ones."""
    store = PostgresStateStore(postgres_url).instances
    begun = await begin(store, "a")
    postgres_server.execute(f"DROP SCHEMA {schema} CASCADE")
    with refused(StoreRefusedError, "has lost the store's tables"):
        await commit(store, begun, saved(1))
    await store.close()


async def test_schema_may_be_shared_with_other_tables(postgres_server: PostgresServer) -> None:
    """Tables of other names in the schema are left alone, also in ``public``."""
    postgres_server.execute("DROP DATABASE IF EXISTS shared")
    postgres_server.execute("CREATE DATABASE shared")
    postgres_server.execute("CREATE TABLE orders (id int)", "shared")
    store = PostgresStateStore(postgres_server.url("shared", schema="public"))
    await store.save("a", state(1))
    assert await store.load("a") == state(1)
    await store.close()
    [(default,)] = postgres_server.execute("SELECT to_regclass('public.orders')::text", "shared")
    assert default == "orders"


async def test_owner_of_a_schema_needs_no_rights_on_the_database(postgres_server: PostgresServer, schema: str) -> None:
    """Who may not create schemas can be given an empty one."""
    postgres_server.execute("DROP ROLE IF EXISTS tenant")
    postgres_server.execute("CREATE ROLE tenant LOGIN")
    postgres_server.execute(f"CREATE SCHEMA {schema} AUTHORIZATION tenant")
    store = PostgresStateStore(postgres_server.url(schema=schema).replace("tester@", "tenant@"))
    await store.save("a", state(1))
    assert await store.load("a") == state(1)
    await store.close()
    postgres_server.execute(f"DROP SCHEMA {schema} CASCADE")

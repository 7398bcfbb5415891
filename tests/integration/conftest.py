"""Schemas in the PostgreSQL server of the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.postgres import PostgresServer


@pytest.fixture
def schema(request: pytest.FixtureRequest, postgres_server: PostgresServer) -> Iterator[str]:
    """The name of a schema that does not exist yet."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**12}"
    yield name
    # a test that has failed may have left a transaction open
    postgres_server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'durable_import'")
    postgres_server.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, schema: str) -> str:
    """A URL of that schema."""
    return postgres_server.url(schema=schema)

"""Servers that integration tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.postgres import PostgresServer


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server, one for each process of the test run that needs one."""
    server = PostgresServer()
    try:
        yield server
    finally:
        server.remove()

"""psycopg, the driver of the Postgres store, and psycopg_pool: loaded here only, so that their absence is said in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from durable_import.errors import MissingDriverError

if TYPE_CHECKING:
    from psycopg_pool import AsyncConnectionPool

HOW = "pip install 'durable-import[postgres]'"

try:
    import psycopg as psycopg
    from psycopg import conninfo as conninfo
    from psycopg.types import numeric as numeric
except ImportError as error:
    raise MissingDriverError(
        f"the Postgres store needs psycopg 3, which cannot be imported ({error}). Install it with: {HOW}"
    ) from error


def pool_class() -> type[AsyncConnectionPool[Any]]:
    """psycopg_pool's pool for event loops, which only transactions need. Raises MissingDriverError."""
    try:
        from psycopg_pool import AsyncConnectionPool
    except ImportError as error:
        raise MissingDriverError(
            f"transactions in a Postgres store need psycopg_pool, which cannot be imported ({error}). Install it with: {HOW}"
        ) from error
    return AsyncConnectionPool

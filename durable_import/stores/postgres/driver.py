"""psycopg, the driver of the Postgres store: loaded here only, so that its absence is said in words."""

from __future__ import annotations

from durable_import.errors import MissingDriverError

try:
    import psycopg as psycopg
    from psycopg import conninfo as conninfo
except ImportError as error:
    raise MissingDriverError(
        f"the Postgres store needs psycopg 3, which cannot be imported ({error}). Install it with: "
        f"pip install 'durable-import[postgres]'"
    ) from error

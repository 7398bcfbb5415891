"""Whose tables a schema has, and of which release."""

from __future__ import annotations

from durable_import.errors import StoreUnavailableError
from durable_import.stores import sql
from durable_import.stores.postgres.address import Address
from durable_import.stores.postgres.columns import in_schema
from durable_import.stores.postgres.session import Connection

FORMAT = "durable_import_format"  # the table that tells that a schema is ours
_TABLES = (  # those of earlier releases, and what the present ones begin with
    "instance", "claim", "segment", "event", "change", "source",
)  # fmt: skip
_PREFIX = "durable"
_MIGRATING = 0x44555242  # of our own among the advisory locks


def check_encoding(connection: Connection, address: Address) -> None:
    """Raise StoreUnavailableError if the database cannot hold every text."""
    [(encoding,)] = connection.execute("SELECT current_setting('server_encoding')").fetchall()
    if encoding not in ("UTF8", "SQL_ASCII"):
        raise StoreUnavailableError(
            f"the database ({address}) has the encoding {encoding}, which cannot hold every text. Create one with: "
            f"CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
        )


def migrate(connection: Connection, address: Address) -> None:
    """Make the tables, or bring those of an earlier release up to date. Raises StoreUnavailableError if they are not ours."""
    schema, scripts = address.schema, sql.migrations("postgres")
    latest = scripts[-1][0]
    if _version(connection, address) < latest:
        with connection.transaction():
            connection.execute("SET LOCAL statement_timeout = 0")  # of a large database it takes its time
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [_MIGRATING])
            before = _version(connection, address)  # another process may have been first
            if not connection.execute("SELECT FROM pg_catalog.pg_namespace WHERE nspname = %s", [schema]).fetchall():
                connection.execute(f'CREATE SCHEMA "{schema}"')
            for number, script in scripts:
                if number > before:
                    connection.execute(in_schema(script, schema), prepare=False)
            if before < latest:
                connection.execute(f'DELETE FROM "{schema}".{FORMAT}')
                connection.execute(f'INSERT INTO "{schema}".{FORMAT} VALUES (%s)', [latest])
    found = _version(connection, address)
    if found > latest:
        raise StoreUnavailableError(
            f"the database ({address}) has format {found}, this durable_import knows up to {latest}. Use the newer "
            f"durable_import that wrote it; nothing was changed."
        )


def _version(connection: Connection, address: Address) -> int:
    schema = address.schema
    # not to_regclass: in a transaction it may answer from a cache that is older than the lock
    found = connection.execute(
        "SELECT relname FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON relnamespace = pg_namespace.oid "
        "WHERE nspname = %s AND (relname = ANY(%s) OR starts_with(relname, %s)) AND relkind IN ('r', 'v')",
        [schema, list(_TABLES), _PREFIX],
    )
    tables = sorted(table for (table,) in found)
    if FORMAT in tables:
        [(version,)] = connection.execute(f'SELECT max(version) FROM "{schema}".{FORMAT}').fetchall()
        return int(version)
    if tables:
        raise StoreUnavailableError(
            f"the schema {schema} of the database ({address}) belongs to another program: it has the tables "
            f"{', '.join(tables)}, which are not ours. Choose another one with ?schema=NAME; nothing was changed."
        )
    return 0

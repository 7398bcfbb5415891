"""Where a Postgres store is: from a URL to what libpq connects with, and to words that hold no password."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from durable_import.errors import UnknownStoreError
from durable_import.stores.postgres.driver import conninfo, psycopg

DEFAULT_SCHEMA = "durable_import"

_SCHEMA_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_SHOWN = ("user", "host", "port", "dbname")


@dataclass(frozen=True)
class Address:
    """``parameters`` are libpq's, a password among them: they are never shown. ``schema`` holds the store's tables."""

    parameters: dict[str, Any] = field(repr=False)
    schema: str

    @classmethod
    def of(cls, url: str) -> Address:
        """Of ``postgresql://user@host/database?schema=ours&...``; all other options are libpq's.

        Raises UnknownStoreError.
        """
        scheme, _, rest = url.partition(":")
        base, _, query = f"{scheme.lower()}:{rest}".partition("?")
        options = dict(parse_qsl(query, keep_blank_values=True))
        schema = options.pop("schema", DEFAULT_SCHEMA)
        options.pop("history", None)  # not about where it is
        if not _SCHEMA_NAME.fullmatch(schema):
            raise UnknownStoreError(
                f"cannot open the Postgres store: {schema!r} is not the name of a schema. It has letters, digits and "
                f"'_', 63 at most, and does not begin with a digit."
            )
        try:
            parameters = conninfo.conninfo_to_dict(f"{base}?{urlencode(options, quote_via=quote)}" if options else base)
        except psycopg.ProgrammingError:
            parameters = None
        if parameters is None or _is_password_cut(base, parameters):
            # what libpq says may hold pieces of the password
            raise UnknownStoreError(
                "cannot open the Postgres store: its URL cannot be read. It is like "
                "'postgresql://user:password@host:5432/database?sslmode=require'; in the password, write characters such "
                "as '/', '@', '?' and '%' as %2F, %40, %3F and %25; the options are those of libpq, and schema."
            )
        return cls(parameters, schema)

    def __str__(self) -> str:
        shown = [f"{name}={self.parameters[name]}" for name in _SHOWN if self.parameters.get(name)]
        return " ".join([*shown, f"schema={self.schema}"])

    def connecting(self, patience: float, *, has_session: bool) -> dict[str, Any]:
        """All that ``connect`` takes: a network that is gone, or a server that is stuck, must be an error, not a hang.

        ``has_session``: the server keeps what is set for this connection.
        """
        milliseconds = max(1, math.ceil(patience * 1000))
        settings = f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds}" if has_session else ""
        isolation = r"-c default_transaction_isolation=read\ committed" if has_session else ""
        return {
            "connect_timeout": max(2, math.ceil(min(patience, 10.0))),
            "keepalives": 1,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": milliseconds,
            "application_name": "durable_import",
            **self.parameters,
            "options": " ".join(filter(None, (settings, self.parameters.get("options"), isolation))),
            "client_encoding": "utf8",
        }


def _is_password_cut(base: str, parameters: dict[str, Any]) -> bool:
    """Whether a '/' in a password made libpq take its pieces for a port and a database."""
    ports = str(parameters.get("port", ""))
    is_odd = "@" in str(parameters.get("dbname", "")) and "%40" not in base
    return is_odd or not re.fullmatch(r"[0-9,]*", ports)

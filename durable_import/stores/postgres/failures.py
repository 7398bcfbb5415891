"""What goes wrong with a PostgreSQL server, in words, and what is to be done: never again, again at once, or when it is back."""

from __future__ import annotations

from durable_import.errors import StoreError, StoreRefusedError, StoreUnavailableError
from durable_import.stores.postgres.address import Address
from durable_import.stores.postgres.driver import psycopg

_OF_CONNECTIONS = (psycopg.OperationalError, psycopg.InterfaceError)
_ENDED = "57P01"
_GIVEN_UP = ("40001", "40P01")  # serialization failure, deadlock
_ITS_DATA = ("22", "54")  # what was to be written is at fault: it would be refused again
_ITS_TABLES = ("42", "0A", "3F")  # the statement is at fault: likewise

# SQLSTATE, or its class, and what to do
_REASONS = {
    "25006": "is read-only: a standby, or a server that refuses writes. Connect to the primary",
    "3F000": "has lost the store's tables while it was in use. Restore them from a backup",
    "42501": "refuses this user what the store needs: to create its schema (grant CREATE on the database, or create the "
    "schema and make the user its owner), or to write its tables",
    "42P01": "has lost the store's tables while it was in use, or a newer durable_import has brought them up to date: restore "
    "them from a backup, or run the newer one",
    "40": "has given this transaction up in favour of another one. Run it again",
    "53100": "cannot write: its disk is full. Free some space and run again",
    "53200": "is out of memory. Free some and run again",
    "53300": "has too many connections. Close some, or raise max_connections",
    "55P03": "was locked by another transaction for too long. End that transaction, then run again",
    "57014": "did not finish within its time limit. Is it overloaded, or does another transaction hold a lock?",
    "57": "is shutting down, starting up, or has ended this connection. Run again when it is up",
    "58": "has trouble with its files. See the server's log",
    "XX": "reports damaged data or an internal error. See the server's log",
}  # fmt: skip


def is_to_be_repeated(error: Exception, attempt: int) -> bool:
    """Whether the server has given a transaction up, in favour of another one, or, the first time, since somebody has ended its
    session: nothing of it was committed."""
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    return state in _GIVEN_UP or (state == _ENDED and attempt == 0)


def explain(error: Exception, address: Address) -> Exception:
    """StoreRefusedError in words for what can never be written, StoreUnavailableError for what the server or the network refuses
    just now; anything else stays as it is."""
    if not isinstance(error, psycopg.Error):
        return error
    state = error.sqlstate or ""
    said = _said(error)
    reason = _REASONS.get(state) or _REASONS.get(state[:2])
    told = f"PostgreSQL: {said}, SQLSTATE {state}" if state else f"PostgreSQL: {said}"
    if state[:2] in _ITS_DATA or (not state and not isinstance(error, _OF_CONNECTIONS)):  # psycopg itself cannot send it
        explained: StoreError = StoreRefusedError(
            f"the database ({address}) refuses the data. Change what the program keeps. ({told})"
        )
    elif state[:2] in _ITS_TABLES:
        reason = reason or "cannot do what the store asks for. Repair what PostgreSQL names and run again"
        explained = StoreRefusedError(f"the database ({address}) {reason}; what was committed before is safe. ({told})")
    else:
        if reason is None and isinstance(error, _OF_CONNECTIONS):
            reason = (
                "has been lost: the connection broke. Run again when it is back; a commit that was under way may have "
                "happened, and to do it once more does no harm"
            )
        elif reason is None:
            reason = "cannot be used. Repair what PostgreSQL names and run again"
        explained = StoreUnavailableError(f"the database ({address}) {reason}; what was committed before is safe. ({told})")
    explained.__cause__ = error
    return explained


def not_opened(error: psycopg.Error, address: Address) -> StoreUnavailableError:
    """The error for a store that could not be opened, whatever it is: somebody may mend it without touching this process."""
    explained = explain(error, address)
    text = str(explained)
    unavailable = explained if isinstance(explained, StoreUnavailableError) else StoreUnavailableError(text)
    unavailable.__cause__ = error
    return unavailable


def not_connected(error: psycopg.Error, address: Address) -> StoreUnavailableError:
    """The error for a connection that was not made; its SQLSTATE is not known."""
    return StoreUnavailableError(
        f"the database ({address}) cannot be connected to; what was committed before is safe. Start the server, or "
        f"correct the URL or the password, and run again. (PostgreSQL: {_said(error)})"
    )


def _said(error: psycopg.Error) -> str:
    return " ".join(str(error).split())

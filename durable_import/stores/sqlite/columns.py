"""From texts and states to columns of an SQLite database, and back: whatever somebody has put there."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from typing import Any

from durable_import.errors import SnapshotAuthenticationError
from durable_import.stores import sql
from durable_import.stores.files import text_of
from durable_import.stores.state import HoldRecord, InstanceState
from durable_import.stores.store import Kept

Rows = sqlite3.Cursor
MANY = 1 << 31  # nothing is counted as far as this
_KINDS: tuple[tuple[str, type | tuple[type, ...]], ...] = (  # as the query ``load`` gives them
    ("status", str), ("checkpoint", int), ("location", str), ("function", str), ("wake_at", (float, type(None))),
    ("snapshot", bytes), ("outcome", (bytes, type(None))), ("call", (bytes, type(None))),
)  # fmt: skip


@cache
def query(name: str) -> str:
    """The statement ``name`` of ``queries.sql``."""
    return sql.queries("sqlite")[name]


def to_column(text: str) -> str | bytes:
    """Lone surrogates have no place in a TEXT value: such a text is stored as BLOB."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def from_column(column: Any) -> Any:
    """What ``to_column`` was given; whatever else somebody has put there stays what it is."""
    return text_of(column) if isinstance(column, bytes) else column


def to_kept(instance_id: str, row: Sequence[Any]) -> Kept:
    """What the query ``load`` gives. Raises SnapshotAuthenticationError for values that we did not put there."""
    values = list(row)
    for position, (name, kind) in enumerate(_KINDS):
        value = values[position]
        if kind is str and isinstance(value, bytes):
            with suppress(UnicodeDecodeError):  # then it was not ``to_column`` that wrote it
                values[position] = value = value.decode("utf-8", "surrogatepass")
        if not isinstance(value, kind):
            raise damaged(instance_id, f"{name!r} is {value!r:.80}")
    status, checkpoint, location, function, wake_at, snapshot, outcome, call = values
    return Kept(InstanceState(status, checkpoint, location, function, wake_at, snapshot, outcome or b""), call or b"")


def damaged(instance_id: str, what: str) -> SnapshotAuthenticationError:
    """The error for an instance of which somebody has altered the rows."""
    return SnapshotAuthenticationError(
        f"the rows of instance {instance_id!r} are damaged: {what}. They were left as they are; put a backup back, or delete the "
        "instance"
    )


def count_of(value: Any) -> int:
    """A column that counts; 0 for what somebody else has put there."""
    return value if type(value) is int and 0 <= value < MANY else 0


def text_or_none(column: Any) -> str | None:
    """A column that is to be a text; None for what somebody else has put there."""
    text = from_column(column)
    return text if isinstance(text, str) else None


def hold_of(column: Any) -> HoldRecord | None:
    """A column that is to be a hold; likewise."""
    try:
        what, since = json.loads(column)
        return HoldRecord(str(what), float(since))
    except (TypeError, ValueError, OverflowError, RecursionError):
        return None


def number_or(value: Any, otherwise: float) -> float:
    """A column that is to be a number."""
    return value if type(value) in (int, float) else otherwise

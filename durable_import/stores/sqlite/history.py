"""The history in an SQLite database is kept by triggers, which each connection that is to keep it has for itself."""

from __future__ import annotations

import sqlite3

from durable_import.stores.bounds import LEAST, HistoryBound
from durable_import.stores.sqlite.columns import query

_TRIGGERS = ("keep_history", "go_back", "keep_changed_segment", "keep_removed_segment", "keep_new_segment")


def keep_history(connection: sqlite3.Connection, bound: HistoryBound) -> None:
    """Let a connection keep the states that it overwrites, so far as they are to be kept."""
    for name in _TRIGGERS:
        connection.execute(query(name))
    limits = []
    if bound.most is not None:
        limits.append(f"checkpoint < old.checkpoint - {bound.most - LEAST:d}")
    if bound.seconds is not None:
        limits.append(f"kept_at < new.updated_at - {bound.seconds:f}")
    if limits:
        connection.execute(query("clear_history").replace("LIMIT", " OR ".join(limits)))

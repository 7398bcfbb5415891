"""How many instances there are. A row of a state is long: what an index or a shelf says is not asked of it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import replace
from typing import Any

from durable_import.stores.sqlite.columns import text_or_none
from durable_import.stores.sqlite.looking import OWNED_AS, terms_of
from durable_import.stores.sqlite.owners import AGAIN, CANCELLED, COMPLETED, FAILED, LEFT, OWNED, READY, RESTS, STUCK
from durable_import.stores.state import CountedBy, InstanceQuery

_SAYING = {COMPLETED: "completed", FAILED: "failed", CANCELLED: "cancelled", STUCK: "stuck"}  # shelves that say the status
_DUE = f"shelf = {RESTS} AND due IS NOT NULL"  # sleeping, or waiting until then; others on that shelf wait
_OTHERS = f"shelf IN ({OWNED}, {READY}, {LEFT}, {AGAIN})"


def count(asked: InstanceQuery, by: CountedBy | None, connection: sqlite3.Connection) -> dict[str, int]:
    """See ``store.Store.count``."""
    terms, values = terms_of(replace(asked, status=None, cursor=None), None, "")

    def counted(table: str, status: str, where: str, *its: Any) -> Counter[str]:
        group = {"status": status, "function": "function", None: "''"}[by]
        grouped = f"GROUP BY {group}" if group in ("status", "function") else ""
        text = f"SELECT {group}, count(*) FROM {table} WHERE {' AND '.join([where, *terms])} {grouped}"
        return Counter({text_or_none(name) or "": number for name, number in connection.execute(text, (*its, *values))})

    if by != "status" and asked.status is None:
        has_no_state = counted("durable_instance", "''", OWNED_AS, "")
        return dict(counted("durable_instance", "''", "true") - has_no_state)
    found = Counter[str]()
    due = "durable_instance" if terms else "durable_instance INDEXED BY durable_instance_rests"
    for shelf, status in _SAYING.items():
        if asked.status in (None, status):
            found += counted("durable_instance", f"'{status}'", f"shelf = {shelf}")
    if asked.status in (None, "waiting"):
        found += counted("durable_instance", "'waiting'", f"shelf = {RESTS}")
        found -= counted(due, "'waiting'", _DUE)
    for table, others in (("durable_instance", _OTHERS), (due, _DUE)):
        its = (asked.status,) if asked.status is not None else ()
        has_status = "status = ?" if its else "status <> ''"
        found += counted(f"{table} JOIN durable_state USING (number)", "status", f"{others} AND {has_status}", *its)
    return dict(found)

"""From ids, texts and states to columns of the Postgres tables, and back."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from durable_import.stores import sql
from durable_import.stores.owner import UNKNOWN, Owner
from durable_import.stores.state import HoldRecord, InstanceState
from durable_import.stores.store import Kept

OWNED, READY, RESTS, COMPLETED, FAILED, CANCELLED, STUCK, LEFT, AGAIN = range(9)  # shelves

_ESCAPED = re.compile(r"\\(\\|0|u[0-9a-f]{4})")
_NO_TEXT = re.compile("[\\\\\0\ud800-\udfff]")


# What a list may ask for; its statement is called ``list``, the order, and these names. ``first`` and ``last``: around the part
# of an id that is in an index.
_SHOWN = f"CASE WHEN shelf = {STUCK} THEN 'stuck' ELSE status END"  # the status that lists have
LIST_TERMS = {
    "status": "status = %(status)s",
    "function": "function = %(function)s",
    "prefix": "left(instance_id, 64) ~>=~ %(first)s AND left(instance_id, 64) ~<~ %(last)s "
    "AND starts_with(instance_id, %(prefix)s)",
    "tag": "durable_instance.key IN (SELECT key FROM SCHEMA.durable_tag WHERE name = %(tag)s AND value = %(value)s)",
    "parent": "parent = %(parent)s",
    "shelf": "shelf = %(shelf)s",
    "taken": """durable_instance.key = ANY(ARRAY(
        SELECT key FROM SCHEMA.durable_instance WHERE shelf = 0 AND ended_at IS NOT NULL
    ))""",
    "owned": """durable_instance.key = ANY(ARRAY(
        WITH RECURSIVE each_owner (id) AS (
            SELECT min(owner) FROM SCHEMA.durable_state WHERE owner IS NOT NULL
            UNION ALL
            SELECT (SELECT min(owner) FROM SCHEMA.durable_state WHERE owner > each_owner.id) FROM each_owner
            WHERE each_owner.id IS NOT NULL
        )
        SELECT durable_state.key FROM each_owner JOIN SCHEMA.durable_state ON owner = each_owner.id WHERE status = %(status)s
    ))""",
    "shown": f"{_SHOWN} = %(status)s",
    "since": "created_at >= %(since)s",
    "before": "(created_at, durable_instance.key) < (%(at)s, %(key)b)",
    "behind": "(created_at, durable_instance.key) > (%(at)s, %(key)b)",
}
_OF_INSTANCES = ("function", "prefix", "tag", "parent", "since", "before", "behind")  # terms that need no other table
_DIRECTIONS = {"newest": "DESC", "oldest": "ASC"}


@cache
def query(name: str, schema: str) -> str:
    """The statement ``name`` of ``queries.sql`` over the tables of ``schema``, or one made of parts."""
    if name == "summary_of":
        text = sql.queries("postgres")["summary"] + " AND durable_instance.key = %(key)b"
    elif name.startswith("count "):
        text = _count_query(*name.split()[1:])
    elif name.startswith("list "):
        text = _list_query(*name.split()[1:])
    elif name.startswith("near "):
        text = f"SELECT count(*) FROM ({_near_query(*name.split()[1:])}) AS near"
    elif name.endswith(" keeping"):
        text = _keeping(name.split()[0])
    else:
        text = sql.queries("postgres")[name]
    return in_schema(text, schema)


def _keeping(name: str) -> str:
    """A statement that overwrites a state, and keeps it as a past one."""
    known = sql.queries("postgres")
    kept = f"kept AS ({known['keep_history']})"
    if name == "commit":
        return f"WITH {kept} {known[name]}"
    return known[name].replace("WITH ", f"WITH {kept}, past AS ({known['keep_ended_segments']}), ", 1)


def _count_query(by: str, *terms: str) -> str:
    group = {"status": _SHOWN, "function": "function", "all": "''"}[by]
    where = " AND ".join(["status <> ''", *(LIST_TERMS[term] for term in terms)])
    tables = "SCHEMA.durable_instance JOIN SCHEMA.durable_state USING (key)"
    return f"SELECT {group}, count(*) FROM {tables} WHERE {where} GROUP BY 1"


def _list_query(order: str, *terms: str) -> str:
    asked = [sql.queries("postgres")["summary"], *(LIST_TERMS[term] for term in terms if term != "near")]
    if "near" in terms:
        asked.append(f"durable_instance.key = ANY(ARRAY({_near_query(order, *terms)}))")
    return f"{' AND '.join(asked)} {_ordered(order)} LIMIT %(limit)s"


def _near_query(order: str, *terms: str) -> str:
    """The keys of as many of those that are owned as are looked at first: those that are next in the list, of any status."""
    where = " AND ".join([f"shelf = {OWNED}", *(LIST_TERMS[term] for term in terms if term in _OF_INSTANCES)])
    return f"SELECT key FROM SCHEMA.durable_instance WHERE {where} {_ordered(order)} LIMIT %(near)s"


def _ordered(order: str) -> str:
    return f"ORDER BY created_at {_DIRECTIONS[order]}, durable_instance.key {_DIRECTIONS[order]}"


def in_schema(text: str, schema: str) -> str:
    return text.replace("SCHEMA.", f'"{schema}".')


def row_key(instance_id: str) -> bytes:
    return hashlib.sha256(instance_id.encode("utf-8", "surrogatepass")).digest()


def to_column(text: str) -> str:
    """``text`` without what PostgreSQL has no place for; ``from_column`` gives it back."""
    return _NO_TEXT.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    return {"\\": r"\\", "\0": r"\0"}.get(character, f"\\u{ord(character):04x}")


def from_column(column: str) -> str:
    return _ESCAPED.sub(_unescape, column) if "\\" in column else column


def _unescape(found: re.Match[str]) -> str:
    code = found.group(1)
    return {"\\": "\\", "0": "\0"}.get(code) or chr(int(code[1:], 16))


def to_kept(row: Sequence[Any]) -> Kept:
    """From status, checkpoint, location, function, wake_at, snapshot, outcome and call."""
    status, checkpoint, location, function, wake_at, snapshot, outcome, call = row
    texts = from_column(status), checkpoint, from_column(location), from_column(function), wake_at
    return Kept(InstanceState(*texts, snapshot, outcome or b""), call or b"")


def to_owner(column: str | None) -> Owner:
    return Owner.from_json(column) if column is not None else UNKNOWN


def text_or_none(column: str | None) -> str | None:
    return from_column(column) if column is not None else None


def hold_of(column: str | None) -> HoldRecord | None:
    """What is a hold; None for what somebody else has put there."""
    try:
        what, since = json.loads(column)  # type: ignore[arg-type]
        return HoldRecord(str(what), float(since))
    except (TypeError, ValueError, OverflowError, RecursionError):
        return None

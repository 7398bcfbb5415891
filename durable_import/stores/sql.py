"""The SQL texts that lie beside each store: named queries, and numbered migrations."""

from __future__ import annotations

import re
from functools import cache
from pkgutil import get_data

MIGRATIONS = {  # in order; the first of SQLite is the file ``sqlite/migrations/0001_instances.sql``
    "sqlite": (
        "instances",
        "segments",
        "events_and_work",
        "history",
        "event_ids",
        "owners",
        "again",
        "kept_texts",
        "taken",
        "bounds",
    ),
    "postgres": ("instances", "event_ids", "owners", "again", "kept_texts", "taken", "history"),
}


@cache
def queries(database: str) -> dict[str, str]:
    """The statements of a file such as ``sqlite/queries.sql``, by the name in the comment before each."""
    parts = re.split(r"^-- name: (\w+)$", _text_of(f"{database}/queries.sql"), flags=re.MULTILINE)[1:]
    return {name: query.strip() for name, query in zip(parts[::2], parts[1::2], strict=True)}


@cache
def migrations(database: str) -> list[tuple[int, str]]:
    """Number and text of each migration, in order."""
    names = enumerate(MIGRATIONS[database], 1)
    return [(number, _text_of(f"{database}/migrations/{number:04}_{name}.sql")) for number, name in names]


def _text_of(name: str) -> str:
    """A file of this package, which may be in a zip archive."""
    data = get_data(__package__, name)
    assert data is not None, "the loader of this package has no files"
    return data.decode("utf-8")

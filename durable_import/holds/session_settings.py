"""Statements that set a connection for as long as it lives, ``PRAGMA foreign_keys = on`` or ``SET search_path TO shop``.

They are noted with the calls that opened the connection, the last one of each setting, and made again when it is opened again.
One in a transaction that is rolled back counts too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_PRAGMAS = (  # of a connection, and not of its file; not ``key``, which is a secret
    "analysis_limit", "automatic_index", "busy_timeout", "cache_size", "cache_spill", "case_sensitive_like", "cell_size_check",
    "foreign_keys", "ignore_check_constraints", "journal_size_limit", "legacy_alter_table", "locking_mode", "mmap_size",
    "query_only", "read_uncommitted", "recursive_triggers", "reverse_unordered_selects", "secure_delete", "synchronous",
    "temp_store", "threads", "trusted_schema", "wal_autocheckpoint",
)  # fmt: skip
_OF_SQLITE = re.compile(rf"PRAGMA\s+(?:main\s*\.\s*)?({'|'.join(_PRAGMAS)})\s*[=(].+", re.IGNORECASE | re.DOTALL)
_OF_POSTGRES = re.compile(r"SET\s+(?:SESSION\s+)?(TIME\s+ZONE|ROLE|[\w.]+)(?:\s+|\s*=\s*).+", re.IGNORECASE | re.DOTALL)
_OTHERS = ("local", "transaction", "constraints", "characteristics", "authorization", "session")
_COMMENT = re.compile(r"\A(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)
_FIRST = ("P", "S", "-", "/")  # what such a text may begin with, to be quick about all others


def settings_in(text: str) -> Iterator[tuple[str, str]]:
    """The statements of a text that set the connection, each behind the name of what it sets."""
    if text.lstrip()[:1].upper() not in _FIRST:
        return
    for part in text.split(";"):
        statement = _COMMENT.sub("", part).strip()
        found = _OF_SQLITE.fullmatch(statement) or _OF_POSTGRES.fullmatch(statement)
        if found is not None and found[1].lower() not in _OTHERS:
            yield " ".join(found[1].lower().split()), statement

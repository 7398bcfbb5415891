"""The SQL texts that lie beside the stores: named queries, and numbered migrations."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

_HERE: Traversable = resources.files("durable_import.stores")


@cache
def queries(file: str) -> dict[str, str]:
    """The statements of a file such as ``sqlite_queries.sql``, by the name in the comment before each."""
    text = (_HERE / file).read_text(encoding="utf-8")
    parts = re.split(r"^-- name: (\w+)$", text, flags=re.MULTILINE)[1:]
    return {name: query.strip() for name, query in zip(parts[::2], parts[1::2], strict=True)}


@cache
def migrations(database: str) -> list[tuple[int, str]]:
    """Number and text of each migration, in order; a file is named like ``0001_instances.sql``."""
    scripts = [file for file in (_HERE / "migrations" / database).iterdir() if file.name.endswith(".sql")]
    return sorted((int(file.name.partition("_")[0]), file.read_text(encoding="utf-8")) for file in scripts)

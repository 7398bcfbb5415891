"""From ids, texts and states to rows of the Postgres tables."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from durable_import.stores.base import Claim

Row = Mapping[str, Any]

_ESCAPED = re.compile(r"\\(\\|0|u[0-9a-f]{4})")
_NO_TEXT = re.compile("[\\\\\0\ud800-\udfff]")


def commit_statements(
    claim: Claim, state: dict[str, Any], segments: Mapping[str, bytes | None], is_whole: bool
) -> list[tuple[str, Row]]:
    """What a commit executes, one after another. If the first changes no row, the claim is not current: go no further."""
    key = row_key(claim.instance_id)
    columns = {name: to_column(value) if isinstance(value, str) else value for name, value in state.items()}
    row = {**columns, "key": key, "instance_id": to_column(claim.instance_id), "epoch": claim.epoch}
    statements: list[tuple[str, Row]] = [("commit_whole" if is_whole else "commit", row)]
    for name, data in segments.items():
        if data is not None:
            statements.append(("put_segment", {"key": key, "name": to_column(name), "data": data}))
        elif not is_whole:
            statements.append(("remove_segment", {"key": key, "name": to_column(name)}))
    return statements


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

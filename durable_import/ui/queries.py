"""What is asked for in a URL, in the words of ``durable list``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from ..stores.state import STATUSES, STUCK, InstanceQuery

PARAMETERS = ("status", "function", "prefix", "tag", "parent", "limit", "cursor")
MOST = 1000  # instances in a page
KNOWN_STATUSES = (*STATUSES, STUCK)


def query_of(asked: Mapping[str, str], limit: int) -> InstanceQuery:
    """The query in a URL; what is empty, as the fields of a form are, is not asked for. Raises ValueError."""
    unknown = sorted(asked.keys() - set(PARAMETERS))
    if unknown:
        raise ValueError(f"there is no parameter {unknown[0]!r}, but {', '.join(PARAMETERS)}")
    given = {name: value for name, value in asked.items() if value}
    status = given.get("status")
    if status is not None and status not in KNOWN_STATUSES:
        raise ValueError(f"there is no status {status!r}, but {', '.join(KNOWN_STATUSES)}")
    return InstanceQuery(
        status=status,
        function=given.get("function"),
        prefix=given.get("prefix", ""),
        tag=_tag(given["tag"]) if "tag" in given else None,
        parent=given.get("parent"),
        limit=_limit(given["limit"]) if "limit" in given else limit,
        cursor=given.get("cursor"),
    )


def _tag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"the tag {text!r} is not NAME=VALUE")
    return name, value


def _limit(text: str) -> int:
    if not text.isdecimal() or not text.isascii() or not 0 < int(text[:9]) <= MOST or len(text) > len(str(MOST)):
        raise ValueError(f"limit={text!r} is not a number from 1 to {MOST}")
    return int(text)


def url_of(query: InstanceQuery, **changed: str | None) -> str:
    """The same query, with some of it changed, as the end of a URL; another list begins at its first page."""
    asked = replace(query, **{"cursor": None, **changed})  # type: ignore[arg-type]  # each is the text that is asked for
    found = {
        "status": asked.status,
        "function": asked.function,
        "prefix": asked.prefix,
        "tag": "=".join(asked.tag) if asked.tag is not None else None,
        "parent": asked.parent,
        "cursor": asked.cursor,
    }
    text = urlencode({name: value for name, value in found.items() if value}, errors="surrogatepass")
    return f"?{text}" if text else "?"

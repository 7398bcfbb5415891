"""``list``: the instances in a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import InstanceQuery
from ..api.documents import list_document
from .asking import ask
from .speech import moment, print_document, say, shown, shown_lines, shown_store
from .tables import print_table

if TYPE_CHECKING:
    from ..api.connection import Client
    from ..api.lists import Summary

COLUMNS = ("id", "status", "function", "changed", "where")


def list_instances(store: str, as_json: bool, **asked: Any) -> int:
    """Print a line for each instance that fits all that is asked for, see ``InstanceQuery``, or one document; gives the exit
    status."""
    query = InstanceQuery(**asked)
    return ask(store, lambda client: _list(client, query, store, as_json))


def _list(client: Client, query: InstanceQuery, store: str, as_json: bool) -> int:
    page = client.list(query)
    if as_json:
        print_document(list_document(page))
        return 0
    if not page:
        say(f"there is no such instance in {shown_store(store)}")
        return 0
    print_table(COLUMNS, [row_of(each) for each in page])
    if any(each.status == "stuck" for each in page):
        say("what is stuck goes on when what its error names is mended, by: durable retry ID")
    if page.cursor is not None:
        say(f"there are more than these {len(page)}: give --limit, or --cursor '{page.cursor}'")
    return 0


def row_of(each: Summary) -> tuple[str, ...]:
    """The cells of an instance."""
    return shown(each.id), each.status, shown(each.function or "-"), moment(each.updated_at), _where(each)


def _where(each: Summary) -> str:
    """Where it is, and what keeps it there."""
    text = f"{each.location} ({each.progress})" if each.progress is not None else each.location
    if each.error:
        text = f"{text}: {each.error.splitlines()[0]}".removeprefix(": ")
    elif each.hold is not None:
        text = f"{text}: held by {each.hold.what}".removeprefix(": ")
    return " ".join(shown_lines(text))

"""``events``: those for an instance that it has not taken yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api.documents import event_documents
from .asking import ask_of
from .speech import print_document, say, shown
from .tables import print_table

if TYPE_CHECKING:
    from ..api.connection import Client, ClientHandle


def show_events(instance_id: str, *, store: str, as_json: bool) -> int:
    """Print a line for each event, in their order, or one array; gives the exit status."""

    def show(client: Client, handle: ClientHandle) -> int:  # noqa: ARG001
        events = handle.events()
        if as_json:
            print_document(event_documents(events))
        elif events:
            rows = [(str(each.number), shown(each.name), str(each.payload)) for each in events]
            print_table(("number", "name", "payload"), rows)
        else:
            say(f"there are no events for {instance_id} that it has not taken")
        return 0

    return ask_of(store, instance_id, show)

"""``history``: what an instance has been, checkpoint by checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api.documents import history_documents
from .asking import ask_of
from .speech import print_document, shown
from .tables import print_table

if TYPE_CHECKING:
    from ..api.connection import Client, ClientHandle


def show_history(instance_id: str, *, store: str, as_json: bool) -> int:
    """Print a line for each checkpoint, oldest first, or one array; gives the exit status."""

    def show(client: Client, handle: ClientHandle) -> int:  # noqa: ARG001
        states = handle.history()
        if as_json:
            print_document(history_documents(states))
        else:
            rows = [(str(each.checkpoint), each.status, shown(each.location or "-")) for each in states]
            print_table(("checkpoint", "status", "where"), rows)
        return 0

    return ask_of(store, instance_id, show)

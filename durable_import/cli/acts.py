"""``cancel``, ``retry``, ``delete``: what is asked of an instance, from another process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api.documents import act_document
from .asking import ask_of
from .speech import USAGE, print_document, say

if TYPE_CHECKING:
    from ..api.connection import Client, ClientHandle

_DONE = {
    "cancel": "instance {} is asked to end: its process is told within a second, or the one that takes it up next",
    "retry": "instance {} goes on from its last checkpoint, in the next process that has its program and looks for work",
    "delete": "instance {} is forgotten",
}
_NOT_DONE = {
    "cancel": "instance {} is {}: it has ended",
    "retry": "instance {} is {}: what can be retried has failed, is stuck, or is to be tried again later",
}


def act(what: str, instance_id: str, *, store: str, as_json: bool) -> int:
    """Ask for it, and say whether it is done; gives the exit status."""

    def do(client: Client, handle: ClientHandle) -> int:  # noqa: ARG001
        status = handle.info().status
        done = getattr(handle, what)() is not False
        if as_json:
            print_document(act_document(handle.id, what, done=done, status=status))
        else:
            say((_DONE if done else _NOT_DONE)[what].format(handle.id, status))
        return 0 if done else USAGE

    return ask_of(store, instance_id, do)

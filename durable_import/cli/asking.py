"""What commands ask of a store, and how it is said that there is no such thing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .. import InstanceQuery, UnknownInstanceError, connect
from .speech import USAGE, say, shown, shown_store

if TYPE_CHECKING:
    from ..api.connection import Client, ClientHandle

_LOOKED_AT = 200  # ids that are compared with one that is not there, for each beginning of it
_NAMED = 3
_ALIKE = 0.5  # of 1, by difflib


def ask(store: str, act: Callable[[Client], int]) -> int:
    """Do something with a client of the store of this URL; gives its exit status. Raises DurableError."""
    try:
        with connect(store) as client:
            return act(client)
    except ValueError as error:
        say(str(error))
        return USAGE


def ask_of(store: str, instance_id: str, act: Callable[[Client, ClientHandle], int]) -> int:
    """The same with an instance: one that is not there is said, with the nearest that are."""

    def ask_or_say(client: Client) -> int:
        try:
            return act(client, client.handle(instance_id))
        except UnknownInstanceError:
            nearest = " or ".join(map(shown, nearest_ids(client, instance_id)))
            advice = f"is it {nearest}?" if nearest else "`list` tells which there are"
            say(f"there is no instance {instance_id!r} in {shown_store(store)}: {advice}")
            return USAGE

    return ask(store, ask_or_say)


def nearest_ids(client: Client, instance_id: str) -> list[str]:
    """Up to three ids that begin like one that is not there, or look like it, among the newest and those that begin alike."""
    from difflib import get_close_matches  # slow to import

    found: dict[str, None] = {}
    size = len(instance_id)
    for length in sorted({0, 1, size // 2, size - 1, size}):
        page = client.list(InstanceQuery(prefix=instance_id[:length], limit=_LOOKED_AT))
        found.update((each.id, None) for each in page)
    beginning = [each for each in found if each.startswith(instance_id)]
    return beginning[:_NAMED] or get_close_matches(instance_id, found, _NAMED, _ALIKE)

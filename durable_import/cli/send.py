"""``send``: an event for an instance, from another process."""

from __future__ import annotations

import asyncio
import json

from ..api.events import send_event
from .speech import USAGE, print_document, say, shown_store


def send(instance_id: str, name: str, payload: str | None, *, store: str, as_json: bool = False) -> int:
    """Publish an event whose payload is JSON text, or None; gives the exit status. Raises
    DurableError."""
    try:
        value = json.loads(payload) if payload is not None else None
    except ValueError as error:
        say(f"the payload is not JSON: {error}. Text stands in double quotes: '\"yes\"'")
        return USAGE
    try:
        is_there = asyncio.run(send_event(store, instance_id, name, value))
    except ValueError as error:
        say(str(error))
        return USAGE
    if as_json:
        print_document({"id": instance_id, "event": name, "is_there": is_there})
    elif not is_there:
        say(f"there is no instance {instance_id!r} in {shown_store(store)} yet: the event is kept until there is one")
    return 0

"""``send``: an event for an instance, from another process."""

from __future__ import annotations

import asyncio
import json

from .. import DurableError
from ..api.events import send_event
from .speech import OURS, USAGE, say


def send(instance_id: str, name: str, payload: str | None, *, store: str) -> int:
    """Publish an event whose payload is JSON text, or None; gives the exit status."""
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
    except DurableError as error:
        say(f"error: {error}")
        return OURS
    if not is_there:
        say(f"there is no instance {instance_id!r} in {store} yet: the event is kept until there is one")
    return 0

"""``send``: an event for an instance, from another process."""

from __future__ import annotations

import asyncio
import json
import sys

from ..api.runtime import DurableRuntime
from ..errors import DurableError
from ..stores.base import EventStore

USAGE, OURS = 2, 70  # exit statuses


def send(instance_id: str, name: str, payload: str | None, *, store: str) -> int:
    """Publish an event whose payload is JSON text, or None; gives the exit status."""
    try:
        value = json.loads(payload) if payload is not None else None
    except ValueError as error:
        print(f"durable_import: the payload is not JSON: {error}. Text stands in double quotes: '\"yes\"'", file=sys.stderr)
        return USAGE
    try:
        asyncio.run(_publish(instance_id, name, value, store))
    except ValueError as error:
        print(f"durable_import: {error}", file=sys.stderr)
        return USAGE
    except DurableError as error:
        print(f"durable_import: error: {error}", file=sys.stderr)
        return OURS
    return 0


async def _publish(instance_id: str, name: str, value: object, store: str) -> None:
    runtime = DurableRuntime(store)
    try:
        if not isinstance(runtime.store, EventStore):
            raise DurableError(f"{runtime.store!r} keeps no events: send it from the process that runs the instance")
        if await runtime.store.load(instance_id) is None:
            print(
                f"durable_import: there is no instance {instance_id!r} in {store} yet: the event is kept until there is one",
                file=sys.stderr,
            )
        await runtime.publish_event(instance_id, name, value)
    finally:
        await runtime.close()

"""Events from outside: sent to an instance by a process that does not run it."""

from __future__ import annotations

from typing import Any

from ..errors import DurableError
from ..stores.base import EventStore
from .runtime import DurableRuntime


async def send_event(store: str, instance_id: str, name: str, payload: Any) -> bool:
    """Publish an event in the store of this URL; gives whether the instance exists yet: until then the event is kept.

    Raises ValueError for what is no name of an instance or an event, InstanceFinishedError, StoreError, and DurableError when
    the store keeps no events.
    """
    runtime = DurableRuntime(store)
    try:
        if not isinstance(runtime.store, EventStore):
            raise DurableError(f"{runtime.store!r} keeps no events: send it from the process that runs the instance")
        is_there = await runtime.store.load(instance_id) is not None
        await runtime.publish_event(instance_id, name, payload)
        return is_there
    finally:
        await runtime.close()

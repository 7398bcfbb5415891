"""Events from outside: sent to an instance by a process that does not run it."""

from __future__ import annotations

from typing import Any

from .runtime import DurableRuntime


async def send_event(store: str, instance_id: str, name: str, payload: Any) -> bool:
    """Publish an event in the store of this URL; gives whether the instance exists yet: until then the event is kept.

    Raises ValueError for what is no name of an instance or an event, InstanceFinishedError and StoreError.
    """
    runtime = DurableRuntime(store)
    try:
        is_there = await runtime.instances.summary(instance_id) is not None
        await runtime.publish_event(instance_id, name, payload)
        return is_there
    finally:
        await runtime.close()

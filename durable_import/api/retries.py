"""Retrying from outside: by a process that does not run the instance."""

from __future__ import annotations

from .runtime import DurableRuntime


async def retry_instance(store: str, instance_id: str) -> str | None:
    """Let an instance in the store of this URL be taken up again by the processes that run its program, if it has failed or is
    stuck; else gives its status.

    Raises ValueError for what is no name of an instance, UnknownInstanceError and StoreError.
    """
    runtime = DurableRuntime(store)
    try:
        status = await runtime.handle(instance_id).status()
        return None if await runtime.instances.retry(instance_id) else status
    finally:
        await runtime.close()

"""Retrying from outside: by a process that does not run the instance, and has none of its code, nor the key."""

from __future__ import annotations

from ..errors import UnknownInstanceError
from ..running.validation import check_id
from .lists import existing_store


async def retry_instance(store: str, instance_id: str) -> str | None:
    """Let an instance in the store of this URL be taken up again by the processes that run its program, if it has failed or is
    stuck; else gives its status.

    Raises ValueError for what is no name of an instance, UnknownInstanceError and StoreError.
    """
    check_id(instance_id)
    opened = existing_store(store)
    try:
        summary = await opened.summary(instance_id)
        if summary is None:
            raise UnknownInstanceError(f"there is no instance {instance_id!r} in {store}: check the id")
        return None if await opened.retry(instance_id) else summary.status
    finally:
        await opened.close()

"""Waiting again, after a restart, for a primitive of asyncio that a module has made anew. Rewritten like asyncio's own code."""

from __future__ import annotations

import asyncio
from typing import Any


async def wait_again(primitive: Any, method: str, arguments: dict[str, Any], was_woken: bool) -> Any:
    """The call of a method that had begun. ``was_woken``: what it waited for had happened, but it had not gone on."""
    if was_woken and isinstance(primitive, asyncio.Event):
        return True
    if method not in ("wait", "wait_for") or not isinstance(primitive, asyncio.Condition):
        return await getattr(primitive, method)(**arguments)
    cancelled = None
    while True:  # as ``Condition.wait`` does: whatever happens, it ends with the lock held
        try:
            await primitive.acquire()
            break
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    if was_woken and method == "wait":
        return True
    return await getattr(primitive, method)(**arguments)


def is_waiting_again(frame: Any, primitive: Any) -> bool:
    """Whether a coroutine is ``wait_again`` of a condition whose lock it has released."""
    if getattr(frame, "cr_code", None) is not wait_again.__code__ or not isinstance(primitive, asyncio.Condition):
        return False
    names = frame.cr_frame.f_locals
    return names["primitive"] is primitive and names["method"] in ("wait", "wait_for")

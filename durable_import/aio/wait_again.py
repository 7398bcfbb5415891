"""Waiting again, after a restart, for a primitive of asyncio that a module has made again. Rewritten like asyncio's own code."""

from __future__ import annotations

import asyncio
from types import CoroutineType
from typing import Any

from ..hook.code_table import info_of
from ..rewrite.analysis.names import STATE


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


def is_waiting_again(frames: list[Any], primitive: Any) -> bool:
    """Whether one of these coroutines is ``wait_again`` of a condition whose lock it has released, or is taking again."""
    if not isinstance(primitive, asyncio.Condition):
        return False
    return any(_waits_for(frame, primitive) for frame in frames)


def _waits_for(frame: Any, condition: asyncio.Condition) -> bool:
    info = info_of(frame.cr_code) if isinstance(frame, CoroutineType) else None
    if info is None or info.place != wait_again.__qualname__ or info.module.name != __name__:
        return False
    names = frame.cr_frame.f_locals
    names = names.get(STATE) or names  # restored, and not gone on yet
    return names["primitive"] is condition and names["method"] in ("wait", "wait_for")

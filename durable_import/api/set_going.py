"""The ids of what an instance sets going: taken from the key of the step that does it, so that the store drops the second.

A call of ``start`` or ``publish_event`` by the program is a step, and the state is committed before: made again, it is the same
call. What a library's code does within its step may be something else when the step runs again, as in a loop over messages: there
the id is that of the content too. A task that it has begun, which may serve others for ever, sets things going of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ..aio.canonical import digest_of
from ..aio.running_step import running_step
from ..aio.task import DurableTask
from ..frames import ambient


def id_from_step(content: Callable[[], bytes]) -> str | None:
    """An id for what the running step sets going, the same when it runs again after a crash; None for what no step does."""
    step = running_step.get()
    task: Any = asyncio.current_task() if step is not None else None
    if step is None or type(task) is not DurableTask:
        return None
    return id_from_parts(*step.take_key(b"" if step.is_ours else content()))


def id_from_parts(*parts: Any) -> str:
    """An id that is the same for the same parts; as short as other ids, however long they are."""
    import uuid  # slow to import

    return str(uuid.UUID(digest_of(parts), version=5))


def running_instance() -> str | None:
    """The id of the instance that the running code belongs to, if any; in code called by it as well."""
    instance_id: str | None = getattr(ambient.current_driver.get(), "instance_id", None)
    return instance_id


def begins_unnamed(awaitable: Any) -> bool:
    """Whether a call that has not begun leaves the id of an instance to the runtime."""
    frame = awaitable.cr_frame
    return frame is not None and frame.f_locals.get("instance_id") is None

"""The ids of what an instance sets going: taken from the key of the step that does it, so that the store drops the second."""

from __future__ import annotations

from typing import Any

from ..aio.canonical import digest_of
from ..aio.running_step import running_step


def id_from_step() -> str | None:
    """An id for what the running step sets going, the same when it runs again after a crash; None outside of instances."""
    step = running_step.get()
    if step is None:
        return None
    import uuid  # slow to import

    return str(uuid.UUID(digest_of((step.take_id(),)), version=5))  # as short as other ids, however long the key is


def begins_unnamed(awaitable: Any) -> bool:
    """Whether a call of ``start`` or ``run`` that has not begun leaves the id to the runtime."""
    frame = awaitable.cr_frame
    return frame is not None and frame.f_locals.get("instance_id") is None

"""The idempotency key of the step that runs: what tells others that a call is the one that they have had before."""

from __future__ import annotations

import sys
from typing import Any

from ..errors import DurableError
from ..pythons.tasks import get_running_loop
from .canonical import digest_of
from .loop import InstanceLoop
from .running_step import running_step


def step_key(*parts: Any) -> str:
    """The idempotency key of a call: the same when that is made again after a crash, and of no other call.

    In code that is not rewritten, and in its threads if ``asyncio.to_thread`` or ``run_in_executor`` has begun them, it is
    the key of the step that they belong to. In rewritten code it is the key of the call that the current task makes next.
    Asked for again before that it is the same, unless the call that it was given to has been made and waits to be awaited, or
    the same line comes again in a loop. The state is committed before any next step of the instance begins, so that after a
    crash the same values are there with the same key. Each task has keys of its own, and so has each run of an instance under
    the same id. Outside any instance each call gives a new random one.

    ``parts`` name the call, wherever it is made: ``step_key("charge", order.id)`` is the same for the same parts all through a
    run of an instance, in loops, retries and other tasks too, and nothing is committed for it. They are text, numbers, bytes,
    dates, UUIDs, enums, paths, dataclasses, and containers of those; equal ones of different types differ.

    It is text that begins with the instance's id. Raises TypeError for other parts, and DurableError for a key without parts in
    a callback of the event loop, which is no part of a task.
    """
    step = running_step.get()
    loop: Any = None
    if step is None:
        loop = get_running_loop()
        if type(loop) is not InstanceLoop:
            import uuid  # slow to import

            return str(uuid.uuid4())
    if parts:
        return f"{loop.run_name if step is None else step.run_name}/{digest_of(parts)}"
    if step is not None:
        return step.ask()
    key: str | None = loop.ask_for_key(sys._getframe(1))
    if key is None:
        raise DurableError(
            "step_key() was called in a callback of the event loop, which awaits nothing and so comes to no step: call it in "
            "a task, and give the callback the key, or name the call: step_key(*parts)"
        )
    return key

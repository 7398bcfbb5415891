"""The idempotency key of the step that runs: what tells others that a call is the one that they have had before."""

from __future__ import annotations

from ..errors import DurableError
from ..pythons.tasks import get_running_loop
from .executors import running_step_key
from .loop import InstanceLoop


def step_key() -> str:
    """The idempotency key of the step in flight: the same when that runs again after a crash, and of no other step.

    In code that is not rewritten, and in its threads if ``asyncio.to_thread`` or ``run_in_executor`` has begun them, it is
    the key of the step that they belong to. In rewritten code it is the key of the step that the current task comes to next,
    so what is computed for a call has the key of that call. What another task is going to do (in ``gather``,
    ``create_task``) has a key of that task: ask for it there. Each run of an instance under the same id has keys of its own.
    Outside any instance each call gives a new random one.

    It is text that begins with the instance's id. Raises DurableError in a callback of the event loop, which is no part of a
    task.
    """
    key = running_step_key.get()
    if key:
        return key
    loop = get_running_loop()
    if type(loop) is not InstanceLoop:
        import uuid  # slow to import

        return str(uuid.uuid4())
    if loop.current is None:
        raise DurableError(
            "step_key() was called in a callback of the event loop, which awaits nothing and so comes to no step: call it in "
            "a task, and give the callback the key"
        )
    return loop.key_of(loop.current)

"""Whether what runs is made again: how often it has begun."""

from __future__ import annotations

from ..pythons.tasks import get_running_loop
from .loop import InstanceLoop
from .running_step import running_step


def attempt() -> int:
    """How often what runs has begun, this time included: 1 at first, more after a crash or a suspension in the middle of it.

    In code that is not rewritten, and in its threads if ``asyncio.to_thread`` or ``run_in_executor`` has begun them, that is
    the step that they belong to. In rewritten code it is what runs since the last checkpoint: in the body of a ``with`` block
    that holds it tells that the body runs again. A step that was about to begin at a checkpoint counts as begun. Outside any
    instance it is 1.
    """
    step = running_step.get()
    if step is not None:
        return step.attempt
    loop = get_running_loop()
    return 1 + loop.earlier_lives if type(loop) is InstanceLoop else 1

"""The task that awaits an instance: one of the process, which natively would be the program's first task.

So its cancellations are the program's, and what the program has made of them, and of the context variables, is given back.
"""

from __future__ import annotations

import asyncio
import contextvars
import re
from typing import Any

from ...aio.loop import InstanceLoop
from ...aio.task import DurableTask


class Caller:
    """The task that awaits an instance, once ``attach`` was called in it; ``root`` is the first task of the instance."""

    __slots__ = ("_cancellations", "_given_name", "_late_cancellation", "_own_name", "task")

    def __init__(self) -> None:
        self.task: asyncio.Task[Any] | None = None
        self._cancellations = 0  # requests to cancel it that the program knows of
        self._late_cancellation: asyncio.CancelledError | None = None
        self._own_name = self._given_name = ""

    def attach(self, instance_id: str | None) -> None:
        """It is the running task. One that nobody has named is named after the instance, for people who look at the process."""
        task = self.task = asyncio.current_task()
        if task is None:
            return
        self._cancellations, self._own_name = task.cancelling(), task.get_name()
        if instance_id and _is_given_by_asyncio(self._own_name):
            self._given_name = f"instance {instance_id}"
            task.set_name(self._given_name)

    def detach(self) -> None:
        """It goes on by itself, under its own name, unless somebody has given it another one meanwhile."""
        if self.task is not None and self.task.get_name() == self._given_name:
            self.task.set_name(self._own_name)

    @property
    def name(self) -> str:
        """What the first task of the instance is to be called."""
        return "Task-1" if _is_given_by_asyncio(self._own_name) else self._own_name  # another number is one of this process

    def hand_over(self, root: DurableTask) -> None:
        """The requests to cancel it are those of a new instance's first task."""
        root._num_cancels_requested = self._cancellations

    def interrupt(self) -> None:
        """Let it go on from where it awaits the instance."""
        if self.task is not None:
            self.task.cancel()

    def pass_on(self, error: asyncio.CancelledError, root: DurableTask) -> None:
        """It was cancelled, perhaps several times: natively it is the program that is."""
        known, self._cancellations = self._cancellations, self.task.cancelling() if self.task is not None else 0
        if root.cancel(*error.args):
            root._num_cancels_requested += max(self._cancellations - known - 1, 0)
        else:
            self._late_cancellation = error

    def give_back_cancellations(self, loop: InstanceLoop) -> Any:
        """The program's own requests to cancel its first task, and those it took back, count for the task that awaited it."""
        if self._late_cancellation is not None:
            raise self._late_cancellation  # it came when the program had ended
        task, wanted = self.task, loop.root.cancelling()
        if task is None:
            return
        for _ in range(self._cancellations - wanted):
            task.uncancel()
        if self._cancellations < wanted:
            pause = _Pending(loop=loop.real)
            loop.real.call_soon(pause.count_cancellations, task, wanted - self._cancellations)
            yield from pause.__await__()


def _is_given_by_asyncio(name: str) -> bool:
    """Whether it is the name of a task that nobody has named, or of none."""
    return re.fullmatch(r"(Task-\d+)?", name) is not None


def give_back_context(root: DurableTask) -> None:
    """The program's changes of context variables are seen by the task that awaited it, which calls this."""
    own = contextvars.copy_context()
    for variable, value in root.get_context().items():
        if not variable.name.startswith("durable_import.") and (variable not in own or own[variable] is not value):
            variable.set(value)


class _Pending(asyncio.Future[None]):
    """A task that waits for it can be asked to end, which is counted, without coming to know."""

    def cancel(self, msg: Any = None) -> bool:  # noqa: ARG002  the signature of a future
        return True

    def count_cancellations(self, task: asyncio.Task[Any], number: int) -> None:
        """Ask so many times, and let the task go on."""
        for _ in range(number):
            task.cancel()
        self.set_result(None)

"""Coroutines that run within a task of the process while one of an instance is the current one: libraries' scopes ask for it."""

from __future__ import annotations

from typing import Any

from ..pythons.tasks import running_task


async def as_task(coroutine: Any, task: Any) -> Any:
    """What a coroutine gives, run as if ``task`` ran it."""
    return await InTask(coroutine, task)


class InTask:
    """Runs a coroutine, within a task of the process, while ``task`` is the current one: scopes of libraries ask for it.

    What they ask of it, such as to be cancelled for a timeout of theirs, is asked of the coroutine.
    """

    def __init__(self, coroutine: Any, task: Any) -> None:
        self.coroutine = coroutine
        self.task = task

    def __await__(self) -> Any:
        task, error = self.task, None
        lent = task.lend()
        try:
            while True:
                with running_task(task):
                    try:
                        given = self.coroutine.send(None) if error is None else self.coroutine.throw(error)
                    except StopIteration as stop:
                        return stop.value
                error = None
                task.waits_lent(given)
                try:
                    yield given
                except BaseException as thrown:
                    error = thrown
                error = task.goes_on_lent(error)
        finally:
            task.take_back(lent)

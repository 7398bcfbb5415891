"""Coroutines that run within a task of the process while one of an instance is the current one: libraries' scopes ask for it."""

from __future__ import annotations

from typing import Any

from ..pythons.tasks import running_task


async def as_task(coroutine: Any, task: Any) -> Any:
    """What a coroutine gives, run as if ``task`` ran it."""
    return await InTask(coroutine, task)


class InTask:
    """Runs a coroutine, within a task of the process, while ``task`` is the current one: scopes of libraries ask for it."""

    def __init__(self, coroutine: Any, task: Any) -> None:
        self.coroutine = coroutine
        self.task = task

    def __await__(self) -> Any:
        kept = self.task.lend()
        try:
            return (yield from self._run())
        finally:
            self.task.take_back(kept)

    def _run(self) -> Any:
        error: BaseException | None = None
        while True:
            self.task.lent_waits(None)
            with running_task(self.task):
                try:
                    given = self.coroutine.send(None) if error is None else self.coroutine.throw(error)
                except StopIteration as stop:
                    return stop.value
            self.task.lent_waits(given)
            try:
                error = None
                yield given
            except BaseException as thrown:
                error = thrown

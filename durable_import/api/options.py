"""What an instance is begun with beside its function and arguments, which keep all keywords for themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, Protocol, TypeVar

from ..aio.foreign_calls import ask_when
from ..running.instance.records import Call, Outcome
from .handle import InstanceHandle

P = ParamSpec("P")
R = TypeVar("R")


class StartingRuntime(Protocol):
    """What is needed of the runtime."""

    async def start_call(
        self, call: Call, instance_id: str | None, tags: tuple[tuple[str, str], ...] = ()
    ) -> InstanceHandle[Any]:
        """See ``DurableRuntime.start``."""
        ...

    async def outcome_of(self, instance_id: str, is_run: bool = False) -> Outcome:
        """How an instance ended; waits for that."""
        ...


class Options:
    """Begins instances; ``DurableRuntime.options`` makes it. It can be kept in the variables of durable code, and used often
    unless it has the id of an instance.
    """

    def __init__(self, runtime: StartingRuntime, instance_id: str | None, tags: tuple[tuple[str, str], ...]) -> None:
        self._runtime = runtime
        self._tags = tags
        self.instance_id = instance_id

    async def run(self, function: Callable[P, Awaitable[R]], *arguments: P.args, **keywords: P.kwargs) -> R:
        """See ``DurableRuntime.run``."""
        handle = await self._runtime.start_call(Call(function, arguments, keywords), self.instance_id, self._tags)
        result: R = (await self._runtime.outcome_of(handle.id, is_run=True)).give(handle.id)
        return result

    async def start(self, function: Callable[P, Awaitable[R]], *arguments: P.args, **keywords: P.kwargs) -> InstanceHandle[R]:
        """See ``DurableRuntime.start``."""
        return await self._runtime.start_call(Call(function, arguments, keywords), self.instance_id, self._tags)


def _begins_unnamed(awaitable: Any) -> bool:
    """Whether a call that has not begun leaves the id of an instance to the runtime."""
    frame = awaitable.cr_frame
    return frame is not None and frame.f_locals["self"].instance_id is None


ask_when(Options.start, _begins_unnamed)
ask_when(Options.run, _begins_unnamed)

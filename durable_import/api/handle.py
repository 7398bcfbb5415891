"""A handle: an instance as seen from outside, no matter which process runs it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar, cast

from ..running.instance.records import Outcome
from ..stores.state import InstanceSummary, PastState

if TYPE_CHECKING:
    from ..inspect.stack import InstanceStack
    from ..inspect.values import Limits
    from .children import InstanceTree
    from .inspection import EventView, Inspection

T_co = TypeVar("T_co", covariant=True)
Status = Literal["pending", "running", "waiting", "sleeping", "completed", "failed", "cancelled", "stuck"]


class HandleRuntime(Protocol):
    """What a handle needs of the runtime."""

    @property
    def inspection(self) -> Inspection:
        """What looks at instances."""
        ...

    async def summary_of(self, instance_id: str) -> InstanceSummary:
        """What is small of what is kept of an instance."""
        ...

    async def outcome_so_far(self, instance_id: str) -> Outcome | None:
        """How an instance ended, if it has."""
        ...

    async def outcome_of(self, instance_id: str) -> Outcome:
        """The same, waited for."""
        ...

    async def cancel(self, instance_id: str) -> bool:
        """See ``InstanceHandle.cancel``."""
        ...

    async def retry(self, instance_id: str, *, from_failure: bool = False) -> object:
        """See ``InstanceHandle.retry``."""
        ...

    async def delete(self, instance_id: str) -> None:
        """See ``InstanceHandle.delete``."""
        ...

    async def ask(self, instance_id: str, name: str, payload: Any = None, timeout: float | None = None) -> Any:
        """See ``InstanceHandle.ask``."""
        ...

    async def migrate(self, instance_id: str, *, to_new_code: bool, undo: bool) -> bool:
        """See ``InstanceHandle.migrate``."""
        ...

    async def publish_event(self, instance_id: str, name: str, payload: Any) -> None:
        """See ``InstanceHandle.send``."""
        ...


class InstanceHandle(Generic[T_co]):
    """The instance ``id``, run by any process; ``DurableRuntime.start``, ``.handle`` and ``current_instance()`` make it.

    ``InstanceHandle[T]`` is one of a function that returns a ``T``. Handles can be kept in the variables of durable code.
    """

    def __init__(self, runtime: HandleRuntime, instance_id: str) -> None:
        self._runtime = runtime
        self.id = instance_id

    def __repr__(self) -> str:
        return f"InstanceHandle({self.id!r})"

    async def status(self) -> Status:
        """'pending', 'running', 'waiting' (for an event), 'sleeping', 'completed', 'failed', 'cancelled' or 'stuck' (given up).

        Raises UnknownInstanceError when there is none of this id, and StoreUnavailableError.
        """
        return cast(Status, (await self._runtime.summary_of(self.id)).status)

    async def info(self) -> InstanceSummary:
        """What is kept of the instance, without its variables: status, place and times, who owns it, what holds it, and how often
        it could not go on, with the error; tags, progress, parent and children. Raises as ``status``.
        """
        return await self._runtime.inspection.info(self.id)

    async def children(self) -> list[InstanceSummary]:
        """What is kept of the instances that it has begun, the oldest first. They are cancelled with it, unless they were begun
        by ``runtime.options(detached=True)``. Raises as ``status``, and DurableError when the store cannot list instances.
        """
        return await self._runtime.inspection.children(self.id)

    async def tree(self) -> InstanceTree:
        """The same with all below them; ``str`` of it has a line for each. Raises likewise."""
        return await self._runtime.inspection.tree(self.id)

    async def stack(self, limits: Limits | None = None, checkpoint: int | None = None) -> InstanceStack:
        """All that the instance was at its last checkpoint, whoever runs it: its tasks, each with what it waits for and its
        frames, with source lines and variables; or at the one of this number, in a store that keeps history. ``str`` of it is
        like a traceback.

        Nothing of the program is imported or run for it: objects are told as ``Type(field=...)``, as far as ``limits`` go. Raises
        as ``status``, SnapshotError for a state that cannot be read, and ValueError for a checkpoint that is not kept.
        """
        return await self._runtime.inspection.stack(self.id, limits, checkpoint)

    async def events(self, limits: Limits | None = None) -> list[EventView]:
        """The events for the instance that it has not taken yet. Raises as ``status``."""
        return await self._runtime.inspection.events(self.id, limits)

    async def history(self) -> list[PastState]:
        """What the instance has been, oldest first: see ``DurableRuntime.history``."""
        return await self._runtime.inspection.history(self.id)

    async def delete(self) -> None:
        """Forget the instance: see ``DurableRuntime.delete``."""
        await self._runtime.delete(self.id)

    async def retry(self, *, from_failure: bool = False) -> None:
        """Let the instance go on that has failed or is stuck: see ``DurableRuntime.retry``."""
        await self._runtime.retry(self.id, from_failure=from_failure)

    async def migrate(self, *, to_new_code: bool = False, undo: bool = False) -> bool:
        """Let the instance go on in the code of today: see ``DurableRuntime.migrate``."""
        return await self._runtime.migrate(self.id, to_new_code=to_new_code, undo=undo)

    async def result(self, timeout: float | None = None) -> T_co:
        """What the instance returns, once it has; raises what it raised, with its traceback.

        ``timeout``: seconds, then TimeoutError is raised, and the instance goes on; 0 gives the result only if it is there.
        Raises InstanceCancelledError for one that was cancelled, InstanceStuckError for one that was given up until it is
        retried, UnknownInstanceError when there is none, and InstanceSuspendedError when the runtime is closed meanwhile.
        """
        outcome = await self._runtime.outcome_so_far(self.id)
        if outcome is None:
            try:
                async with asyncio.timeout(timeout) as limit:
                    outcome = await self._runtime.outcome_of(self.id)
            except TimeoutError as error:
                if not limit.expired():
                    raise
                raise TimeoutError(f"instance {self.id!r} has not ended within {timeout:g} s; it goes on") from error
        result: T_co = outcome.give(self.id)
        return result

    async def cancel(self) -> bool:
        """Ask the instance to end, as ``asyncio.Task.cancel`` does; False if it has ended.

        The request is kept until the instance has it: also one that nobody runs now is cancelled, when it is run next. Raises
        UnknownInstanceError when there is none of this id.
        """
        return await self._runtime.cancel(self.id)

    async def send(self, event: str, payload: Any = None) -> None:
        """Publish an event for the instance, with anything that can be saved: see ``DurableRuntime.publish_event``."""
        await self._runtime.publish_event(self.id, event, payload)

    async def ask(self, name: str, payload: Any = None, timeout: float | None = None) -> Any:
        """What the instance answers: see ``questions`` and ``on_ask``. It is answered once, also if it is killed meanwhile; where
        an instance asks, it is one question though that is killed.

        ``payload``: anything that can be saved. ``timeout``: seconds, then TimeoutError is raised; it may still take it.
        Raises what the instance answers by an exception, UnknownInstanceError, InstanceFinishedError for one that has
        ended or ends without an answer, InstanceStuckError, UnsavableStateError and StoreError.
        """
        return await self._runtime.ask(self.id, name, payload, timeout)

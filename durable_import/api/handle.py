"""A handle: an instance as seen from outside, in whatever process it runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .runtime import DurableRuntime


class InstanceHandle:
    """The instance ``id``; made by ``DurableRuntime.start``, ``.handle`` and ``current_instance()``."""

    def __init__(self, runtime: DurableRuntime, instance_id: str) -> None:
        self._runtime = runtime
        self.id = instance_id

    def __repr__(self) -> str:
        return f"InstanceHandle({self.id!r})"

    async def status(self) -> str:
        """'pending', 'running', 'waiting' (for an event), 'sleeping', 'completed', 'failed' or 'cancelled'.

        Raises UnknownInstanceError when there is none of this id.
        """
        return str((await self._runtime.state_of(self.id))["status"])

    async def result(self, timeout: float | None = None) -> Any:
        """What the instance returns, once it has; raises what it raised, with its traceback.

        ``timeout``: seconds, then TimeoutError is raised, and the instance goes on; 0 gives the result only if it is there.
        Raises InstanceCancelledError for one that was cancelled, UnknownInstanceError when there is none, and
        InstanceSuspendedError when the runtime is closed meanwhile.
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
        return outcome.give(self.id)

    async def cancel(self) -> bool:
        """Ask the instance to end, as ``asyncio.Task.cancel`` does; False if it has ended.

        The request is kept until the instance has it: also one that nobody runs now is cancelled, when it is run next.
        """
        return await self._runtime.cancel(self.id)

    async def send(self, event: str, payload: Any = None) -> None:
        """Publish an event for the instance: see ``DurableRuntime.publish_event``."""
        await self._runtime.publish_event(self.id, event, payload)

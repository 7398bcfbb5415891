"""The runtime over a backend, while programs are called with it: one for all that run at the same time in an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from ..api.runtime import DurableRuntime
from ..errors import PauseForEventException
from ..frames import ambient
from ..stores.backend import WAITING_FOR, BackendStore, OrchestrationBackend
from ..stores.base import FINISHED, StateStore
from .backend import DurableBackend

_open: dict[tuple[int, int], _Open] = {}  # by id of the backend and of the event loop


class _Open:
    def __init__(self, backend: OrchestrationBackend) -> None:
        self.backend = backend
        self.runtime = DurableRuntime(store_of(backend))
        self.users = 0


def store_of(backend: OrchestrationBackend) -> StateStore:
    """Where the states of a backend are."""
    return backend.state_store if isinstance(backend, DurableBackend) else BackendStore(backend)


@asynccontextmanager
async def runtime_of(backend: OrchestrationBackend) -> AsyncIterator[DurableRuntime]:
    """The runtime over a backend; closed when nobody uses it any more."""
    key = id(backend), id(asyncio.get_running_loop())
    opened = _open.get(key) or _open.setdefault(key, _Open(backend))
    opened.users += 1
    ambient.switch_on(opened.runtime)
    try:
        yield opened.runtime
    finally:
        ambient.ON.remove(opened.runtime)
        opened.users -= 1
        if not opened.users:
            del _open[key]
            await opened.runtime.close()


async def run(
    backend: OrchestrationBackend, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], instance_id: str
) -> Any:
    """Run a function as an instance whose state and events the backend keeps.

    An instance that was paused before goes on when its event has been published; with a backend that tells of events only by
    ``wait_for_event`` that is waited for.
    """
    async with runtime_of(backend) as runtime:
        if isinstance(backend, DurableBackend):
            forwarding = _Forwarding(backend, runtime, instance_id)
            await forwarding.begin()
            try:
                return await runtime.run(function, *args, instance_id=instance_id, **kwargs)
            finally:
                await forwarding.stop()
        state = await backend.load_state(instance_id)
        if state is not None and state.get(WAITING_FOR) is not None:
            payload = await backend.wait_for_event(instance_id, state[WAITING_FOR])
            await runtime.publish_event(instance_id, state[WAITING_FOR], payload)
        try:
            return await runtime.run(function, *args, instance_id=instance_id, **kwargs)
        except PauseForEventException as pause:
            state = await backend.load_state(instance_id)
            if state is not None and state["status"] not in FINISHED:
                await backend.save_state(instance_id, {**state, WAITING_FOR: pause.event})
            raise


class _Forwarding:
    """Hands on the events of one instance from a backend to a runtime, until it is stopped or the instance has ended."""

    def __init__(self, backend: DurableBackend, runtime: DurableRuntime, instance_id: str) -> None:
        self.backend, self.runtime, self.instance_id = backend, runtime, instance_id
        self._step: asyncio.Task[bool] | None = None
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Hand on what is there, and go on with that in a task."""
        if not self.backend.events.get(self.instance_id) or await self._forward():
            self._task = asyncio.create_task(self._go_on())

    async def stop(self) -> None:
        """No event is left between the backend and the runtime."""
        if self._task is not None:
            self._task.cancel()
        if self._step is not None:
            await self._step

    async def _go_on(self) -> None:
        is_alive = True
        while is_alive:
            await self.backend.wait_for_any(self.instance_id)
            self._step = asyncio.create_task(self._forward())
            is_alive = await asyncio.shield(self._step)

    async def _forward(self) -> bool:
        """Hand on what is there; gives whether the instance may still want more."""
        state = await self.backend.state_store.load(self.instance_id)
        if state is not None and state["status"] in FINISHED:
            return False
        taken = self.backend.take_events(self.instance_id)
        while taken:
            name, payload = taken[0]
            try:
                await self.runtime.publish_event(self.instance_id, name, payload)
            except Exception:
                self.backend.put_back(self.instance_id, taken)
                raise
            del taken[0]
        return True

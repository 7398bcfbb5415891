"""The backend over a state store, with events in memory."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator
from typing import Any

from ..stores.backend import OrchestrationBackend, from_backend, to_backend
from ..stores.base import StateStore
from ..stores.memory import InMemoryStateStore


class DurableBackend(OrchestrationBackend):
    """Keeps states in ``state_store`` (by default one in memory).

    ``events`` holds what was published and not waited for yet: names and payloads, by instance. May be used from several
    threads and event loops.
    """

    def __init__(self, state_store: StateStore | None = None) -> None:
        self.state_store = state_store if state_store is not None else InMemoryStateStore()
        self.events: dict[str, list[tuple[str, Any]]] = {}
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        self._lock = threading.Lock()

    async def load_state(self, instance_id: str) -> dict[str, Any] | None:
        """See ``OrchestrationBackend``."""
        state = await self.state_store.load(instance_id)
        return None if state is None else to_backend(instance_id, state)

    async def save_state(self, instance_id: str, state: dict[str, Any]) -> None:
        """See ``OrchestrationBackend``."""
        await self.state_store.save(instance_id, from_backend(state))

    def publish_event(self, instance_id: str, name: str, payload: Any = None) -> Published:
        """Keep an event for an instance until it is waited for. Done when this returns; awaiting what it gives is optional."""
        with self._lock:
            self.events.setdefault(instance_id, []).append((name, payload))
            waiting = list(self._waiting.get(instance_id, ()))
        for future in waiting:
            future.get_loop().call_soon_threadsafe(_wake, future)
        return Published()

    async def wait_for_event(self, instance_id: str, name: str) -> Any:
        """See ``OrchestrationBackend``. Each event is given to one who waits."""
        while True:
            for payload in self._take(instance_id, name):
                return payload
            await self._changed(instance_id, lambda: any(n == name for n, _ in self.events.get(instance_id, ())))

    async def wait_for_any(self, instance_id: str) -> None:
        """Returns when there is an event for an instance, under any name."""
        await self._changed(instance_id, lambda: instance_id in self.events)

    def take_events(self, instance_id: str) -> list[tuple[str, Any]]:
        """All events of an instance, which are kept here no longer."""
        with self._lock:
            return self.events.pop(instance_id, [])

    def put_back(self, instance_id: str, events: list[tuple[str, Any]]) -> None:
        """Keep events that were taken, before all that came later."""
        with self._lock:
            self.events[instance_id] = [*events, *self.events.get(instance_id, ())]

    def _take(self, instance_id: str, name: str) -> list[Any]:
        with self._lock:
            kept = self.events.get(instance_id, [])
            place = next((place for place, (other, _) in enumerate(kept) if other == name), None)
            if place is None:
                return []
            _, payload = kept.pop(place)
            if not kept:
                del self.events[instance_id]
            return [payload]

    async def _changed(self, instance_id: str, is_there: Callable[[], bool]) -> None:
        """Wait for a publication, if what is wanted is not there."""
        future = asyncio.get_running_loop().create_future()
        with self._lock:
            if is_there():
                return
            self._waiting.setdefault(instance_id, []).append(future)
        try:
            await future
        finally:
            with self._lock:
                self._waiting[instance_id].remove(future)
                if not self._waiting[instance_id]:
                    del self._waiting[instance_id]


class Published:
    """What ``publish_event`` gives: it has happened already."""

    def __await__(self) -> Generator[Any, None, None]:
        return
        yield


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)

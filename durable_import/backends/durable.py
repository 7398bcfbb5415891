"""The backend over a state store, with events in memory."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Generator
from typing import Any

from ..stores.base import StateStore
from ..stores.memory import InMemoryStateStore
from .base import OrchestrationBackend, from_backend, to_backend


class DurableBackend(OrchestrationBackend):
    """Keeps states in ``state_store`` (by default one in memory).

    ``events`` holds what was published and not waited for yet: lists of payloads by instance and name. May be used from
    several threads and event loops.
    """

    def __init__(self, state_store: StateStore | None = None) -> None:
        self.state_store = state_store if state_store is not None else InMemoryStateStore()
        self.events: dict[str, dict[str, deque[Any]]] = {}
        self._waiting: dict[tuple[str, str], deque[asyncio.Future[None]]] = {}
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
            self.events.setdefault(instance_id, {}).setdefault(name, deque()).append(payload)
            waiting = list(self._waiting.get((instance_id, name), ()))
        for future in waiting:
            future.get_loop().call_soon_threadsafe(_wake, future)
        return Published()

    async def wait_for_event(self, instance_id: str, name: str) -> Any:
        """See ``OrchestrationBackend``. Each event is given to one who waits."""
        while True:
            with self._lock:
                kept = self.events.get(instance_id, {})
                if kept.get(name):
                    payload = kept[name].popleft()
                    self._forget(instance_id, name)
                    return payload
                future = asyncio.get_running_loop().create_future()
                self._waiting.setdefault((instance_id, name), deque()).append(future)
            try:
                await future
            finally:
                with self._lock:
                    self._waiting[instance_id, name].remove(future)
                    if not self._waiting[instance_id, name]:
                        del self._waiting[instance_id, name]

    def _forget(self, instance_id: str, name: str) -> None:
        if not self.events[instance_id][name]:
            del self.events[instance_id][name]
        if not self.events[instance_id]:
            del self.events[instance_id]


class Published:
    """What ``publish_event`` gives: it has happened already."""

    def __await__(self) -> Generator[Any, None, None]:
        return
        yield


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)

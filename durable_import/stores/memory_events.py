"""Events that no store keeps: in memory, as long as the runtime lasts, or asked of a user's backend."""

from __future__ import annotations

import asyncio
import builtins
import itertools
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from ..log import about, logger
from .backend import OrchestrationBackend
from .base import Event


class MemoryEvents:
    """See ``EventStore``."""

    def __init__(self) -> None:
        self._events: defaultdict[str, list[Event]] = defaultdict(list)
        self._numbers = itertools.count(1)

    async def publish_event(self, instance_id: str, name: str, payload: bytes) -> int:
        """See ``EventStore``; as for all methods below."""
        return self.put(instance_id, name, payload)

    def put(self, instance_id: str, name: str, payload: bytes) -> int:
        """The same at once."""
        event = Event(next(self._numbers), name, payload)
        self._events[instance_id].append(event)
        return event.number

    async def load_events(self, instance_id: str) -> builtins.list[Event]:
        return list(self._events.get(instance_id, ()))

    async def remove_events(self, instance_id: str, numbers: Iterable[int]) -> None:
        gone = set(numbers)
        left = [event for event in self._events.get(instance_id, ()) if event.number not in gone]
        if left:
            self._events[instance_id] = left
        else:
            self._events.pop(instance_id, None)

    async def addressees(self) -> builtins.list[str]:
        return list(self._events)


class Listener:
    """Asks a backend for the events that instances wait for, and gives them to ``publish``."""

    def __init__(self, backend: OrchestrationBackend, publish: Callable[[str, str, Any], Awaitable[None]]) -> None:
        self._backend = backend
        self._publish = publish
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}

    def listen(self, instance_id: str, names: Iterable[str]) -> None:
        """Wait for these events, in the running loop, until each has come once."""
        for name in names:
            if (instance_id, name) not in self._tasks:
                task = asyncio.create_task(self._wait(instance_id, name), name=f"event {name} for instance {instance_id}")
                self._tasks[instance_id, name] = task
                task.add_done_callback(lambda task, key=(instance_id, name): self._has_ended(key, task))  # type: ignore[misc]

    def stop(self) -> None:
        """Wait no more."""
        for task in self._tasks.values():
            task.cancel()

    async def _wait(self, instance_id: str, name: str) -> None:
        payload = await self._backend.wait_for_event(instance_id, name)
        await self._publish(instance_id, name, payload)

    def _has_ended(self, key: tuple[str, str], task: asyncio.Task[None]) -> None:
        del self._tasks[key]
        if not task.cancelled() and task.exception() is not None:
            what = "waiting for event %s of instance %s failed in the backend; it is asked again when the instance waits again: %r"
            logger.error(what, key[1], key[0], task.exception(), extra=about(key[0]))

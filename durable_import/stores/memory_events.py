"""Events that no store keeps: in memory, as long as the runtime lasts."""

from __future__ import annotations

import builtins
import itertools
from collections import defaultdict
from collections.abc import Iterable

from .base import Event


class MemoryEvents:
    """See ``EventStore``."""

    def __init__(self) -> None:
        self._events: defaultdict[str, list[Event]] = defaultdict(list)
        self._numbers = itertools.count(1)
        self._ids: set[str] = set()

    async def publish_event(self, instance_id: str, name: str, payload: bytes) -> int:
        """See ``EventStore``; as for all methods below."""
        return self.put(instance_id, name, payload)

    def put(self, instance_id: str, name: str, payload: bytes) -> int:
        """The same at once."""
        event = Event(next(self._numbers), name, payload)
        self._events[instance_id].append(event)
        return event.number

    async def publish_once(self, instance_id: str, name: str, payload: bytes, event_id: str) -> bool:
        if event_id in self._ids:
            return False
        self._ids.add(event_id)
        self.put(instance_id, name, payload)
        return True

    async def was_published(self, event_id: str) -> bool:
        return event_id in self._ids

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

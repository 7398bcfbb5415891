"""What a backend is: three methods that a user implements over anything that keeps dicts."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from ..log import about, logger
from .base import STATE_TYPES, StateStore

CALL_STACK = "call_stack"  # a backend's name for the snapshot
WAITING_FOR = "waiting_for"  # the event that an instance has been paused for


class OrchestrationBackend(ABC):
    """Keeps the state of instances, and tells of events.

    A state is a dict of text, numbers and None, so it can be kept as JSON. Among its keys are ``instance_id`` and
    ``call_stack``: the saved calls with all their variables, sealed, as base64 text; and ``waiting_for`` while the instance is
    paused for an event.
    """

    @abstractmethod
    async def load_state(self, instance_id: str) -> dict[str, Any] | None:
        """The state last saved, or None."""

    @abstractmethod
    async def save_state(self, instance_id: str, state: dict[str, Any]) -> None:
        """Keep ``state`` in place of the one before; when this returns, it must survive a crash."""

    @abstractmethod
    async def wait_for_event(self, instance_id: str, name: str) -> Any:
        """Returns when event ``name`` has been published for the instance: its payload, if it has one."""


class BackendStore(StateStore):
    """A backend as the store that a runtime keeps its states in."""

    def __init__(self, backend: OrchestrationBackend) -> None:
        self.backend = backend

    async def load(self, instance_id: str) -> dict[str, Any] | None:
        """See ``StateStore``."""
        state = await self.backend.load_state(instance_id)
        return None if state is None else from_backend(state)

    async def save(self, instance_id: str, state: dict[str, Any]) -> None:
        """See ``StateStore``."""
        await self.backend.save_state(instance_id, to_backend(instance_id, state))


class BackendEvents:
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
            what = "waiting for event %s of instance %s failed in the backend; it is asked again when that waits again: %r"
            logger.error(what, key[1], key[0], task.exception(), extra=about(key[0]))


def to_backend(instance_id: str, state: dict[str, Any]) -> dict[str, Any]:
    """A state as backends keep it: bytes become text, and the snapshot is called ``call_stack``."""
    kept = {key: b64encode(value).decode() if isinstance(value, bytes) else value for key, value in state.items()}
    return {"instance_id": instance_id, CALL_STACK: kept.pop("snapshot"), **kept}


def from_backend(state: dict[str, Any]) -> dict[str, Any]:
    """The opposite. What is missing is as in a state that has just begun; other keys are the backend's own."""
    found: dict[str, Any] = {}
    for key, kind in STATE_TYPES.items():
        value = state[CALL_STACK if key == "snapshot" else key]
        found[key] = b64decode(value, validate=True) if kind is bytes else value
    return found

"""What an instance needs of the runtime that it lives in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from ...snapshot.sealing.seal import Seal
from ...stores.state import InstanceState
from ...stores.store import Store
from ...upgrades.policies import OnChange
from ..held_back import HeldBack
from ..keeper import Keeper
from ..slices import Slices
from ..sources import Sources
from .driver import InstanceDriver
from .records import Outcome


class InstanceObserver(Protocol):
    """Is told what happens to instances. ``state`` is the last one committed."""

    def starting(self, instance_id: str) -> None: ...

    def resuming(self, instance_id: str, state: InstanceState) -> None: ...

    def moved(self, instance_id: str, sentence: str) -> None:
        """It is about to go on in code that has changed since it was saved; the sentence says in which, and where it changed."""
        ...

    def held(self, instance_id: str, sentence: str) -> None:
        """It is not saved for now; the sentence says why, and what to do."""
        ...


class LifeSpan(Protocol):
    """The span of one life."""

    def has_outcome(self, outcome: Outcome) -> None:
        """The instance ends with its life."""
        ...


class LifeTelemetry(Protocol):
    """Makes the spans of lives, and measures."""

    def life(self, driver: InstanceDriver, *, is_resumed: bool, wake_at: float | None = None) -> AbstractContextManager[LifeSpan]:
        """A life of an instance in the running task, before its driver is awaited. ``wake_at``: when it was to go on."""
        ...

    @property
    def commit(self) -> Callable[[InstanceState, int, Callable[[], Awaitable[None] | None]], Awaitable[None] | None]:
        """What commits a state of so many bytes, measured."""
        ...

    @property
    def holds(self) -> Callable[[str], None]:
        """What is told that an instance of this function is held."""
        ...


class Host(Protocol):
    """See the module."""

    instances: Store
    seal: Seal
    script: str | None
    retries_failed: bool
    from_failure: bool  # also where steps of the program ran on an exception's way out
    patience: float | None
    hold_limit: float | None
    max_attempts: int | None
    grace_seconds: float
    on_change: OnChange
    on_wait: Callable[[float], None] | None
    on_left: Callable[[str, Exception], None] | None  # told why an instance leaves before its end
    observer: InstanceObserver
    keeper: Keeper
    held_back: HeldBack
    sources: Sources
    slices: Slices
    telemetry: LifeTelemetry | None
    refused_events: set[int]  # numbers of those that cannot be opened, each reported once

    def expects_events(self, instance_id: str, names: Iterable[str]) -> None:
        """An instance waits for events."""
        ...

    async def cancel_children(self, instance_id: str, run: str) -> None:
        """Ask those that an instance has begun to end as it does; ``run``: what tells this run of it from others."""
        ...

    def about(self, instance_id: str, checkpoint: int | None = None) -> dict[str, Any]:
        """What a record of the log says of an instance."""
        ...

"""What a store is: the small interface that a user implements, and what more a store can do.

A *state* is a flat dict (``STATE_TYPES``): ``status`` (one of ``STATUSES``), ``checkpoint`` (int), ``location``
('file:line function'; before the first checkpoint empty, or which life of the instance began last), ``function`` (str),
``wake_at`` (when an instance that waits is to go on even if nothing happens, in seconds since 1970, or None) and three kinds of
bytes, sealed before the store sees them: ``call`` (the function and its arguments; never changes), ``snapshot`` (empty before
the first checkpoint), ``outcome`` (the result or exception; empty before the end).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from durable_import.stores.state import (
    ABANDONED,
    ANNOUNCED,
    DORMANT,
    FINISHED,
    STATUSES,
    Claim,
    Event,
    InstanceSummary,
    PastState,
)
from durable_import.stores.store import Store

__all__ = [
    "ABANDONED", "ANNOUNCED", "DORMANT", "FINISHED", "MIN_ID_AGE", "STATE_TYPES", "STATUSES", "Claim", "Event", "FullStateStore",
    "InstanceSummary", "KeyFileStore", "KeyedStore", "PastState", "StateStore", "check_state", "is_state",
]  # fmt: skip

STATE_TYPES: dict[str, type | tuple[type, ...]] = {
    "status": str, "checkpoint": int, "location": str, "function": str, "wake_at": (float, type(None)), "call": bytes,
    "snapshot": bytes, "outcome": bytes,
}  # fmt: skip
MIN_ID_AGE = 24 * 3600.0  # seconds for which the ids of events are remembered at least


class StateStore(ABC):
    """Keeps the last state of each instance. Implement these two methods to bring a store of your own."""

    @abstractmethod
    async def load(self, instance_id: str) -> dict[str, Any] | None:
        """The state last saved, or None."""

    @abstractmethod
    async def save(self, instance_id: str, state: dict[str, Any]) -> None:
        """Keep ``state`` in place of the one before; when this returns, it must survive a crash."""


class FullStateStore(StateStore):
    """One that can do more: ``instances`` is what the rest of the package uses of it."""

    instances: Store

    @abstractmethod
    async def close(self) -> None:
        """Let go of files and threads; the next use opens the store again."""


@runtime_checkable
class KeyedStore(Protocol):
    """Optional: an embedded store that brings the key its snapshots are authenticated with."""

    def key(self) -> bytes: ...


@runtime_checkable
class PlacedStore(Protocol):
    """Optional: an embedded store, which is made on first use. ``is_there``: whether it is; nothing is made for that."""

    def is_there(self) -> bool: ...


@runtime_checkable
class KeyFileStore(Protocol):
    """Optional: one of these whose key is in a file beside it. ``take_key`` makes that file, of a key that another store has."""

    key_file: Path

    def is_there(self) -> bool: ...
    def take_key(self, key: bytes) -> None: ...


@runtime_checkable
class BloatedStore(Protocol):
    """Optional: a store that knows what takes room in it without need, in words; empty if nothing does."""

    async def bloat(self) -> str: ...


_USUAL = [[*zip(STATE_TYPES, (str, int, str, str, wake_at, bytes, bytes, bytes), strict=True)] for wake_at in (type(None), float)]


def check_state(state: dict[str, Any]) -> None:
    """Raise TypeError for what is not a state: a key that no column holds would be dropped silently."""
    if [*zip(state, map(type, state.values()), strict=True)] in _USUAL:
        return
    if state.keys() != STATE_TYPES.keys():
        raise TypeError(f"a state has exactly the keys {sorted(STATE_TYPES)}, not {sorted(map(str, state))}")
    for key, kind in STATE_TYPES.items():
        if not isinstance(state[key], kind):
            raise TypeError(f"a state's {key!r} is {_name(kind)}, not {_name(type(state[key]))}")


def is_state(state: dict[str, Any]) -> bool:
    """Whether ``check_state`` would accept it."""
    return state.keys() == STATE_TYPES.keys() and all(isinstance(state[key], kind) for key, kind in STATE_TYPES.items())


def _name(kind: type | tuple[type, ...]) -> str:
    if isinstance(kind, tuple):
        return " or ".join(map(_name, kind))
    return "None" if kind is type(None) else f"{'an' if kind.__name__[0] in 'aeio' else 'a'} {kind.__name__}"

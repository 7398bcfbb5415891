"""Which calls of an instance were given keys, kept before they go out where the state cannot be committed.

After a crash what was held runs again, and comes to the same keys. It may come to another call with one of them: what tells
calls apart is in the store by then, and the call is not made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from ...aio.asking import is_among_arguments
from ...aio.call_digest import CallDigest
from ...aio.foreign_calls import foreign_call
from ...aio.loop import AskedInside, InstanceLoop
from ...aio.task import DurableTask
from ...errors import KeyConflictError
from ...frames.step import Step
from ...snapshot.tasks.stacks import location_of

_NONE: frozenset[str] = frozenset()


class KeyKeeper(Protocol):
    """Keeps digests of calls by their keys."""

    async def keep_key(self, key: str, digest: bytes) -> bytes:
        """Keep one; gives that of the first call with its key."""
        ...


class KeyRecords:
    """See the module, and ``loop.KeyRecords``."""

    __slots__ = ("_kept", "conflict", "keeper", "loop")

    def __init__(self, loop: InstanceLoop) -> None:
        self.loop = loop
        self.keeper: KeyKeeper | None = None  # None: nothing is kept
        self.conflict: KeyConflictError | None = None
        self._kept = _NONE  # since the last commit; a call that is given one of these later is another one

    def are_committed(self) -> None:
        """The state has the keys."""
        self._kept = _NONE

    async def keep(self, key: str, digest: bytes, task: DurableTask) -> None:
        """See ``loop.KeyRecords``."""
        if self.keeper is None or key in self._kept:
            return
        self._kept |= {key}
        if await self.keeper.keep_key(key, digest) != digest:
            self.conflict = _conflict(key, task)
            self.loop.wake()
            raise self.conflict

    def asked_by(self, task: DurableTask, step: Step) -> Iterator[AskedInside]:
        """The keys that a step which is about to begin is given, or will ask for."""
        loop, awaitable = self.loop, step.awaitable
        if step.is_restored:
            return
        call, own, keys = foreign_call(awaitable), loop.key_of(task), set[str]()
        if is_among_arguments(loop.run_name, awaitable):
            given = CallDigest(awaitable)
            keys.update(given.keys(loop.run_name))
            if own not in keys and is_among_arguments(own, awaitable):
                keys.add(own)
            for key in sorted(keys):
                yield AskedInside(key, given.digest, task)
        if call.asks and call.condition is None and own not in keys:
            yield AskedInside(own, CallDigest(awaitable, is_under_way=True).digest, task)


def _conflict(key: str, task: DurableTask) -> KeyConflictError:
    place = location_of(task)
    return KeyConflictError(
        f"{place + ': ' if place else ''}the key {key!r} was given to another call, or to one with other arguments, before what "
        "runs since the last checkpoint began again: the order of a set, or of what ends first, was another one, or an argument "
        "differs each time. This call was not made. Look whether the other one was, and name calls by what they do, not by their "
        "place: step_key(*parts), such as step_key('pay', order.id)",
        key=key,
    )

"""Stores whose commits take their time and are noted in the journal, as a user would write them."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from durable_import.stores.memory import InMemoryStateStore, MemoryStore
from durable_import.stores.sqlite.instances import SQLiteStore
from durable_import.stores.sqlite.store import SQLiteStateStore
from durable_import.stores.state import Claim, InstanceState
from durable_import.stores.store import Committing, Segments
from tests.harness.journal import note
from tests.harness.users_store import UsersStore, store_over


class Slowness:
    """Commits wait between ``shortest`` and ``longest`` seconds before they are done, and so long again before they return.

    ``fatal``: in the middle of which commit the process is killed, counted from 1: before it is done, while that happens, or
    after it.
    """

    def __init__(self, dice: random.Random, shortest: float, longest: float, fatal: int = 0) -> None:
        self._dice = dice
        self._bounds = shortest, longest
        self._fatal = fatal
        self._count = 0

    @asynccontextmanager
    async def around(self, instance_id: str, checkpoint: int) -> AsyncIterator[None]:
        """What is done in the block is the commit itself."""
        before, after = self._dice.uniform(*self._bounds), self._dice.uniform(*self._bounds)
        self._count += 1
        note(instance_id, "commit", checkpoint)
        if self._count == self._fatal:
            moments = self._dice.uniform(0, before), before + self._dice.uniform(0, 0.001), before + self._dice.uniform(0, after)
            asyncio.get_running_loop().call_later(self._dice.choice(moments), os.kill, os.getpid(), signal.SIGKILL)
        await asyncio.sleep(before)
        yield
        note(instance_id, "kept", checkpoint)
        await asyncio.sleep(after)
        note(instance_id, "committed", checkpoint)


class SlowUsersStore(UsersStore):
    """No more than ``load`` and ``save``."""

    def __init__(self, slowness: Slowness) -> None:
        super().__init__()
        self.slowness = slowness

    async def save(self, instance_id: str, state: dict[str, Any]) -> None:
        async with self.slowness.around(instance_id, state["checkpoint"]):
            await super().save(instance_id, state)


def slow_memory_store(slowness: Slowness) -> InMemoryStateStore:
    """Has owners."""
    return store_over(_SlowMemory(slowness))


class _SlowMemory(MemoryStore):
    def __init__(self, slowness: Slowness) -> None:
        super().__init__()
        self.slowness = slowness

    def commit(
        self, claim: Claim, state: InstanceState, segments: Segments | None = None, is_whole: bool = True
    ) -> Awaitable[None]:
        return Committing(partial(self._commit_slowly, claim, state, segments, is_whole))

    async def _commit_slowly(self, claim: Claim, state: InstanceState, segments: Segments | None, is_whole: bool) -> None:
        async with self.slowness.around(claim.instance_id, state.checkpoint):
            super().commit(claim, state, segments, is_whole)

    async def end(self, claim: Claim, state: InstanceState, *, keeps: bool) -> None:
        async with self.slowness.around(claim.instance_id, state.checkpoint):
            await super().end(claim, state, keeps=keeps)


class SlowSQLiteStore(SQLiteStateStore):
    """Keeps segments too. What it has kept can be seen by another connection."""

    def __init__(self, path: Path, synchronous: str, slowness: Slowness) -> None:
        super().__init__(path, synchronous)
        self.instances = _SlowInstances(self.path, synchronous, slowness)


class _SlowInstances(SQLiteStore):
    def __init__(self, path: str, synchronous: str, slowness: Slowness) -> None:
        super().__init__(path, synchronous)
        self.slowness = slowness
        self._witness = SQLiteStore(path)

    def commit(
        self, claim: Claim, state: InstanceState, segments: Segments | None = None, is_whole: bool = True
    ) -> Awaitable[None]:
        return Committing(partial(self._commit_slowly, claim, state, segments, is_whole))

    async def _commit_slowly(self, claim: Claim, state: InstanceState, segments: Segments | None, is_whole: bool) -> None:
        async with self.slowness.around(claim.instance_id, state.checkpoint):
            committing = super().commit(claim, state, segments, is_whole)
            if committing is not None:
                await committing
            await self._check_is_kept(claim.instance_id, state)

    async def end(self, claim: Claim, state: InstanceState, *, keeps: bool) -> None:
        async with self.slowness.around(claim.instance_id, state.checkpoint):
            await super().end(claim, state, keeps=keeps)
            await self._check_is_kept(claim.instance_id, state)

    async def _check_is_kept(self, instance_id: str, state: InstanceState) -> None:
        found = await self._witness.load(instance_id)
        assert found is not None, f"{instance_id} is not there after its commit"
        assert found.state.checkpoint >= state.checkpoint, f"{instance_id} is at {found.state.checkpoint} after its commit"

    async def close(self) -> None:
        await self._witness.close()
        await super().close()

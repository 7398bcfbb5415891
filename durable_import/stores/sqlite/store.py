"""The embedded default: one SQLite file, shared by all processes of a machine."""

from __future__ import annotations

import builtins
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from durable_import.errors import MissingKeyError, StoreError
from durable_import.snapshot.sealing.seal import load_or_create_key
from durable_import.stores.base import ANNOUNCED, Claim, Event, InstanceSummary, OwningStore, Transaction, check_state
from durable_import.stores.changes import Bell, Changes, bell_of
from durable_import.stores.inline_commit_policy import InlineCommitPolicy
from durable_import.stores.owner import DEFAULT_LEASE_SECONDS, Owner
from durable_import.stores.sqlite import rows as sqlite_rows
from durable_import.stores.sqlite.connection import MEMORY, Database, queries
from durable_import.stores.sqlite.transaction import SQLiteTransaction
from durable_import.stores.worker import Worker

T = TypeVar("T")

SYNCHRONOUS = ("FULL", "NORMAL")
FEW = {"FULL": 1, "NORMAL": 8}  # see ``InlineCommitPolicy``: at FULL each commit by itself waits for the disk
LOOK_SECONDS = 0.1  # how often to look for what other processes have done


class SQLiteStateStore(OwningStore):
    """Keeps states in the SQLite file ``path`` (``:memory:`` for one that ends with ``close``).

    ``synchronous``: 'FULL', a commit survives power loss; 'NORMAL', it survives the crash of the process only.
    ``patience``: seconds to wait while another process holds the database's lock. ``shared``: allow a file in which another
    program has tables, for transactions that write to both. ``history``: keep the states before the last one too.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        synchronous: str = "FULL",
        *,
        patience: float = 10.0,
        shared: bool = False,
        history: bool = False,
    ) -> None:
        if synchronous.upper() not in SYNCHRONOUS:
            raise StoreError(f"synchronous is one of {', '.join(SYNCHRONOUS)}, not {synchronous!r}")
        name = os.fspath(path)
        # the program may change its folder before the file is opened
        self.path = name if name == MEMORY else os.path.abspath(name)
        self._memory_key = secrets.token_bytes(32)
        self.keeps_history = history
        self._inline_commits = InlineCommitPolicy(FEW[synchronous.upper()])
        self._open = partial(Database, self.path, synchronous.upper(), patience, shared, history, self._inline_commits)
        self._worker: Worker[sqlite3.Connection] = Worker(self._open, f"durable_import {self.path}")
        bell = Bell() if name == MEMORY else bell_of(os.path.realpath(self.path))
        self._changes = Changes(partial(self._worker.call, sqlite_rows.last_change, writes=False), bell, LOOK_SECONDS)

    def __repr__(self) -> str:
        return f"SQLiteStateStore({self.path!r})"

    def key(self) -> bytes:
        """The key in ``<path>.key``, made on first use.

        Raises MissingKeyError when it is gone though the database has snapshots.
        """
        if self.path == MEMORY:
            return self._memory_key
        file = Path(f"{self.path}.key")
        # a process makes the key before it saves: look for it again after the snapshots were seen
        if not file.exists() and _has_instances(self.path) and not file.exists():
            raise MissingKeyError(
                f"the database {self.path} has saved instances but their key {file} is gone. Put the key file back; "
                f"without it the snapshots cannot be opened. To start again, move the database away."
            )
        return load_or_create_key(file)

    async def load(self, instance_id: str) -> dict[str, Any] | None:
        return await self._worker.call(partial(sqlite_rows.load, instance_id), writes=False)

    async def save(self, instance_id: str, state: dict[str, Any]) -> None:
        check_state(state)
        await self._commit(instance_id, state, partial(sqlite_rows.save, instance_id, Owner.current(), dict(state)))

    async def acquire(self, instance_id: str, owner: Owner, lease_seconds: float = DEFAULT_LEASE_SECONDS) -> Claim:
        claim = await self._worker.call(partial(sqlite_rows.acquire, instance_id, owner, lease_seconds))
        self._inline_commits.is_owned(instance_id)
        return claim

    async def begin(
        self, instance_id: str, owner: Owner, lease_seconds: float, new: dict[str, Any] | None
    ) -> tuple[Claim, builtins.list[Event]]:
        if new is not None:
            check_state(new)
        work = partial(sqlite_rows.begin, instance_id, owner, lease_seconds, new)
        if new is None:
            claim, events = await self._worker.call(work)
        else:
            unless = partial(sqlite_rows.is_known, instance_id)  # its state may be of any size
            claim, events = await self._quickly(instance_id, _size(new), work, unless)
        self._inline_commits.is_owned(instance_id)
        if claim.state is None and new is not None:
            self._changes.bell.ring()
        return claim, events

    async def end(self, claim: Claim, state: dict[str, Any], *, keeps: bool) -> None:
        check_state(state)
        try:
            await self._quickly(claim.instance_id, _size(state), partial(sqlite_rows.end, claim, state, keeps))
        finally:
            self._changes.bell.ring()
        self._inline_commits.is_released(claim.instance_id)

    async def commit(self, claim: Claim, state: dict[str, Any]) -> None:
        check_state(state)
        await self._commit(claim.instance_id, state, partial(sqlite_rows.commit, claim, dict(state)))

    async def commit_segments(
        self, claim: Claim, state: dict[str, Any], segments: Mapping[str, bytes | None], *, is_whole: bool
    ) -> None:
        check_state(state)
        work = partial(sqlite_rows.commit_segments, claim, dict(state), dict(segments), is_whole)
        await self._commit(claim.instance_id, state, work)

    def commit_at_once(
        self, claim: Claim, state: dict[str, Any], segments: Mapping[str, bytes | None] | None = None, is_whole: bool = True
    ) -> bool:
        """See ``base.QuickStore``."""
        size = _size(state)
        if segments:
            size += sum(len(data) for data in segments.values() if data is not None)
        if not self._inline_commits.is_quick(claim.instance_id, size):
            return False
        check_state(state)
        work = partial(sqlite_rows.commit_at_once, claim, state, segments, is_whole)
        if not self._worker.at_once(lambda database: database.at_once(work, size)):
            return False
        if state["status"] in ANNOUNCED:
            self._changes.bell.ring()
        return True

    async def load_segments(self, instance_id: str) -> dict[str, bytes]:
        return await self._worker.call(partial(sqlite_rows.load_segments, instance_id), writes=False)

    async def load_history(self, instance_id: str) -> builtins.list[dict[str, Any]]:
        return await self._worker.call(partial(sqlite_rows.load_history, instance_id), writes=False)

    async def renew(self, claims: Iterable[Claim], lease_seconds: float = DEFAULT_LEASE_SECONDS) -> builtins.list[Claim]:
        return await self._worker.call(partial(sqlite_rows.renew, tuple(claims), lease_seconds))

    async def release(self, claim: Claim) -> None:
        self._inline_commits.is_released(claim.instance_id)
        await self._worker.call(partial(sqlite_rows.release, claim))

    async def delete(self, instance_id: str) -> None:
        await self._worker.call(partial(sqlite_rows.delete, instance_id))

    async def list(self) -> builtins.list[InstanceSummary]:
        return await self._worker.call(sqlite_rows.list_instances, writes=False)

    async def close(self) -> None:
        await self._worker.close()

    async def publish_event(self, instance_id: str, name: str, payload: bytes) -> int:
        return await self._announcing(partial(sqlite_rows.publish_event, instance_id, name, payload))

    async def publish_once(self, instance_id: str, name: str, payload: bytes, event_id: str) -> bool:
        return await self._announcing(partial(sqlite_rows.publish_once, instance_id, name, payload, event_id))

    async def was_published(self, event_id: str) -> bool:
        return await self._worker.call(partial(sqlite_rows.was_published, event_id), writes=False)

    async def load_events(self, instance_id: str) -> builtins.list[Event]:
        return await self._worker.call(partial(sqlite_rows.load_events, instance_id), writes=False)

    async def remove_events(self, instance_id: str, numbers: Iterable[int]) -> None:
        await self._worker.call(partial(sqlite_rows.remove_events, instance_id, tuple(numbers)))

    async def addressees(self) -> builtins.list[str]:
        return await self._worker.call(sqlite_rows.addressees, writes=False)

    async def find_work(self, limit: int, *, orphans: bool) -> builtins.list[str]:
        return await self._worker.call(partial(sqlite_rows.find_work, limit, orphans), writes=False)

    async def remove_finished(self, seconds: float) -> int:
        return await self._worker.call(partial(sqlite_rows.remove_finished, seconds))

    async def wait_for_change(self, timeout: float) -> None:
        await self._changes.wait(timeout)

    async def begin_transaction(self) -> Transaction:
        """See ``base.TransactionStore``. ``connection`` is a ``sqlite3.Connection``; while it is open, commits wait."""
        if self.path == MEMORY:
            raise StoreError("a database in memory has one connection only, so no transactions for you: use a file")
        return await SQLiteTransaction.begin(self._open, sqlite_rows.commit_segments, self._changes.bell)

    async def save_source(self, digest: str, text: str) -> None:
        await self._worker.call(partial(sqlite_rows.save_source, digest, text))

    async def load_source(self, digest: str) -> str | None:
        return await self._worker.call(partial(sqlite_rows.load_source, digest), writes=False)

    async def _commit(self, instance_id: str, state: dict[str, Any], work: Callable[[sqlite3.Connection], None]) -> None:
        self._inline_commits.comes(instance_id)
        if state.get("status") in ANNOUNCED:
            await self._announcing(work)
        else:
            await self._worker.call(work)

    async def _quickly(
        self,
        instance_id: str,
        size: int,
        work: Callable[[sqlite3.Connection], T],
        unless: Callable[[sqlite3.Connection], bool] = lambda _: False,
    ) -> T:
        """Do ``work``, at once if possible."""
        done: builtins.list[T] = []

        def attempt(connection: sqlite3.Connection) -> bool:
            return not unless(connection) and sqlite_rows.at_once(lambda _: done.append(work(connection)), connection)

        is_quick = self._inline_commits.is_quick(instance_id, size)
        if is_quick and self._worker.at_once(lambda database: database.at_once(attempt, size)):
            return done[0]
        self._inline_commits.comes(instance_id)
        return await self._worker.call(work)

    async def _announcing(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do what somebody in this process may wait for."""
        try:
            return await self._worker.call(work)
        finally:
            self._changes.bell.ring()


def _size(state: dict[str, Any]) -> int:
    """About how many bytes it has."""
    return len(state["snapshot"]) + len(state["call"]) + len(state["outcome"])


def _has_instances(path: str) -> bool:
    """Whether the file is a store with states; what else may be wrong with it shows when it is opened."""
    if not os.path.exists(path):
        return False
    try:
        with closing(sqlite3.connect(path, timeout=1.0)) as connection:
            return bool(connection.execute(queries()["any_instance"]).fetchone()[0])
    except sqlite3.Error:
        return False

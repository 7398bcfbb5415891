"""A folder of files, one file per instance: for looking at, copying and backing up with ordinary tools."""

from __future__ import annotations

import builtins
import copy
import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from durable_import.errors import MissingKeyError
from durable_import.snapshot.sealing.seal import load_or_create_key
from durable_import.stores.base import ANNOUNCED, Claim, Event, InstanceSummary, OwningStore, check_state
from durable_import.stores.changes import Changes, bell_of
from durable_import.stores.disk.folder import Folder, FolderEngine
from durable_import.stores.disk.records import check_values
from durable_import.stores.owner import DEFAULT_LEASE_SECONDS, Owner
from durable_import.stores.worker import Worker

T = TypeVar("T")

LOOK_SECONDS = 0.1  # how often to look for what other processes have done


class DiskStateStore(OwningStore):
    """Keeps states as files in the folder ``path``; each commit survives power loss.

    ``save`` and ``load`` take any dict of JSON values and bytes.
    ``patience``: seconds to wait while another process holds the folder's lock. ``history``: keep the states before the last
    one too.
    """

    def __init__(self, path: str | os.PathLike[str], *, patience: float = 10.0, history: bool = False) -> None:
        # the program may change its folder before the first use
        self.path = os.path.abspath(os.fspath(path))
        self.keeps_history = history
        self._worker: Worker[Folder] = Worker(
            partial(FolderEngine, Path(self.path), patience, history), f"durable_import {self.path}"
        )
        look = partial(self._worker.call, Folder.last_change, writes=False)
        self._changes = Changes(look, bell_of(os.path.realpath(self.path)), LOOK_SECONDS)

    def __repr__(self) -> str:
        return f"DiskStateStore({self.path!r})"

    def key(self) -> bytes:
        """The key in ``<path>.key``, made on first use.

        Raises MissingKeyError when it is gone though the folder has snapshots.
        """
        file = Path(f"{self.path}.key")
        # a process makes the key before it saves: look for it again after the snapshots were seen
        if not file.exists() and Folder(Path(self.path)).has_instances() and not file.exists():
            raise MissingKeyError(
                f"the store {self.path} has saved instances but their key {file} is gone. Put the key file back; "
                f"without it the snapshots cannot be opened. To start again, move the folder away."
            )
        return load_or_create_key(file)

    async def load(self, instance_id: str) -> dict[str, Any] | None:
        return await self._worker.call(lambda folder: folder.load(instance_id), writes=False)

    async def save(self, instance_id: str, state: dict[str, Any]) -> None:
        check_values(state)
        owner, kept = Owner.current(), copy.deepcopy(state)
        await self._commit(state, lambda folder: folder.save(instance_id, owner, kept))

    async def acquire(self, instance_id: str, owner: Owner, lease_seconds: float = DEFAULT_LEASE_SECONDS) -> Claim:
        return await self._worker.call(lambda folder: folder.acquire(instance_id, owner, lease_seconds))

    async def commit(self, claim: Claim, state: dict[str, Any]) -> None:
        check_state(state)
        kept = dict(state)
        await self._commit(state, lambda folder: folder.commit(claim, kept))

    async def renew(self, claims: Iterable[Claim], lease_seconds: float = DEFAULT_LEASE_SECONDS) -> builtins.list[Claim]:
        each = tuple(claims)
        return await self._worker.call(lambda folder: folder.renew(each, lease_seconds))

    async def release(self, claim: Claim) -> None:
        await self._worker.call(lambda folder: folder.release(claim))

    async def delete(self, instance_id: str) -> None:
        await self._worker.call(lambda folder: folder.delete(instance_id))

    async def list(self) -> builtins.list[InstanceSummary]:
        return await self._worker.call(lambda folder: folder.summaries(), writes=False)

    async def close(self) -> None:
        await self._worker.close()

    async def load_history(self, instance_id: str) -> builtins.list[dict[str, Any]]:
        return await self._worker.call(lambda folder: folder.load_history(instance_id), writes=False)

    async def publish_event(self, instance_id: str, name: str, payload: bytes) -> int:
        return await self._announcing(lambda folder: folder.publish_event(instance_id, name, payload))

    async def publish_once(self, instance_id: str, name: str, payload: bytes, event_id: str) -> bool:
        return await self._announcing(lambda folder: folder.publish_once(instance_id, name, payload, event_id))

    async def was_published(self, event_id: str) -> bool:
        return await self._worker.call(lambda folder: folder.was_published(event_id), writes=False)

    async def load_events(self, instance_id: str) -> builtins.list[Event]:
        return await self._worker.call(lambda folder: folder.load_events(instance_id), writes=False)

    async def remove_events(self, instance_id: str, numbers: Iterable[int]) -> None:
        each = tuple(numbers)
        await self._worker.call(lambda folder: folder.remove_events(instance_id, each))

    async def addressees(self) -> builtins.list[str]:
        return await self._worker.call(lambda folder: folder.addressees(), writes=False)

    async def find_work(self, limit: int, *, orphans: bool) -> builtins.list[str]:
        return await self._worker.call(lambda folder: folder.find_work(limit, orphans=orphans), writes=False)

    async def remove_finished(self, seconds: float) -> int:
        return await self._worker.call(lambda folder: folder.remove_finished(seconds))

    async def wait_for_change(self, timeout: float) -> None:
        await self._changes.wait(timeout)

    async def save_source(self, digest: str, text: str) -> None:
        await self._worker.call(lambda folder: folder.save_source(digest, text))

    async def load_source(self, digest: str) -> str | None:
        return await self._worker.call(lambda folder: folder.load_source(digest), writes=False)

    async def _commit(self, state: dict[str, Any], work: Callable[[Folder], None]) -> None:
        if state.get("status") in ANNOUNCED:
            await self._announcing(work)
        else:
            await self._worker.call(work)

    async def _announcing(self, work: Callable[[Folder], T]) -> T:
        """Do what somebody in this process may wait for."""
        try:
            return await self._worker.call(work)
        finally:
            self._changes.bell.ring()

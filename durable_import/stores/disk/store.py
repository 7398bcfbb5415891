"""A folder of files, one file per instance: for looking at, copying and backing up with ordinary tools."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from durable_import.errors import DurableError, MissingKeyError
from durable_import.snapshot.sealing.seal import create_key, load_or_create_key
from durable_import.stores.base import FullStateStore
from durable_import.stores.bounds import HistoryBound, bound_of
from durable_import.stores.changes import Changes, bell_of
from durable_import.stores.disk.folder import Folder
from durable_import.stores.disk.records import check_values
from durable_import.stores.files import locked, refused_by_system
from durable_import.stores.plain.store import PlainStore, own
from durable_import.stores.worker import Work, Worker

P = ParamSpec("P")
T = TypeVar("T")

LOOK_SECONDS = 0.1  # how often to look for what other processes have done


class DiskStateStore(FullStateStore):
    """Keeps states as files in the folder ``path``; each commit survives power loss.

    ``save`` and ``load`` take any dict of JSON values and bytes.
    ``patience``: seconds to wait while another process holds the folder's lock. ``history``: keep the states before the last
    one too: True, how many, or for how long, as in ``"7d"``.
    """

    def __init__(self, path: str | os.PathLike[str], *, patience: float = 10.0, history: bool | int | str = False) -> None:
        # the program may change its folder before the first use
        self.path = os.path.abspath(os.fspath(path))
        self.key_file = Path(f"{self.path}.key")
        self.instances: DiskStore = DiskStore(self.path, patience, bound_of(history))

    def __repr__(self) -> str:
        return f"DiskStateStore({self.path!r})"

    def is_there(self) -> bool:
        """Whether there is such a folder; nothing is made."""
        return os.path.isdir(self.path)

    def key(self) -> bytes:
        """The key in ``<path>.key``, made on first use.

        Raises MissingKeyError when it is gone though the folder has snapshots.
        """
        file = self.key_file
        # a process makes the key before it saves: look for it again after the snapshots were seen
        if not file.exists() and self.instances.rows.has_instances() and not file.exists():
            raise MissingKeyError(
                f"the store {self.path} has saved instances but their key {file} is gone. Put the key file back; "
                f"without it the snapshots cannot be opened. To start again, move the folder away."
            )
        return load_or_create_key(file)

    def take_key(self, key: bytes) -> None:
        """Make the key file, of this key; one that is there stays. Raises StoreUnavailableError."""
        create_key(self.key_file, key)

    async def load(self, instance_id: str) -> dict[str, Any] | None:
        """See ``StateStore``."""
        return await self.instances.load_dict(instance_id)

    async def save(self, instance_id: str, state: dict[str, Any]) -> None:
        """See ``StateStore``. Raises InstanceBusyError while another one that may be alive owns the instance."""
        check_values(state)
        await self.instances.save(instance_id, copy.deepcopy(state))

    async def close(self) -> None:
        """Let go of the thread; the next use opens the store again."""
        await self.instances.close()


class DiskStore(PlainStore[Folder]):
    """See ``store.Store``; in a thread of its own, under the lock of the folder."""

    def __init__(self, path: str, patience: float, bound: HistoryBound | None) -> None:
        bell = bell_of(os.path.realpath(path))
        folder = Folder(Path(path), bound, bell.ring)
        self._engine = _Engine(folder, patience)
        self._worker: Worker[Folder] = Worker(lambda: self._engine, f"durable_import {path}")
        super().__init__(folder, Changes(partial(self._look, Folder.last_change), bell, LOOK_SECONDS), bound is not None)

    def __repr__(self) -> str:
        return f"DiskStateStore({str(self.rows.path)!r})"

    async def _do(self, method: Callable[Concatenate[Folder, P], T], *arguments: P.args, **keywords: P.kwargs) -> T:
        return await self._worker.call(lambda folder: own(folder, method)(*arguments, **keywords))

    async def _look(self, method: Callable[Concatenate[Folder, P], T], *arguments: P.args, **keywords: P.kwargs) -> T:
        return await self._worker.call(lambda folder: own(folder, method)(*arguments, **keywords), writes=False)

    def _wait(self, method: Callable[Concatenate[Folder, P], T], *arguments: P.args, **keywords: P.kwargs) -> T:
        errand: Work[Folder] = Work(lambda folder: own(folder, method)(*arguments, **keywords), True)
        self._engine.run([errand])
        result: T = errand.result()
        return result

    async def close(self) -> None:
        await self._worker.close()


class _Engine:
    """Does work on a folder; all that arrives together shares one locking, of ``patience`` seconds' wait."""

    def __init__(self, folder: Folder, patience: float) -> None:
        self._folder = folder
        self._patience = patience

    def run(self, jobs: Sequence[Work[Folder]]) -> None:
        if not any(job.writes for job in jobs):
            self._do(jobs)
            return
        try:
            self._folder.prepare()
            with locked(self._folder.path / "lock", self._patience):
                self._folder.check_format()
                self._do(jobs)
        except (OSError, DurableError) as error:
            for job in jobs:
                job.fail(self._explain(error))

    def close(self) -> None:
        """Nothing stays open between batches."""

    def _do(self, jobs: Sequence[Work[Folder]]) -> None:
        for job in jobs:
            try:
                job.succeed(job.work(self._folder))
            except Exception as error:  # the answer to the caller of this job
                job.fail(self._explain(error))

    def _explain(self, error: Exception) -> Exception:
        if not isinstance(error, OSError):
            return error
        explained = refused_by_system(self._folder.path, error)
        explained.__cause__ = error
        return explained

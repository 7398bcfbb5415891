"""A store in an SQLite file, shared by the processes of one machine."""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from durable_import.errors import MissingKeyError, StoreError
from durable_import.snapshot.sealing.seal import create_key, load_or_create_key
from durable_import.stores.base import FullStateStore, check_state
from durable_import.stores.bounds import bound_of
from durable_import.stores.flat import to_dict, to_kept
from durable_import.stores.sqlite.columns import query
from durable_import.stores.sqlite.connection import MEMORY
from durable_import.stores.sqlite.instances import SQLiteStore

SYNCHRONOUS = ("FULL", "NORMAL")

_MUCH = 16 * 1024 * 1024  # bytes that are free
_LARGE_LOG = 256 * 1024 * 1024


class SQLiteStateStore(FullStateStore):
    """Keeps states in the SQLite file ``path`` (``:memory:`` for one that ends with ``close``).

    ``synchronous``: 'FULL', a commit survives power loss; 'NORMAL', it survives the crash of the process only.
    ``patience``: seconds to wait while another process holds the database's lock. ``shared``: allow a file in which another
    program has tables, for transactions that write to both. ``history``: keep the states before the last one too: True, how
    many, or for how long, as in ``"7d"``.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        synchronous: str = "FULL",
        *,
        patience: float = 10.0,
        shared: bool = False,
        history: bool | int | str = False,
    ) -> None:
        if synchronous.upper() not in SYNCHRONOUS:
            raise StoreError(f"synchronous is one of {', '.join(SYNCHRONOUS)}, not {synchronous!r}")
        name = os.fspath(path)
        # the program may change its folder before the file is opened
        self.path = name if name == MEMORY else os.path.abspath(name)
        self.key_file = Path(f"{self.path}.key")
        self._memory_key = secrets.token_bytes(32)
        self.instances: SQLiteStore = SQLiteStore(self.path, synchronous.upper(), patience, shared, bound_of(history))

    def __repr__(self) -> str:
        return f"SQLiteStateStore({self.path!r})"

    def is_there(self) -> bool:
        """Whether there is such a file; nothing is made."""
        return self.path == MEMORY or os.path.exists(self.path)

    def key(self) -> bytes:
        """The key in ``<path>.key``, made on first use.

        Raises MissingKeyError when it is gone though the database has snapshots.
        """
        if self.path == MEMORY:
            return self._memory_key
        file = self.key_file
        # a process makes the key before it saves: look for it again after the snapshots were seen
        if not file.exists() and _has_instances(self.path) and not file.exists():
            raise MissingKeyError(
                f"the database {self.path} has saved instances but their key {file} is gone. Put the key file back; "
                f"without it the snapshots cannot be opened. To start again, move the database away."
            )
        return load_or_create_key(file)

    def take_key(self, key: bytes) -> None:
        """Make the key file, of this key; one that is there stays. Raises StoreUnavailableError."""
        create_key(self.key_file, key)

    async def load(self, instance_id: str) -> dict[str, Any] | None:
        """See ``StateStore``."""
        kept = await self.instances.load(instance_id)
        return to_dict(kept.state, kept.call) if kept is not None else None

    async def save(self, instance_id: str, state: dict[str, Any]) -> None:
        """See ``StateStore``. Raises InstanceBusyError while another one that may be alive owns the instance."""
        check_state(state)
        kept = to_kept(state)
        await self.instances.save(instance_id, kept.state, kept.call)

    async def bloat(self) -> str:
        """What takes room without need: free pages, or a log that nobody could empty."""
        if self.path == MEMORY or not self.is_there():
            return ""
        with closing(sqlite3.connect(f"{Path(self.path).as_uri()}?mode=ro", uri=True, timeout=1.0)) as connection:
            [page, pages, free] = [
                connection.execute(f"PRAGMA {what}").fetchone()[0] for what in ("page_size", "page_count", "freelist_count")
            ]
        log = Path(f"{self.path}-wal")
        size = log.stat().st_size if log.exists() else 0
        if free * page > _MUCH and free > pages // 2:
            return (
                f"{free * page:,} of the {pages * page:,} bytes of {self.path} are free: while nothing runs, "
                f'`sqlite3 {self.path} "VACUUM"` gives them back'
            )
        if size > _LARGE_LOG:
            return f"the log {log} has {size:,} bytes: a process that reads the database for long keeps it from being emptied"
        return ""

    async def close(self) -> None:
        """Let go of files and threads; the next use opens the store again."""
        await self.instances.close()


def _has_instances(path: str) -> bool:
    """Whether the file is a store with states; what else may be wrong with it shows when it is opened."""
    if not os.path.exists(path):
        return False
    try:
        with closing(sqlite3.connect(path, timeout=1.0)) as connection:
            found = connection.execute(query("tables_of_instances")).fetchall()
            return any(connection.execute(f"SELECT * FROM {table} LIMIT 1").fetchone() for (table,) in found)
    except sqlite3.Error:
        return False

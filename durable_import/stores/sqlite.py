"""The embedded default: one SQLite file, shared by all processes of a machine."""

from __future__ import annotations

import builtins
import json
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from durable_import.errors import MissingKeyError, StoreError, StoreUnavailableError
from durable_import.snapshot.seal import load_or_create_key
from durable_import.stores.base import (
    ANNOUNCED,
    STATE_TYPES,
    Claim,
    Event,
    InstanceSummary,
    OwningStore,
    Transaction,
    check_state,
    fenced,
)
from durable_import.stores.changes import Bell, Changes, bell_of
from durable_import.stores.database import MEMORY, Database, queries
from durable_import.stores.files import text_of
from durable_import.stores.owner import DEFAULT_LEASE_SECONDS, Lease, Owner
from durable_import.stores.sqlite_transaction import SQLiteTransaction
from durable_import.stores.worker import Worker

T = TypeVar("T")

SYNCHRONOUS = ("FULL", "NORMAL")
COLUMNS = ("status", "checkpoint", "location", "function", "wake_at", "call", "snapshot", "outcome")  # as ``load`` gives them
LOOK_SECONDS = 0.1  # how often to look for what other processes have done


class SQLiteStateStore(OwningStore):
    """Keeps states in the SQLite file ``path`` (``:memory:`` for one that ends with ``close``).

    ``synchronous``: 'FULL', a commit survives power loss; 'NORMAL', it survives the crash of the process only.
    ``patience``: seconds to wait while another process holds the database's lock. ``shared``: allow a file in which another
    program has tables, for transactions that write to both. ``history``: keep the states before the last one too.
    """

    def __init__(
        self, path: str | os.PathLike[str], synchronous: str = "FULL", *, patience: float = 10.0, shared: bool = False,
        history: bool = False,
    ) -> None:
        if synchronous.upper() not in SYNCHRONOUS:
            raise StoreError(f"synchronous is one of {', '.join(SYNCHRONOUS)}, not {synchronous!r}")
        name = os.fspath(path)
        # the program may change its folder before the file is opened
        self.path = name if name == MEMORY else os.path.abspath(name)
        self._memory_key = secrets.token_bytes(32)
        self.keeps_history = history
        self._open = partial(Database, self.path, synchronous.upper(), patience, shared, history)
        self._worker: Worker[sqlite3.Connection] = Worker(self._open, f"durable_import {self.path}")
        bell = Bell() if name == MEMORY else bell_of(os.path.realpath(self.path))
        self._changes = Changes(partial(self._worker.call, _last_change, writes=False), bell, LOOK_SECONDS)

    def __repr__(self) -> str:
        return f"SQLiteStateStore({self.path!r})"

    def key(self) -> bytes:
        """The key in ``<path>.key``, made on first use.

        Raises MissingKeyError when it is gone though the database has snapshots.
        """
        if self.path == MEMORY:
            return self._memory_key
        file = Path(f"{self.path}.key")
        # whoever saves makes the key first: look for it again after the snapshots were seen
        if not file.exists() and _has_instances(self.path) and not file.exists():
            raise MissingKeyError(
                f"the database {self.path} has saved instances but their key {file} is gone. Put the key file back; "
                f"without it the snapshots cannot be opened. To start anew, move the database away."
            )
        return load_or_create_key(file)

    async def load(self, instance_id: str) -> dict[str, Any] | None:
        return await self._worker.call(partial(_load, instance_id), writes=False)

    async def save(self, instance_id: str, state: dict[str, Any]) -> None:
        check_state(state)
        await self._commit(state, partial(_save, instance_id, Owner.current(), dict(state)))

    async def acquire(self, instance_id: str, owner: Owner, lease_seconds: float = DEFAULT_LEASE_SECONDS) -> Claim:
        return await self._worker.call(partial(_acquire, instance_id, owner, lease_seconds))

    async def commit(self, claim: Claim, state: dict[str, Any]) -> None:
        check_state(state)
        await self._commit(state, partial(_commit, claim, dict(state)))

    async def commit_segments(
        self, claim: Claim, state: dict[str, Any], segments: Mapping[str, bytes | None], *, is_whole: bool
    ) -> None:
        check_state(state)
        await self._commit(state, partial(_commit_segments, claim, dict(state), dict(segments), is_whole))

    async def load_segments(self, instance_id: str) -> dict[str, bytes]:
        return await self._worker.call(partial(_load_segments, instance_id), writes=False)

    async def load_history(self, instance_id: str) -> builtins.list[dict[str, Any]]:
        return await self._worker.call(partial(_load_history, instance_id), writes=False)

    async def renew(
        self, claims: Iterable[Claim], lease_seconds: float = DEFAULT_LEASE_SECONDS
    ) -> builtins.list[Claim]:
        return await self._worker.call(partial(_renew, tuple(claims), lease_seconds))

    async def release(self, claim: Claim) -> None:
        await self._worker.call(partial(_release, claim))

    async def delete(self, instance_id: str) -> None:
        await self._worker.call(partial(_delete, instance_id))

    async def list(self) -> builtins.list[InstanceSummary]:
        return await self._worker.call(_list, writes=False)

    async def close(self) -> None:
        await self._worker.close()

    async def publish_event(self, instance_id: str, name: str, payload: bytes) -> int:
        return await self._announcing(partial(_publish_event, instance_id, name, payload))

    async def load_events(self, instance_id: str) -> builtins.list[Event]:
        return await self._worker.call(partial(_load_events, instance_id), writes=False)

    async def remove_events(self, instance_id: str, numbers: Iterable[int]) -> None:
        await self._worker.call(partial(_remove_events, instance_id, tuple(numbers)))

    async def addressees(self) -> builtins.list[str]:
        return await self._worker.call(_addressees, writes=False)

    async def find_work(self, limit: int, *, orphans: bool) -> builtins.list[str]:
        return await self._worker.call(partial(_find_work, limit, orphans), writes=False)

    async def remove_finished(self, seconds: float) -> int:
        return await self._worker.call(partial(_remove_finished, seconds))

    async def wait_for_change(self, timeout: float) -> None:
        await self._changes.wait(timeout)

    async def begin_transaction(self) -> Transaction:
        """See ``base.TransactionStore``. ``connection`` is a ``sqlite3.Connection``; while it is open, commits wait."""
        if self.path == MEMORY:
            raise StoreError("a database in memory has one connection only, so no transactions for you: use a file")
        return await SQLiteTransaction.begin(self._open, _commit_segments, self._changes.bell)

    async def save_source(self, digest: str, text: str) -> None:
        await self._worker.call(partial(_save_source, digest, text))

    async def load_source(self, digest: str) -> str | None:
        return await self._worker.call(partial(_load_source, digest), writes=False)

    async def _commit(self, state: dict[str, Any], work: Callable[[sqlite3.Connection], None]) -> None:
        if state.get("status") in ANNOUNCED:
            await self._announcing(work)
        else:
            await self._worker.call(work)

    async def _announcing(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do what somebody in this process may wait for."""
        try:
            return await self._worker.call(work)
        finally:
            self._changes.bell.ring()


def _load(instance_id: str, connection: sqlite3.Connection) -> dict[str, Any] | None:
    found = connection.execute(queries()["load"], {"instance_id": _column(instance_id)}).fetchone()
    return _state_of(instance_id, found) if found is not None else None


def _load_history(instance_id: str, connection: sqlite3.Connection) -> list[dict[str, Any]]:
    found = connection.execute(queries()["load_history"], {"instance_id": _column(instance_id)})
    return [_state_of(instance_id, row) for row in found]


def _state_of(instance_id: str, row: tuple[Any, ...]) -> dict[str, Any]:
    state = dict(zip(COLUMNS, row, strict=True))
    for key, value in state.items():
        kind = STATE_TYPES[key]
        if kind is str and isinstance(value, bytes):
            with suppress(UnicodeDecodeError):  # then it was not ``_column`` that wrote it
                state[key] = value = value.decode("utf-8", "surrogatepass")
        # what was sealed is judged when it is opened
        if kind is not bytes and not isinstance(value, kind):
            raise StoreUnavailableError(
                f"the row of instance {instance_id!r} is damaged: {key!r} is {value!r}. It was left as it is; put a backup "
                f"back, or delete the instance."
            )
    return state


def _commit(
    claim: Claim, state: dict[str, Any], connection: sqlite3.Connection, *, are_segments_kept: bool = False
) -> None:
    columns = {key: _column(value) if isinstance(value, str) else value for key, value in state.items()}
    row = {**columns, **_key_of(claim), "now": time.time()}
    if connection.execute(queries()["commit"], row).rowcount == 0:
        raise fenced(claim)
    if state["status"] in ANNOUNCED:
        connection.execute(queries()["announce"])
    if are_segments_kept:
        return
    connection.execute(queries()["remove_segments"], {"instance_id": row["instance_id"]})


def _commit_segments(
    claim: Claim, state: dict[str, Any], segments: dict[str, bytes | None], is_whole: bool, connection: sqlite3.Connection
) -> None:
    _commit(claim, state, connection, are_segments_kept=not is_whole)
    instance_id = _column(claim.instance_id)
    put = [(instance_id, key, data) for key, data in segments.items() if data is not None]
    connection.executemany(queries()["put_segment"], put)
    gone = [(instance_id, key) for key, data in segments.items() if data is None]
    connection.executemany(queries()["remove_segment"], gone)


def _load_segments(instance_id: str, connection: sqlite3.Connection) -> dict[str, bytes]:
    found = connection.execute(queries()["load_segments"], {"instance_id": _column(instance_id)}).fetchall()
    return {key.decode("utf-8", "surrogateescape"): data for key, data in found}


def _acquire(instance_id: str, owner: Owner, lease_seconds: float, connection: sqlite3.Connection) -> Claim:
    key = {"instance_id": _column(instance_id)}
    found = connection.execute(queries()["find_claim"], key).fetchone()
    if found is not None:
        epoch, holder, since, until = found
        Lease.of(epoch, holder, since, until).check_free(instance_id, owner)
    # fetchall: the statement is only done when it is read to its end
    [(epoch,)] = connection.execute(queries()["next_epoch"]).fetchall()
    now = time.time()
    row = {**key, "epoch": epoch, "owner": owner.to_json(), "since": now, "until": now + lease_seconds}
    connection.execute(queries()["take_claim"], row)
    return Claim(instance_id, epoch, _load(instance_id, connection))


def _save(instance_id: str, owner: Owner, state: dict[str, Any], connection: sqlite3.Connection) -> None:
    claim = _acquire(instance_id, owner, DEFAULT_LEASE_SECONDS, connection)
    _commit(claim, state, connection)
    _release(claim, connection)


def _renew(claims: tuple[Claim, ...], lease_seconds: float, connection: sqlite3.Connection) -> list[Claim]:
    until = time.time() + lease_seconds
    return [
        claim
        for claim in claims
        if connection.execute(queries()["renew_claim"], {**_key_of(claim), "until": until}).rowcount == 0
    ]


def _release(claim: Claim, connection: sqlite3.Connection) -> None:
    connection.execute(queries()["release_claim"], _key_of(claim))


def _delete(instance_id: str, connection: sqlite3.Connection) -> None:
    for query in ("delete_claim", "delete_instance", "remove_segments", "delete_events", "delete_history"):
        connection.execute(queries()[query], {"instance_id": _column(instance_id)})


def _list(connection: sqlite3.Connection) -> list[InstanceSummary]:
    return [
        InstanceSummary(
            instance_id=_text(instance_id),
            status=_text(status),
            checkpoint=checkpoint,
            location=_text(location),
            function=_text(function),
            wake_at=wake_at,
            updated_at=updated_at,
            owner=Owner.from_json(owner) if owner is not None else None,
            lease_until=until,
        )
        for instance_id, status, checkpoint, location, function, wake_at, updated_at, owner, until in connection.execute(
            queries()["list"]
        )
    ]


def _publish_event(instance_id: str, name: str, payload: bytes, connection: sqlite3.Connection) -> int:
    row = {"instance_id": _column(instance_id), "name": _column(name), "now": time.time(), "payload": payload}
    [(number,)] = connection.execute(queries()["publish_event"], row).fetchall()
    connection.execute(queries()["announce"])
    return int(number)


def _load_events(instance_id: str, connection: sqlite3.Connection) -> list[Event]:
    found = connection.execute(queries()["load_events"], {"instance_id": _column(instance_id)})
    return [Event(number, _text(name), payload) for number, name, payload in found]


def _addressees(connection: sqlite3.Connection) -> list[str]:
    return [_text(instance_id) for (instance_id,) in connection.execute(queries()["addressees"])]


def _remove_events(instance_id: str, numbers: tuple[int, ...], connection: sqlite3.Connection) -> None:
    connection.executemany(queries()["remove_event"], [(_column(instance_id), number) for number in numbers])


def _last_change(connection: sqlite3.Connection) -> int:
    [(count,)] = connection.execute(queries()["last_change"]).fetchall()
    return int(count)


def _find_work(limit: int, orphans: bool, connection: sqlite3.Connection) -> list[str]:
    row = {**_now_and_dead(connection), "limit": limit, "orphans": orphans}
    return [_text(instance_id) for (instance_id,) in connection.execute(queries()["find_work"], row)]


def _remove_finished(seconds: float, connection: sqlite3.Connection) -> int:
    row = _now_and_dead(connection)
    found = connection.execute(queries()["find_finished"], {**row, "before": row["now"] - seconds}).fetchall()
    for (instance_id,) in found:
        _delete(_text(instance_id), connection)
    return len(found)


def _now_and_dead(connection: sqlite3.Connection) -> dict[str, Any]:
    """The time, and the owners that certainly do not live though their leases run."""
    now = time.time()
    holders = connection.execute(queries()["holders"], {"now": now})
    return {"now": now, "dead": json.dumps([owner for (owner,) in holders if Owner.from_json(owner).is_dead()])}


def _save_source(digest: str, text: str, connection: sqlite3.Connection) -> None:
    connection.execute(queries()["save_source"], {"digest": _column(digest), "text": _column(text)})


def _load_source(digest: str, connection: sqlite3.Connection) -> str | None:
    found = connection.execute(queries()["load_source"], {"digest": _column(digest)}).fetchone()
    return _text(found[0]) if found is not None else None


def _key_of(claim: Claim) -> dict[str, Any]:
    return {"instance_id": _column(claim.instance_id), "epoch": claim.epoch}


def _column(text: str) -> str | bytes:
    """Lone surrogates have no place in a TEXT value: such a text is stored as BLOB."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def _text(column: Any) -> Any:
    """What ``_column`` was given; whatever else somebody has put there stays what it is."""
    return text_of(column) if isinstance(column, bytes) else column


def _has_instances(path: str) -> bool:
    """Whether the file is a store with states; what else may be wrong with it shows when it is opened."""
    if not os.path.exists(path):
        return False
    try:
        with closing(sqlite3.connect(path, timeout=1.0)) as connection:
            return bool(connection.execute(queries()["any_instance"]).fetchone()[0])
    except sqlite3.Error:
        return False

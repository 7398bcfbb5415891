"""A store in a PostgreSQL database, shared by the processes of many machines."""

from __future__ import annotations

import builtins
import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from durable_import.errors import StoreUnavailableError
from durable_import.stores.base import (
    ANNOUNCED,
    MIN_ID_AGE,
    Claim,
    Event,
    InstanceSummary,
    OwningStore,
    Transaction,
    check_state,
    fenced,
)
from durable_import.stores.changes import Changes, bell_of
from durable_import.stores.owner import DEFAULT_LEASE_SECONDS, Lease, Owner
from durable_import.stores.postgres.address import Address
from durable_import.stores.postgres.connection import ATTEMPTS, OneStatement, PostgresEngine, Session
from durable_import.stores.postgres.listener import Listener
from durable_import.stores.postgres.rows import commit_statements, from_column, row_key, to_column
from durable_import.stores.postgres.transaction import PostgresTransaction
from durable_import.stores.worker import Worker

T = TypeVar("T")

LOOK_SECONDS = 1.0  # how often to look for changes that nobody has told of


class PostgresStateStore(OwningStore):
    """Keeps states in the database of ``url``: ``postgresql://user:password@host:5432/database``.

    Its options are those of libpq, and ``schema``: where the tables are, made when they are first needed (by default
    ``durable_import``). The password may as well be in PGPASSWORD or in the password file. Leases run by the clock of the
    database. ``patience``: seconds to wait for a connection, a lock or an answer. It has one connection, and one more while
    somebody waits for changes; both need sessions of their own, so a pooler in front must not share them by transaction.
    """

    def __init__(self, url: str, *, patience: float = 30.0) -> None:
        self.address = Address.of(url)
        name = f"durable_import {self.address}"
        channel = f"durable_import_{hashlib.sha256(self.address.schema.encode()).hexdigest()[:16]}"
        self._patience, self._channel = patience, channel
        engine = partial(PostgresEngine, self.address, patience, channel)
        self._worker: Worker[Session] = Worker(engine, name)
        bell = bell_of(str(self.address))
        self._changes = Changes(partial(self._worker.call, _last_change, writes=False), bell, LOOK_SECONDS)
        self._listener = Listener(self.address, patience, channel, bell)

    def __repr__(self) -> str:
        return f"PostgresStateStore({str(self.address)!r})"

    async def load(self, instance_id: str) -> dict[str, Any] | None:
        return await self._worker.call(partial(_load, instance_id), writes=False)

    async def save(self, instance_id: str, state: dict[str, Any]) -> None:
        check_state(state)
        await self._commit(state, partial(_save, instance_id, Owner.current(), dict(state)))

    async def acquire(self, instance_id: str, owner: Owner, lease_seconds: float = DEFAULT_LEASE_SECONDS) -> Claim:
        return await self._worker.call(partial(_acquire, instance_id, owner, lease_seconds))

    async def commit(self, claim: Claim, state: dict[str, Any]) -> None:
        check_state(state)
        work = partial(_commit, claim, dict(state), {}, True)
        await self._commit(state, work if state["status"] in ANNOUNCED else OneStatement(work))

    async def commit_segments(
        self, claim: Claim, state: dict[str, Any], segments: Mapping[str, bytes | None], *, is_whole: bool
    ) -> None:
        check_state(state)
        await self._commit(state, partial(_commit, claim, dict(state), dict(segments), is_whole))

    async def begin(
        self, instance_id: str, owner: Owner, lease_seconds: float, new: dict[str, Any] | None
    ) -> tuple[Claim, builtins.list[Event]]:
        if new is not None:
            check_state(new)
        claim, events = await self._worker.call(partial(_begin, instance_id, owner, lease_seconds, new))
        if claim.state is None and new is not None:
            self._changes.bell.ring()
        return claim, events

    async def end(self, claim: Claim, state: dict[str, Any], *, keeps: bool) -> None:
        check_state(state)
        await self._announcing(partial(_end, claim, dict(state), keeps))

    async def load_segments(self, instance_id: str) -> dict[str, bytes]:
        return await self._worker.call(partial(_load_segments, instance_id), writes=False)

    async def renew(self, claims: Iterable[Claim], lease_seconds: float = DEFAULT_LEASE_SECONDS) -> builtins.list[Claim]:
        return await self._worker.call(partial(_renew, tuple(claims), lease_seconds))

    async def release(self, claim: Claim) -> None:
        await self._worker.call(partial(_release, claim))

    async def delete(self, instance_id: str) -> None:
        await self._worker.call(partial(_delete, instance_id))

    async def list(self) -> builtins.list[InstanceSummary]:
        return await self._worker.call(_list, writes=False)

    async def close(self) -> None:
        self._listener.stop()
        await self._worker.close()

    async def save_source(self, digest: str, text: str) -> None:
        row = {"key": row_key(digest), "text": to_column(text)}
        await self._worker.call(lambda session: session.do("save_source", row))

    async def load_source(self, digest: str) -> str | None:
        row = {"key": row_key(digest)}
        found = await self._worker.call(lambda session: session.all("load_source", row), writes=False)
        return from_column(found[0][0]) if found else None

    async def publish_event(self, instance_id: str, name: str, payload: bytes) -> int:
        return await self._announcing(partial(_publish_event, instance_id, name, payload))

    async def publish_once(self, instance_id: str, name: str, payload: bytes, event_id: str) -> bool:
        return await self._announcing(partial(_publish_once, instance_id, name, payload, event_id))

    async def was_published(self, event_id: str) -> bool:
        return await self._worker.call(partial(_was_published, event_id), writes=False)

    async def load_events(self, instance_id: str) -> builtins.list[Event]:
        return await self._worker.call(partial(_load_events, instance_id), writes=False)

    async def remove_events(self, instance_id: str, numbers: Iterable[int]) -> None:
        row = {"key": row_key(instance_id), "numbers": [*numbers]}
        await self._worker.call(lambda session: session.do("remove_events", row))

    async def addressees(self) -> builtins.list[str]:
        return await self._worker.call(_addressees, writes=False)

    async def find_work(self, limit: int, *, orphans: bool) -> builtins.list[str]:
        return await self._worker.call(partial(_find_work, limit, orphans), writes=False)

    async def remove_finished(self, seconds: float) -> int:
        return await self._worker.call(partial(_remove_finished, seconds))

    async def wait_for_change(self, timeout: float) -> None:
        self._listener.start()
        await self._changes.wait(timeout)

    async def begin_transaction(self) -> Transaction:
        """See ``base.TransactionStore``. ``connection`` is a ``psycopg.AsyncConnection`` of its own."""
        return await PostgresTransaction.begin(self.address, self._patience, self._channel, self._changes.bell)

    async def _commit(self, state: dict[str, Any], work: Callable[[Session], None]) -> None:
        if state.get("status") in ANNOUNCED:
            await self._announcing(work)
        else:
            await self._worker.call(work)

    async def _announcing(self, work: Callable[[Session], T]) -> T:
        """Do what somebody in this process may wait for."""
        try:
            return await self._worker.call(work)
        finally:
            self._changes.bell.ring()


def _load(instance_id: str, session: Session) -> dict[str, Any] | None:
    found = session.all("load", {"key": row_key(instance_id)})
    if not found:
        return None
    [(status, checkpoint, location, function, wake_at, call, snapshot, outcome)] = found
    return {
        "status": from_column(status),
        "checkpoint": checkpoint,
        "location": from_column(location),
        "function": from_column(function),
        "wake_at": wake_at,
        "call": call,
        "snapshot": snapshot,
        "outcome": outcome,
    }


def _commit(claim: Claim, state: dict[str, Any], segments: dict[str, bytes | None], is_whole: bool, session: Session) -> None:
    for number, (name, row) in enumerate(commit_statements(claim, state, segments, is_whole)):
        if session.do(name, row) == 0 and number == 0:
            raise fenced(claim)
    if state["status"] in ANNOUNCED:
        session.announces = True


def _load_segments(instance_id: str, session: Session) -> dict[str, bytes]:
    return {from_column(name): data for name, data in session.all("load_segments", {"key": row_key(instance_id)})}


def _acquire(instance_id: str, owner: Owner, lease_seconds: float, session: Session) -> Claim:
    key = row_key(instance_id)
    for _ in range(ATTEMPTS):
        found: dict[str, Any] = {"found_epoch": None, "found_until": None}
        for epoch, holder, since, until, now in session.all("find_claim", {"key": key}):
            Lease(epoch, Owner.from_json(holder), since, until).check_free(instance_id, owner, now)
            found = {"found_epoch": epoch, "found_until": until}
        row = {"key": key, "owner": owner.to_json(), "lease_seconds": lease_seconds, **found}
        for (epoch,) in session.all("take_claim", row):
            return Claim(instance_id, epoch, _load(instance_id, session))
        # somebody else was faster: look who
    raise StoreUnavailableError(
        f"instance {instance_id!r} could not be acquired: too many others try to at the same moment. Run again."
    )


def _begin(
    instance_id: str, owner: Owner, lease_seconds: float, new: dict[str, Any] | None, session: Session
) -> tuple[Claim, list[Event]]:
    claim = _acquire(instance_id, owner, lease_seconds, session)
    if claim.state is None and new is not None:
        _commit(claim, new, {}, True, session)
    return claim, _load_events(instance_id, session)


def _end(claim: Claim, state: dict[str, Any], keeps: bool, session: Session) -> None:
    _commit(claim, state, {}, not keeps, session)
    if not keeps:
        session.do("delete_events", {"keys": [row_key(claim.instance_id)]})
    _release(claim, session)


def _save(instance_id: str, owner: Owner, state: dict[str, Any], session: Session) -> None:
    claim = _acquire(instance_id, owner, DEFAULT_LEASE_SECONDS, session)
    _commit(claim, state, {}, True, session)
    _release(claim, session)


def _renew(claims: tuple[Claim, ...], lease_seconds: float, session: Session) -> list[Claim]:
    in_order = sorted(claims, key=lambda claim: row_key(claim.instance_id))  # as everybody does: no deadlocks
    lost = {
        claim.epoch for claim in in_order if session.do("renew_claim", {**_key_of(claim), "lease_seconds": lease_seconds}) == 0
    }
    return [claim for claim in claims if claim.epoch in lost]


def _release(claim: Claim, session: Session) -> None:
    session.do("release_claim", _key_of(claim))


def _delete(instance_id: str, session: Session) -> None:
    key = row_key(instance_id)
    session.do("seize_claim", {"key": key})
    _delete_all([key], session)


def _delete_all(keys: list[bytes], session: Session) -> None:
    for query in ("delete_instances", "delete_segments", "delete_events", "delete_claims"):
        session.do(query, {"keys": keys})


def _list(session: Session) -> list[InstanceSummary]:
    return [
        InstanceSummary(
            instance_id=from_column(instance_id),
            status=from_column(status),
            checkpoint=checkpoint,
            location=from_column(location),
            function=from_column(function),
            wake_at=wake_at,
            updated_at=updated_at,
            owner=Owner.from_json(owner) if owner is not None else None,
            lease_until=until,
        )
        for instance_id, status, checkpoint, location, function, wake_at, updated_at, owner, until in session.all("list")
    ]


def _publish_event(instance_id: str, name: str, payload: bytes, session: Session) -> int:
    row = {"key": row_key(instance_id), "instance_id": to_column(instance_id), "name": to_column(name), "payload": payload}
    [(number,)] = session.all("publish_event", row)
    session.announces = True
    return int(number)


def _publish_once(instance_id: str, name: str, payload: bytes, event_id: str, session: Session) -> bool:
    if not session.all("note_event_id", {"event_id": to_column(event_id)}):
        return False
    _publish_event(instance_id, name, payload, session)
    return True


def _was_published(event_id: str, session: Session) -> bool:
    return bool(session.all("find_event_id", {"event_id": to_column(event_id)}))


def _load_events(instance_id: str, session: Session) -> list[Event]:
    found = session.all("load_events", {"key": row_key(instance_id)})
    return [Event(number, from_column(name), payload) for number, name, payload in found]


def _addressees(session: Session) -> list[str]:
    return [from_column(instance_id) for (instance_id,) in session.all("addressees")]


def _last_change(session: Session) -> int:
    [(count,)] = session.all("last_change")
    return int(count)


def _find_work(limit: int, orphans: bool, session: Session) -> list[str]:
    row = {"dead": _dead(session), "limit": limit, "orphans": orphans}
    return [from_column(instance_id) for (instance_id,) in session.all("find_work", row)]


def _remove_finished(seconds: float, session: Session) -> int:
    seized = [key for (key,) in session.all("seize_finished", {"seconds": seconds, "dead": _dead(session)})]
    gone = [key for (key,) in session.all("delete_finished", {"keys": seized, "seconds": seconds})]
    _delete_all(gone, session)
    session.do("delete_claims", {"keys": seized})
    session.do("forget_event_ids", {"seconds": max(seconds, MIN_ID_AGE)})
    return len(gone)


def _dead(session: Session) -> list[str]:
    """The owners that certainly do not live though their leases run."""
    return [owner for (owner,) in session.all("holders") if Owner.from_json(owner).is_dead()]


def _key_of(claim: Claim) -> dict[str, Any]:
    return {"key": row_key(claim.instance_id), "epoch": claim.epoch}

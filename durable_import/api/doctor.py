"""Whether a store is well: it opens, the key opens what is in it, processes renew their leases, nothing is stuck or too large.

Nothing is made, run or changed, but that a store of an earlier release is brought up to date, as by everything that opens it.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from ..errors import MissingKeyError, SnapshotAuthenticationError, SnapshotError, StoreError, UnknownInstanceError
from ..pythons.versions import IS_KNOWN, NAMED
from ..stores.base import BloatedStore, KeyFileStore, StateStore
from ..stores.state import FINISHED, STUCK, InstanceQuery, InstanceSummary, OwnerRow
from ..stores.store import Store
from ..stores.url import check_there, full_store, open_store
from .client import AsyncClient

LOOKED_AT = 20  # instances whose states are opened: the newest
NAMED_AT_MOST = 3  # of those that are stuck
MANY_FINISHED = 100_000  # instances


@dataclass(frozen=True)
class Finding:
    """``about``: 'store', 'key', 'versions', 'leases', 'stuck' or 'bloat'. ``is_well``: nothing is to be done."""

    about: str
    is_well: bool
    text: str


async def examine(store: str) -> list[Finding]:
    """What is found of the store of this URL, one or more of each. Raises UnknownStoreError and MissingDriverError."""
    opened = open_store(store)
    full, found = full_store(opened), [_versions()]
    try:
        check_there(opened)
        async for finding in _of_store(AsyncClient(opened), opened, full):
            found.append(finding)
    except (StoreError, OSError) as error:
        found.append(Finding("store", False, str(error)))
    finally:
        await full.close()
    return found


def _versions() -> Finding:
    told = f"Python {NAMED}, SQLite {sqlite3.sqlite_version}"
    if not IS_KNOWN:
        return Finding("versions", False, f"{told}: this Python ({NAMED}) is newer than those that this release knows")
    return Finding("versions", True, told)


async def _of_store(client: AsyncClient, store: StateStore, full: Store) -> AsyncIterator[Finding]:
    counts = await client.count(by="status")
    told = ", ".join(f"{number} {status}" for status, number in sorted(counts.items())) or "no instances"
    yield Finding("store", True, f"{store!r} has {told}")
    for finding in await _states(client, store, any(counts.values())):
        yield finding
    for finding in await _leases(full):
        yield finding
    yield await _stuck(client, counts.get(STUCK, 0))
    for finding in await _bloat(store, sum(counts.get(status, 0) for status in FINISHED)):
        yield finding


# --- key, and versions of states


async def _states(client: AsyncClient, store: StateStore, has_instances: bool) -> list[Finding]:
    """Whether the newest states open with the key."""
    if not has_instances:
        if isinstance(store, KeyFileStore) and not store.key_file.exists():
            return [Finding("key", True, f"there is no key yet: the first run makes {store.key_file}")]
        return [Finding("key", True, "nothing is sealed yet")]
    opened, bad = 0, list[Finding]()
    for summary in await client.list(InstanceQuery(limit=LOOKED_AT)):
        try:
            await client.inspection.stack(summary.id)
            opened += 1
        except SnapshotError as error:
            about = "key" if isinstance(error, SnapshotAuthenticationError) else "versions"
            bad.append(Finding(about, False, str(error)))
        except MissingKeyError as error:  # or it may be read by others
            return [Finding("key", False, str(error))]
        except UnknownInstanceError:  # it was deleted meanwhile
            continue
    if bad:
        others = f" (and {len(bad) - 1} more of the newest {LOOKED_AT})" if len(bad) > 1 else ""
        return [replace(bad[0], text=bad[0].text + others)]
    return [Finding("key", True, f"it opens the newest {opened} instances")]


# --- leases


async def _leases(store: Store) -> list[Finding]:
    rows = await asyncio.to_thread(store.owners)
    now = time.time()
    dead = [row for row in rows if _is_dead(row, now)]
    found = [Finding("leases", False, _told_of_dead(row)) for row in dead]
    living = len(rows) - len(dead)
    running = "1 process runs" if living == 1 else f"{living or 'no'} processes run"
    return [*found, Finding("leases", True, f"{running} instances")]


def _is_dead(row: OwnerRow, now: float) -> bool:
    return row.is_dead or row.who.is_dead() or row.until + row.lease < now


def _told_of_dead(row: OwnerRow) -> str:
    return (
        f"process {row.who.pid} on host {row.who.host} has ended without letting go of what it ran: the next process that runs "
        "instances of this store takes it over, so start one"
    )


# --- stuck


async def _stuck(client: AsyncClient, number: int) -> Finding:
    if not number:
        return Finding("stuck", True, "no instance is stuck")
    page = await client.list(InstanceQuery(status=STUCK, limit=NAMED_AT_MOST))
    told = "; ".join(_told_of_stuck(each) for each in page)
    return Finding("stuck", False, f"{number} stuck: {told}. Mend what the errors name, then: durable retry ID")


def _told_of_stuck(summary: InstanceSummary) -> str:
    return f"{summary.id!r} ({(summary.error or 'its process died').splitlines()[0]:.200})"


# --- bloat


async def _bloat(store: StateStore, finished: int) -> list[Finding]:
    found = []
    if finished > MANY_FINISHED:
        advice = "DurableRuntime(keep_finished=...) removes them sooner, and delete_all those that are there"
        found.append(Finding("bloat", False, f"{finished:,} instances have ended and are kept: {advice}"))
    told = await store.bloat() if isinstance(store, BloatedStore) else ""
    if told:
        found.append(Finding("bloat", False, told))
    return found or [Finding("bloat", True, "nothing takes room without need")]

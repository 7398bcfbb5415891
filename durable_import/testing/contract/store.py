"""What every full store passes, and a small one that was adapted, where it can do that."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from durable_import.errors import FencedError, InstanceBusyError
from durable_import.stores.owner import DEFAULT_LEASE_SECONDS, Owner
from durable_import.stores.state import DORMANT, FINISHED, STATUSES, Event, InstanceQuery, InstanceState
from durable_import.stores.store import Begun, Kept, Segments, Store
from durable_import.stores.suspects import Rule
from durable_import.testing.contract.plain import STRANGE_IDS, refused

CALL = b"\xff\x00call"
PENDING = InstanceState("pending", 0, "", "app:main", None, b"", b"")


def saved(checkpoint: int = 1, status: str = "running", wake_at: float | None = None) -> InstanceState:
    """A state as the runtime saves it."""
    outcome = b"\x00outcome" if status in FINISHED else b""
    return InstanceState(status, checkpoint, "app.py:7 main", "app:main", wake_at, b"\x00\n" + bytes([checkpoint % 256]), outcome)


def register(store: Store, lease: float = DEFAULT_LEASE_SECONDS) -> int:
    """A new owner in this process."""
    return store.register(Owner.current(), lease)


async def begin(
    store: Store,
    instance_id: str,
    owner: int | None = None,
    new: InstanceState | None = PENDING,
    call: bytes = CALL,
    rule: Rule | None = None,
) -> Begun:
    """Begin an instance, of an owner of its own if none is given."""
    number = register(store) if owner is None else owner
    return await store.begin(instance_id, number, secrets.randbits(62) | 1, new, call, rule=rule)


async def bury(store: Store, owner: int) -> int:
    """Let others have what an owner has, as if it had been seen to be dead; gives how much that was."""
    rows, freed = await asyncio.to_thread(store.owners), 0
    for row in rows:
        while row.id == owner and (part := await asyncio.to_thread(store.bury, owner, row.beat, 2)):
            freed += part
    return freed


async def claim(store: Store, owner: int, room: int = 100, *, orphans: bool = True, alone_from: int = 4) -> list[Begun]:
    """Take up what there is to do."""
    return await store.claim(owner, secrets.randbits(62) | 1, room, orphans=orphans, alone_from=alone_from)


async def to_do(store: Store, room: int = 100, *, orphans: bool = True) -> list[str]:
    """Ids of what there is to do; it is let go of again."""
    owner = register(store)
    taken = await claim(store, owner, room, orphans=orphans)
    for begun in taken:
        await store.release(begun.claim, has_lived=False)
    await asyncio.to_thread(store.retire, owner)
    return [begun.claim.instance_id for begun in taken]


async def commit(
    store: Store, begun: Begun, state: InstanceState, segments: Segments | None = None, is_whole: bool = True
) -> None:
    """Commit, however the store does that."""
    committing = store.commit(begun.claim, state, segments, is_whole)
    if committing is not None:
        await committing


async def put(store: Store, instance_id: str, state: InstanceState) -> None:
    """Leave an instance in a state, owned by nobody."""
    begun = await begin(store, instance_id)
    if state.status in FINISHED:
        await store.end(begun.claim, state, keeps=False)
    else:
        await commit(store, begun, state)
        await store.release(begun.claim)


async def names(store: Store, query: InstanceQuery) -> list[str]:
    """The ids of one page."""
    return [each.instance_id for each in (await store.list(query)).instances]


class SingleStoreContract(ABC):
    """What a store promises to the one process that uses it."""

    survives: ClassVar[bool] = True  # whether a second ``open`` of the same folder finds what the first one kept

    @abstractmethod
    def open(self, folder: Path) -> Store:
        """A store over ``folder``."""

    async def test_a_new_instance_is_kept_with_its_call(self, tmp_path: Path) -> None:
        """To begin one that is not there keeps it; one that begins later finds it, whatever else it would have kept."""
        store = self.open(tmp_path)
        assert await store.load("a") is None
        assert await store.summary("a") is None
        first = await begin(store, "a")
        assert (first.is_new, first.state, first.call) == (True, PENDING, CALL)
        assert await store.load("a") == Kept(PENDING, CALL)
        await store.release(first.claim)
        second = await begin(store, "a", new=saved(7), call=b"another call")
        assert (second.is_new, second.state, second.call) == (False, PENDING, CALL)
        await store.close()

    async def test_nothing_is_kept_before_the_first_commit(self, tmp_path: Path) -> None:
        """One that begins without a state has none; its call comes with the first commit."""
        store = self.open(tmp_path)
        begun = await begin(store, "a", new=None)
        assert (begun.is_new, begun.state) == (False, None)
        assert await store.load("a") is None
        await commit(store, begun, saved(1))
        assert await store.load("a") == Kept(saved(1), CALL)
        await store.close()

    async def test_the_last_commit_counts(self, tmp_path: Path) -> None:
        """Every entry comes back to the last bit, for any id, and the call stays."""
        store = self.open(tmp_path)
        for number, name in enumerate(STRANGE_IDS):
            begun = await begin(store, name)
            await commit(store, begun, saved(1))
            wake_at = (None, 0.0, 1_764_115_200.123456, 1e300)[number % 4]
            last = InstanceState("waiting", number, "übung.py:1 lone\udc80", "app:main", wake_at, b"x\0" * 10_000, b"")
            await commit(store, begun, last)
            assert await store.load(name) == Kept(last, CALL), repr(name)
            summary = await store.summary(name)
            assert summary is not None
            facts = (summary.instance_id, summary.status, summary.checkpoint, summary.location, summary.function, summary.wake_at)
            assert facts == (name, *last[:5])
        await store.close()

    async def test_an_end_removes_the_snapshot_and_the_events(self, tmp_path: Path) -> None:
        """Unless they are to be kept, for one that is tried again."""
        store = self.open(tmp_path)
        for keeps in (False, True):
            name = f"keeps {keeps}"
            begun = await begin(store, name)
            await commit(store, begun, saved(1))
            await store.publish(name, "e", b"")
            last = saved(2, "failed" if keeps else "completed")._replace(snapshot=b"")
            await store.end(begun.claim, last, keeps=keeps)
            kept = await store.load(name)
            assert kept == Kept(last._replace(snapshot=saved(1).snapshot) if keeps else last, CALL)
            assert len(await store.load_events(name)) == keeps
            again = await begin(store, name)  # it was let go of
            assert (again.state, again.call, again.is_new) == (kept.state, CALL, False)
        await store.close()

    async def test_a_commit_may_be_repeated(self, tmp_path: Path) -> None:
        """One whose answer was lost gives the same state once more."""
        store = self.open(tmp_path)
        begun = await begin(store, "a")
        for _ in range(2):
            await commit(store, begun, saved(1))
        assert await store.load("a") == Kept(saved(1), CALL)
        await store.close()

    async def test_commits_of_many_do_not_mix(self, tmp_path: Path) -> None:
        """All of many at once arrive."""
        store = self.open(tmp_path)
        owner = register(store)
        begun = await asyncio.gather(*(begin(store, f"i{n}", owner) for n in range(50)))
        await asyncio.gather(*(commit(store, each, saved(n)) for n, each in enumerate(begun)))
        assert [await store.load(f"i{n}") for n in range(50)] == [Kept(saved(n), CALL) for n in range(50)]
        await store.close()

    async def test_events_come_in_order_until_they_are_removed(self, tmp_path: Path) -> None:
        """They belong to their instance, which need not exist yet; numbers rise, and only those named go."""
        store = self.open(tmp_path)
        for name, payload in (("paid", b"\x00\n\xff"), ("sent", b""), ("paid", b"x" * 100_000), ("", b"\n")):
            assert await store.publish("a", name, payload)
        await store.publish("b", "other", b"")
        events = await store.load_events("a")
        assert [(event.name, len(event.payload)) for event in events] == [("paid", 3), ("sent", 0), ("paid", 100_000), ("", 1)]
        numbers = [event.number for event in events]
        assert numbers == sorted(set(numbers))
        for _ in range(2):
            await store.remove_events("a", [*numbers[1:3], 10**9])
            assert await store.load_events("a") == [events[0], events[3]]
        await store.remove_events("a", iter(numbers))
        assert (await store.load_events("a"), len(await store.load_events("b"))) == ([], 1)
        await store.close()

    async def test_who_owns_instances_is_told_of_events(self, tmp_path: Path) -> None:
        """Of those that come after the number that is asked for, or of more; others' instances are not among them."""
        store = self.open(tmp_path)
        owner, other = register(store), register(store)
        for name, who in (("a", owner), ("b", owner), ("c", other)):
            await begin(store, name, who)
            await store.publish(name, "e", b"")
        await store.publish("not there", "e", b"")
        found = await store.pending(owner, 0)
        assert set(found) == {"a", "b"}
        await store.publish("b", "e", b"")
        assert "b" in await store.pending(owner, max(found.values()))
        await store.close()

    async def test_an_id_is_published_once(self, tmp_path: Path) -> None:
        """The second event with an id is dropped, to whomever, also when the first one is gone."""
        store = self.open(tmp_path)
        assert not await store.was_published("id 1")
        kept = await asyncio.gather(*(store.publish("a", "e", b"", f"id {n % 3}") for n in range(12)))
        assert sum(kept) == len(await store.load_events("a")) == 3
        await store.remove_events("a", [event.number for event in await store.load_events("a")])
        assert await store.was_published("id 1")
        assert not await store.publish("b", "other", b"2", "id 1")
        assert await store.load_events("b") == []
        await store.close()

    async def test_what_rests_is_found_when_it_is_due(self, tmp_path: Path) -> None:
        """Waiting and sleeping instances whose time has come, or that have an event; the longest overdue first."""
        store = self.open(tmp_path)
        now = time.time()
        for status in DORMANT:
            await put(store, f"{status} due", saved(1, status, now - 5))
            await put(store, f"{status} later", saved(1, status, now + 3600))
            await put(store, f"{status} for ever", saved(1, status))
        await put(store, "long ago", saved(1, "sleeping", 0.0))
        await put(store, "running", saved(1, "running"))
        owned = await begin(store, "owned")
        await commit(store, owned, saved(1, "sleeping", 0.0))
        found = await to_do(store, 100, orphans=False)
        assert found[0] == "long ago"
        assert set(found[1:]) == {f"{status} due" for status in DORMANT}
        assert await to_do(store, 1, orphans=False) == ["long ago"]
        assert await to_do(store, 0, orphans=False) == []
        await store.publish("waiting for ever", "e", b"")
        assert "waiting for ever" in await to_do(store, 100, orphans=False)
        again = await begin(store, "waiting for ever")
        await store.remove_events("waiting for ever", [event.number for event in await store.load_events("waiting for ever")])
        await commit(store, again, saved(2, "waiting"))
        await store.release(again.claim)
        assert "waiting for ever" not in await to_do(store, 100, orphans=False)
        await store.close()

    async def test_a_wait_lasts_no_longer_than_it_was_told_to(self, tmp_path: Path) -> None:
        """However little happens."""
        store = self.open(tmp_path)
        async with asyncio.timeout(60):
            await store.wait_for_change(0.0)
            await store.wait_for_change(0.05)
        await store.close()


class StoreContract(SingleStoreContract):
    """What a store promises to all who use it."""

    async def test_a_live_owner_is_respected(self, tmp_path: Path) -> None:
        """Others are refused and told who it is; the same owner may begin again, and fences itself."""
        store = self.open(tmp_path)
        owner = register(store)
        old = await begin(store, "a", owner)
        with refused(InstanceBusyError, "'a'", str(os.getpid()), socket.gethostname(), "since"):
            await begin(store, "a")
        new = await begin(store, "a", owner)
        with refused(FencedError, "'a'"):
            await commit(store, old, saved(1))
        await commit(store, new, saved(2))
        assert await store.load("a") == Kept(saved(2), CALL)
        await store.close()

    async def test_who_was_taken_over_changes_nothing(self, tmp_path: Path) -> None:
        """Neither by a commit nor by an end, with segments or without; nor does a release of its claim."""
        store = self.open(tmp_path)
        owner = register(store)
        stalled = await begin(store, "a", owner)
        await commit(store, stalled, saved(1))
        assert await bury(store, owner) == 1
        successor = await begin(store, "a")
        assert successor.state == saved(1)
        await commit(store, successor, saved(2), {"k": b"1"}, True)
        for segments in (None, {"k": b"2"}):
            with refused(FencedError, "'a'"):
                await commit(store, stalled, saved(9), segments, False)
        for keeps in (False, True):
            with refused(FencedError, "'a'"):
                await store.end(stalled.claim, saved(9, "completed"), keeps=keeps)
        await store.release(stalled.claim)
        await commit(store, successor, saved(3), {}, False)
        assert await store.load("a") == Kept(saved(3), CALL)
        if store.keeps_segments:
            assert await store.load_segments("a") == {"k": b"1"}
        await store.close()

    async def test_a_deleted_instance_does_not_come_back(self, tmp_path: Path) -> None:
        """All of it goes, and what its owner commits then is refused, also when it has started over."""
        store = self.open(tmp_path)
        old = await begin(store, "a")
        await commit(store, old, saved(1), {"k": b"1"}, True)
        await store.publish("a", "e", b"")
        await store.delete("a")
        await store.delete("never there")
        assert await store.load("a") is None
        assert await store.load_events("a") == []
        assert await store.load_segments("a") == {}
        with refused(FencedError):
            await commit(store, old, saved(9))
        new = await begin(store, "a")
        assert (new.is_new, new.call) == (True, CALL)
        with refused(FencedError):
            await commit(store, old, saved(9))
        await store.close()

    async def test_segments_change_with_their_state(self, tmp_path: Path) -> None:
        """Those that are named are put or removed; a whole commit removes all others, and one without segments all."""
        store = self.open(tmp_path)
        begun = await begin(store, "a")
        for segments, is_whole, expected in (
            ({"k1": b"1", "k2": b"2"}, True, {"k1": b"1", "k2": b"2"}),
            ({"k2": None, "k3": b"3"}, False, {"k1": b"1", "k3": b"3"}),
            ({"k4": b"4"}, True, {"k4": b"4"}),
            (None, True, {}),
        ):
            await commit(store, begun, saved(1), segments, is_whole)
            assert await store.load("a") == Kept(saved(1), CALL)
            if store.keeps_segments:
                assert await store.load_segments("a") == expected
                some = {key: data for key, data in expected.items() if key != "k1"}
                assert await store.load_segments("a", {"k2", "k3", "k4", "never"}) == some
        await store.close()

    async def test_orphans_are_found_if_asked_for(self, tmp_path: Path) -> None:
        """Pending and running instances that nobody owns, the oldest first."""
        store = self.open(tmp_path)
        for name, status in (("b", "running"), ("a", "pending"), ("c", "running"), ("w", "waiting"), ("f", "failed")):
            await put(store, name, PENDING if status == "pending" else saved(1, status))
            await asyncio.sleep(0.002)
        await begin(store, "owned")
        assert await to_do(store, 100, orphans=False) == []
        assert await to_do(store, 100, orphans=True) == ["b", "a", "c"]
        await store.close()

    async def test_lists_have_what_is_asked_for(self, tmp_path: Path) -> None:
        """By status, function, beginning of the id and time, in either order, page by page."""
        store = self.open(tmp_path)
        for number in range(7):
            state = saved(number, ("running", "waiting")[number % 2])._replace(function=("f", "g")[number // 4])
            await put(store, f"i{number}", state)
            await asyncio.sleep(0.002)
        assert await names(store, InstanceQuery()) == [f"i{number}" for number in reversed(range(7))]
        assert await names(store, InstanceQuery(order="oldest", limit=2)) == ["i0", "i1"]
        assert await names(store, InstanceQuery(status="waiting", order="oldest")) == ["i1", "i3", "i5"]
        assert await names(store, InstanceQuery(function="g", order="oldest")) == ["i4", "i5", "i6"]
        assert await names(store, InstanceQuery(prefix="i3")) == ["i3"]
        assert await names(store, InstanceQuery(prefix="%")) == []
        [fourth] = (await store.list(InstanceQuery(prefix="i4"))).instances
        assert await names(store, InstanceQuery(since=fourth.created_at or fourth.updated_at, order="oldest")) == [
            "i4",
            "i5",
            "i6",
        ]
        assert await store.count(InstanceQuery(limit=2)) == {"": 7}
        assert await store.count(InstanceQuery(status="waiting")) == {"": 3}
        assert await store.count(InstanceQuery(prefix="i"), "status") == {"running": 4, "waiting": 3}
        assert await store.count(InstanceQuery(status="running"), "function") == {"f": 2, "g": 2}
        assert sum((await store.count(InstanceQuery(prefix="nobody"))).values()) == 0
        found: list[str] = []
        page = await store.list(InstanceQuery(limit=3))
        assert [page[0].id, len(page), [each.instance_id for each in page]] == ["i6", 3, ["i6", "i5", "i4"]]
        while page.cursor is not None:
            found += [each.instance_id for each in page.instances]
            page = await store.list(InstanceQuery(limit=3, cursor=page.cursor))
        assert [*found, *(each.instance_id for each in page.instances)] == [f"i{number}" for number in reversed(range(7))]
        with refused(ValueError, "no cursor"):
            await store.list(InstanceQuery(cursor="nonsense"))
        await store.close()

    async def test_what_has_ended_is_cleared_away(self, tmp_path: Path) -> None:
        """With its events, if that was long enough ago; what somebody owns stays."""
        store = self.open(tmp_path)
        for status in STATUSES:
            await put(store, status, saved(1, status))
            await store.publish(status, "e", b"")
        owned = await begin(store, "failed")
        assert await store.remove_finished(3600) == 0
        assert await store.remove_finished(0.0) == len(FINISHED) - 1
        assert await store.load("failed") is not None
        assert {event.name for event in await store.load_events("waiting")} == {"e"}
        assert await store.load_events("completed") == []
        await store.release(owned.claim)
        assert await store.remove_finished(0.0) == 1
        assert set(await names(store, InstanceQuery())) == set(STATUSES).difference(FINISHED)
        await store.close()

    async def test_all_is_there_after_reopening(self, tmp_path: Path) -> None:
        """States, calls, events and sources, unless the store is for one process only."""
        store = self.open(tmp_path)
        begun = await begin(store, "a")
        await commit(store, begun, saved(3))
        await store.release(begun.claim)
        await store.publish("a", "e", b"p")
        await store.save_source("digest", "text\udc80")
        await store.save_source("digest", "another")
        events = await store.load_events("a")
        assert await store.load_source("digest") == "text\udc80"
        await store.close()
        again = self.open(tmp_path)
        assert await again.load("a") == (Kept(saved(3), CALL) if self.survives else None)
        assert await again.load_events("a") == ([Event(events[0].number, "e", b"p")] if self.survives else [])
        assert await again.load_source("digest") == ("text\udc80" if self.survives else None)
        await again.close()

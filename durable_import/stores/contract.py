"""The tests that every store passes. Run them over a store of your own (needs pytest and pytest-asyncio)::

    class TestMyStore(StateStoreContract):
        def open(self, folder):
            return MyStore(folder / "data")

``StateStoreContract`` is for plain stores, ``OwningStoreContract`` for those with owners, ``SegmentStoreContract`` for those
that keep segments too; ``survives`` says whether a second ``open`` of the same folder finds what the first one kept.
"""

from __future__ import annotations

import asyncio
import dataclasses
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from durable_import.errors import FencedError, InstanceBusyError
from durable_import.stores.base import Claim, OwningStore, SegmentStore, StateStore
from durable_import.stores.owner import Owner

STRANGE_IDS = (
    "plain", "", ".", "..", "../x", "/etc/passwd", "a/b\\c", "CON", "con", "\N{ROCKET}", "ü", "u\u0308", "x" * 5000,
    "nul\0nul", "line\nline", "lone\udc80", "%s?&#;'\"--", " ", "é" * 300,
)  # fmt: skip


def state(checkpoint: int = 1, **changes: Any) -> dict[str, Any]:
    """A state as the runtime saves it."""
    plain = {
        "status": "running",
        "checkpoint": checkpoint,
        "location": "app.py:7 main",
        "function": "app:main",
        "snapshot": b"\x00\n\xff" + bytes([checkpoint % 256]),
    }
    return {**plain, **changes}


@contextmanager
def refused(kind: type[Exception], *words: str) -> Iterator[None]:
    """Fail unless the block raises ``kind`` with all ``words`` in its message."""
    message = None
    try:
        yield
    except kind as error:
        message = str(error)
    assert message is not None, f"{kind.__name__} was not raised"
    assert all(word in message for word in words), f"not all of {words} in: {message}"


class StateStoreContract(ABC):
    """What load and save promise."""

    survives: ClassVar[bool] = True

    @abstractmethod
    def open(self, folder: Path) -> StateStore:
        """A store over ``folder``."""

    async def test_unknown_instance_has_no_state(self, tmp_path: Path) -> None:
        """Loading what was never saved gives None."""
        store = self.open(tmp_path)
        assert await store.load("nobody") is None
        await _close(store)

    async def test_load_gives_what_was_saved_last(self, tmp_path: Path) -> None:
        """The last save wins, and instances do not mix."""
        store = self.open(tmp_path)
        await store.save("a", state(1))
        await store.save("b", state(7))
        await store.save("a", state(2, status="waiting"))
        assert await store.load("a") == state(2, status="waiting")
        assert await store.load("b") == state(7)
        await _close(store)

    async def test_any_instance_id_is_possible(self, tmp_path: Path) -> None:
        """Ids are plain text: empty, long, with slashes, control characters, lone surrogates or emoji."""
        (tmp_path / "inner").mkdir()
        store = self.open(tmp_path / "inner")
        for number, instance_id in enumerate(STRANGE_IDS):
            await store.save(instance_id, state(number))
        for number, instance_id in enumerate(STRANGE_IDS):
            assert await store.load(instance_id) == state(number), repr(instance_id)
        await _close(store)
        assert {each.name for each in tmp_path.iterdir()} == {"inner"}

    async def test_snapshots_are_kept_byte_for_byte(self, tmp_path: Path) -> None:
        """Empty, binary and large snapshots come back unchanged."""
        store = self.open(tmp_path)
        for snapshot in (b"", b"\n", bytes(range(256)), b"x\0" * 1_500_000):
            await store.save("a", state(1, snapshot=snapshot, location="übung.py:1 lone\udc80"))
            assert await store.load("a") == state(1, snapshot=snapshot, location="übung.py:1 lone\udc80")
        await _close(store)

    async def test_kept_state_is_a_copy(self, tmp_path: Path) -> None:
        """Changing the dict that was saved or loaded changes nothing in the store."""
        store = self.open(tmp_path)
        mine = state(1)
        await store.save("a", mine)
        mine["checkpoint"] = 99
        loaded = await store.load("a")
        assert loaded is not None
        loaded["checkpoint"] = 99
        assert await store.load("a") == state(1)
        await _close(store)

    async def test_concurrent_saves_do_not_mix(self, tmp_path: Path) -> None:
        """Saves of many instances at once all arrive."""
        store = self.open(tmp_path)
        await asyncio.gather(*(store.save(f"i{n}", state(n)) for n in range(50)))
        assert await asyncio.gather(*(store.load(f"i{n}") for n in range(50))) == [state(n) for n in range(50)]
        await _close(store)

    def test_several_event_loops_one_after_another(self, tmp_path: Path) -> None:
        """A store is not bound to the loop that used it first."""
        store = self.open(tmp_path)
        asyncio.run(store.save("a", state(1)))
        assert asyncio.run(store.load("a")) == state(1)
        asyncio.run(store.save("a", state(2)))
        assert asyncio.run(store.load("a")) == state(2)
        asyncio.run(_close(store))

    async def test_states_survive_reopening(self, tmp_path: Path) -> None:
        """A second store over the same place finds the state, unless the store is for one process only."""
        store = self.open(tmp_path)
        await store.save("a", state(3))
        await _close(store)
        again = self.open(tmp_path)
        assert await again.load("a") == (state(3) if self.survives else None)
        await _close(again)


class OwningStoreContract(StateStoreContract):
    """What owners, epochs and leases promise."""

    @abstractmethod
    def open(self, folder: Path) -> OwningStore: ...

    async def test_claim_brings_the_state(self, tmp_path: Path) -> None:
        """Acquiring gives the state found, None at first."""
        store = self.open(tmp_path)
        first = await store.acquire("a", Owner.current())
        assert first.state is None
        await store.commit(first, state(1))
        await store.release(first)
        second = await store.acquire("a", Owner.current())
        assert second.state == state(1)
        assert second.epoch > first.epoch
        await store.close()

    async def test_live_owner_is_respected(self, tmp_path: Path) -> None:
        """While a live owner's lease runs, others are refused and told who it is, also for save."""
        store = self.open(tmp_path)
        owner = Owner.current()
        await store.acquire("a", owner)
        with refused(InstanceBusyError, "'a'", str(owner.pid), owner.host, "since"):
            await store.acquire("a", Owner.current())
        with refused(InstanceBusyError, str(owner.pid)):
            await store.save("a", state(1))
        assert await store.load("a") is None
        await store.acquire("b", Owner.current())
        await store.close()

    async def test_same_owner_may_acquire_again(self, tmp_path: Path) -> None:
        """The newer claim of one owner fences its older one."""
        store = self.open(tmp_path)
        owner = Owner.current()
        old = await store.acquire("a", owner)
        new = await store.acquire("a", owner)
        with refused(FencedError, "'a'", str(old.epoch)):
            await store.commit(old, state(1))
        await store.commit(new, state(2))
        assert await store.load("a") == state(2)
        await store.close()

    async def test_expired_lease_is_taken_over_and_fenced(self, tmp_path: Path) -> None:
        """After its lease a live owner may be taken over; what it commits then is refused and changes nothing."""
        store = self.open(tmp_path)
        stalled = await store.acquire("a", Owner.current(), lease_seconds=0.05)
        await store.commit(stalled, state(1))
        await asyncio.sleep(0.1)
        successor = await store.acquire("a", Owner.current())
        assert successor.state == state(1)
        await store.commit(successor, state(2))
        with refused(FencedError):
            await store.commit(stalled, state(99))
        assert await store.load("a") == state(2)
        await store.close()

    async def test_expired_lease_without_successor_still_commits(self, tmp_path: Path) -> None:
        """The epoch decides, not the clock."""
        store = self.open(tmp_path)
        claim = await store.acquire("a", Owner.current(), lease_seconds=0.0)
        await store.commit(claim, state(1))
        assert await store.renew([claim]) == []
        with refused(InstanceBusyError):
            await store.acquire("a", Owner.current())
        await store.close()

    async def test_renewal_prolongs_and_names_what_is_lost(self, tmp_path: Path) -> None:
        """Renewed leases run on; claims that are not current come back."""
        store = self.open(tmp_path)
        kept = await store.acquire("kept", Owner.current(), lease_seconds=0.05)
        lost = await store.acquire("lost", Owner.current(), lease_seconds=0.0)
        await store.acquire("lost", Owner.current())
        assert await store.renew([kept, lost], 60.0) == [lost]
        await asyncio.sleep(0.1)
        with refused(InstanceBusyError):
            await store.acquire("kept", Owner.current())
        await store.close()

    async def test_dead_owner_is_taken_over_at_once(self, tmp_path: Path) -> None:
        """A process of this machine that is gone, or whose pid was used again, does not keep its lease."""
        store = self.open(tmp_path)
        for number, dead in enumerate(_dead_owners()):
            old = await store.acquire(f"a{number}", dead, lease_seconds=3600)
            new = await store.acquire(f"a{number}", Owner.current())
            with refused(FencedError):
                await store.commit(old, state(1))
            await store.commit(new, state(2))
        await store.close()

    async def test_owner_elsewhere_is_taken_over_after_its_lease_only(self, tmp_path: Path) -> None:
        """Of a process on another host, or in another container, nothing is known until its lease ends."""
        store = self.open(tmp_path)
        here = _dead_owners()[0]
        for remote in (
            dataclasses.replace(here, host="elsewhere"),
            dataclasses.replace(here, pid_space="pid:[1]"),
            dataclasses.replace(here, machine="other"),
        ):
            await store.acquire("a", remote, lease_seconds=0.2)
            with refused(InstanceBusyError, remote.host):
                await store.acquire("a", Owner.current())
            await asyncio.sleep(0.25)
            await store.release(await store.acquire("a", Owner.current()))
        await store.close()

    async def test_release_frees_and_ends_the_claim(self, tmp_path: Path) -> None:
        """After release the next owner comes at once, and the old claim is not current; releasing twice is fine."""
        store = self.open(tmp_path)
        old = await store.acquire("a", Owner.current())
        await store.commit(old, state(1))
        await store.release(old)
        with refused(FencedError):
            await store.commit(old, state(9))
        new = await store.acquire("a", Owner.current())
        await store.release(old)
        await store.commit(new, state(2))
        assert await store.load("a") == state(2)
        await store.close()

    async def test_deleted_instance_does_not_come_back(self, tmp_path: Path) -> None:
        """Delete removes state and claim; an epoch from before is never current again."""
        store = self.open(tmp_path)
        old = await store.acquire("a", Owner.current())
        await store.commit(old, state(1))
        await store.delete("a")
        await store.delete("never there")
        assert await store.load("a") is None
        with refused(FencedError):
            await store.commit(old, state(9))
        new = await store.acquire("a", Owner.current())
        assert new.state is None
        assert new.epoch > old.epoch
        with refused(FencedError):
            await store.commit(old, state(9))
        await store.close()

    async def test_list_shows_saved_instances(self, tmp_path: Path) -> None:
        """Each instance with a state is listed with its facts and its owner, the newest first."""
        store = self.open(tmp_path)
        assert await store.list() == []
        await store.save("../x", state(1, status="done"))
        owner = Owner.current()
        await store.acquire("without state", owner)
        await store.commit(await store.acquire("b\udc80", owner), state(5))
        newer, older = await store.list()
        assert (newer.instance_id, newer.checkpoint, newer.owner) == ("b\udc80", 5, owner)
        assert newer.lease_until is not None
        assert (older.instance_id, older.status, older.owner) == ("../x", "done", None)
        assert (older.location, older.function, older.lease_until) == ("app.py:7 main", "app:main", None)
        assert newer.updated_at >= older.updated_at > 1e9
        await store.close()

    async def test_each_commit_gets_its_own_answer(self, tmp_path: Path) -> None:
        """Among concurrent commits only the fenced ones are refused, and the last of one owner wins."""
        store = self.open(tmp_path)
        owner = Owner.current()
        stale = [await store.acquire(f"i{n}", owner) for n in range(0, 30, 3)]
        claims = [await store.acquire(f"i{n}", owner) for n in range(30)]
        attempts = [*stale, *claims]
        answers = await asyncio.gather(
            *(store.commit(each, state(n)) for n, each in enumerate(attempts)), return_exceptions=True
        )
        assert [type(answer) for answer in answers] == [FencedError] * len(stale) + [type(None)] * len(claims)
        await asyncio.gather(*(store.commit(claims[0], state(n)) for n in range(100, 150)))
        assert await store.load("i0") == state(149)
        assert await store.load("i29") == state(39)
        await store.close()

    async def test_what_is_not_a_state_is_refused(self, tmp_path: Path) -> None:
        """A missing, unknown or wrong entry is an error: it would be dropped silently otherwise."""
        store = self.open(tmp_path)
        claim = await store.acquire("a", Owner.current())
        wrong: list[dict[str, Any]] = [{}, state(1, extra=1), state(1, snapshot="text"), state(1, status=None)]
        for each in wrong:
            with refused(TypeError, "state"):
                await store.commit(claim, each)
            with refused(TypeError, "state"):
                await store.save("b", each)
        await store.commit(claim, state(1))
        await store.close()

    async def test_commit_of_a_cancelled_task_still_happens(self, tmp_path: Path) -> None:
        """What was handed in is committed, and the store goes on."""
        store = self.open(tmp_path)
        claim = await store.acquire("a", Owner.current())
        task = asyncio.create_task(store.commit(claim, state(1)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await store.load("a") == state(1)
        await store.close()

    async def test_store_opens_again_after_close(self, tmp_path: Path) -> None:
        """Close lets go of resources, twice is fine, and the next use opens the store again."""
        store = self.open(tmp_path)
        await store.close()
        await store.save("a", state(1))
        await store.close()
        await store.close()
        await store.save("a", state(2))
        assert await store.load("a") == state(2)
        await store.close()


class SegmentStoreContract(OwningStoreContract):
    """What segments promise: they belong to the state that they were committed with."""

    async def test_unknown_instance_has_no_segments(self, tmp_path: Path) -> None:
        """Loading the segments of what was never saved, or was saved without, gives none."""
        store = self.open(tmp_path)
        await store.save("plain", state(1))
        assert await _segments(store, "nobody") == await _segments(store, "plain") == {}
        await store.close()

    async def test_segments_are_put_and_removed(self, tmp_path: Path) -> None:
        """A commit puts and removes the segments that it names and leaves the others; state and segments go together."""
        store = self.open(tmp_path)
        claim = await store.acquire("a", Owner.current())
        await _commit(store, claim, 1, {"k1": b"one", "k2": b"\x00\n\xff", "k3": b""}, is_whole=True)
        assert await _segments(store, "a") == {"k1": b"one", "k2": b"\x00\n\xff", "k3": b""}
        await _commit(store, claim, 2, {"k2": b"two", "k1": None, "never there": None, "k4": b"new"})
        assert await _segments(store, "a") == {"k2": b"two", "k3": b"", "k4": b"new"}
        await _commit(store, claim, 3, {})
        assert await _segments(store, "a") == {"k2": b"two", "k3": b"", "k4": b"new"}
        assert await store.load("a") == state(3)
        await store.close()

    async def test_whole_commits_leave_nothing_else(self, tmp_path: Path) -> None:
        """A whole commit removes what it does not name, and a plain one, or a save, removes all segments."""
        store = self.open(tmp_path)
        claim = await store.acquire("a", Owner.current())
        await _commit(store, claim, 1, {"old": b"1", "both": b"1"}, is_whole=True)
        await _commit(store, claim, 2, {"both": b"2", "gone": None}, is_whole=True)
        assert await _segments(store, "a") == {"both": b"2"}
        await store.commit(claim, state(3))
        assert await _segments(store, "a") == {}
        await _commit(store, claim, 4, {"again": b"4"})
        await store.release(claim)
        await store.save("a", state(5))
        assert await _segments(store, "a") == {}
        assert await store.load("a") == state(5)
        await store.close()

    async def test_segments_of_instances_do_not_mix(self, tmp_path: Path) -> None:
        """Segments under the same key belong to their instance, whatever its id is."""
        store = self.open(tmp_path)
        owner = Owner.current()
        for number, instance_id in enumerate(STRANGE_IDS):
            claim = await store.acquire(instance_id, owner)
            await _commit(store, claim, number, {"t0.1": bytes([number])}, is_whole=True)
        for number, instance_id in enumerate(STRANGE_IDS):
            assert await _segments(store, instance_id) == {"t0.1": bytes([number])}, repr(instance_id)
        await store.close()

    async def test_fenced_owner_changes_no_segment(self, tmp_path: Path) -> None:
        """A stalled owner's commit is refused as a whole: neither the state nor a segment changes."""
        store = self.open(tmp_path)
        stalled = await store.acquire("a", Owner.current(), lease_seconds=0.0)
        await _commit(store, stalled, 1, {"k1": b"old", "k2": b"old"}, is_whole=True)
        successor = await store.acquire("a", Owner.current())
        await _commit(store, successor, 2, {"k1": b"new"})
        for is_whole in (False, True):
            with refused(FencedError, "'a'"):
                await _commit(store, stalled, 9, {"k1": b"bad", "k2": None, "k3": b"bad"}, is_whole=is_whole)
        assert await _segments(store, "a") == {"k1": b"new", "k2": b"old"}
        assert await store.load("a") == state(2)
        await store.close()

    async def test_deleted_instance_has_no_segments(self, tmp_path: Path) -> None:
        """Delete removes the segments too, and the next life under the id does not find any."""
        store = self.open(tmp_path)
        claim = await store.acquire("a", Owner.current())
        other = await store.acquire("b", Owner.current())
        await _commit(store, claim, 1, {"k1": b"1"}, is_whole=True)
        await _commit(store, other, 1, {"k1": b"b"}, is_whole=True)
        await store.delete("a")
        assert await _segments(store, "a") == {}
        with refused(FencedError):
            await _commit(store, claim, 2, {"k2": b"2"})
        claim = await store.acquire("a", Owner.current())
        await _commit(store, claim, 1, {"k3": b"3"})
        assert await _segments(store, "a") == {"k3": b"3"}
        assert await _segments(store, "b") == {"k1": b"b"}
        await store.close()

    async def test_segments_survive_reopening(self, tmp_path: Path) -> None:
        """A second store over the same place finds the segments, unless the store is for one process only."""
        store = self.open(tmp_path)
        claim = await store.acquire("a", Owner.current())
        await _commit(store, claim, 1, {f"t0.{n}": bytes(n) for n in range(500)}, is_whole=True)
        await store.close()
        again = self.open(tmp_path)
        found = await _segments(again, "a")
        assert found == ({f"t0.{n}": bytes(n) for n in range(500)} if self.survives else {})
        await again.close()

    async def test_concurrent_commits_keep_their_segments(self, tmp_path: Path) -> None:
        """Commits of many instances at once: each has its segments, and the fenced ones among them none."""
        store = self.open(tmp_path)
        owner = Owner.current()
        stale = [await store.acquire(f"i{n}", owner) for n in range(0, 30, 3)]
        claims = [await store.acquire(f"i{n}", owner) for n in range(30)]
        attempts = [*stale, *claims]
        answers = await asyncio.gather(
            *(_commit(store, each, n, {"k": bytes([n]), f"k{n}": b""}) for n, each in enumerate(attempts)),
            return_exceptions=True,
        )
        assert [type(answer) for answer in answers] == [FencedError] * len(stale) + [type(None)] * len(claims)
        for number in range(30):
            place = number + len(stale)
            assert await _segments(store, f"i{number}") == {"k": bytes([place]), f"k{place}": b""}
        await store.close()

    async def test_what_is_not_a_state_changes_no_segment(self, tmp_path: Path) -> None:
        """A state with a wrong entry is refused, and its segments with it."""
        store = self.open(tmp_path)
        assert isinstance(store, SegmentStore)
        claim = await store.acquire("a", Owner.current())
        await _commit(store, claim, 1, {"k": b"1"}, is_whole=True)
        with refused(TypeError, "state"):
            await store.commit_segments(claim, state(2, extra=1), {"k": b"2"}, is_whole=True)
        assert await _segments(store, "a") == {"k": b"1"}
        await store.close()


async def _segments(store: OwningStore, instance_id: str) -> dict[str, bytes]:
    assert isinstance(store, SegmentStore)
    return await store.load_segments(instance_id)


async def _commit(
    store: OwningStore, claim: Claim, checkpoint: int, segments: dict[str, bytes | None], *, is_whole: bool = False
) -> None:
    assert isinstance(store, SegmentStore)
    await store.commit_segments(claim, state(checkpoint), segments, is_whole=is_whole)


async def _close(store: StateStore) -> None:
    if isinstance(store, OwningStore):
        await store.close()


def _dead_owners() -> list[Owner]:
    """Owners on this machine that certainly do not live; where the system does not tell, the ended process only."""
    here = Owner.current()
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    dead = [dataclasses.replace(here, pid=child.pid, started="")]
    if here.started:
        dead.append(dataclasses.replace(here, started="1"))  # this pid, but an earlier process
    if here.machine and here.boot:
        dead.append(dataclasses.replace(here, boot="before the reboot"))
    return dead

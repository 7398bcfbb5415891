"""What a store promises that knows who owns instances: see ``store.Store``."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from pathlib import Path

from durable_import.errors import FencedError, InstanceBusyError
from durable_import.stores.owner import Owner
from durable_import.stores.store import Store
from durable_import.testing.contract.plain import refused
from durable_import.testing.contract.store import CALL, PENDING, begin, bury, claim, commit, put, register, saved, to_do


class OwnersContract(ABC):
    """The rows of owners, and claims."""

    @abstractmethod
    def open(self, folder: Path) -> Store:
        """A store over ``folder``."""

    async def test_a_row_beats_for_one_only(self, tmp_path: Path) -> None:
        """A renewal needs the beat that the row has; who was taken for dead renews nothing more."""
        store, who = self.open(tmp_path), Owner.current()
        owner = store.register(who, 30.0)
        assert store.register(who, 30.0) == owner, "the answer was lost"
        assert store.renew(owner, 0, 7, 30.0)
        assert not store.renew(owner, 0, 8, 30.0)
        [row] = store.owners()
        assert (row.id, row.who, row.beat, row.lease, row.is_dead) == (owner, who, 7, 30.0, False)
        assert store.bury(owner, 0, 10) == 0, "it has beaten since"
        assert store.renew(owner, 7, 8, 30.0)
        assert await bury(store, owner) == 0
        assert store.owners() == []
        assert not store.renew(owner, 8, 9, 30.0)
        await store.close()

    async def test_what_the_dead_have_is_free(self, tmp_path: Path) -> None:
        """A part at a time; whose process died while it was at work has one more attempt behind it."""
        store = self.open(tmp_path)
        owner = register(store)
        for number, state in enumerate((saved(1), PENDING, saved(1, "waiting"), saved(1, "sleeping", 1.0))):
            await commit(store, await begin(store, f"i{number}", owner), state)
        old = await begin(store, "i0", owner)
        await begin(store, "no state", owner, new=None)
        assert store.bury(owner, 0, 2) == 2
        [row] = store.owners()
        assert row.is_dead
        for attempt in (begin(store, "other", owner), claim(store, owner)):
            with refused(FencedError, "taken for dead"):
                await attempt
        assert (await begin(store, "i2")).state == saved(1, "waiting"), "it is free, buried or not"
        assert await bury(store, owner) in (2, 3)
        assert set(await to_do(store)) == {"i0", "i1", "i3"}
        with refused(FencedError):
            await commit(store, old, saved(2))
        attempts = [(await begin(store, f"i{number}")).attempts for number in (0, 1, 3)]
        assert attempts == [1, 1, 0]
        assert (await begin(store, "no state", new=None)).state is None
        await store.close()

    async def test_who_retires_leaves_nothing(self, tmp_path: Path) -> None:
        """What it still has is free, and nobody was at fault."""
        store = self.open(tmp_path)
        owner = register(store)
        await commit(store, await begin(store, "a", owner), saved(1))
        with refused(InstanceBusyError, "'a'"):
            await begin(store, "a")
        await asyncio.to_thread(store.retire, owner)
        await asyncio.to_thread(store.retire, owner)
        assert owner not in {row.id for row in store.owners()}
        begun = await begin(store, "a")
        assert (begun.state, begun.attempts) == (saved(1), 0)
        await store.close()

    async def test_a_begin_whose_answer_was_lost_is_repeated(self, tmp_path: Path) -> None:
        """It finds what it has begun, new if it was."""
        store = self.open(tmp_path)
        owner = register(store)
        first, second = [await store.begin("a", owner, 77, PENDING, CALL) for _ in range(2)]
        assert (first.claim, first.is_new, first.lives) == (second.claim, second.is_new, second.lives)
        await commit(store, second, saved(1))
        again = await store.begin("a", owner, 78, PENDING, CALL)
        assert (again.is_new, again.state) == (False, saved(1))
        await store.close()

    async def test_claims_of_many_share_the_work(self, tmp_path: Path) -> None:
        """Each instance is owned by one of those who claim at once, and each gets no more than it has room for."""
        store = self.open(tmp_path)
        for number in range(20):
            await put(store, f"i{number}", saved(number))
        owners = [register(store) for _ in range(4)]
        rooms = (3, 3, 3, 3, 9, 9, 9, 9)
        claimed = await asyncio.gather(*(claim(store, owner, room) for owner, room in zip(owners * 2, rooms, strict=True)))
        assert all(len(each) <= room for each, room in zip(claimed, rooms, strict=True))
        names = [begun.claim.instance_id for each in claimed for begun in each]
        assert sorted(names) == sorted(f"i{number}" for number in range(20))
        for begun in claimed[0]:
            assert begun.state is not None
            assert (begun.call, begun.is_new, begun.events) == (CALL, False, [])
            await commit(store, begun, saved(50))
        assert await claim(store, owners[0], 0) == []
        await store.close()

"""What a store promises of instances that may be what kills their processes: see ``stores.suspects``."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from pathlib import Path

from durable_import.errors import InstanceBusyError, InstanceHeldBackError, InstanceStuckError
from durable_import.stores.state import Failure
from durable_import.stores.store import Store
from durable_import.stores.suspects import ALONE_FROM, Rule
from durable_import.testing.contract.plain import refused
from durable_import.testing.contract.store import PENDING, begin, bury, claim, commit, put, register, saved


class SuspectsContract(ABC):
    """How many of them a process has at once."""

    @abstractmethod
    def open(self, folder: Path) -> Store:
        """A store over ``folder``."""

    async def test_those_who_may_kill_come_last_and_are_few(self, tmp_path: Path) -> None:
        """By how often their processes have died: all after one death, 64 after two, 8 after three, then one at a time."""
        store = self.open(tmp_path)
        names = [f"suspect {number:02}" for number in range(70)]
        for deaths, most in ((1, 70), (2, 64), (3, 8), (4, 1)):
            killed = register(store)
            for name in names:
                await begin(store, name, killed)
            assert await bury(store, killed) == 70
            await put(store, f"innocent {deaths}", saved(1))
            owner = register(store)
            taken = await claim(store, owner)
            assert taken[0].claim.instance_id == f"innocent {deaths}"
            assert [each.attempts for each in taken[1:]] == [deaths] * most
            await store.end(taken[0].claim, saved(2, "completed"), keeps=False)
            if most < 70:
                assert await claim(store, owner) == [], "those are in flight"
                await store.release(taken[1].claim)
                assert len(await claim(store, owner)) == 1
            await asyncio.to_thread(store.retire, owner)
        owner = register(store)
        assert len(await claim(store, owner, alone_from=1)) == 1
        await store.close()

    async def test_one_that_is_begun_by_a_rule_waits_for_the_others(self, tmp_path: Path) -> None:
        """There is no room for a second one of which as much is known: nothing is done, until the first one is let go of, has
        ended or has made progress. Those that wait for it are not counted."""
        store = self.open(tmp_path)
        await self._let_die(store, ALONE_FROM, "first", "second", "third")
        owner = register(store)
        first = await begin(store, "first", owner, rule=Rule())
        assert first.attempts == ALONE_FROM
        for how in ("release", "end", "commit"):
            for _ in range(2):
                before = await store.summary("second")
                with refused(InstanceHeldBackError, "'second' is held back", f"{ALONE_FROM} in a row"):
                    await begin(store, "second", owner, rule=Rule())
                assert await store.summary("second") == before, "nothing was done"
            assert before is not None
            assert (before.owner, before.attempts) == (None, ALONE_FROM)
            if how == "release":
                await store.release(first.claim)
            elif how == "end":
                await store.end(first.claim, saved(1, "completed"), keeps=False)
            else:
                await commit(store, first._replace(claim=first.claim._replace(proven_at=0.0)), saved(1))
            second = await begin(store, "second", owner, rule=Rule())
            assert second.lives == ALONE_FROM - 1, "those that were refused are none"
            await store.release(second.claim, has_lived=False)
            first = await begin(store, {"release": "first", "end": "third", "commit": "second"}[how], owner, rule=Rule())
        third = await begin(store, "first", owner, rule=Rule())
        assert third.attempts == 0, "it has made progress"
        await store.close()

    async def test_those_that_wait_for_one_leave_it_room(self, tmp_path: Path) -> None:
        """A parent is in flight as long as its child; without a rule there is room for any number."""
        store = self.open(tmp_path)
        await self._let_die(store, ALONE_FROM, "parent", "child", "other")
        owner = register(store)
        await begin(store, "parent", owner, rule=Rule())
        with refused(InstanceHeldBackError, "'child'"):
            await begin(store, "child", owner, rule=Rule())
        await begin(store, "child", owner, rule=Rule(beside=["parent"]))
        with refused(InstanceHeldBackError, "'other'"):
            await begin(store, "other", owner, rule=Rule(beside=["parent"]))
        await begin(store, "other", owner)
        assert (await begin(store, "innocent", owner, rule=Rule(alone_from=1))).is_new
        await store.close()

    async def test_one_is_not_in_its_own_way(self, tmp_path: Path) -> None:
        """Begun once more, by a begin whose answer was lost or by the same owner, it goes on."""
        store = self.open(tmp_path)
        await self._let_die(store, ALONE_FROM, "a")
        owner = register(store)
        for epoch in (5, 5, 7):
            begun = await store.begin("a", owner, epoch, PENDING, b"", rule=Rule())
            assert (begun.attempts, begun.is_new) == (ALONE_FROM, False)
        await store.close()

    async def test_the_last_attempt_is_alone(self, tmp_path: Path) -> None:
        """However early that is: one that has died once stands in the way of another then."""
        store = self.open(tmp_path)
        await self._let_die(store, 1, "a", "b")
        owner = register(store)
        rule = Rule(alone_from=1)
        first = await begin(store, "a", owner, rule=rule)
        with refused(InstanceHeldBackError, "'b'", "a process that ran it has died"):
            await begin(store, "b", owner, rule=rule)
        await begin(store, "b", owner, rule=Rule())
        assert first.attempts == 1
        await store.close()

    async def test_a_death_that_was_not_buried_counts(self, tmp_path: Path) -> None:
        """It is taken from its dead owner with one more; if there is no room, it stays as it is."""
        store = self.open(tmp_path)
        await self._let_die(store, ALONE_FROM - 1, "left")
        await self._let_die(store, ALONE_FROM, "first")
        dead = register(store)
        left = await begin(store, "left", dead)
        assert left.attempts == ALONE_FROM - 1
        await begin(store, "beside", dead)
        assert await asyncio.to_thread(store.bury, dead, 0, 0) == 0
        owner = register(store)
        first = await begin(store, "first", owner, rule=Rule())
        with refused(InstanceHeldBackError, "'left'", "4 in a row"):
            await begin(store, "left", owner, rule=Rule())
        assert (await begin(store, "beside", owner, rule=Rule())).attempts == 1
        await store.release(first.claim)
        assert (await begin(store, "left", owner, rule=Rule())).attempts == ALONE_FROM
        await store.close()

    async def test_what_could_not_be_begun_anyway_is_told_first(self, tmp_path: Path) -> None:
        """One that another owner has, or that is stuck; and what could not go on, but killed nobody, is let in."""
        store = self.open(tmp_path)
        await self._let_die(store, ALONE_FROM, "first", "busy", "stuck", "failing")
        other, owner = register(store), register(store)
        await begin(store, "busy", other)
        for name, is_stuck in (("stuck", True), ("failing", False)):
            begun = await begin(store, name, other)
            await store.release(begun.claim, failure=Failure("no", ALONE_FROM + 1, is_stuck))
        await begin(store, "first", owner)
        with refused(InstanceBusyError, "'busy'"):
            await begin(store, "busy", owner, rule=Rule())
        with refused(InstanceStuckError, "'stuck'"):
            await begin(store, "stuck", owner, rule=Rule())
        assert (await begin(store, "failing", owner, rule=Rule())).error == "no"
        await store.close()

    async def _let_die(self, store: Store, times: int, *names: str) -> None:
        """So many processes, one after another, that had these instances at work."""
        for _ in range(times):
            killed = register(store)
            for name in names:
                await begin(store, name, killed)
            assert await bury(store, killed) == len(names)

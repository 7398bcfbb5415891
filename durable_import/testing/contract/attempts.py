"""What a store passes that counts how often an instance was begun, and could not go on."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from pathlib import Path

from durable_import.errors import InstanceStuckError
from durable_import.stores.state import STUCK, Failure, HoldRecord, InstanceQuery
from durable_import.stores.store import Kept, Store
from durable_import.testing.contract.plain import refused
from durable_import.testing.contract.store import CALL, begin, bury, commit, names, register, saved, to_do


class AttemptsContract(ABC):
    """What such a store promises."""

    @abstractmethod
    def open(self, folder: Path) -> Store:
        """A store over ``folder``."""

    async def test_lives_are_counted(self, tmp_path: Path) -> None:
        """Those that began since the last commit, without one that was only looked at; a commit starts the count over."""
        store = self.open(tmp_path)
        owner = register(store)
        assert [(await begin(store, "a", owner)).lives for _ in range(3)] == [0, 0, 1]
        looking = await begin(store, "a", owner)
        await store.release(looking.claim, has_lived=False)
        begun = await begin(store, "a", owner)
        assert (looking.lives, begun.lives) == (2, 2)
        await commit(store, begun, saved(1))
        assert [(await begin(store, "a", owner)).lives for _ in range(2)] == [0, 1]
        last = await begin(store, "a", owner)
        assert last.lives == 2
        await store.end(last.claim, saved(1, "failed"), keeps=True)
        assert (await begin(store, "a", owner)).lives == 3
        await store.close()

    async def test_what_could_not_go_on_is_tried_again_later(self, tmp_path: Path) -> None:
        """Not before its time, and not because of an event; who begins it sooner is told what there was, until a commit."""
        store = self.open(tmp_path)
        owner = register(store)
        for name, status in (("runs", "running"), ("waits", "waiting"), ("before", "pending")):
            begun = await begin(store, name, owner)
            if status != "pending":
                await commit(store, begun, saved(1, status))
            await store.release(begun.claim, failure=Failure(f"no {name}", 3, False))
            await store.publish(name, "event", b"")
        assert await to_do(store, 10, orphans=True) == []
        summary = await store.summary("waits")
        assert summary is not None
        assert (summary.status, summary.attempts, summary.error, summary.owner) == ("waiting", 3, "no waits", None)
        again = await begin(store, "runs", owner)
        assert (again.attempts, again.error) == (3, "no runs")
        await commit(store, again, saved(2))
        await store.release(again.claim)
        assert await to_do(store, 10, orphans=True) == ["runs"]
        afresh = await begin(store, "runs", owner)
        assert (afresh.attempts, afresh.error) == (0, None)
        await store.close()

    async def test_who_waits_after_an_attempt_is_told_of_events(self, tmp_path: Path) -> None:
        """What could not go on once, and was let go of when it could, waits as any other; there is nothing to retry then."""
        store = self.open(tmp_path)
        owner = register(store)
        for name, ends in (("released", "release"), ("left", "death")):
            begun = await begin(store, name, owner)
            await commit(store, begun, saved(1, "waiting"))
            await store.release(begun.claim, failure=Failure("no", 1, False))
            last = owner if ends == "release" else register(store)
            again = await begin(store, name, last)
            if ends == "release":
                await store.release(again.claim)
            else:
                assert await bury(store, last) == 1
            assert await to_do(store) == []
            assert not await store.retry(name)
            await store.publish(name, "event", b"")
            assert await to_do(store, 10, orphans=False) == [name]
            await store.delete(name)
        await store.close()

    async def test_what_is_tried_again_is_listed_by_its_status(self, tmp_path: Path) -> None:
        """Whatever that is, and also when it has failed, and when somebody has asked for it."""
        store = self.open(tmp_path)
        owner = register(store)
        for status in ("pending", "running", "waiting", "sleeping", "failed"):
            begun = await begin(store, status, owner)
            await commit(store, begun, saved(1, status))
            if status == "failed":
                await store.end(begun.claim, saved(1, status), keeps=True)
                assert await store.retry(status)
                assert await names(store, InstanceQuery(status=status)) == [status]
                begun = await begin(store, status, owner)
            assert await names(store, InstanceQuery(status=status)) == [status]
            await store.release(begun.claim, failure=Failure("no", 1, False))
            assert await names(store, InstanceQuery(status=status)) == [status]
            begun = await begin(store, status, owner)
            assert await names(store, InstanceQuery(status=status)) == [status]
            await store.release(begun.claim, failure=Failure("no", 2, False))
            assert await store.retry(status)
            assert await names(store, InstanceQuery(status=status)) == [status]
        await store.close()

    async def test_what_could_not_go_on_is_tried_again_in_time(self, tmp_path: Path) -> None:
        """After the first time that is a second, also for who does not take up what others have left."""
        store = self.open(tmp_path)
        owner = register(store)
        begun = await begin(store, "a", owner)
        await store.release(begun.claim, failure=Failure("no", 1, False))
        while not (found := await to_do(store, 10, orphans=False)):
            await asyncio.sleep(0.05)
        assert found == ["a"]
        await store.close()

    async def test_what_is_to_be_tried_again_later_can_be_now(self, tmp_path: Path) -> None:
        """What is stuck stays so, and who sleeps sleeps on."""
        store = self.open(tmp_path)
        owner = register(store)
        for name, failure in {"a": Failure("no", 9, False), "b": Failure("no", 10, True), "c": None}.items():
            begun = await begin(store, name, owner)
            await commit(store, begun, saved(1, "sleeping")._replace(wake_at=time.time() + 60))
            await store.release(begun.claim, failure=failure)
        assert await to_do(store, 10, orphans=True) == []
        await store.hasten()
        assert await to_do(store, 10, orphans=True) == ["a"]
        assert (await begin(store, "a", owner)).attempts == 9
        await store.close()

    async def test_what_is_stuck_is_left_alone(self, tmp_path: Path) -> None:
        """Nobody is given it, and it is listed with its error, until it is retried: then it starts over."""
        store = self.open(tmp_path)
        owner = register(store)
        for name in ("a", "b"):
            begun = await begin(store, name, owner)
            await commit(store, begun, saved(1))
            if name == "a":
                await store.release(begun.claim, failure=Failure("übel \udc80", 10, True))
                await store.publish("a", "event", b"")
        assert await to_do(store, 10, orphans=True) == []
        with refused(InstanceStuckError, "'a'", "10 times", "übel \udc80", "retry a"):
            await begin(store, "a", owner)
        page = await store.list(InstanceQuery(status=STUCK))
        assert [(each.instance_id, each.status, each.error) for each in page.instances] == [("a", STUCK, "übel \udc80")]
        assert [each.instance_id for each in (await store.list(InstanceQuery(status="running"))).instances] == ["b"]
        assert await store.count(InstanceQuery(), "status") == {STUCK: 1, "running": 1}
        assert [await store.count(InstanceQuery(status=status)) for status in (STUCK, "running")] == [{"": 1}, {"": 1}]
        assert await store.load("a") == Kept(saved(1), CALL)
        assert [await store.retry(name) for name in ("a", "b", "c")] == [True, False, False]
        assert await to_do(store, 10, orphans=False) == ["a"]
        again = await begin(store, "a", owner)
        assert (again.state, again.attempts, again.error) == (saved(1), 0, None)
        await store.close()

    async def test_what_has_failed_is_tried_again(self, tmp_path: Path) -> None:
        """Whoever takes it up sees that, until it is committed."""
        store = self.open(tmp_path)
        owner = register(store)
        begun = await begin(store, "a", owner)
        await commit(store, begun, saved(1))
        await store.end(begun.claim, saved(1, "failed"), keeps=True)
        assert await to_do(store, 10, orphans=True) == []
        looking = await begin(store, "a", owner)
        assert looking.error is None
        await store.release(looking.claim, has_lived=False)
        assert await store.retry("a")
        for _ in range(2):
            assert await to_do(store, 10, orphans=False) == ["a"]
            begun = await begin(store, "a", owner)
            assert begun.error is not None
            await store.release(begun.claim)
        begun = await begin(store, "a", owner)
        await commit(store, begun, saved(2))
        assert (await begin(store, "a", owner)).error is None
        await store.close()

    async def test_after_deaths_only_a_long_life_is_progress(self, tmp_path: Path) -> None:
        """A commit that comes soon keeps the attempts, one that comes late does not."""
        store = self.open(tmp_path)
        owner = register(store)
        begun = await begin(store, "a", owner)
        for claim, kept in (
            (begun.claim.after(3, None), 3),
            (begun.claim.after(3, "an error"), 0),
            (begun.claim.after(3, None)._replace(proven_at=time.monotonic()), 0),
        ):
            committing = store.commit(claim, saved(1))
            if committing is not None:
                await committing
            summary = await store.summary("a")
            assert summary is not None
            assert summary.attempts == kept
        await store.close()

    async def test_holds_are_seen(self, tmp_path: Path) -> None:
        """Until the next commit, or until nobody owns the instance; one that is over already is not kept."""
        store = self.open(tmp_path)
        owner = register(store)
        hold = HoldRecord("a File at app.py:7", 1_764_115_200.5)
        for number, ends in enumerate(("commit", "release", "begin"), 1):
            begun = await begin(store, "a", owner)
            await commit(store, begun, saved(number))
            await store.note_hold(begun.claim, hold, number - 1)
            assert await self._hold(store) is None
            await store.note_hold(begun.claim, hold, number)
            assert await self._hold(store) == hold
            if ends == "commit":
                await commit(store, begun, saved(number + 1))
            elif ends == "release":
                await store.release(begun.claim)
            else:
                await begin(store, "a", owner)
            assert await self._hold(store) is None
            await store.note_hold(begun.claim._replace(epoch=1), hold, number)
            assert await self._hold(store) is None
        await store.close()

    async def _hold(self, store: Store) -> HoldRecord | None:
        summary = await store.summary("a")
        assert summary is not None
        return summary.hold

"""What stores pass that commit data of the user together with a state."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import Any

from durable_import.errors import FencedError, StoreError
from durable_import.stores.base import OwningStore, SegmentStore, Transaction, TransactionStore
from durable_import.stores.owner import Owner
from durable_import.testing.contract.owning import OwningStoreContract
from durable_import.testing.contract.plain import refused, state


class TransactionStoreContract(OwningStoreContract):
    """Both the user's rows and the state, or neither. ``table`` is the user's, in a place that the store's user may write."""

    table = "user_order"

    async def test_rows_and_state_are_committed_together(self, tmp_path: Path) -> None:
        """Neither can be seen before the commit, both after it."""
        store = await self._with_table(tmp_path)
        claim = await store.acquire("a", Owner.current())
        await store.commit(claim, state(1))
        opened = await transactions(store).begin_transaction()
        await self._insert(opened, 7)
        assert await store.load("a") == state(1)
        await opened.commit(claim, state(2))
        assert await store.load("a") == state(2)
        assert await self._rows(store) == [7]
        await store.commit(claim, state(3))
        await store.close()

    async def test_rolled_back_transactions_leave_nothing(self, tmp_path: Path) -> None:
        """After rollback the rows are not there, and a second rollback, or one after a commit, does no harm."""
        store = await self._with_table(tmp_path)
        claim = await store.acquire("a", Owner.current())
        for ends in (True, False):
            opened = await transactions(store).begin_transaction()
            await self._insert(opened, 7)
            if not ends:
                await opened.commit(claim, state(1))
            await opened.rollback()
            await opened.rollback()
            assert await self._rows(store) == ([] if ends else [7])
        assert await store.load("a") == state(1)
        await store.close()

    async def test_fenced_claim_rolls_the_rows_back(self, tmp_path: Path) -> None:
        """A stale owner's transaction is refused as a whole: its rows go with its state."""
        store = await self._with_table(tmp_path)
        stale = await store.acquire("a", Owner.current(), 0.0)
        claim = await store.acquire("a", Owner.current())
        await store.commit(claim, state(1))
        opened = await transactions(store).begin_transaction()
        await self._insert(opened, 7)
        with refused(FencedError, "'a'"):
            await opened.commit(stale, state(2))
        assert await self._rows(store) == []
        assert await store.load("a") == state(1)
        await store.close()

    async def test_wrong_states_are_refused(self, tmp_path: Path) -> None:
        """What is not a state is a TypeError; the transaction stays open and may be committed with a right one."""
        store = await self._with_table(tmp_path)
        claim = await store.acquire("a", Owner.current())
        opened = await transactions(store).begin_transaction()
        await self._insert(opened, 7)
        with refused(TypeError, "state"):
            await opened.commit(claim, {"value": 1})
        await opened.commit(claim, state(1))
        assert await self._rows(store) == [7]
        await store.close()

    async def test_segments_belong_to_the_transaction(self, tmp_path: Path) -> None:
        """Segments are put and removed in it as by ``commit_segments``, and as a whole by default."""
        store = await self._with_table(tmp_path)
        assert isinstance(store, SegmentStore)
        claim = await store.acquire("a", Owner.current())
        opened = await transactions(store).begin_transaction()
        await opened.commit(claim, state(1), {"k1": b"1", "k2": b"2"})
        opened = await transactions(store).begin_transaction()
        await opened.commit(claim, state(2), {"k2": None, "k3": b"3"}, is_whole=False)
        assert await store.load_segments("a") == {"k1": b"1", "k3": b"3"}
        opened = await transactions(store).begin_transaction()
        await opened.commit(claim, state(3))
        assert await store.load_segments("a") == {}
        assert await store.load("a") == state(3)
        await store.close()

    async def test_other_commits_wait_for_a_transaction(self, tmp_path: Path) -> None:
        """While one is open, other instances may have to wait, and do not fail; reading goes on."""
        store = await self._with_table(tmp_path)
        claim, other = [await store.acquire(name, Owner.current()) for name in ("a", "b")]
        await store.commit(other, state(1))
        opened = await transactions(store).begin_transaction()
        await self._insert(opened, 7)
        waiting = asyncio.create_task(store.commit(other, state(2)))
        await asyncio.sleep(0.3)
        await opened.commit(claim, state(1))
        await waiting
        assert await store.load("b") == state(2)
        await store.close()

    async def test_transactions_take_turns(self, tmp_path: Path) -> None:
        """Many at once, of several instances: each sees what those before it have done, and no row is lost."""
        store = await self._with_table(tmp_path)

        async def once(number: int) -> None:
            claim = await store.acquire(f"i{number}", Owner.current())
            opened = await transactions(store).begin_transaction()
            await self._insert(opened, number)
            await opened.commit(claim, state(number))

        await asyncio.gather(*(once(number) for number in range(8)))
        assert await self._rows(store) == list(range(8))
        await store.close()

    async def test_cancelled_commit_still_happens(self, tmp_path: Path) -> None:
        """A commit that was begun happens even if the task that awaits it is cancelled, rows and state."""
        store = await self._with_table(tmp_path)
        claim = await store.acquire("a", Owner.current())
        opened = await transactions(store).begin_transaction()
        await self._insert(opened, 7)
        task = asyncio.create_task(opened.commit(claim, state(1)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with asyncio.timeout(60):
            while await store.load("a") is None:
                await asyncio.sleep(0.02)
        assert await store.load("a") == state(1)
        assert await self._rows(store) == [7]
        await store.close()

    async def test_transaction_that_the_user_has_ended_is_refused(self, tmp_path: Path) -> None:
        """A user who ends it is told; the state is not committed without what belongs to it."""
        store = await self._with_table(tmp_path)
        claim = await store.acquire("a", Owner.current())
        for end in ("COMMIT", "ROLLBACK", "close"):
            opened = await transactions(store).begin_transaction()
            if end == "close":
                await answer_of(opened.connection.close())
            else:
                await answer_of(opened.connection.execute(end))
            with refused(StoreError, "has ended before"):
                await opened.commit(claim, state(1))
        opened = await transactions(store).begin_transaction()
        await opened.commit(claim, state(1))
        with refused(StoreError, "has ended before"):
            await opened.commit(claim, state(2))
        assert await store.load("a") == state(1)
        await store.close()

    async def _with_table(self, folder: Path) -> OwningStore:
        store = self.open(folder)
        claim = await store.acquire("maker of the table", Owner.current())
        opened = await transactions(store).begin_transaction()
        await answer_of(opened.connection.execute(f"CREATE TABLE {self.table} (id int)"))
        await opened.commit(claim, state(1))
        return store

    async def _insert(self, opened: Transaction, number: int) -> None:
        await answer_of(opened.connection.execute(f"INSERT INTO {self.table} VALUES ({number})"))

    async def _rows(self, store: OwningStore) -> list[int]:
        opened = await transactions(store).begin_transaction()
        cursor = await answer_of(opened.connection.execute(f"SELECT id FROM {self.table} ORDER BY id"))
        found = await answer_of(cursor.fetchall())
        await opened.rollback()
        return [number for (number,) in found]


async def answer_of(call: Any) -> Any:
    """What a driver's call gives, be it asynchronous or not."""
    return await call if inspect.isawaitable(call) else call


def transactions(store: OwningStore) -> TransactionStore:
    assert isinstance(store, TransactionStore)
    return store

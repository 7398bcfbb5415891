"""What is committed for the keys that a program asks for, and what they are."""

from __future__ import annotations

import collections
import copy
import dataclasses
import datetime
import decimal
import enum
import fractions
import pathlib
import sqlite3
import uuid
from collections import Counter
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import durable_import
from durable_import import DurableRuntime, step_key
from durable_import.aio.canonical import digest_of
from durable_import.running.instance.records import Records
from durable_import.stores.sqlite.instances import SQLiteStore
from durable_import.stores.state import Claim
from tests.running import tills
from tests.running.effects import world


@pytest.fixture(scope="module")
def paying() -> ModuleType:
    """The module of what asks for keys, rewritten."""
    durable_import.install()
    from tests.running import paying

    module: ModuleType = paying
    return module


async def commits_of(function: Any, *arguments: Any) -> int:
    """How many checkpoints a run has."""
    async with DurableRuntime("memory:") as runtime:
        handle = await runtime.start(function, *arguments)
        await handle.result()
        return (await runtime.summary_of(handle.id)).checkpoint


async def test_calls_that_begin_together_share_a_commit(paying: ModuleType) -> None:
    """Twenty tasks that ask for a key each need one commit more than twenty that do not."""
    without = await commits_of(paying.many, 20, False)
    assert await commits_of(paying.many, 20, True) == without + 1
    assert len({line.split()[1] for line in world if len(line.split()) > 1}) == 20


async def test_a_call_is_committed_before_it_goes_out(paying: ModuleType) -> None:
    """One after another, each call that has a key needs a commit; those that have none need none."""
    without = await commits_of(paying.one_at_a_time, 5, False)
    assert await commits_of(paying.one_at_a_time, 5, True) == without + 5


@pytest.mark.parametrize(("kind", "more"), [("through", 3), ("late", 3), ("wrapped", 3)])
async def test_a_key_asked_for_inside(paying: ModuleType, kind: str, more: int) -> None:
    """A call that asks for its key by itself is committed before it goes on from there, or before it begins, once."""
    without = await commits_of(paying.one_at_a_time, 3, False)
    assert await commits_of(paying.within, kind) == without + more


async def test_a_key_of_parts_needs_no_commit(paying: ModuleType) -> None:
    """The parts name the call: nothing has to be kept."""
    assert await commits_of(paying.named, "charge", 7) == await commits_of(paying.one, "charge", False)


async def test_steps_that_do_not_wait_keep_their_place(paying: ModuleType) -> None:
    """A call that ends without having waited lets no other task go on, whether a key was asked for or not."""
    async with DurableRuntime("memory:") as runtime:
        orders = [await runtime.run(paying.mixed, asks) for asks in (True, True, False)]
    for order in orders:
        for number in (0, 2):
            assert order[order.index(f"{number} begins") + 1] == f"{number} goes on", order


async def test_what_a_key_is_of(paying: ModuleType) -> None:
    """Asked for twice it is the same, until a call has it; in a loop and after a wait it is another one."""
    async with DurableRuntime("memory:") as runtime:
        first, again, given, one, other, in_loop, next_in_loop, later = await runtime.run(paying.kinds)
    assert first == again == given
    assert len({first, one, other, in_loop, next_in_loop, later}) == 6


async def test_another_instance_has_keys_of_its_own(paying: ModuleType) -> None:
    """A child that is started within a step has its own keys, not that of the step, and the id that the step gives it."""
    async with DurableRuntime("memory:") as runtime:
        instance, (key, name), (other, _) = await runtime.run(paying.start_another, "first", instance_id="parent")
    assert (key.split("/")[0], name) == (instance, "first")
    assert "parent" not in key
    assert other.split("/")[0] not in (instance, "parent")


async def test_what_a_library_sends_when_its_step_runs_again(paying: ModuleType) -> None:
    """What it has sent is dropped, something else is not, and a task that it has begun sends for itself."""
    async with DurableRuntime("memory:") as runtime:
        tills.messages[:] = ["a", "b", "broken"]
        with pytest.raises(ConnectionError):
            await runtime.run(paying.deliver_all, instance_id="sender")
        for more in (["b", "c", "a", "broken"], ["d", "d"]):
            tills.messages[:] = more
            handle = await runtime.retry("sender")
            if "broken" not in more:
                await handle.result()
                continue
            with pytest.raises(ConnectionError):
                await handle.result()
        found = await runtime.instances.load_events("receiver")
        records = Records(runtime.seal, "receiver")
        assert [records.open_event(event.name, event.payload) for event in found] == ["a", "b", "c", "d", "d", "of a task"]


async def test_state_that_cannot_be_saved_yet(paying: ModuleType, caplog: pytest.LogCaptureFixture) -> None:
    """A call that cannot be saved goes out all the same, and that is told once."""
    async with DurableRuntime("memory:") as runtime:
        assert len(set(await runtime.run(paying.with_what_cannot_be_saved))) == 2
    assert ["is held since checkpoint 0" in record.getMessage() for record in caplog.records] == [True]


def test_names_of_parts() -> None:
    """Equal parts have one name, whatever order a set has; other types, and other nesting, have other names."""
    assert digest_of([{"b", "a"}, {"x": 1, "y": 2}]) == digest_of([{"a", "b"}, {"y": 2, "x": 1}])
    parts: list[Any] = [(), (1,), (1.0,), (True,), ("1",), (b"1",), (None,), ((1,),), ([1],), (1, 2), ("1,int:2",), ({1},)]
    assert Counter(map(digest_of, parts)).most_common(1)[0][1] == 1
    with pytest.raises(TypeError, match="names nothing the same way in each process"):
        digest_of([object()])


def test_outside_of_instances_each_key_is_random() -> None:
    """Also one of parts: there is no run that it could be of."""
    assert step_key("a") != step_key("a")


def test_names_of_values_of_many_kinds() -> None:
    """Dates, numbers, ids, enums, paths, dataclasses and named tuples are parts too, each different from all others."""

    class Colour(enum.Enum):
        RED = 1

    @dataclasses.dataclass
    class Order:
        number: int

    point = collections.namedtuple("point", "x y")
    parts: list[Any] = [
        datetime.date(2026, 1, 2), datetime.datetime(2026, 1, 2), datetime.timedelta(1), decimal.Decimal("1.0"),
        decimal.Decimal(1), fractions.Fraction(1), uuid.UUID(int=1), Colour.RED, pathlib.PurePath("a"), "a", Order(1), Order(2),
        point(1, 2), (1, 2), [1, 2], ..., frozenset({1}), {1},
    ]  # fmt: skip
    names = [digest_of([part]) for part in parts]
    assert len(set(names)) == len(parts)
    assert names == [digest_of([copy.deepcopy(part)]) for part in parts]


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys that an SQLite store is given by themselves."""
    keys, keep = list[str](), SQLiteStore.keep_key

    async def keep_key(store: SQLiteStore, claim: Claim, key: str, digest: bytes) -> bytes:
        keys.append(key)
        return await keep(store, claim, key, digest)

    monkeypatch.setattr(SQLiteStore, "keep_key", keep_key)
    return keys


def rows_of(path: Path) -> list[Any]:
    """The keys that are in the store now."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT key FROM durable_key").fetchall()


async def test_a_thread_waits_until_its_key_is_kept(paying: ModuleType, kept: list[str], tmp_path: Path) -> None:
    """Unless it is part of a transaction; with the next commit it is forgotten."""
    async with DurableRuntime(f"sqlite:///{tmp_path}/state.db") as runtime:
        assert await runtime.run(paying.in_thread, "one", instance_id="one") == kept[0]
        assert len(kept) == 1
        assert (await runtime.run(paying.in_transaction, "two", instance_id="two")).startswith("two/")
        assert len(kept) == 1
        assert rows_of(tmp_path / "state.db") == []


@pytest.mark.parametrize("asks", [True, False])
async def test_keys_are_kept_one_by_one_in_a_hold(paying: ModuleType, kept: list[str], tmp_path: Path, asks: bool) -> None:
    """Nothing is where none is asked for; afterwards the state has them."""
    async with DurableRuntime(f"sqlite:///{tmp_path}/state.db") as runtime:
        await runtime.run(paying.held_in_turn, str(tmp_path / "held.gz"), 5, asks, instance_id="one")
    assert len(kept) == len({*kept}) == (5 if asks else 0)
    assert rows_of(tmp_path / "state.db") == []

"""What somebody has changed in a store: refused before it is opened, kept as it is, reported; nothing else is disturbed.

Hundreds of mutations of each store; DURABLE_MUTATIONS says how many.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from durable_import import (
    DurableError,
    DurableRuntime,
    InstanceCancelledError,
    InstanceFinishedError,
    SnapshotAuthenticationError,
)
from durable_import.snapshot import unpickler
from durable_import.snapshot.sealing.seal import Seal
from durable_import.snapshot.sealing.segment_seal import SegmentSeal
from durable_import.stores.base import DORMANT
from durable_import.stores.url import open_store
from tests.running.effects import open_gates, world
from tests.running.mutations import EVIL, Mutations
from tests.running.rows import KINDS, Cell, Rows

MUTATIONS = int(os.environ.get("DURABLE_MUTATIONS", "120"))
WAYS_OUT = ("put", "resume it with", "start", "send", "choose", "delete")
GATES = ("first", "second", "third")  # the first one is opened between the older states and today's
FREE = ("location", "wake_at", "updated_at", "published_at")  # what they say is of no consequence for the result
GOES_ON = ("running", *DORMANT)


@dataclass
class Kept:
    """An instance of the store: how it was begun, what it is sent to end, and what it ends with."""

    call: tuple[Any, ...]
    end: Any
    events: tuple[tuple[str, Any], ...] = ()
    retries: bool = False
    is_paused: bool = False  # it has to have its event before it is run


@dataclass
class Desk:
    """A store with instances in all states, today and earlier."""

    rows: Rows
    store: Any
    instances: dict[str, Kept]
    before: Any = None
    today: Any = None
    cells_before: dict[Cell, Any] = field(default_factory=dict)
    cells: dict[Cell, Any] = field(default_factory=dict)

    def runtime(self, *, takes_work: bool = False) -> DurableRuntime:
        """A new one over the store."""
        made = DurableRuntime(self.store, poll_interval=0.02)
        made.dispatcher.takes_work = takes_work
        return made

    async def end(self, runtime: DurableRuntime, name: str, *, more: bool = False) -> Any:
        """What an instance ends with when it is run to its end; ``more``: send more than it needs."""
        kept = self.instances[name]
        if kept.is_paused:
            await runtime.publish_event(name, *kept.events[0])
        if kept.retries:
            handle = await runtime.retry(name)
        else:
            handle = await runtime.start(*kept.call, instance_id=name)
        for event in () if kept.is_paused else kept.events:
            await handle.send(*event)
        for event in kept.events if more else ():
            with suppress(InstanceFinishedError):
                await handle.send(*event)
        try:
            return await handle.result(timeout=60)
        except (LookupError, InstanceCancelledError) as error:
            return type(error)


@pytest.fixture(params=KINDS)
def rows(request: pytest.FixtureRequest, tmp_path: Path) -> Rows:
    """The cells of a store of each kind."""
    return KINDS[request.param](tmp_path)


@pytest.fixture
async def desk(rows: Rows, flows: ModuleType) -> AsyncIterator[Desk]:
    """Real states: each instance was run as far as it gets, in two steps."""
    numbers = list(range(40))
    instances = {
        "completed": Kept((flows.add, 1, 2), 3),
        "failed": Kept((flows.fail, "x"), LookupError),
        "again": Kept((flows.fail, "x"), LookupError, retries=True),
        "cancelled": Kept((flows.stubborn,), InstanceCancelledError),
        "pending": Kept((flows.pass_gate, "second"), "second"),
        "running": Kept((flows.pass_gates, "first", "third"), [1, 2]),
        "waiting": Kept((flows.approve, "books"), ("books", "yes"), (("approval", "yes"),)),
        "waiting long": Kept((flows.wait_at_most, "word", 3600.0), "now", (("word", "now"),)),
        "paused": Kept((flows.pause, "Ann"), "hello Ann", (("allow", None),), is_paused=True),
        "asked": Kept((flows.collect, "note", 4), ["a", "b", "c", "c"], (("note", "c"), ("note", "c"))),
        "many running": Kept((flows.collect_after_gates, ["first", "third"], "go"), (numbers, 1), (("go", 1),)),
        "many waiting": Kept((flows.collect_in_tasks, [f"n{n}" for n in numbers]), numbers, tuple((f"n{n}", n) for n in numbers)),
    }  # fmt: skip
    store = open_store(rows.url)
    desk = Desk(rows, store, instances)
    await _begin(desk)
    yield desk
    await store.close()  # type: ignore[attr-defined]


async def _begin(desk: Desk) -> None:
    statuses = {name: name for name in desk.instances} | {
        "again": "failed", "asked": "waiting", "paused": "waiting", "waiting long": "waiting", "many running": "running",
        "many waiting": "waiting",
    }  # fmt: skip
    earlier = statuses | {"running": "running", "many running": "running"}
    async with desk.runtime() as runtime:
        unfinished = {name: earlier[name] for name in earlier if name not in ("completed", "cancelled")}
        await _start_all(desk, runtime, unfinished, effects=4 + 40)
    desk.before, desk.cells_before = desk.rows.keep(), desk.rows.read()
    open_gates.add("first")
    async with desk.runtime() as runtime:
        await runtime.handle("many waiting").send("n0", 0)
        cancelled = await runtime.start(*desk.instances["cancelled"].call, instance_id="cancelled")
        await cancelled.cancel()
        await _start_all(desk, runtime, statuses, effects=4 + 40 + 3 + 40)
    async with desk.runtime() as runtime:
        await runtime.publish_event("asked", "note", "a")
        await runtime.publish_event("asked", "note", "b")
    desk.today, desk.cells = desk.rows.keep(), desk.rows.read()
    desk.instances["many waiting"].events = desk.instances["many waiting"].events[1:]
    open_gates.update(GATES)
    world.clear()


async def _start_all(desk: Desk, runtime: DurableRuntime, statuses: dict[str, str], effects: int) -> None:
    """Start instances, and wait until they have come as far as they get: to their last effect, and to the commit of that."""
    for name in statuses:
        await runtime.start(*desk.instances[name].call, instance_id=name)
    seen: dict[Cell, Any] = {}
    for _ in range(600):
        await asyncio.sleep(0.1)
        before, seen = seen, desk.rows.read()
        found = {cell.instance: value for cell, value in seen.items() if cell.column == "status"}
        if before == seen and found.items() >= statuses.items() and len(world) == effects:
            return
    raise AssertionError(f"not all instances got there: {found} {world}")


@pytest.fixture
def unpickled(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """What was unpickled without having passed a seal."""
    passed: list[bytes] = []
    unproved: list[bytes] = []

    def note_payload(open_it: Callable[..., bytes]) -> Callable[..., bytes]:
        def opening(self: Any, *arguments: Any) -> bytes:
            payload = open_it(self, *arguments)
            passed.append(payload)
            if isinstance(arguments[-1], dict):  # segments
                passed.extend(arguments[-1].values())
            return payload

        return opening

    class Watched(unpickler.SnapshotUnpickler):
        def __init__(self, file: Any) -> None:
            super().__init__(file)
            if not any(file.getvalue() in payload for payload in passed):
                unproved.append(file.getvalue())

    def refuse(data: Any, *_: Any, **__: Any) -> Any:
        unproved.append(data)

    monkeypatch.setattr(Seal, "open", note_payload(Seal.open))
    monkeypatch.setattr(SegmentSeal, "open", note_payload(SegmentSeal.open))
    monkeypatch.setattr(unpickler, "SnapshotUnpickler", Watched)
    for name in ("load", "loads"):
        monkeypatch.setattr(pickle, name, refuse)
    yield unproved
    passed.clear()


def _is_noticed(cell: Cell, status: Any, value: Any, kept: Kept) -> bool:
    """Whether a change of a cell must be refused; all others must be without consequence."""
    if cell.column in (*FREE, "file"):
        return False
    if cell.column == "status":
        return not (status in GOES_ON and value in GOES_ON)
    is_unused = status == "failed" and cell.column == ("outcome" if kept.retries else "snapshot")
    return not is_unused


async def test_nothing_damaged_is_opened(desk: Desk, unpickled: list[bytes], caplog: pytest.LogCaptureFixture) -> None:
    """Each mutation gives an error of ours that names the instance and a way out, or is without consequence."""
    mutations = Mutations(desk.cells, desk.cells_before, desk.rows.nonsense)
    seen: Counter[str] = Counter()
    for number in range(MUTATIONS):
        dice = random.Random(f"{type(desk.rows).__name__} {number}")
        cell = _pick(dice, desk.cells)
        way, value = mutations.choose(dice, cell)
        desk.rows.put_back(desk.today)
        desk.rows.write(cell, value)
        damaged = desk.rows.read()
        if damaged.get(cell) == desk.cells[cell]:
            continue
        caplog.clear()
        what = f"mutation {number} of {cell}: {way}, {value!r:.80}"
        outcome, kept = await _attempt(desk, cell), desk.instances[cell.instance]
        assert not unpickled, what
        assert "EVIL" not in world, what
        if isinstance(outcome, DurableError):
            seen["refused"] += 1
            assert repr(cell.instance) in str(outcome), what
            assert any(word in str(outcome).lower() for word in WAYS_OUT), f"{what}: {outcome}"
            after = desk.rows.read()
            assert {each for each in damaged if repr(after.get(each)) != repr(damaged[each])} == set(), what
        elif cell.table == "event":
            seen["event refused"] += 1
            errors = [record for record in caplog.records if record.levelno == logging.ERROR and _is_about_asked(record)]
            assert len(errors) == 1 or cell.column == "published_at", what
            if cell.column not in ("published_at", "file"):
                assert getattr(errors[0], "instance_id", None) == "asked", what
            assert set(outcome) <= {"a", "b", "c"}, what
            assert "c" in outcome, what
        else:
            seen["without consequence"] += 1
            status = desk.cells[Cell(*cell[:3], "status")] if cell.table == "instance" else ""
            assert not _is_noticed(cell, status, value, kept), f"{what}: {outcome!r}"
            assert outcome == kept.end, what
    assert seen["refused"] > seen.total() / 2
    assert seen["event refused"] > 0
    assert seen["without consequence"] > 0


def _is_about_asked(record: logging.LogRecord) -> bool:
    """Or about a file that does not say whose it is; what the attempt before was refused for may be logged late."""
    return getattr(record, "instance_id", None) in ("asked", None)


def _pick(dice: random.Random, cells: dict[Cell, Any]) -> Cell:
    """Any cell; instances with many of them not more often than others."""
    chosen = sorted(cells)
    for position in (0, 1, 3, 2):
        value = dice.choice(sorted({cell[position] for cell in chosen}))
        chosen = [cell for cell in chosen if cell[position] == value]
    return chosen[0]


async def _attempt(desk: Desk, cell: Cell) -> Any:
    """What an instance ends with, or the error that it is refused with."""
    async with desk.runtime() as runtime:
        try:
            return await desk.end(runtime, cell.instance, more=cell.table == "event")
        except DurableError as error:
            return error


async def test_whole_older_states_go_on(desk: Desk) -> None:
    """All that belongs to an instance put back as it once was is what cannot be told: it goes on from there."""
    desk.rows.put_back(desk.before)
    assert len({cell.instance for cell in desk.cells_before}) == len(desk.instances) - 2
    desk.instances["many waiting"].events = (("n0", 0), *desk.instances["many waiting"].events)
    asked = desk.instances["asked"]
    asked.events, asked.end = asked.events * 2, ["c"] * 4  # those that it has been sent since are gone
    async with desk.runtime() as runtime:
        for name in {cell.instance for cell in desk.cells_before}:
            kept = desk.instances[name]
            assert await desk.end(runtime, name) == kept.end, name


async def test_unreadable_claim_is_none(desk: Desk) -> None:
    """A claim that nobody can read holds nobody up."""
    desk.rows.claim_badly("running")
    async with desk.runtime() as runtime:
        await runtime.recover()
        assert await desk.end(runtime, "running") == [1, 2]


async def test_recovery_reports_the_damaged_and_goes_on_with_the_others(
    desk: Desk, unpickled: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    """Each damaged instance is logged, who waits for it gets the error, and the others end."""
    cells = {(cell.instance, cell.table, cell.column): cell for cell in desk.cells}
    damaged = ["running", "waiting", "many running", "pending"]
    for name in damaged:
        column = "call" if name == "pending" else "snapshot"
        desk.rows.write(cells[name, "instance", column], EVIL)
    async with desk.runtime(takes_work=True) as runtime:
        results = [asyncio.create_task(runtime.handle(name).result(timeout=60)) for name in damaged]
        await runtime.recover()
        await runtime.handle("waiting").send("approval", "yes")
        for name in ("asked", "paused", "waiting long"):
            for event in desk.instances[name].events:
                await runtime.handle(name).send(*event)
        for name in ("asked", "paused", "waiting long"):
            end = await runtime.handle(name).result(timeout=60)
            assert end == (["a", "b", "c", "c"] if name == "asked" else desk.instances[name].end)
        for name, error in zip(damaged, await asyncio.gather(*results, return_exceptions=True), strict=True):
            assert isinstance(error, SnapshotAuthenticationError)
            assert repr(name) in str(error)
        with pytest.raises(SnapshotAuthenticationError):
            await runtime.handle("waiting").result(timeout=60)
        await asyncio.sleep(0.3)
    told = {getattr(record, "instance_id", None) for record in caplog.records if "cannot go on" in record.getMessage()}
    assert told == set(damaged)
    assert not [record for record in caplog.records if record.levelno == logging.ERROR]
    assert not unpickled
    assert "EVIL" not in world

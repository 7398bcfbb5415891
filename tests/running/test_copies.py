"""Copies of instances go on in another store: from files, and with all that a store has."""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from durable_import import (
    DurableError,
    DurableRuntime,
    InstanceQuery,
    MissingKeyError,
    SnapshotAuthenticationError,
    UnknownInstanceError,
    UnsavableStateError,
    connect,
)
from durable_import.api.copies import Copied, copy_store, export_instance, import_instance
from durable_import.stores.sqlite.instances import SQLiteStore
from tests.running.conftest import postgres_url
from tests.running.effects import open_gates, world
from tests.running.test_life import until, until_status

PAIRS = ("sqlite sqlite", "disk sqlite", "disk disk", "sqlite postgres", "postgres sqlite")
KEY = bytes(range(32))


@pytest.fixture(params=PAIRS)
def stores(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Two stores with one key."""
    monkeypatch.setenv("DURABLE_KEY", KEY.hex())
    places = {"sqlite": f"sqlite:///{tmp_path}/{{}}.db", "disk": f"disk://{tmp_path}/{{}}"}
    urls = []
    for number, kind in enumerate(request.param.split()):
        urls.append(places[kind].format(number) if kind in places else postgres_url(request))
    for name in ("0.db.key", "0.key", "1.db.key", "1.key"):
        (tmp_path / name).write_text(KEY.hex())
        (tmp_path / name).chmod(0o600)
    first, second = urls
    return first, second


async def begin_all(runtime: DurableRuntime, flows: ModuleType, flag: Path) -> None:
    """One that waits for an event in 40 tasks' wake, one that sleeps, and all ends there are."""
    await runtime.options(instance_id="many", tags={"customer": "c1"}).start(flows.collect_after_gates, ["first"], "go")
    await until(lambda: len(world) == 40)
    open_gates.add("first")
    await until_status(runtime.handle("many"), "waiting")
    await runtime.start(flows.nap, 3600, instance_id="nap")
    await until_status(runtime.handle("nap"), "sleeping")
    assert await runtime.run(flows.add, 1, b=2, instance_id="sum") == 3
    with pytest.raises(LookupError):
        await runtime.run(flows.fail_once, flag, instance_id="failed")
    await runtime.run(flows.start_children, instance_id="up")


async def test_what_is_copied_goes_on(stores: tuple[str, str], tmp_path: Path, flows: ModuleType) -> None:
    """With its tasks and tags, the events that it has not taken, its result or the failure that it is retried from."""
    first, second = stores
    async with DurableRuntime(first) as runtime:
        await begin_all(runtime, flows, tmp_path / "flag")
        before = {each.id: each for each in await runtime.list()}
    async with connect(first) as client:
        await client.handle("many").send("go", "on")
    copied = await copy_store(first, second)
    assert (copied.copied, copied.left, copied.owned) == (len(before), [], [])
    async with connect(second) as client:
        for each in await client.list():
            facts = [(one.status, one.checkpoint, one.function, one.parent, dict(one.tags)) for one in (each, before[each.id])]
            assert facts[0] == facts[1]
        assert await client.count() == len(before)
        assert "'go'" in str(await client.handle("many").stack())
    again = await copy_store(first, second)
    assert (again.copied, sorted(again.left)) == (0, sorted(before))
    world.clear()
    (tmp_path / "flag").touch()
    async with DurableRuntime(second) as runtime:
        await runtime.recover()
        assert await runtime.handle("many").result(timeout=60) == (list(range(40)), "on")
        assert await runtime.handle("sum").result() == 3
        await runtime.retry("failed")
        await runtime.handle("failed").result(timeout=60)
        assert await runtime.handle("nap").status() == "sleeping"
        assert world == ["second"]  # nothing that was done was done again
    assert await count_in(first) == len(before)


async def test_one_that_was_left_half_way(tmp_path: Path, flows: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """If copying ends at any point, doing it again completes it, each event once."""
    first, second, calls = f"sqlite:///{tmp_path}/1.db", f"sqlite:///{tmp_path}/2.db", [0]
    async with DurableRuntime(first) as runtime:
        await begin_all(runtime, flows, tmp_path / "flag")
    async with connect(first) as client:
        await client.handle("many").send("go", "on")
        stacks = {each.id: str(await client.handle(each.id).stack()) for each in await client.list()}

    class GoneError(Exception):
        pass

    def failing(name: str, at: int) -> Any:
        whole = getattr(SQLiteStore, name)

        def call(*arguments: Any, **keywords: Any) -> Any:
            calls[0] += 1
            if calls[0] == at:
                raise GoneError
            return whole(*arguments, **keywords)

        return call

    at = 0
    while calls[0] >= at:
        at, calls[0] = at + 1, 0
        with monkeypatch.context() as patched:
            for name in ("save_source", "begin", "publish", "commit", "end"):
                patched.setattr(SQLiteStore, name, failing(name, at))
            with suppress(GoneError):
                await copy_store(first, second)
    async with connect(second) as client:
        assert {each.id: str(await client.handle(each.id).stack()) for each in await client.list()} == stacks
        assert [event.name for event in await client.handle("many").events()] == ["go"]


async def count_in(url: str) -> int:
    async with connect(url) as client:
        return await client.count(InstanceQuery())


async def test_a_file(stores: tuple[str, str], flows: ModuleType) -> None:
    """It is JSON, and holds an instance with its code; the store that takes it must not have one of that id."""
    first, second = stores
    async with DurableRuntime(first) as runtime:
        await runtime.start(flows.approve, 7, instance_id="one")
        await until_status(runtime.handle("one"), "waiting")
    data = await export_instance(first, "one")
    document = json.loads(data)
    assert (document["instance_id"], document["status"], document["function"]) == ("one", "waiting", "approve")
    assert any("wait_for_event" in text for text in document["sources"].values())
    assert await import_instance(second, data) == "one"
    with pytest.raises(DurableError, match="there is an instance 'one' in"):
        await import_instance(second, data)
    async with DurableRuntime(second) as runtime:
        await runtime.recover()
        await runtime.handle("one").send("approval", "yes")
        assert await runtime.handle("one").result(timeout=60) == (7, "yes")
    with pytest.raises(UnknownInstanceError):
        await export_instance(first, "two")


async def test_one_that_is_stuck_stays_so(tmp_path: Path, flows: ModuleType) -> None:
    """With the error that it had, until it is retried."""
    first, second = f"sqlite:///{tmp_path}/1.db", f"sqlite:///{tmp_path}/2.db"
    async with DurableRuntime(first, hold_limit=0, max_attempts=1) as runtime:
        with pytest.raises(UnsavableStateError):
            await runtime.run(flows.hold_unsavable, instance_id="socket")
        await until_status(runtime.handle("socket"), "stuck")
        error = (await runtime.handle("socket").info()).error
    told: list[Copied] = []
    await copy_store(first, second, told.append)
    assert told
    assert (tmp_path / "1.db.key").read_bytes() == (tmp_path / "2.db.key").read_bytes()
    async with connect(second) as client:
        info = await client.handle("socket").info()
        assert (info.status, info.error, info.attempts) == ("stuck", error, 1)
        assert await client.handle("socket").retry()


async def test_a_state_in_pieces(tmp_path: Path, flows: ModuleType) -> None:
    """A store that keeps no pieces refuses it, before anything of it is kept; others take it."""
    first, second = f"sqlite:///{tmp_path}/1.db", f"disk://{tmp_path}/2"
    async with DurableRuntime(first) as runtime:
        await runtime.start(flows.approve, secrets.token_bytes(1_000_000), instance_id="many")
        await until_status(runtime.handle("many"), "waiting")
    with pytest.raises(DurableError, match="is in pieces, as SQLite and PostgreSQL keep it"):
        await copy_store(first, second)
    assert not (tmp_path / "2").exists()
    third = f"sqlite:///{tmp_path}/3.db"
    await copy_store(first, third)
    async with connect(first) as client, connect(third) as other:
        assert str(await client.handle("many").stack()) == str(await other.handle("many").stack())


async def test_another_key(tmp_path: Path, flows: ModuleType) -> None:
    """Nothing is kept that the store could not open; one that has no key yet gets none."""
    first, second = f"sqlite:///{tmp_path}/1.db", f"sqlite:///{tmp_path}/2.db"
    for url in (first, second):
        async with DurableRuntime(url) as runtime:
            await runtime.run(flows.add, 1, instance_id=url[-4:])
    data = await export_instance(first, "1.db")
    for bring in (lambda: import_instance(second, data), lambda: copy_store(first, second)):
        with pytest.raises(SnapshotAuthenticationError, match="another key"):
            await bring()
    assert await count_in(second) == 1
    with pytest.raises(MissingKeyError, match=r"3\.db'\) has no key yet"):
        await import_instance(f"sqlite:///{tmp_path}/3.db", data)
    assert not list(tmp_path.glob("3*"))


@pytest.mark.parametrize(
    "change",
    [{"format": "x"}, {"status": 5}, {"snapshot": "?"}, {"events": [1]}, {"more": 1}, {"segments": []}, {"instance_id": ""}],
)
async def test_what_is_no_file(change: dict[str, Any], tmp_path: Path, flows: ModuleType) -> None:
    """It is refused before the store is touched."""
    async with DurableRuntime(f"sqlite:///{tmp_path}/1.db") as runtime:
        await runtime.run(flows.add, 1, instance_id="one")
    document = json.loads(await export_instance(f"sqlite:///{tmp_path}/1.db", "one"))
    with pytest.raises(ValueError, match="no instance that was exported"):
        await import_instance(f"sqlite:///{tmp_path}/2.db", json.dumps(document | change).encode())
    assert not list(tmp_path.glob("2*"))

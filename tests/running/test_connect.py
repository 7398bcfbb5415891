"""Clients: they see and ask for all that there is in a store, have no code of it and run none."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import durable_import
from durable_import import (
    DurableError,
    DurableRuntime,
    InstanceFinishedError,
    InstanceQuery,
    MissingKeyError,
    SnapshotAuthenticationError,
    StateStore,
    StoreUnavailableError,
    UnknownInstanceError,
    connect,
)
from durable_import.api.client import AsyncClient
from durable_import.stores.base import KeyedStore
from tests.harness.imports import REPOSITORY, imported_rewritten
from tests.running.conftest import MakeRuntime
from tests.running.effects import open_gates, reached_gates, world
from tests.running.test_life import until, until_status

URLS = ("disk://{}/store", "sqlite:///{}/state.db")


@pytest.fixture(scope="session")
def program() -> ModuleType:
    """The program that is looked at, rewritten."""
    return imported_rewritten("tests.running.looked_at")


@pytest.fixture
async def client(store: StateStore) -> AsyncIterator[AsyncClient]:
    """A client of the store of the runtimes."""
    async with connect(store, key=None if isinstance(store, KeyedStore) else bytes(32)) as client:
        yield client


async def start(runtime: DurableRuntime, program: ModuleType, path: Path, name: str = "o-7") -> None:
    """An instance that waits in three tasks: its step in flight was committed before it began."""
    await runtime.start(program.order, 7, str(path), instance_id=name)
    await until(lambda: "open" in reached_gates)


async def test_the_stack_of_an_instance(
    make_runtime: MakeRuntime, client: AsyncClient, program: ModuleType, tmp_path: Path
) -> None:
    """Tasks, frames with lines and variables, what each task waits for, and the key of the step in flight; nothing is run."""
    path = tmp_path / "written"
    async with make_runtime() as runtime:
        await start(runtime, program, path)
        for stack in (await client.handle("o-7").stack(), await runtime.handle("o-7").stack()):
            tasks = {task.name: task for task in stack.tasks}
            main, approval, shipping, resting = stack.tasks
            assert [approval.name, shipping.name, resting.name] == ["approval", "shipping", "resting"]
            assert approval.waits_for == "event 'approval'"
            assert approval.wait.event == "approval"
            assert resting.waits_for == "asyncio.sleep(delay=3600)"
            assert resting.wait.until is not None
            assert 3000 < resting.wait.until - time.time() < 3601
            step = shipping.wait.step
            assert step is not None
            assert (step.key, step.function, str(step.call)) == (
                world[0],
                "tests.running.looked_at.hold_with_key",
                "hold_with_key('open')",
            )
            [frame] = [frame for frame in main.frames if not frame.is_library]
            assert (frame.function, frame.module) == ("order", "tests.running.looked_at")
            assert frame.source == "async with asyncio.TaskGroup() as group:"
            assert Path(frame.file).read_text().splitlines()[frame.line - 1].strip() == frame.source
            assert str(frame.variables["lines"]) == "[Line(name='pen', count=2), Line(name='cup', count=1)]"
            assert str(frame.variables["trap"]) == f"open({str(path)!r}, 'w')"
            assert str(frame.variables["desk"]) == "Desk('https://desk', retries=7)"
            lines = tasks["shipping"].frames[0].variables["lines"]
            assert lines.number == frame.variables["lines"].number
            assert str(stack.call) == f"order(7, {str(path)!r})"
            assert ("tests.running.looked_at", "Line") in stack.names
            assert '    answer = await wait_for_event("approval")\n      number = 7\n' in str(stack)
    assert not path.exists()


async def test_a_finished_instance_and_one_not_begun(make_runtime: MakeRuntime, client: AsyncClient, flows: ModuleType) -> None:
    """Of one that has ended its outcome is told, of one before its first checkpoint its call."""
    async with make_runtime() as runtime:
        await runtime.run(flows.add, 1, b=2, instance_id="sum")
        stack = await client.handle("sum").stack()
        assert (stack.tasks, str(stack.call), str(stack.outcome)) == ((), "add(1, b=2)", "3")
        with pytest.raises(LookupError):
            await runtime.run(flows.fail, "x", instance_id="bad")
        assert str((await client.handle("bad").stack()).outcome).startswith("LookupError('x'")
        await runtime.start(flows.pass_gate, "shut", instance_id="new")
        await until(lambda: "shut" in reached_gates)
        stack = await client.handle("new").stack()
        assert (stack.tasks, str(stack.call), stack.outcome) == ((), "pass_gate('shut')", None)


async def test_lists_and_counts(make_runtime: MakeRuntime, client: AsyncClient, flows: ModuleType) -> None:
    """Pages are iterated over, and what is counted is counted by status or function."""
    async with make_runtime() as runtime:
        for number in range(3):
            await runtime.run(flows.add, number, instance_id=f"a{number}")
        await runtime.start(flows.nap, 3600, instance_id="nap")
        await until_status(runtime.handle("nap"), "sleeping")
        page = await client.list(InstanceQuery(limit=3))
        assert [each.id for each in page] == ["nap", "a2", "a1"]
        assert [each.id for each in await client.list(InstanceQuery(cursor=page.cursor))] == ["a0"]
        for asked in (client, runtime):
            assert await asked.count() == 4
            assert await asked.count(InstanceQuery(status="completed", limit=1)) == 3
            assert await asked.count(by="status") == {"completed": 3, "sleeping": 1}
            assert await asked.count(InstanceQuery(prefix="a"), by="function") == {"add": 3}
            with pytest.raises(ValueError, match="'status', 'function'"):
                await asked.count(by="place")  # type: ignore[call-overload]


async def test_requests_are_taken_up(make_runtime: MakeRuntime, client: AsyncClient, flows: ModuleType, tmp_path: Path) -> None:
    """What a client sends and asks for is done by the process that owns the instance, or takes it up next."""
    flag = tmp_path / "flag"
    async with make_runtime() as runtime:
        await runtime.start(flows.approve, 1, instance_id="one")
        await runtime.start(flows.nap, 3600, instance_id="two")
        await until_status(runtime.handle("one"), "waiting")
        await client.handle("one").send("approval", "yes")
        assert await runtime.handle("one").result(timeout=60) == (1, "yes")
        assert await client.handle("two").cancel()
        with pytest.raises(durable_import.InstanceCancelledError):
            await runtime.handle("two").result(timeout=60)
        assert not await client.handle("two").cancel()
        with pytest.raises(InstanceFinishedError):
            await client.handle("two").send("late")
        with pytest.raises(ValueError, match="begins with '@'"):
            await client.handle("two").send("@cancel")
        with pytest.raises(LookupError):
            await runtime.run(flows.look, flag, instance_id="look")
        flag.touch()
        assert not await client.handle("one").retry()
        assert await client.handle("look").retry()
        assert await runtime.handle("look").result(timeout=60) == "there"


async def test_events_that_wait(make_runtime: MakeRuntime, client: AsyncClient, flows: ModuleType, tmp_path: Path) -> None:
    """Those that an instance has not taken are told with their payloads, of which nothing is run."""
    program = imported_rewritten("tests.running.looked_at")
    async with make_runtime() as runtime:
        await runtime.start(flows.pass_gate, "shut", instance_id="one")
        await until(lambda: "shut" in reached_gates)
    await client.handle("one").send("note", [program.Line("pen", 1), program.Writes(str(tmp_path / "written"))])
    await client.handle("one").cancel()
    [event, request] = await client.handle("one").events()
    assert (event.name, request.name) == ("note", "@cancel")
    assert str(event.payload) == f"[Line(name='pen', count=1), open({str(tmp_path / 'written')!r}, 'w')]"
    assert not (tmp_path / "written").exists()


async def test_all_that_fit(make_runtime: MakeRuntime, client: AsyncClient, flows: ModuleType) -> None:
    """Requests for many at once say how many they were, over all pages."""
    async with make_runtime() as runtime:
        for number in range(5):
            await runtime.start(flows.nap, 3600, instance_id=f"n{number}")
            await until_status(runtime.handle(f"n{number}"), "sleeping")
        await runtime.run(flows.add, 1, instance_id="sum")
        assert await client.cancel_all(InstanceQuery(prefix="n", limit=2)) == 5
        assert await client.cancel_all(InstanceQuery(prefix="s")) == 0

        async def are_cancelled() -> bool:
            return await client.count(InstanceQuery(status="cancelled")) == 5

        await until(are_cancelled)
        assert await client.retry_all(InstanceQuery()) == 0
        assert await client.delete_all(InstanceQuery(limit=4)) == 6
        assert await client.count() == 0


async def test_deleting(make_runtime: MakeRuntime, client: AsyncClient, flows: ModuleType) -> None:
    """It is gone, and its owner cannot bring it back."""
    async with make_runtime() as runtime:
        await runtime.start(flows.pass_gate, "shut", instance_id="one")
        await until(lambda: "shut" in reached_gates)
        await client.handle("one").delete()
        open_gates.add("shut")
        await until(lambda: "one" not in runtime.running)
        for asked in (client.handle("one").info, client.handle("one").delete, client.handle("one").stack):
            with pytest.raises(UnknownInstanceError, match="'one'"):
                await asked()
        await runtime.run(flows.add, 1, instance_id="two")
        await runtime.handle("two").delete()
        assert await client.count() == 0


async def test_history_is_told_or_why_not(client: AsyncClient, make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """A store that keeps none says how to get one."""
    async with make_runtime() as runtime:
        await runtime.run(flows.steps, 2, instance_id="one")
    if client.inspection._store.history is None:
        with pytest.raises(DurableError, match="history"):
            await client.handle("one").history()
    else:
        assert [each.checkpoint for each in await client.handle("one").history()] == [3]


async def test_without_the_key_nothing_is_shown(
    store: StateStore, make_runtime: MakeRuntime, program: ModuleType, tmp_path: Path
) -> None:
    """What is small is seen; what is sealed is not, and the error names the key."""
    async with make_runtime() as runtime:
        await start(runtime, program, tmp_path / "written")
        async with connect(store, key=b"x" * 32) as client:
            assert (await client.handle("o-7").info()).function == "order"
            assert await client.count() == 1
            with pytest.raises(SnapshotAuthenticationError, match=r"another key.*DURABLE_KEY"):
                await client.handle("o-7").stack()


async def test_many_tasks_in_segments(store: StateStore, make_runtime: MakeRuntime, program: ModuleType) -> None:
    """A state in segments, and one in pieces, is seen as a whole; so is one whose owner goes on."""
    key = None if isinstance(store, KeyedStore) else bytes(32)
    async with make_runtime() as runtime, connect(store, key=key) as client:
        await runtime.start(program.crowd, 60, instance_id="crowd")
        await until_status(runtime.handle("crowd"), "waiting")
        stack = await client.handle("crowd").stack()
        assert len(stack.tasks) == 61
        assert {task.waits_for for task in stack.tasks[1:]} == {f"event '{number}'" for number in range(60)}
        shared = {task.frames[0].variables["shared"].number for task in stack.tasks[1:]}
        assert len(shared) == 1
        for number in range(20):
            await client.handle("crowd").send(str(number))
            assert (await client.handle("crowd").stack()).status


def python(code: str, folder: Path, **variables: str) -> Any:
    """What a process prints that has none of the program's modules."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DURABLE"))}
    environment |= {"PYTHONPATH": str(folder / "package"), **variables}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


ELSEWHERE = """
import json, sys
from durable_import import InstanceQuery, connect
with connect({url!r}) as c:
    handle = c.handle("o-7")
    found = [each.id for each in c.list(InstanceQuery())], c.count(by="status"), str(handle.stack()), handle.info().status
    handle.send("approval", "yes")
assert not [name for name in sys.modules if name.startswith("tests")]
print(json.dumps(found))
"""


@pytest.mark.parametrize("url", URLS)
async def test_from_another_process_without_the_modules(url: str, tmp_path: Path, program: ModuleType) -> None:
    """A script with no event loop lists, counts, shows and sends."""
    place = url.format(tmp_path)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "durable_import").symlink_to(REPOSITORY / "durable_import")
    async with DurableRuntime(place, poll_interval=0.02) as runtime:
        await start(runtime, program, tmp_path / "written")
        code = ELSEWHERE.format(url=place)
        ids, counted, stack, status = await asyncio.to_thread(python, code, tmp_path)
        assert (ids, sum(counted.values()), status) == (["o-7"], 1, (await runtime.handle("o-7").info()).status)
        assert "lines = [Line(name='pen', count=2), Line(name='cup', count=1)]" in stack

        async def is_answered() -> bool:
            return "approval" not in {task.wait.event for task in (await runtime.handle("o-7").stack()).tasks}

        await until(is_answered)
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize("url", URLS)
def test_looking_makes_nothing(url: str, tmp_path: Path) -> None:
    """Where there is no store, none is made, nor a key: one sentence says so."""
    folder = tmp_path / "nowhere"
    with connect(url.format(folder)) as client:
        for ask in (client.list, client.count, client.handle("a").info, client.handle("a").stack, client.handle("a").cancel):
            with pytest.raises(StoreUnavailableError, match="none was made"):
                ask()
        with pytest.raises(StoreUnavailableError, match="none was made"):
            client.handle("a").send("event")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", URLS)
async def test_looking_leaves_the_store_as_it_is(url: str, tmp_path: Path, flows: ModuleType) -> None:
    """No file more or less than before, and a key that is gone is named and not made again."""
    place = url.format(tmp_path)
    async with DurableRuntime(place) as runtime:
        await runtime.run(flows.add, 1, instance_id="one")
    before = sorted(path for path in tmp_path.rglob("*"))
    async with connect(place) as client:
        assert len(await client.list()) == 1
        assert (await client.handle("one").stack()).outcome is not None
        with pytest.raises(UnknownInstanceError, match="'two'"):
            await client.handle("two").stack()
    assert sorted(path for path in tmp_path.rglob("*")) == before
    [key] = tmp_path.glob("*.key")
    key.unlink()
    async with connect(place) as client:
        assert (await client.handle("one").info()).status == "completed"
        with pytest.raises(MissingKeyError, match=key.name):
            await client.handle("one").stack()
    assert not key.exists()


def test_a_client_in_a_notebook() -> None:
    """It works where an event loop runs already."""

    async def cell() -> int:
        with connect("memory:") as client:
            return client.count()

    assert asyncio.run(cell()) == 0


async def test_an_instance_looks_at_itself(make_runtime: MakeRuntime, program: ModuleType) -> None:
    """What it sees are values of its own, kept over its checkpoints; a look under way is made again."""
    async with make_runtime(hold_limit=0) as runtime:
        assert await runtime.run(program.looks, instance_id="self") == ("running", "looks()", [], 1)

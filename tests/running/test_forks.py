"""Forks: a new instance from what another one was, with some variables changed; the other one does not notice."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from durable_import import (
    DurableError,
    DurableRuntime,
    InstanceFinishedError,
    InstanceHandle,
    InstanceMismatchError,
    UnknownInstanceError,
    connect,
)
from tests.harness.imports import REPOSITORY, imported_rewritten
from tests.running.conftest import MakeRuntime
from tests.running.effects import open_gates, world
from tests.running.test_life import until, until_status

STEPS = ["step 0", "count", "step 1", "count", "line 5", "line 6", "line 5", "line 6"]


@pytest.fixture(scope="session")
def flows() -> ModuleType:
    """The flows that are forked, rewritten."""
    return imported_rewritten("tests.running.forked_flows")


async def test_a_fork_goes_on_from_each_checkpoint(history: str, flows: ModuleType) -> None:
    """Steps that had ended by then do not run again, all others do; it is bound to its own id, and the other one stays."""
    async with DurableRuntime(history) as runtime:
        result = await runtime.run(flows.order, 2, instance_id="one")
        past = await runtime.history("one")
        assert world == STEPS
        for checkpoint in [each.checkpoint for each in past if each.status == "running"]:
            world.clear()
            fork = await runtime.fork("one", checkpoint, f"fork {checkpoint}")
            assert await fork.result() == (*result[:-1], fork.id)
            assert world == STEPS[len(STEPS) - len(world) :]
            info = await fork.info()
            assert (info.forked_from, info.forked_at, info.parent, info.tags) == ("one", checkpoint, None, {})
        assert (await runtime.run(flows.order, 2, instance_id="one")) == result
        assert await runtime.history("one") == past
        first = await runtime.fork("one", 0)
        assert (await first.result())[:-1] == result[:-1]


CHANGES: list[tuple[int, dict[str, Any], dict[int, Any]]] = [
    (1, {"total": 100}, {0: 154, 5: 154}),  # of ``total += await ...``: it was read already
    (2, {"0/order.total": 100}, {0: 144, 5: 144}),
    (3, {"order.kept['count']": 40, "lines[0].price": 1000}, {0: 2044, 1: 41, 3: 1000, 5: 2044}),
    (4, {"kept[3]['inner'][1]": ("a", {"b": None}), "slotted.amount": 2.5}, {2: [1, ("a", {"b": None})], 4: 2.5}),
    (2, {"numbers.number": 100}, {0: 10 + 110 + 24, 5: 144}),  # of a generator
    (5, {"0/sum_of.extra": 100}, {0: 153, 5: 153}),
    (6, {"sum_of.lines[1].price": 7, "total": 0}, {0: 25, 5: 25}),
    (7, {"extra": 10}, {0: 63, 5: 63}),
]


@pytest.mark.parametrize(("checkpoint", "changes", "expected"), CHANGES)
async def test_changed_variables(
    checkpoint: int, changes: dict[str, Any], expected: dict[int, Any], tmp_path: Path, flows: ModuleType
) -> None:
    """The fork ends as it would have with these values; all else is as it was."""
    async with DurableRuntime(f"sqlite:///{tmp_path}/state.db?history=true") as runtime:
        result = [*await runtime.run(flows.order, 2, instance_id="one")]
        fork = await runtime.fork("one", checkpoint, "two", changes)
        for place, value in expected.items():
            result[place] = value
        assert await fork.result() == (*result[:-1], "two")


async def test_what_cannot_be_forked_is_refused(history: str, flows: ModuleType) -> None:
    """By one sentence each, that says what there is; nothing is made."""
    async with DurableRuntime(history) as runtime:
        await runtime.run(flows.order, 2, instance_id="one")
        refused: list[tuple[Any, tuple[Any, ...], str]] = [
            (UnknownInstanceError, ("nobody",), "there is no instance 'nobody'"),
            (ValueError, ("one",), "has ended"),
            (ValueError, ("one", 100), r"no checkpoint 100: there are 0 to 1\d$"),
            (ValueError, ("one", 0, "two", {"total": 1}), "no variables yet"),
            (InstanceMismatchError, ("one", 3, "one"), "exists already"),
            (ValueError, ("one", 3, "two", {"totla": 1}), "'totla' at this checkpoint: there is 0/order.count, 0/order.me, "),
            (ValueError, ("one", 3, "two", {"lines[7].price": 1}), r"0/order.lines is \[.*no \[7\]"),
            (ValueError, ("one", 3, "two", {"lines[0].colour": 1}), r"0/order.lines\[0\] is Line\(price=5.*no .colour"),
            (ValueError, ("one", 3, "two", {"lines[x]": 1}), "is no path"),
            (
                TypeError,
                ("one", 3, "two", {"total": runtime}),
                "total cannot become <.*DurableRuntime.: it may be None, a number",
            ),
        ]
        for error, arguments, said in refused:
            with pytest.raises(error, match=said):
                await runtime.fork(*arguments)
        assert [each.id for each in await runtime.list()] == ["one"]


async def test_the_frame_that_is_meant(tmp_path: Path, flows: ModuleType) -> None:
    """Of frames of one function each has a name, as the stack shows them; a path that may be several is refused."""
    async with DurableRuntime(f"sqlite:///{tmp_path}/state.db?history=true") as runtime:
        assert await runtime.run(flows.factorial, 3, instance_id="one") == 6
        with pytest.raises(ValueError, match=r"may be 0/factorial\.number, 0/factorial#2\.number, 0/factorial#3\.number: name"):
            await runtime.fork("one", 1, "two", {"number": 5})
        fork = await runtime.fork("one", 1, "two", {"0/factorial#2.number": 5})
        assert await fork.result() == 15


async def test_events_of_a_fork(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """It has those that were taken by then; what comes later has to be sent to it too. Its source may wait, and goes on."""
    async with make_runtime() as runtime:
        source = await runtime.start(flows.wait_for_two, 5, instance_id="one")
        await source.send("first", "taken")
        await until(lambda: world == ["between"])
        await until_status(source, "waiting")
        fork = await runtime.fork("one", None, "two", {"count": 50})
        await source.send("second", 1)
        await fork.send("second", 2)
        assert await source.result() == ("taken", 6, 1)
        assert await fork.result() == ("taken", 50, 2)
        assert world == ["between"]


async def test_children_are_not_doubled(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """What the source has started stays its own: the fork knows it, and starts nothing again."""
    async with make_runtime() as runtime:
        source = await runtime.start(flows.parent, instance_id="one")
        await until_status(source, "waiting")
        fork = await runtime.fork("one", new_id="two")
        for handle in (source, fork):
            await handle.send("go")
        assert await fork.result() == await source.result()
        assert world == ["child 1", "child 2"]
        assert len(await source.children()) == 2
        assert await fork.children() == []


async def test_a_failed_one_is_forked_from_before(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """With the variable mended it goes on where it failed."""
    async with make_runtime() as runtime:
        with pytest.raises(ZeroDivisionError):
            await runtime.run(flows.divide, 6, 0, instance_id="one")
        fork = await runtime.fork("one", new_id="two", changes={"by": 2})
        assert await fork.result() == 3
        assert world == ["before"]
        assert await runtime.handle("one").status() == "failed"


async def is_saved(handle: InstanceHandle[Any]) -> bool:
    """Whether it has come to a checkpoint."""
    return (await handle.info()).checkpoint > 0


async def test_many_tasks_that_share(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """Of a state in segments, and an object that belongs to all of them."""
    async with make_runtime() as runtime:
        source = await runtime.start(flows.crowd, 40, "open", instance_id="one")
        await until(lambda: len(world) == 40)
        await until(partial(is_saved, source))
        fork = await runtime.fork("one", new_id="two", changes={"0/crowd.shared['number']": 100})
        open_gates.add("open")
        assert await source.result(timeout=60) == sum(range(40))
        assert await fork.result(timeout=60) == 100 * sum(range(40))


async def test_large_states(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """Of a state in pieces, which the fork has of its own."""
    async with make_runtime() as runtime:
        source = await runtime.start(flows.carry, 600_000, instance_id="one")
        await until_status(source, "waiting")
        fork = await runtime.fork("one", new_id="two", changes={"small[0]": 5})
        await runtime.delete("one")
        await fork.send("go")
        assert await fork.result() == (600_000, [5, 0, 1, 2])


@pytest.mark.slow
@pytest.mark.parametrize("history", ["sqlite", "postgres"], indirect=True)
async def test_past_states_in_segments_and_pieces(history: str, flows: ModuleType) -> None:
    """Each fork has those of then, whatever has become of them since."""
    async with DurableRuntime(history) as runtime:
        many = await runtime.start(flows.crowd_in_turn, 40, instance_id="many")
        large = await runtime.start(flows.carry, 600_000, instance_id="large")
        await large.send("go")
        results = await many.result(timeout=60), await large.result()
        for name, result in zip(("many", "large"), results, strict=True):
            past = [each.checkpoint for each in await runtime.history(name) if each.status == "running"]
            for checkpoint in {*past[:3], *past[-2:]}:
                fork = await runtime.fork(name, checkpoint)
                if name == "large":
                    with suppress(InstanceFinishedError):  # it has taken the other one's
                        await fork.send("go")
                assert await fork.result(timeout=60) == result


async def test_one_that_is_held(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """Its fork goes on from its last checkpoint: what has run since then, in the block, it does for itself."""
    async with make_runtime() as runtime:
        source = await runtime.start(flows.hold_socket, "open", instance_id="one")
        await until(lambda: "inside" in world)
        fork = await runtime.fork("one", new_id="two", changes={"count": 10})
        open_gates.add("open")
        assert (await source.result(), await fork.result()) == (2, 12)
        assert world == ["before", "inside", "inside"]


async def test_what_is_open_is_opened_again(tmp_path: Path, flows: ModuleType) -> None:
    """A fork has its own of what can be opened again."""
    async with DurableRuntime(f"sqlite:///{tmp_path}/state.db?history=true") as runtime:
        await runtime.run(flows.use_desk, "https://desk", instance_id="one")
        fork = await runtime.fork("one", 2, changes={"count": 10})
        assert await fork.result() == ("https://desk", 12)


async def test_an_instance_forks_another(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """It has no parent; one that forks itself as it is would do so without end, and is refused."""
    async with make_runtime() as runtime:
        with pytest.raises(ZeroDivisionError):
            await runtime.run(flows.divide, 6, 0, instance_id="one")
        result, made, refused = await runtime.run(flows.fork_other, "one", {"by": 2}, instance_id="other")
        assert (result, "would make the call again" in refused) == (3, True)
        assert (await runtime.handle(made).info()).parent is None
        assert sorted(each.id for each in await runtime.list()) == sorted(["one", "other", made])


async def test_a_client_forks_without_the_program(tmp_path: Path, flows: ModuleType) -> None:
    """In a process that has none of its modules; whoever looks for work takes the new one up."""
    url = f"sqlite:///{tmp_path}/state.db?history=true"
    async with DurableRuntime(url) as runtime:
        await runtime.run(flows.order, 2, instance_id="one")
    program = (
        "import asyncio, sys\n"
        "from durable_import import connect\n"
        "with connect(sys.argv[1]) as client:\n"
        "    plan = client.plan_fork('one', 3, 'two', {'total': 1})\n"
        "    assert [tuple(each) for each in plan.changes] == [('0/order.total', '10', 1)], plan\n"
        "    assert len(client.list()) == 1\n"
        "    assert client.fork('one', 3, 'two', {'total': 1}).info().forked_from == 'one'\n"
        "async def main():\n"
        "    async with connect(sys.argv[1]) as client:\n"
        "        print((await client.fork('one', 3, 'three')).id)\n"
        "asyncio.run(main())\n"
        "assert not [name for name in sys.modules if name.startswith('tests')]\n"
    )
    there = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-c", program, url], cwd=tmp_path, env=there, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "three\n", "")
    async with DurableRuntime(url) as runtime:
        await runtime.recover()
        assert (await runtime.handle("two").result())[:2] == (45, 2)
        assert (await runtime.handle("three").result())[:2] == (54, 2)


async def test_a_store_without_history_says_so(tmp_path: Path, flows: ModuleType) -> None:
    """From the present it can fork."""
    with connect(f"sqlite:///{tmp_path}/state.db") as client, pytest.raises(DurableError, match="there is no"):
        client.fork("one")
    async with DurableRuntime(f"sqlite:///{tmp_path}/state.db") as runtime:
        await runtime.run(flows.order, 2, instance_id="one")
        with pytest.raises(DurableError, match="keeps no history: open it with"):
            await runtime.fork("one", 3)

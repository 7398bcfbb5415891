"""The life of an instance: begun, attached to, suspended, resumed, ended, and what is kept of it."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import socket
import time
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from durable_import import (
    DurableRuntime,
    InstanceCancelledError,
    InstanceHandle,
    InstanceMismatchError,
    InstanceSuspendedError,
    NotDurableError,
    UnknownInstanceError,
    UnsavableStateError,
    current_instance,
    current_runtime,
)
from durable_import.testing.contract.store import bury
from tests.harness.users_store import UsersStore
from tests.running.conftest import MakeRuntime
from tests.running.effects import open_gates, world


async def until(condition: Any, seconds: float = 60.0) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while not (await condition() if inspect.iscoroutinefunction(condition) else condition()):
            await asyncio.sleep(0.005)


async def until_status(handle: InstanceHandle[Any], status: str) -> None:
    """Wait until an instance has a status."""

    async def is_reached() -> bool:
        return await handle.status() == status

    await until(is_reached)


async def test_result_is_kept(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """The same id again gives the stored result, in another runtime too; nothing runs twice."""
    async with make_runtime() as runtime:
        assert await runtime.run(flows.add, 1, b=2, instance_id="sum") == 3
        assert await runtime.run(flows.add, 1, b=2, instance_id="sum") == 3
    async with make_runtime() as runtime:
        assert await runtime.run(flows.add, 1, b=2, instance_id="sum") == 3
        assert await runtime.handle("sum").status() == "completed"
    assert world == ["add 1 2"]


async def test_exception_is_kept_with_its_traceback(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """The same id again raises the stored exception; its traceback shows where the program raised it."""
    for _ in range(3):
        async with make_runtime() as runtime:
            with pytest.raises(LookupError, match="broken") as caught:
                await runtime.run(flows.fail, "broken", instance_id="bad")
            assert await runtime.handle("bad").status() == "failed"
        text = "".join(traceback.format_exception(caught.value))
        assert "flows.py" in text
        assert "raise LookupError(what)" in text
    assert world == ["before broken"]


async def test_failed_instance_can_be_tried_again(make_runtime: MakeRuntime, flows: ModuleType, tmp_path: Path) -> None:
    """``retry`` goes on from the last checkpoint."""
    flag = tmp_path / "flag"
    async with make_runtime() as runtime:
        with pytest.raises(LookupError):
            await runtime.run(flows.fail_once, flag, instance_id="flaky")
        flag.touch()
        handle = await runtime.retry("flaky")
        await handle.result()
        assert await runtime.run(flows.fail_once, flag, instance_id="flaky") == (None, None)
    assert world == ["first", "second"]


async def test_failure_before_the_first_checkpoint(make_runtime: MakeRuntime, flows: ModuleType, tmp_path: Path) -> None:
    """It is kept like any other, of an instance that was awaited too; ``retry`` begins again."""
    flag = tmp_path / "flag"
    async with make_runtime() as runtime:
        for _ in range(2):
            with pytest.raises(LookupError, match="not there yet"):
                await runtime.run(flows.fail_at_once, flag, instance_id="one")
        with pytest.raises(LookupError, match="not there yet"):
            await (await runtime.retry("one")).result()
        with pytest.raises(LookupError, match="not there yet"):
            await flows.fail_at_once(flag)
        flag.touch()
        assert await flows.fail_at_once(flag) == "now it is"
        assert await (await runtime.retry("one")).result() == "now it is"


@pytest.mark.parametrize("other", [("subtract", (1,), {}), ("add", (2,), {}), ("add", (1,), {"b": 5})])
async def test_id_belongs_to_one_call(
    make_runtime: MakeRuntime,
    flows: ModuleType,
    caplog: pytest.LogCaptureFixture,
    other: tuple[str, tuple[Any, ...], dict[str, Any]],
) -> None:
    """Another function or other arguments under the same id: an error that shows both."""
    name, arguments, keywords = other
    async with make_runtime() as runtime:
        await runtime.run(flows.add, 1, instance_id="one")
        function = getattr(flows, name, flows.use)
        with pytest.raises(InstanceMismatchError, match="'one' exists already"):
            await runtime.run(function, *arguments, instance_id="one", **keywords)
        assert await runtime.run(flows.add, 1, instance_id="one") == 1
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_equal_arguments_are_the_same_call(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """Arguments are compared by value, and by their state where a class says nothing of equality."""
    async with make_runtime() as runtime:
        for make in (lambda: flows.Order(1, {"a": 2, "b": 1}), lambda: flows.Opaque([1, 2]), lambda: {"x", "y", "z"}):
            name = f"of {type(make()).__name__}"
            assert await runtime.run(flows.use, make(), instance_id=name) == await runtime.run(
                flows.use, make(), instance_id=name
            )
        await runtime.run(flows.use, flows.Opaque([1]), instance_id="other state")
        with pytest.raises(InstanceMismatchError):
            await runtime.run(flows.use, flows.Opaque([2]), instance_id="other state")


async def test_closures_of_the_same_state_are_the_same_argument(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """They are made again by each process that calls."""

    def tuned(number: int) -> Any:
        return lambda: number

    async with make_runtime() as runtime:
        for _ in range(2):
            await runtime.run(flows.use, tuned(3), instance_id="closure")
        with pytest.raises(InstanceMismatchError):
            await runtime.run(flows.use, tuned(4), instance_id="closure")


async def test_same_id_attaches(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """Several calls of one id at a time are one instance."""
    async with make_runtime() as runtime:
        results = await asyncio.gather(*(runtime.run(flows.steps, 3, 0.01, instance_id="shared") for _ in range(5)))
        assert results == [[0, 1, 2]] * 5
    assert world == ["step 0", "step 1", "step 2"]


async def test_handle(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """A handle tells the status, waits for the result, and gives up waiting without harm."""
    async with make_runtime() as runtime:
        handle = await runtime.start(flows.approve, "books", instance_id="order")
        assert handle.id == "order"
        await until_status(handle, "waiting")
        with pytest.raises(TimeoutError):
            await handle.result(timeout=0.01)
        with pytest.raises(TimeoutError):
            await handle.result(timeout=0)
        await handle.send("approval", {"by": "Ann"})
        assert await handle.result(timeout=60) == ("books", {"by": "Ann"})
        assert await handle.result(timeout=0) == ("books", {"by": "Ann"})
        assert await handle.status() == "completed"


async def test_start_without_an_id(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """Instances without an id get one of their own."""
    async with make_runtime() as runtime:
        handles = [await runtime.start(flows.add, 1) for _ in range(3)]
        assert [await handle.result() for handle in handles] == [1, 1, 1]
        assert len({handle.id for handle in handles}) == 3


async def test_unknown_instance(make_runtime: MakeRuntime) -> None:
    """Asking for one that is not there is a clear error."""
    async with make_runtime() as runtime:
        handle = runtime.handle("nobody")
        for ask in (handle.status, handle.result, handle.cancel):
            with pytest.raises(UnknownInstanceError, match="nobody"):
                await ask()


async def test_closing_suspends(make_runtime: MakeRuntime, flows: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of a runtime suspends: no ``finally`` block runs; another runtime goes on."""
    async with make_runtime() as runtime:
        handle = await runtime.start(flows.nap, 3600, instance_id="nap")
        waiting = asyncio.create_task(handle.result())
        await until_status(handle, "sleeping")
    with pytest.raises(InstanceSuspendedError, match="nap"):
        await waiting
    assert world == []
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 3600)
    async with make_runtime() as runtime:
        handle = await runtime.start(flows.nap, 3600, instance_id="nap")
        assert await handle.result(timeout=60) is None
    assert world == ["slept", "finally"]


async def test_closing_just_after_the_start(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """An instance that has hardly begun, or been taken up, is suspended like any other."""
    async with asyncio.timeout(60):
        async with make_runtime() as runtime:
            await runtime.start(flows.nap, 1000, instance_id="nap")
        async with make_runtime() as runtime:
            await runtime.recover()
        async with make_runtime() as runtime:
            await runtime.recover()
            await runtime.handle("nap").cancel()
            with pytest.raises(InstanceCancelledError):
                await runtime.handle("nap").result()
    assert world == ["finally"]


async def test_recover_takes_up_what_nobody_runs(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """All unfinished instances go on, each once; what was in flight when they were suspended begins again."""
    async with make_runtime() as runtime:
        for number in range(10):
            await runtime.start(flows.steps, 3, 0.05, instance_id=f"steps {number}")
    async with make_runtime() as one, make_runtime() as two:
        handles = [*await one.recover(), *await two.recover()]
        for number in range(10):
            assert await one.handle(f"steps {number}").result(timeout=60) == [0, 1, 2]
        assert len({handle.id for handle in handles}) == len(handles)
    assert [world.count(f"step {step}") for step in (1, 2)] == [10, 10]
    assert 10 <= world.count("step 0") <= 20


async def test_taken_up_by_who_was_slower(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """What another runtime has taken up first, and then gives up, is taken up soon after."""
    async with make_runtime() as slower:
        async with make_runtime() as faster:
            handle = await faster.start(flows.pass_gate, "held", instance_id="held")
            run = slower._registry.launch(handle.id, None)
            await slower.dispatcher._has_begun(run)
        await slower.recover()
        open_gates.add("held")
        assert await slower.handle("held").result(timeout=60) == "held"


async def test_eviction(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """What waits long leaves the memory; an event or the time brings it back, and the handle does not notice."""
    async with make_runtime(evict_after=0.02) as runtime:
        order = await runtime.start(flows.approve, "books", instance_id="order")
        nap = await runtime.start(flows.nap, 0.4, instance_id="nap")
        results = asyncio.gather(order.result(), nap.result())
        await until(lambda: not runtime.running)
        assert await order.status() == "waiting"
        assert "answered" not in world
        await order.send("approval", "yes")
        assert tuple(await asyncio.wait_for(results, 60)) == (("books", "yes"), None)
    assert sorted(world) == ["answered", "finally", "finally", "slept"]


async def test_eviction_keeps_the_time(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """What has left the memory, and what comes back to it, is due when it was due before."""
    async with make_runtime(evict_after=0.02) as runtime:
        nap = await runtime.start(flows.nap, 3600, instance_id="nap")
        await until(lambda: not runtime.running)
        due = (await runtime.summary_of("nap")).wake_at
        assert await nap.status() == "sleeping"
        for _ in range(2):
            await runtime.start(flows.nap, 3600, instance_id="nap")
            await until(lambda: not runtime.running)
            assert (await runtime.summary_of("nap")).wake_at == due


async def test_eviction_from_a_users_store(flows: ModuleType) -> None:
    """Also where the store cannot look for work: who has let go of an instance knows what it waits for."""
    async with DurableRuntime(UsersStore(), key=bytes(32), evict_after=0.02, poll_interval=0.02) as runtime:
        order = await runtime.start(flows.approve, "books", instance_id="order")
        nap = await runtime.start(flows.nap, 0.4, instance_id="nap")
        await until(lambda: not runtime.running)
        await order.send("approval", "yes")
        assert await order.result(timeout=60) == ("books", "yes")
        assert await nap.result(timeout=60) is None
    assert set(world) == {"answered", "slept", "finally"}


async def test_evicted_instance_comes_back_on_time(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """However seldom the store is looked at."""
    async with make_runtime(evict_after=0.02, poll_interval=3600) as runtime:
        handles = [await runtime.start(flows.nap, seconds, instance_id=f"nap {seconds}") for seconds in (0.5, 0.3, 0.4)]
        await until(lambda: not runtime.running)
        await asyncio.gather(*(handle.result(timeout=60) for handle in handles))


async def test_who_waits_does_not_notice_a_takeover(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """A runtime that has stalled for longer than its lease loses its instance; who waits there gets the result of the other."""
    async with make_runtime() as stalled, make_runtime() as other:
        handle = await stalled.start(flows.pass_gate, "held", instance_id="held")
        waiting = asyncio.create_task(handle.result(timeout=60))
        taken: list[InstanceHandle[Any]] = []
        while not taken:  # one that has not stalled in truth may ask for it again, and be faster
            await bury(stalled.instances, (await stalled.keeper.ownership()).number)
            taken = await other.recover()
        assert [each.id for each in taken] == ["held"]
        open_gates.add("held")
        assert await waiting == await other.handle("held").result(timeout=60) == "held"


async def test_cancel(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """Cancelling is what it is for a task, and it is kept."""
    async with make_runtime() as runtime:
        handle = await runtime.start(flows.stubborn, instance_id="stubborn")
        await until_status(handle, "waiting")
        assert await handle.cancel()
        with pytest.raises(InstanceCancelledError, match="stubborn"):
            await handle.result(timeout=60)
        assert await handle.status() == "cancelled"
        assert not await handle.cancel()
    assert world == ["cleaning up"]
    async with make_runtime() as runtime:
        with pytest.raises(InstanceCancelledError):
            await runtime.run(flows.stubborn, instance_id="stubborn")


async def test_cancel_what_nobody_runs(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """The request waits for the instance."""
    async with make_runtime(evict_after=0.01) as runtime:
        handle = await runtime.start(flows.stubborn, instance_id="stubborn")
        await until(lambda: not runtime.running)
        await handle.cancel()
        with pytest.raises(InstanceCancelledError):
            await handle.result(timeout=60)
    assert world == ["cleaning up"]


async def test_cancelling_the_wait_does_not_cancel_the_instance(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """``run`` waits for an instance; who stops waiting leaves it running."""
    async with make_runtime() as runtime:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(runtime.run(flows.steps, 5, 0.02, instance_id="steps"), 0.03)
        assert await runtime.run(flows.steps, 5, 0.02, instance_id="steps") == [0, 1, 2, 3, 4]
    assert world == [f"step {number}" for number in range(5)]


async def test_awaiting_makes_an_instance(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """A durable function that is awaited where a runtime is ambient is an instance; inside, it is known which one."""
    async with make_runtime() as runtime:
        assert current_runtime() is runtime
        assert current_instance() is None
        instance_id, seen = await flows.who()
        assert await runtime.handle(instance_id).status() == "completed"
        assert seen is runtime
        assert await runtime.run(flows.who, instance_id="mine") == ("mine", runtime)
        with pytest.raises(LookupError, match="awaited"):
            await flows.fail("awaited")
    assert current_runtime() is None
    assert await flows.add(1, 2) == 3


async def test_cancelling_the_awaiting_task_cancels(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """What is awaited is cancelled as in plain asyncio."""
    async with make_runtime(name_instance=lambda: "awaited") as runtime:
        task = asyncio.create_task(flows.nap(30))

        async def is_sleeping() -> bool:
            return "awaited" in runtime.running and (await runtime.store.load("awaited") or {}).get("status") == "sleeping"

        await until(is_sleeping)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert world == ["finally"]
        assert await runtime.handle("awaited").status() == "cancelled"


async def test_activate(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """An active runtime is ambient in contexts that know nothing of it."""
    runtime = make_runtime(name_instance=lambda: "from a bare context")
    runtime.activate()
    try:
        task = contextvars.Context().run(asyncio.get_running_loop().create_task, flows.who())
        assert await task == ("from a bare context", runtime)
    finally:
        await runtime.close()
    assert current_runtime() is None


async def test_argument_that_cannot_be_saved(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """The error names the argument, and nothing was begun."""
    with socket.socket() as unsavable:
        async with make_runtime() as runtime:
            with pytest.raises(UnsavableStateError, match="argument 0"):
                await runtime.start(flows.use, unsavable, instance_id="socket")
            with pytest.raises(UnknownInstanceError):
                await runtime.handle("socket").status()


async def test_result_that_cannot_be_saved(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """It is a failure of the instance, which says so each time."""
    async with make_runtime() as runtime:
        for _ in range(2):
            with pytest.raises(UnsavableStateError, match="result"):
                await runtime.run(flows.make_unsavable, instance_id="socket")
        assert await runtime.handle("socket").status() == "failed"
    assert world == ["made"]


async def test_variable_that_cannot_be_saved(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """Where nothing may hold, who waits is told, also who asks when the instance has been let go of: it is stuck."""
    async with make_runtime(hold_limit=0) as runtime:
        with pytest.raises(UnsavableStateError, match="variable `held`"):
            await runtime.run(flows.hold_unsavable, instance_id="socket")
        await until(lambda: not runtime.running)
        with pytest.raises(UnsavableStateError, match="variable `held`"):
            await runtime.handle("socket").result()
        assert await runtime.handle("socket").status() == "stuck"


async def test_function_that_is_not_durable(make_runtime: MakeRuntime) -> None:
    """A plain function is refused with the ways out."""

    async def plain() -> None:
        return

    async with make_runtime() as runtime:
        with pytest.raises(NotDurableError, match="make_durable"):
            await runtime.run(plain, instance_id="plain")


async def test_finished_instances_are_removed(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """Results are kept for the time that was asked for."""
    async with make_runtime(keep_finished=0.05) as runtime:
        await runtime.run(flows.add, 1, instance_id="short")
        await runtime.start(flows.approve, "books", instance_id="long")

        async def is_gone() -> bool:
            return await runtime.store.load("short") is None

        await until(is_gone)
        assert await runtime.handle("long").status() in ("pending", "running", "waiting")


async def test_checkpoints_prolong_no_lifetime(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """What a variable held is garbage when the variable is gone, also right after a checkpoint that has read it."""
    async with make_runtime() as runtime:
        await runtime.run(flows.drop, instance_id="drop")
    assert world == ["made", "gone", "dropped"]


async def test_who_looks_at_the_process_sees_which_instance(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """The task that drives an instance is named after it, unless somebody has named it; then it has its own name again."""
    async with make_runtime() as runtime:
        plain = asyncio.create_task(runtime.run(flows.pass_gate, "held", instance_id="order-7"))
        await until(lambda: "instance order-7" in {task.get_name() for task in asyncio.all_tasks()})
        plain.cancel()
        with pytest.raises(asyncio.CancelledError):
            await plain

        async def held() -> None:
            await flows.pass_gate("held")

        awaiting = [asyncio.create_task(held()), asyncio.create_task(held(), name="mine")]
        names = [task.get_name() for task in awaiting]
        await until(lambda: awaiting[0].get_name().startswith("instance "))
        assert awaiting[1].get_name() == "mine"
        renamed = asyncio.create_task(held())
        await until(lambda: renamed.get_name().startswith("instance "))
        renamed.set_name("meanwhile")
        awaiting, names = [*awaiting, renamed], [*names, "meanwhile"]
        for task in awaiting:
            task.cancel()
        await asyncio.gather(*awaiting, return_exceptions=True)
        assert [task.get_name() for task in awaiting] == names

"""What callers get wrong is told at once, and harms nothing."""

from __future__ import annotations

import asyncio
import functools
import logging
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from durable_import import DurableError, DurableRuntime, InstanceFailedError, UnknownStoreError
from durable_import.errors import NotDurableError
from durable_import.stores.memory import MemoryStore
from durable_import.stores.state import InstanceState
from durable_import.stores.store import Begun
from tests.harness.users_store import store_over
from tests.running.conftest import MakeRuntime
from tests.running.effects import world
from tests.running.test_life import until


class Slow(MemoryStore):
    """Takes its time to begin an instance, which is owned meanwhile and not kept."""

    async def begin(self, instance_id: str, owner: Any, term: Any, new: InstanceState | None, *rest: Any) -> Begun:
        begun = await super().begin(instance_id, owner, term, None, *rest)
        await asyncio.sleep(0.2)
        if begun.state is not None or new is None:
            return begun
        self.commit(begun.claim, new)
        return begun._replace(state=new, is_new=True)


async def test_two_processes_start_the_same_at_once(flows: ModuleType) -> None:
    """The second one finds it owned and not kept yet: it waits until its call is in the store too."""
    store = store_over(Slow())
    async with DurableRuntime(store, poll_interval=0.02) as one, DurableRuntime(store, poll_interval=0.02) as other:
        handles = await asyncio.gather(*(runtime.start(flows.add, 1, instance_id="sum") for runtime in (one, other)))
        assert [await handle.status() for handle in handles] != ["", ""]
        await asyncio.gather(*(handle.result() for handle in handles))
    assert world == ["add 1 0"]


async def test_ids_are_texts(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """Numbers and empty texts are refused with the way out, by all that takes an id."""
    async with make_runtime() as runtime:
        with pytest.raises(TypeError, match=r"an instance id is a str, not 5 \(int\): give str"):
            await runtime.run(flows.add, 1, instance_id=5)
        with pytest.raises(TypeError, match="an instance id is a str"):
            runtime.handle(5)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="an instance id is a str"):
            await runtime.publish_event(5, "go")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="an instance id is a str"):
            await runtime.retry(5)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="the name of an event is a str, not 5"):
            await runtime.publish_event("sum", 5)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="the instance id is empty"):
            await runtime.start(flows.add, 1, instance_id="")


async def test_result_that_is_not_there_in_time(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """The error says whose, and that it is not lost."""
    async with make_runtime() as runtime:
        handle = await runtime.start(flows.nap, 60, instance_id="nap")
        for seconds in (0, 0.05):
            with pytest.raises(TimeoutError, match=f"instance 'nap' has not ended within {seconds} s; it goes on"):
                await handle.result(timeout=seconds)


async def test_call_in_place_of_a_function(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """``run`` is not ``asyncio.run``: it takes the function and its arguments."""
    async with make_runtime() as runtime:
        with pytest.raises(TypeError, match=r"add was called already: give run\(function, argument, ...\)"):
            await runtime.run(flows.add(1))
        with pytest.raises(TypeError, match="not of 3"):
            await runtime.run(3)  # type: ignore[call-overload]


def test_options_are_seconds() -> None:
    """A text or a negative number is refused where it is given, not where it is used."""
    with pytest.raises(TypeError, match=r"keep_finished is a number of seconds, not '1d'"):
        DurableRuntime("memory:", keep_finished="1d")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="evict_after is -1"):
        DurableRuntime("memory:", evict_after=-1)
    with pytest.raises(ValueError, match="lease_seconds is 0"):
        DurableRuntime("memory:", lease_seconds=0)
    with pytest.raises(UnknownStoreError, match="None is neither"):
        DurableRuntime(None)  # type: ignore[arg-type]


async def test_other_event_loop(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """A thread with a loop of its own is told to hand its call over; the runtime goes on."""
    async with make_runtime() as runtime:
        here = asyncio.get_running_loop()

        def elsewhere() -> int:
            for call in (
                lambda: runtime.run(flows.add, 1), lambda: runtime.handle("sum").status(), runtime.recover,
                lambda: runtime.publish_event("sum", "go"),
            ):  # fmt: skip
                with pytest.raises(DurableError, match="lives in another event loop"):
                    asyncio.run(call())
            handed = asyncio.run_coroutine_threadsafe(runtime.run(flows.add, 1, instance_id="sum"), here)
            result: int = handed.result(timeout=60)
            return result

        assert await asyncio.to_thread(elsewhere) == 1


def test_runtime_that_was_not_entered_follows_the_loop(flows: ModuleType) -> None:
    """One after another, as scripts and tests do."""
    runtime = DurableRuntime("memory:")
    for number in range(2):
        assert asyncio.run(runtime.run(flows.add, number, instance_id=f"sum {number}")) == number


@pytest.mark.parametrize("how", [SystemExit("bye"), GeneratorExit("bye"), BaseException("bye")])
async def test_instance_that_would_end_the_process(
    make_runtime: MakeRuntime, flows: ModuleType, how: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """One in the background ends alone, and fails: it neither ends who asks for its result, nor the next process too."""
    async with make_runtime() as runtime:
        handle = await runtime.start(flows.leave, how, instance_id="leaves")
        for _ in range(2):
            with pytest.raises(InstanceFailedError, match=f"{type(how).__name__}: bye .*not the process"):
                await handle.result()
        assert await handle.status() == "failed"
    async with make_runtime() as runtime:
        assert await runtime.recover() == []
    told = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert ["leaves" in record.getMessage() for record in told] == [True]
    assert told[0].exc_info is not None


async def test_pause_that_cannot_suspend(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """A plain function's PauseForEventException is no pause: who waits is told that the instance has failed, and where."""
    async with make_runtime() as runtime:
        for _ in range(2):
            with pytest.raises(DurableError, match=r"flows.py:\d+, in _pause: .*cannot suspend .*wait_for_event\('answer'\)"):
                await runtime.run(flows.pause_in_a_plain_function, instance_id="pauses")
        assert await runtime.handle("pauses").status() == "failed"


async def test_failure_is_logged_once_with_its_traceback(
    make_runtime: MakeRuntime, flows: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody may be waiting for it; asking again for the stored exception is no failure."""
    async with make_runtime() as runtime:
        for _ in range(3):
            with pytest.raises(LookupError):
                await runtime.run(flows.fail, "broken", instance_id="bad")
    [told] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert told.getMessage() == "instance bad failed: LookupError: broken"
    assert told.exc_info is not None
    assert told.exc_info[0] is LookupError


async def test_called_object(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """An instance of a class with ``__call__``, or a partial, is the same function in the next process."""
    for _ in range(2):
        async with make_runtime() as runtime:
            assert await runtime.run(flows.Adder(2), 3, instance_id="object") == 5
            assert await runtime.run(functools.partial(flows.add, 1), 2, instance_id="partial") == 3
    assert world == ["add", "add 1 2"]


async def test_decorator_that_is_not_durable(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """The message names the code that is not rewritten: not the marked function, but what stands around it."""

    @functools.wraps(flows.add)
    async def around(*arguments: Any) -> Any:
        return await flows.add(*arguments)

    async with make_runtime() as runtime:
        with pytest.raises(NotDurableError, match=r"coroutine of \S*around \(\S*test_misuse.py:\d+\).*decorator"):
            await runtime.run(around, 1, instance_id="sum")


@pytest.mark.parametrize(
    ("name", "mark", "way_out"),
    [
        ("__main__", "# durable: on", "python -m durable_import run"),
        ("late", "# durable: on", "imported before durable_import.install"),
        ("unmarked", "", "Put the comment `# durable: on` at the top of that file"),
    ],
)
async def test_function_that_was_not_rewritten(
    make_runtime: MakeRuntime, tmp_path: Path, name: str, mark: str, way_out: str
) -> None:
    """The message tells the reasons apart."""
    path = tmp_path / f"{name}.py"
    path.write_text(f"{mark}\nasync def work():\n    pass\n")
    names = {"__name__": name}
    exec(compile(path.read_text(), path, "exec"), names)
    async with make_runtime() as runtime:
        with pytest.raises(NotDurableError, match=f"coroutine of work .*{name}.py:2.*{way_out}"):
            await runtime.run(names["work"], instance_id="work")  # type: ignore[call-overload]


class Buggy(MemoryStore):
    """Raises what no store should, once."""

    looks = 0

    async def claim(self, *arguments: Any, **keywords: Any) -> list[Begun]:
        self.looks += 1
        if self.looks == 1:
            raise LookupError("a mistake")
        return await super().claim(*arguments, **keywords)


async def test_mistake_in_a_store_does_not_end_the_looking(caplog: pytest.LogCaptureFixture) -> None:
    """It is told, with its traceback, and work is looked for again."""
    buggy = Buggy()
    async with DurableRuntime(store_over(buggy), poll_interval=0.02):
        await until(lambda: buggy.looks > 2)
    assert "looking for work has failed" in caplog.text
    assert "LookupError: a mistake" in caplog.text

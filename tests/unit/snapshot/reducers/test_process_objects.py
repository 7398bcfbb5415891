"""Locks, loops, contexts and modules; what belongs to one process is refused clearly."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import decimal
import gc
import logging
import pickle
import queue
import random
import sys
import threading
import types
from typing import Any

import pytest

from durable_import.snapshot.table import reduce_by_kind
from tests.harness.pickling import dumps, loads, restored
from tests.versions.scenarios import VARIABLE


def test_locks() -> None:
    """A free lock is one lock afterwards too; a held one is an error."""
    for make in (threading.Lock, threading.RLock):
        lock, again = restored([make()] * 2)
        assert lock is again
        with lock:
            with pytest.raises(pickle.PicklingError, match="is held"):
                dumps(lock)
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                error = pool.submit(dumps, lock).exception()
        assert isinstance(error, pickle.PicklingError)


def test_thread_primitives() -> None:
    """They work, and share their lock."""
    lock = threading.RLock()
    condition, lock, event, semaphore = restored((threading.Condition(lock), lock, threading.Event(), threading.Semaphore(2)))
    with condition:
        assert lock._is_owned()
    event.set()
    assert event.wait(1)
    assert [semaphore.acquire(blocking=False) for _ in range(3)] == [True, True, False]
    waiting = queue.Queue[int]()
    waiting.put(1)
    assert restored(waiting).get(timeout=1) == 1


class OwnQueue(asyncio.PriorityQueue[int]):
    """A subclass whose ``__init__`` must not run."""

    def __init__(self, name: str) -> None:
        super().__init__(5)
        self.label = name


async def test_asyncio_primitives() -> None:
    """Without the loop they are bound to."""
    lock, full, own, semaphore = asyncio.Lock(), asyncio.Queue[int](1), OwnQueue("n"), asyncio.Semaphore(1)
    own.put_nowait(3)
    own.put_nowait(1)
    await full.put(1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(full.put(2), 0.01)  # binds it to the loop
    await lock.acquire()
    await semaphore.acquire()
    event = asyncio.Event()
    event.set()
    condition = asyncio.Condition(lock)
    snapshot = dumps((lock, full, own, semaphore, event, condition))
    lock, full, own, semaphore, event, condition = loads(snapshot)
    assert lock.locked()
    assert condition._lock is lock
    condition.release()
    assert not lock.locked()
    assert (full.full(), full.get_nowait()) == (True, 1)
    assert (type(own), own.label, own.maxsize, await own.get()) == (OwnQueue, "n", 5, 1)
    assert semaphore.locked()
    await event.wait()


async def test_foreign_waiters_are_left_out() -> None:
    """A native task that waits for a primitive belongs to a step, which runs again."""
    event = asyncio.Event()
    task = asyncio.create_task(event.wait())
    await asyncio.sleep(0)
    again = restored(event)
    again.set()
    assert not task.done()
    event.set()
    await task


async def test_running_loop() -> None:
    """Restored as the loop that runs then."""
    snapshot = dumps(asyncio.get_running_loop())
    assert loads(snapshot) is asyncio.get_running_loop()


def test_other_loop_is_refused() -> None:
    """A loop that does not run is not the program's."""
    loop = asyncio.new_event_loop()
    with pytest.raises(pickle.PicklingError, match="does not run"):
        dumps(loop)
    loop.close()


def test_contexts() -> None:
    """Variables by name, contexts with their values, decimal's included."""

    def fill() -> None:
        VARIABLE.set(3)
        decimal.getcontext().prec = 5

    context = contextvars.Context()
    context.run(fill)
    variable, again = restored((VARIABLE, context))
    assert variable is VARIABLE
    assert again[VARIABLE] == 3
    assert str(again.run(lambda: decimal.Decimal(1) / 3)) == "0.33333"


def test_decimal_local_context() -> None:
    """Leaving a restored ``localcontext`` brings the outer context back; saving it changes nothing."""
    outer = decimal.getcontext()
    manager: Any = decimal.localcontext(prec=3)
    inner = manager.__enter__()
    again, outer_again = restored((manager, outer))
    assert decimal.getcontext() is inner
    manager.__exit__(None, None, None)
    with again as entered:
        assert entered.prec == 3
    assert decimal.getcontext() is outer_again
    decimal.setcontext(outer)


def test_local_context_variable_is_refused() -> None:
    """There is no name to find it by."""
    with pytest.raises(pickle.PicklingError, match="'lost' is not at module level"):
        dumps(contextvars.ContextVar("lost"))


class Half:
    """Has a slot that is not bound, before one that is."""

    __slots__ = ("absent", "variable")

    def __init__(self) -> None:
        self.variable = contextvars.ContextVar[int]("in a slot")


HALF = Half()


def test_a_slot_that_is_not_bound_leads_nowhere() -> None:
    """A variable is found by the slot behind it."""
    gc.unfreeze()  # what is frozen is not looked at
    assert restored(HALF.variable) is HALF.variable


def test_tokens() -> None:
    """They reset the variable in their own context; used ones stay used."""

    def make() -> tuple[Any, ...]:
        outer = VARIABLE.set(1)
        inner = VARIABLE.set(2)
        used = VARIABLE.set(3)
        VARIABLE.reset(used)
        return inner, outer, used

    def check(inner: Any, outer: Any, used: Any) -> list[Any]:
        with pytest.raises(RuntimeError, match="already been used"):
            VARIABLE.reset(used)
        seen = [VARIABLE.get()]
        for token in (inner, outer):
            VARIABLE.reset(token)
            seen.append(VARIABLE.get())
        return seen

    context = contextvars.Context()
    again, tokens = restored((context, context.run(make)))
    assert again.run(check, *tokens) == [2, 1, 0]


def test_modules_and_loggers() -> None:
    """By name; a module that is not importable is refused."""
    assert restored(sys) is sys
    assert restored(logging.getLogger("a.b")) is logging.getLogger("a.b")
    assert restored(logging.getLogger()) is logging.getLogger()
    with pytest.raises(pickle.PicklingError, match="cannot be imported"):
        dumps(types.ModuleType("nowhere"))


def test_random_goes_on() -> None:
    """The same numbers follow."""
    source = random.Random(1)
    source.random()
    again = restored(source)
    assert [source.random() for _ in range(3)] == [again.random() for _ in range(3)]


def test_code_in_progress_is_refused() -> None:
    """The message says which code and how to make it durable."""
    with pytest.raises(pickle.PicklingError, match=r"<genexpr>.*test_process_objects.*# durable: on"):
        dumps(x for x in "")


def test_ended_future_of_a_thread_is_its_outcome() -> None:
    """Also one of a subclass with attributes; what was to be told of the end is not saved."""
    future = OwnFuture(3)
    future.add_done_callback(print)
    future.set_result([future])
    again = restored(future)
    assert again.attempt == 3
    assert again.result(timeout=0)[0] is again
    failed = concurrent.futures.Future[int]()
    failed.set_exception(LookupError("gone"))
    assert isinstance(restored(failed).exception(timeout=0), LookupError)


class OwnFuture(concurrent.futures.Future[Any]):
    """Made otherwise, as libraries that try again do."""

    def __init__(self, attempt: int) -> None:
        super().__init__()
        self.attempt = attempt


def test_thread_local_keeps_what_this_thread_has() -> None:
    """The program runs in one thread."""
    values = threading.local()
    values.itself, values.number = values, 5
    again = restored(values)
    assert (again.itself, again.number) == (again, 5)


class AsyncRetrying:
    """As that of tenacity: it drops for pickle what it needs to go on."""

    __module__ = "tenacity.asyncio"

    def __init__(self) -> None:
        self._local = threading.local()
        self._local.idle_for = 4

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._local = threading.local()


def test_retrying_of_tenacity_keeps_its_thread_local(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop of attempts goes on where it was."""
    module = types.ModuleType("tenacity.asyncio")
    module.AsyncRetrying = AsyncRetrying  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tenacity", types.ModuleType("tenacity"))
    monkeypatch.setitem(sys.modules, "tenacity.asyncio", module)
    assert restored(AsyncRetrying())._local.idle_for == 4


def test_process_bound_objects_are_refused() -> None:
    """Rather than restored as shells."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        values: tuple[Any, ...] = (threading.Thread(), pool, concurrent.futures.Future())
        for value in values:
            with pytest.raises(pickle.PicklingError, match=r"belongs to this process|was not made in this instance"):
                dumps(value)


async def test_what_asyncio_has_open_is_refused() -> None:
    """A child process and the end of a pipe, by their own names and not by those of their parts."""
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    for value, name in ((child, "Process"), (child.stdin.transport, "Transport")):  # type: ignore[union-attr]
        with pytest.raises(pickle.PicklingError, match=f"{name} belongs to this process"):
            dumps(value)
    await child.communicate(b"\n")


def test_other_objects_are_left_to_pickle() -> None:
    """The way that nearly every object takes."""
    assert reduce_by_kind(types.SimpleNamespace()) is NotImplemented
    assert reduce_by_kind(int) is NotImplemented

# durable: on
"""Durable functions for the tests of the runtime. ``world`` has what they did, in order."""

import asyncio
import functools
import socket
import weakref
from dataclasses import dataclass

from durable_import import PauseForEventException, current_instance, current_runtime, wait_for_event
from tests.running.effects import (
    book_row,
    current_tracer,
    effect,
    hold,
    hold_traced,
    lose_once,
    no_wait,
    nothing,
    refuse,
    world,
    write_locked,
)


@dataclass
class Order:
    number: int
    lines: dict


class Opaque:
    """Says nothing of equality."""

    def __init__(self, value):
        self.value = value


async def add(a, b=0):
    return await effect(f"add {a} {b}", a + b)


async def use(thing):
    return await effect("use", str(type(thing).__name__))


async def fail(what):
    await effect(f"before {what}")
    raise LookupError(what)


async def fail_once(flag):
    value = await effect("first")
    if not flag.exists():
        raise LookupError("not there yet")
    return value, await effect("second")


async def look(flag):
    if not flag.exists():
        raise LookupError("not there yet")
    return "there"


async def nap(seconds):
    try:
        await asyncio.sleep(seconds)
        return await effect("slept")
    finally:
        world.append("finally")


async def approve(order):
    try:
        answer = await wait_for_event("approval")
        return await effect("answered", (order, answer))
    finally:
        world.append("finally")


async def collect(name, count):
    return [await wait_for_event(name) for _ in range(count)]


async def wait_at_most(name, seconds):
    try:
        return await wait_for_event(name, timeout=seconds)
    except TimeoutError:
        return "too late"


async def collect_in_tasks(names):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(wait_for_event(name)) for name in names]
    return [task.result() for task in tasks]


async def pause(name):
    await effect("before the pause")
    raise PauseForEventException("allow")
    return await effect("after the pause", f"hello {name}")


async def stubborn():
    try:
        await wait_for_event("never")
    except asyncio.CancelledError:
        await effect("cleaning up")
        raise


async def who():
    await asyncio.sleep(0)
    return current_instance().id, current_runtime()


async def make_unsavable():
    await effect("made")
    return socket.socket()


async def steps(count, pause=0.0):
    done = []
    for number in range(count):
        done.append(await effect(f"step {number}", number))
        if pause:
            await asyncio.sleep(pause)
    return done


async def traced(gate):
    tracer = current_tracer()
    await effect("first")
    with tracer.start_as_current_span("own") as span:
        await hold_traced(gate)
        await asyncio.to_thread(nothing)
        await asyncio.get_running_loop().run_in_executor(None, functools.partial(nothing))
        span.set_attribute("gate", gate)
    try:
        await refuse("no")
    except LookupError:
        return await effect("last", "done")


async def leave_at_home():
    return await add(1, 2)


async def pass_gate(gate):
    await hold(gate)
    return await effect("passed", gate)


async def pass_gates(first, second):
    numbers = [await effect("one", 1)]
    await hold(first)
    numbers.append(await effect("two", 2))
    await hold(second)
    return numbers


async def collect_after_gates(gates, name):
    async def one(number):
        await effect(f"begins {number}")
        for gate in gates:
            await hold(gate)
            await effect(f"passes {gate} {number}")
        return number

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(number)) for number in range(40)]
    return [task.result() for task in tasks], await wait_for_event(name)


async def book(names):
    await effect("before")
    async with current_runtime().transaction() as connection:
        for name in names:
            await book_row(connection, name)
            await effect(f"booked {name}")
    return await effect("after", names)


async def book_and_fail(name):
    try:
        async with current_runtime().transaction() as connection:
            await book_row(connection, name)
            raise LookupError(name)
    except LookupError:
        return await effect("after", "undone")


async def book_through_a_loss(name):
    await effect("before")
    try:
        async with current_runtime().transaction() as connection:
            await book_row(connection, name)
            await effect("booked")
            await lose_once(connection)
    except Exception:
        await effect("seen")
    return await effect("after", name)


async def sleep_behind(gate, seconds):
    began = asyncio.get_running_loop().time()
    await hold(gate)
    await asyncio.sleep(seconds)
    return asyncio.get_running_loop().time() - began


async def book_elsewhere(file):
    async with current_runtime().transaction():
        await write_locked(file)


async def grow(sizes):
    kept = b""
    for size in sizes:
        kept = await effect(f"size {size}", bytes(size))
    return len(kept)


async def book_at_a_gate(name, gate):
    await effect("before")
    async with current_runtime().transaction() as connection:
        await book_row(connection, name)
        await effect("booked")
        await hold(gate)
    return await effect("after", name)


async def book_beside_others():
    count = 0

    async def other():
        nonlocal count
        while True:
            count += 1
            await asyncio.sleep(0)

    async def helper(connection):
        await asyncio.sleep(0)
        await book_row(connection, "two")

    task = asyncio.create_task(other())
    await asyncio.sleep(0)
    async with current_runtime().transaction() as connection:
        before = count
        await book_row(connection, "one")
        await asyncio.gather(helper(connection), asyncio.sleep(0.01))
        inside = count
    await asyncio.sleep(0.01)
    task.cancel()
    return before, inside, count


class Thing:
    """Can be referred to weakly."""


async def drop():
    thing = Thing()
    weak = weakref.ref(thing)
    await effect("made")
    del thing
    world.append("gone" if weak() is None else "still there")
    del weak
    await effect("dropped")


async def fail_at_once(flag):
    if not flag.exists():
        raise LookupError("not there yet")
    return "now it is"


async def hold_unsavable():
    held = socket.socket()
    try:
        await asyncio.sleep(0.2)
    finally:
        held.close()


async def leave(how):
    await effect("leave")
    raise how


async def pause_because_of(why):
    try:
        raise {"one": LookupError, "none": ValueError}[why](why)
    except LookupError as error:
        await effect(f"pausing after {error}")
        raise PauseForEventException("answer") from error
    except ValueError:
        raise PauseForEventException("answer") from None
    finally:
        world.append("finally")


async def raise_because_of(cause):
    error = NoPause("no event")
    raise error from cause


NoPause = PauseForEventException
NoPause = LookupError


async def pause_in_a_plain_function():
    await effect("pausing")
    _pause()


def _pause():
    raise PauseForEventException("answer")


class Adder:
    """An instance that is called as a function is."""

    def __init__(self, number):
        self.number = number

    def __eq__(self, other):
        return self.number == other.number

    async def __call__(self, other):
        return await effect("add", self.number + other)


async def write_beside_the_transaction(how):
    runtime = current_runtime()
    async with runtime.transaction() as connection:
        await book_row(connection, "undone")
        if how == "start":
            await runtime.start(add, 1)
        elif how == "send":
            await runtime.publish_event("other", "go")
        else:
            await current_instance().cancel()


async def for_ever():
    """Never waits."""
    world.append("begun")
    count = 0
    try:
        while True:
            await no_wait()
            count += 1
    except asyncio.CancelledError:
        world.append("cancelled")
        raise
    finally:
        world.append("finally")


async def start_children():
    options = current_runtime().options(tags={"which": "second"})
    handles = [await current_runtime().start(add, 1, instance_id="first"), await options.start(add, 2)]
    return [await handle.result() for handle in handles]


async def start_and_wait():
    handle = await current_runtime().options(tags={"which": "only"}).start(note_child)
    await handle.result()
    await wait_for_event("go")
    return "gone"


async def note_child():
    await effect("child")

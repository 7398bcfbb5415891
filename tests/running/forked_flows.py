# durable: on
"""Flows for the tests of forks: each step that runs is noted, with its key."""

import asyncio
import socket

import durable_import
from durable_import import current_instance, current_runtime, wait_for_event
from tests.running.effects import Desk, effect, hold


class Line:
    def __init__(self, price):
        self.price = price
        self.tags = ["new"]


class Slotted:
    __slots__ = ("amount",)

    def __init__(self, amount):
        self.amount = amount


def tens():
    number = 0
    while True:
        number += 10
        yield number


async def sum_of(lines):
    extra = 1
    for line in lines:
        extra += await effect(f"line {line.price}", line.price)
    return extra


async def order(count):
    """Ends with a total, after a generator, a coroutine of its own, and a task."""
    total, me, kept = 0, current_instance(), {"count": 0, 3: {"inner": [1, 2]}}
    lines, slotted, numbers = [Line(5), Line(6)], Slotted(1), tens()

    def captured():
        return total

    for number in range(count):
        total += await effect(f"step {number}", next(numbers))
        kept["count"] += await effect("count", 1)
    total = total + await sum_of(lines)
    task = asyncio.create_task(sum_of(lines), name="beside")
    total += await task
    return total, kept["count"], kept[3]["inner"], lines[0].price, slotted.amount, captured(), me.id


async def factorial(number):
    if number < 2:
        return await effect("bottom", 1)
    return number * await factorial(number - 1)


async def wait_for_two(count):
    """Takes an event, then another."""
    first = await wait_for_event("first")
    count += await effect("between", 1)
    return first, count, await wait_for_event("second")


async def child(number):
    return await effect(f"child {number}", number)


async def parent():
    runtime, found = current_runtime(), 0
    first = await runtime.start(child, 1)
    found += await first.result()
    second = await runtime.start(child, 2)
    found += await second.result()
    await wait_for_event("go")
    return found, first.id, second.id


async def note_keys(count):
    keys = []
    for number in range(count):
        keys.append(durable_import.step_key())
        await effect(f"step {number}")
    return keys


async def divide(number, by):
    number += await effect("before", 0)
    return number / by


async def crowd(count, gate):
    """Many tasks that share an object, of which few run."""
    shared = {"number": 1}

    async def one(place):
        await effect(f"begins {place}")
        await hold(gate)
        return place * shared["number"]

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(place)) for place in range(count)]
    return sum(task.result() for task in tasks)


async def crowd_in_turn(count):
    """Many tasks, one of which goes on at a time, with what they share."""
    shared = {"numbers": []}

    async def one(place):
        await events[place].wait()
        shared["numbers"].append(await effect(f"step {place}", place))
        if place + 1 < count:
            events[place + 1].set()
        return len(shared["numbers"])

    events = [asyncio.Event() for _ in range(count)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(place)) for place in range(count)]
        for _ in range(3):
            await effect("before")
        events[0].set()
    return [task.result() for task in tasks], shared["numbers"]


async def carry(size):
    """A state that is kept in pieces."""
    large, small = bytes(size), [1]
    for number in range(3):
        small.append(await effect(f"step {number}", number))
    await wait_for_event("go")
    return len(large), small


async def hold_socket(gate):
    """Is held while it is in the block."""
    count = 0
    count += await effect("before", 1)
    with socket.socket() as opened:
        await effect("inside")
        await hold(gate)
        count += opened.fileno() >= 0
    return count


async def use_desk(url):
    """With an object that is opened again, in a variable and in a block."""
    desk, count = Desk(url), 0
    for number in range(3):
        count += await effect(f"step {number}", 1)
    return desk.url, count


async def fork_other(name, changes):
    """Gives what the fork does, and the error of a fork of itself."""
    runtime = current_runtime()
    handle = await runtime.fork(name, changes=changes)
    try:
        await runtime.fork(current_instance().id)
    except durable_import.DurableError as error:
        return await handle.result(), handle.id, str(error)

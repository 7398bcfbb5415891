# durable: on
"""Durable functions that ask for keys, for the tests of what is committed for that."""

import asyncio
import gzip
import socket

from durable_import import current_runtime, step_key
from tests.running.effects import effect
from tests.running.tills import ask_late, ask_through, charge, close, deliver, instant, unforeseen, wrapped


async def one(name, asks):
    return await charge(name, step_key() if asks else "")


async def many(count, asks):
    return await asyncio.gather(*(one(n, asks) for n in range(count)))


async def one_at_a_time(count, asks):
    return [await charge(n, step_key() if asks else "") for n in range(count)]


async def mixed(asks):
    order = []

    async def work(name, call):
        order.append(f"{name} begins")
        await call(name, step_key() if asks else "")
        order.append(f"{name} goes on")

    calls = [instant, charge, instant, charge, charge]
    await asyncio.gather(*(work(f"{n}", call) for n, call in enumerate(calls)))
    return order


async def within(kind):
    calls = {"through": ask_through, "late": ask_late, "wrapped": wrapped}
    return [await calls[kind](n) for n in range(3)]


async def named(*parts):
    return await charge("named", step_key(*parts))


async def kinds():
    keys = [step_key(), step_key()]
    keys.append(await charge("a", keys[0]))
    made = [charge(n, step_key()) for n in range(2)]
    keys += [await call for call in made]
    for _ in range(2):
        keys.append(step_key())
    await asyncio.sleep(0)
    keys.append(step_key())
    return keys


async def with_what_cannot_be_saved():
    return [await close(socket.socket(), step_key()) for _ in range(2)]


async def deliver_all():
    await deliver()


async def start_another(name):
    runtime = current_runtime()
    handle = await runtime.start(child, name)
    first = await handle.result()
    return handle.id, first, await runtime.run(child, name)


async def child(name):
    return step_key(), await effect(name, name)


async def in_thread(name):
    return await asyncio.to_thread(unforeseen(name))


async def in_transaction(name):
    async with current_runtime().transaction():
        return await asyncio.to_thread(unforeseen(name))


async def held_in_turn(path, count, asks):
    with gzip.open(path, "wt"):
        for n in range(count):
            await charge(n, step_key() if asks else "")

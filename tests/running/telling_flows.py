# durable: on
"""Durable functions that tell something of themselves, and begin others."""

import asyncio
import socket

from durable_import import current_runtime, on_ask, progress, set_tag, wait_for_event
from tests.running.effects import call_in_library, effect, hold


async def count_to(total):
    for number in range(total):
        set_tag(last=str(number), customer="c1")
        progress(number + 1, total, f"{number + 1} done")
        await effect(f"count {number}")
    return total


async def tell_and_wait():
    set_tag(customer="c1", kind="nap")
    progress(1, text="begun")
    await wait_for_event("go")
    set_tag(kind=None)
    progress(2.5, 5)
    await wait_for_event("end")


async def tell_elsewhere():
    await call_in_library(set_tag, library="yes")
    await asyncio.to_thread(set_tag, thread="yes")
    await wait_for_event("end")


async def tell_wrongly(what, arguments, keywords):
    {"tag": set_tag, "progress": progress}[what](*arguments, **keywords)


async def rest():
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        await effect("rest cancelled")
        raise


async def begin_rest(name):
    await current_runtime().options(instance_id=name).start(rest)
    await asyncio.sleep(3600)


async def begin_others():
    runtime = current_runtime()
    await runtime.start(rest, instance_id="child")
    await runtime.options(instance_id="detached", detached=True, tags={"a": "b"}).start(rest)
    await runtime.options(instance_id="parent").start(begin_rest, "grandchild")
    return await runtime.run(rest, instance_id="awaited")


async def tell_while_held(total):
    held = socket.socket()
    await effect("begun")
    on_ask("number", lambda payload: total + payload)
    set_tag(kind="held")
    progress(1, total)
    await hold("held")
    held.close()
    del held
    await hold("open")

"""Runs the rows natively, or as instances: ``first`` until it kills itself in the middle of all, ``second`` to the end."""

import asyncio
import json
import os
import signal
import sys
import traceback

import durable_import

ROW_SECONDS = 60


def write(what, found):
    with open(what, "w") as file:
        json.dump(found, file, default=repr)


async def result_of(awaitable):
    try:
        return await asyncio.wait_for(awaitable, ROW_SECONDS)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


async def native():
    import rows

    found = {}
    for name, function in rows.ROWS.items():
        os.makedirs(f"native-{name}")
        found[name] = await result_of(function(os.path.abspath(f"native-{name}")))
    write("native", found)


async def count_turns(loop):
    turns, run_once = [0], loop._run_once

    def counting():
        turns[0] += 1
        run_once()

    loop._run_once = counting
    await asyncio.sleep(0.3)
    return turns[0]


async def first():
    durable_import.install()
    import rows
    import steps

    steps.is_to_wait = True
    async with durable_import.DurableRuntime("sqlite:///state.db") as runtime:
        for name, function in rows.ROWS.items():
            os.makedirs(f"durable-{name}")
            handle = await runtime.start(function, os.path.abspath(f"durable-{name}"), instance_id=name)
            for _ in range(5000):
                if 2 in steps.done.get(name, ()) or await handle.status() in ("completed", "failed"):
                    break
                await asyncio.sleep(0.002)
        write("first", {"turns": await count_turns(asyncio.get_running_loop())})
        os.kill(os.getpid(), signal.SIGKILL)


async def second():
    durable_import.install()
    import rows

    async with durable_import.DurableRuntime("sqlite:///state.db") as runtime:
        await runtime.recover()
        found = {name: await result_of(runtime.handle(name).result()) for name in rows.ROWS}
    write("second", found)


try:
    asyncio.run({"native": native, "first": first, "second": second}[sys.argv[1]]())
    status = 0
except BaseException:
    traceback.print_exc()
    status = 1
sys.stdout.flush()
sys.stderr.flush()
os._exit(status)  # threads that a library has left do not matter here

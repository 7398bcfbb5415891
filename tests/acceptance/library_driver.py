"""Runs the rows natively, or as instances: ``first`` until it kills itself in the middle of all, ``second`` to the end."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import durable_import

ROW_SECONDS = 60


def rows() -> dict[str, Callable[[str], Coroutine[Any, Any, object]]]:
    """The functions of the module beside this one."""
    found: dict[str, Any] = importlib.import_module("rows").ROWS
    return found


def write(what: str, found: dict[str, Any]) -> None:
    """For the test."""
    with open(what, "w") as file:
        json.dump(found, file, default=repr)


async def result_of(awaitable: Awaitable[object]) -> object:
    """What it gives, or what it raises."""
    try:
        return await asyncio.wait_for(awaitable, ROW_SECONDS)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


async def native() -> None:
    """All, one after the other."""
    found = {}
    for name, function in rows().items():
        os.makedirs(f"native-{name}")
        found[name] = await result_of(function(os.path.abspath(f"native-{name}")))
    write("native", found)


async def count_turns(loop: Any) -> int:
    """How often the event loop goes round while nothing is to be done."""
    turns, run_once = [0], loop._run_once

    def counting() -> None:
        turns[0] += 1
        run_once()

    loop._run_once = counting
    await asyncio.sleep(0.3)
    return turns[0]


async def first() -> None:
    """Begin all, each until it is in its second step or has ended."""
    durable_import.install()
    functions = rows()
    steps: Any = importlib.import_module("steps")
    steps.is_to_wait = True
    async with durable_import.DurableRuntime("sqlite:///state.db") as runtime:
        for name, function in functions.items():
            os.makedirs(f"durable-{name}")
            handle = await runtime.start(function, os.path.abspath(f"durable-{name}"), instance_id=name)
            for _ in range(5000):
                if 2 in steps.done.get(name, ()) or await handle.status() in ("completed", "failed"):
                    break
                await asyncio.sleep(0.002)
        write("first", {"turns": await count_turns(asyncio.get_running_loop())})
        os.kill(os.getpid(), signal.SIGKILL)


async def second() -> None:
    """Let all go on."""
    durable_import.install()
    functions = rows()
    async with durable_import.DurableRuntime("sqlite:///state.db") as runtime:
        await runtime.recover()
        found = {name: await result_of(runtime.handle(name).result()) for name in functions}
    write("second", found)


def main() -> int:
    """Do what the argument says; the exit status."""
    try:
        asyncio.run({"native": native, "first": first, "second": second}[sys.argv[1]]())
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    ended = main()
    sys.stderr.flush()
    os._exit(ended)  # threads that a library has left do not matter here

"""What a process leaves behind when its program is suspended: libraries have cleaned up, and nothing keeps it alive."""

from __future__ import annotations

import re
import signal
import sys

import pytest

from tests.harness.processes import Desk

LIBRARY = """
    import asyncio, pathlib, threading, time

    def note(text):
        with open("notes", "a") as file:
            print(text, file=file)

    async def call():
        note("called")
        try:
            while not pathlib.Path("go").exists():
                await asyncio.sleep(0.01)
            return "answer"
        finally:
            await asyncio.sleep(0.01)
            note("given back")

    async def call_for_ever():
        note("called")
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                note("goes on")

    def leave_threads():
        threading.Thread(target=time.sleep, args=(3600,)).start()
        asyncio.get_running_loop().run_in_executor(None, time.sleep, 3600)
"""
CALLING = """
    # durable: on
    import asyncio, library

    async def main():
        try:
            print(await library.FUNCTION())
        finally:
            print("finally")

    try:
        asyncio.run(main())
    finally:
        print("the script ends")
"""
REFUSED = """
    # durable: on
    import asyncio, library, socket

    kept = []

    async def numbers():
        try:
            number = 0
            while True:
                number += 1
                yield number
        finally:
            await asyncio.sleep(0)
            print("finally")

    async def beside():
        while True:
            await asyncio.sleep(3600)

    async def main():
        library.leave_threads()
        kept.append(numbers())
        await anext(kept[0])
        asyncio.create_task(library.call())
        asyncio.create_task(beside())
        async for number in numbers():
            await asyncio.sleep(0)
            lost = socket.socket()
            await asyncio.sleep(0)
            lost.close()

    asyncio.run(main())
"""
IN_SCOPE = """
    # durable: on
    import asyncio, anyio, socket

    async def main():
        with anyio.CancelScope() as scope:
            scope.cancel()
            lost = socket.socket()
            await asyncio.sleep(0)
            print(lost)

    asyncio.run(main())
"""


def notes(desk: Desk) -> list[str]:
    path = desk.folder / "notes"
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_signal_lets_libraries_clean_up(desk: Desk, number: signal.Signals) -> None:
    """On Ctrl-C what a library is in the middle of is cancelled and cleans up; the program's own blocks do not run."""
    desk.write("library.py", LIBRARY)
    desk.write("calling.py", CALLING.replace("FUNCTION", "call"))
    running = desk.start("--instance", "c", "calling.py")
    running.wait_until(lambda: notes(desk) == ["called"])
    running.send(number)
    ended = running.end()
    assert (ended.status, ended.out, ended.err) == (128 + number, "", "")
    assert re.search(r"^durable_import: suspended instance c at .*calling\.py:\d+ \(checkpoint 0\); run", ended.said, re.M)
    assert notes(desk) == ["called", "given back"]
    (desk.folder / "go").touch()
    resumed = desk.run("--instance", "c", "calling.py")
    assert (resumed.status, resumed.out, resumed.err) == (0, "answer\nfinally\nthe script ends\n", "")


def test_second_signal_kills(desk: Desk) -> None:
    """A library that does not end is not waited for any longer when a second signal comes."""
    desk.write("library.py", LIBRARY)
    desk.write("calling.py", CALLING.replace("FUNCTION", "call_for_ever"))
    running = desk.start("calling.py")
    running.wait_until(lambda: notes(desk) == ["called"])
    running.send(signal.SIGINT)
    running.wait_until(lambda: notes(desk) == ["called", "goes on"])
    ended = running.send_until_the_end(signal.SIGINT)
    assert (ended.status, ended.out) == (-signal.SIGINT, "")


def test_refused_checkpoint_ends_the_process(desk: Desk) -> None:
    """The error is shown once, and the process ends, whatever threads and generators are left; the library has cleaned up."""
    desk.write("library.py", LIBRARY)
    desk.write("refused.py", REFUSED)
    ended = desk.run("--hold-limit", "0", "refused.py")
    assert (ended.status, ended.out, ended.err) == (70, "", "")
    assert len(re.findall("^durable_import: error: .*`lost`.*socket", ended.said, re.M)) == 1
    assert notes(desk) == ["called", "given back"]


def test_refused_checkpoint_in_a_cancelled_scope(desk: Desk) -> None:
    """So it does in a scope of anyio, which tries to cancel its task again and again."""
    desk.write("scope.py", IN_SCOPE)
    ended = desk.run("--hold-limit", "0", "scope.py")
    assert (ended.status, ended.out, ended.err) == (70, "", "")
    assert "durable_import: error: " in ended.said


POOL = """
    import asyncio

    free = asyncio.Semaphore(1)

    class Acquired:
        async def __aenter__(self):
            await free.acquire()
            return self
        async def __aexit__(self, *details):
            await asyncio.sleep(0)
            free.release()

    class Late(Acquired):
        entering = False

        async def __aenter__(self):
            Late.entering = True
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                return await super().__aenter__()
"""
IN_GENERATOR = """
    # durable: on
    import contextlib, os, sys
    sys.path.insert(0, os.path.abspath("site-packages"))
    import pool
    from durable_import import wait_for_event

    async def numbers():
        async with pool.Acquired():
            yield 1
            yield 2

    @contextlib.asynccontextmanager
    async def acquired():
        async with pool.Acquired():
            yield

    async def generator():
        async for number in numbers():
            await wait_for_event("go")
        return number

    async def manager():
        async with acquired():
            return await wait_for_event("go")

    async def late():
        async with pool.Late():
            return await wait_for_event("go")
"""
POOL_APP = """
    import asyncio, sys
    import durable_import
    durable_import.install()
    import waits, pool

    async def main():
        for _ in range(2):
            async with durable_import.DurableRuntime("sqlite:///app.db") as runtime:
                handle = await runtime.start(getattr(waits, sys.argv[1]), instance_id="it")
                while not pool.free.locked():
                    await asyncio.sleep(0.01)
            print(pool.free.locked(), flush=True)
        async with durable_import.DurableRuntime("sqlite:///app.db") as runtime:
            for number in (1, 2):
                await runtime.publish_event("it", "go", number)
            print(await runtime.run(getattr(waits, sys.argv[1]), instance_id="it"), pool.free.locked())

    asyncio.run(main())
"""


@pytest.mark.parametrize(("function", "result"), [("generator", "2"), ("manager", "1")])
def test_blocks_in_generators_are_left(desk: Desk, function: str, result: str) -> None:
    """A pool of one has its connection back where the block that has it stands in a generator that nobody advances."""
    desk.write("site-packages/pool.py", POOL)
    desk.write("waits.py", IN_GENERATOR)
    desk.write("app.py", POOL_APP)
    ended = desk.start_command([sys.executable, "app.py", function]).end()
    assert (ended.status, ended.out) == (0, f"False\nFalse\n{result} False\n"), ended


LATE_APP = """
    import asyncio
    import durable_import
    durable_import.install()
    import waits, pool

    async def main():
        async with durable_import.DurableRuntime("sqlite:///app.db") as runtime:
            await runtime.start(waits.late, instance_id="it")
            while not pool.Late.entering:
                await asyncio.sleep(0.01)
        print(pool.free.locked())

    asyncio.run(main())
"""


def test_block_that_is_entered_as_it_is_cancelled_is_left(desk: Desk) -> None:
    """A manager that is entered all the same, when its step is cancelled because the instance is suspended, is left too."""
    desk.write("site-packages/pool.py", POOL)
    desk.write("waits.py", IN_GENERATOR)
    desk.write("app.py", LATE_APP)
    ended = desk.start_command([sys.executable, "app.py"]).end()
    assert (ended.status, ended.out) == (0, "False\n"), ended

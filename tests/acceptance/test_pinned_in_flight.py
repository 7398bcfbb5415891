"""What pinned code had in flight when it was killed is made again with the functions of then, however it is waited for."""

from __future__ import annotations

from tests.harness.processes import KILLED, Desk

LIB = """
    import asyncio
    import os
    import signal
    import time

    def block():
        while "DIES" in os.environ:
            time.sleep(0.02)

    async def wait():
        while "DIES" in os.environ:
            await asyncio.sleep(0.02)

    async def call(function, *arguments):
        await wait()
        return function(*arguments)

    async def die(number):
        if os.environ.get("DIES") == number:
            os.kill(os.getpid(), signal.SIGKILL)
"""
SCRIPT = """
    # durable: on
    import asyncio
    import functools
    import anyio
    import lib

    def name(n):
        return f"VERSION{n}"

    def helper(n):
        lib.block()
        return name(n)

    async def waits(n):
        await lib.wait()
        return name(n)

    class Shop:
        def price(self, n):
            return helper(n)

    def wrapped(function):
        async def wrapper(*arguments):
            return await function(*arguments)
        return wrapper

    @wrapped
    async def decorated(n):
        await lib.wait()
        return name(n)

    async def thread():
        return "VERSION", await asyncio.to_thread(helper, 1)

    async def thread_by_name():
        return "VERSION", await asyncio.to_thread(helper, n=1)

    async def thread_of_a_method():
        shop = Shop()
        return "VERSION", await asyncio.to_thread(shop.price, 1)

    async def thread_of_a_lambda():
        return "VERSION", await asyncio.to_thread(lambda: helper(1))

    async def executor():
        return "VERSION", await asyncio.get_running_loop().run_in_executor(None, functools.partial(helper, 1))

    async def executor_begun_before():
        future = asyncio.get_running_loop().run_in_executor(None, helper, 1)
        await lib.wait()
        return "VERSION", await future

    async def limited():
        return "VERSION", await asyncio.wait_for(waits(1), 600)

    async def limited_thread():
        return "VERSION", await asyncio.wait_for(asyncio.to_thread(helper, 1), 600)

    async def task():
        begun = asyncio.create_task(waits(1))
        return "VERSION", await begun

    async def task_of_a_thread():
        begun = {"one": asyncio.create_task(asyncio.to_thread(helper, 1))}
        await lib.wait()
        return "VERSION", await begun["one"]

    async def gathered():
        return "VERSION", await asyncio.gather(asyncio.to_thread(helper, 1), waits(2))

    async def waited_for():
        done, _ = await asyncio.wait([asyncio.create_task(waits(1))])
        return "VERSION", done.pop().result()

    async def one_after_the_other():
        return "VERSION", [await each for each in asyncio.as_completed([waits(1)])]

    async def shielded():
        return "VERSION", await asyncio.shield(asyncio.to_thread(helper, 1))

    async def group():
        async with asyncio.TaskGroup() as group:
            one = group.create_task(asyncio.to_thread(helper, 1))
            other = group.create_task(waits(2))
            await lib.wait()
        return "VERSION", one.result(), other.result()

    async def captured():
        begun = asyncio.create_task(waits(1))
        async def inner():
            return await begun
        await lib.wait()
        return "VERSION", await inner()

    async def not_awaited_yet():
        coroutine = asyncio.to_thread(helper, 1)
        await lib.wait()
        return "VERSION", await coroutine

    async def behind_a_decorator():
        return "VERSION", await decorated(1)

    async def worker_thread():
        return "VERSION", await anyio.to_thread.run_sync(helper, 1)

    async def foreign():
        return "VERSION", await lib.call(helper, 1)

    async def die():
        for number in ("1", "2"):
            for _ in range(8):
                await asyncio.sleep(0)
            await lib.die(number)

    WAYS = [
        thread, thread_by_name, thread_of_a_method, thread_of_a_lambda, executor, executor_begun_before, limited, limited_thread,
        task, task_of_a_thread, gathered, waited_for, one_after_the_other, shielded, group, captured, not_awaited_yet,
        behind_a_decorator, worker_thread, foreign,
    ]

    async def main():
        dying = asyncio.create_task(die())
        for way, found in zip(WAYS, await asyncio.gather(*[way() for way in WAYS])):
            print(way.__name__, found)
        await dying

    asyncio.run(main())
"""


def test_calls_in_flight_are_of_then(desk: Desk) -> None:
    """A helper that was passed to a thread, a task or a library is the one of then, also after a second kill and another text."""
    desk.write("lib.py", LIB)
    for version, dies in (("old", "1"), ("new", "2")):
        desk.write("script.py", SCRIPT.replace("VERSION", version))
        assert desk.run("--old-code", "script.py", variables={"DIES": dies}).status == KILLED
    desk.write("script.py", SCRIPT.replace("VERSION", "newest"))
    ended = desk.run("--old-code", "script.py")
    assert ended.status == 0, ended
    lines = ended.out.splitlines()
    assert len(lines) == SCRIPT.partition("WAYS = ")[2].partition("]")[0].count(","), ended
    assert [line for line in lines if "new" in line] == []


UNCHANGED = """
    # durable: on
    import asyncio
    import lib

    def name(n):
        return f"VERSION{n}"

    async def worker():
        await lib.wait()
        return name(1)

    async def work():
        await lib.wait()
        return "VERSION"

    async def die():
        await asyncio.sleep(0)
        await lib.die("1")

    async def main():
        dying = asyncio.create_task(die())
        begun = asyncio.create_task(worker())
        print(await work(), await begun)
        await dying

    asyncio.run(main())
"""


def test_tasks_of_code_that_has_not_changed_are_not_pinned(desk: Desk) -> None:
    """A task of a function that has not changed calls the code of today, though what that function awaits is pinned."""
    desk.write("lib.py", LIB)
    desk.write("script.py", UNCHANGED.replace("VERSION", "old"))
    assert desk.run("script.py", variables={"DIES": "1"}).status == KILLED
    desk.write("script.py", UNCHANGED.replace("VERSION", "new"))
    ended = desk.run("--old-code", "script.py")
    assert (ended.status, ended.out) == (0, "old new1\n"), ended

"""Timeouts around steps that are made again after an outage, and all other time, which passes during it."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from tests.harness.processes import KILLED, Desk

OUTAGE = 100.0  # seconds, of the clock of the second process

BEYOND = """
    import asyncio
    import os
    import signal
    import time

    def begin(name):
        with open("begun", "a") as file:
            file.write(f"{name}\\n")
        if os.environ.get("KILL") == name:
            time.sleep(0.05)
            os.kill(os.getpid(), signal.SIGKILL)

    async def request(name):
        begin_later = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.2, begin_later.set_result, None)  # the program rests, and is saved, meanwhile
        await begin_later
        begin(name)
        return name

    def work(name):
        time.sleep(0.2)
        begin(name)
        return name
"""

PROGRAM = """
    # durable: on
    import asyncio

    import beyond

    async def child(name):
        return await beyond.request(name)

    def left(timeout):
        return round(timeout.when() - asyncio.get_running_loop().time(), -1)

    async def hang(seconds):
        async with asyncio.timeout(seconds):
            await asyncio.sleep(3600)

    async def main():
        try:
            BODY
        except BaseException as error:
            print(repr(error))

    asyncio.run(main())
"""

MOVED = {
    "timeout": (
        """
        async with asyncio.timeout(90) as outer, asyncio.timeout_at(asyncio.get_running_loop().time() + 30) as inner:
            print(await beyond.request("it"), left(outer), left(inner))
        """,
        "it 90.0 30.0",
    ),
    "wait_for": ("""print(await asyncio.wait_for(beyond.request("it"), 30))""", "it"),
    "wait_for_a_coroutine": ("""print(await asyncio.wait_for(child("it"), 30))""", "it"),
    "wait_for_in_timeout": (
        """
        async with asyncio.timeout(60) as outer:
            print(await asyncio.wait_for(child("it"), 30), left(outer))
        """,
        "it 60.0",
    ),
    "gather": (
        """
        async with asyncio.timeout(30) as timeout:
            print(await asyncio.gather(child("it"), child("other"), asyncio.sleep(1)), left(timeout))
        """,
        "['it', 'other', None] 30.0",
    ),
    "task_group": (
        """
        async with asyncio.timeout(30) as timeout:
            async with asyncio.TaskGroup() as group:
                task = group.create_task(child("it"))
                group.create_task(asyncio.sleep(1))
            print(task.result(), left(timeout))
        """,
        "it 30.0",
    ),
    "wait": (
        """
        tasks = [asyncio.create_task(child("it")), asyncio.create_task(asyncio.sleep(3600))]
        done, pending = await asyncio.wait(tasks, timeout=30, return_when=asyncio.FIRST_COMPLETED)
        print(len(done), len(pending))
        """,
        "1 1",
    ),
    "as_completed": (
        """
        for next_one in asyncio.as_completed([child("it")], timeout=30):
            print(await next_one)
        """,
        "it",
    ),
    "shield": (
        """
        async with asyncio.timeout(30) as timeout:
            print(await asyncio.shield(child("it")), left(timeout))
        """,
        "it 30.0",
    ),
    "thread": (
        """
        async with asyncio.timeout(30) as timeout:
            print(await asyncio.to_thread(beyond.work, "it"), left(timeout))
        """,
        "it 30.0",
    ),
    "timer_that_cancels": (
        """
        asyncio.get_running_loop().call_later(30, asyncio.current_task().cancel)
        print(await child("it"))
        """,
        "it",
    ),
    "later_step": (
        """
        async with asyncio.timeout(30) as timeout:
            await child("first")
            print(await child("it"), left(timeout))
        """,
        "it 30.0",
    ),
    "many_tasks": (
        """
        async with asyncio.timeout(30) as timeout:
            async with asyncio.TaskGroup() as group:
                for number in range(50):
                    group.create_task(asyncio.wait_for(child(number), 20))
                group.create_task(asyncio.wait_for(child("it"), 20))
            print(left(timeout))
        """,
        "30.0",
    ),
}

NOT_MOVED = {
    "timeout_of_another_task": (
        """
        other = asyncio.create_task(hang(30))
        print(await child("it"))
        await other
        """,
        "it\nTimeoutError()",
    ),
    "sleep": (
        """
        begun = asyncio.get_running_loop().time()
        sleeping = asyncio.create_task(asyncio.sleep(60))
        print(await child("it"), sleeping.done())
        await sleeping
        print(round(asyncio.get_running_loop().time() - begun, -1))
        """,
        "it True\n100.0",
    ),
    "timer": (
        """
        asyncio.get_running_loop().call_later(30, print, "fired")
        print(await child("it"))
        """,
        "fired\nit",
    ),
}


def killed_and_resumed(desk: Desk, body: str, head: str = "import asyncio") -> str:
    """What a program prints that is killed in the middle of a step, after the outage that follows."""
    desk.write("beyond.py", BEYOND)
    path = desk.write("program.py", PROGRAM)
    text = path.read_text().replace("BODY\n", indent(dedent(body), " " * 8).strip() + "\n")
    path.write_text(text.replace("import asyncio", head, 1))
    assert desk.run("program.py", variables={"KILL": "it"}).status == KILLED
    done = desk.run("program.py", later=OUTAGE)
    assert (done.status, done.err) == (0, "")
    return done.out.strip()


QUICK = ("timeout", "gather", "many_tasks")  # the others have the same way, by other functions


@pytest.mark.parametrize("case", [case if case in QUICK else pytest.param(case, marks=pytest.mark.slow) for case in MOVED])
def test_moved(desk: Desk, case: str) -> None:
    """A deadline around a step that is made again leaves it all the time that it had when it began."""
    body, expected = MOVED[case]
    assert killed_and_resumed(desk, body) == expected


@pytest.mark.parametrize("case", NOT_MOVED)
def test_not_moved(desk: Desk, case: str) -> None:
    """All that is not around such a step goes by the clock on the wall."""
    body, expected = NOT_MOVED[case]
    assert killed_and_resumed(desk, body) == expected


@pytest.mark.slow
def test_scopes_of_anyio(desk: Desk) -> None:
    """anyio's deadlines, where it is rewritten, are moved like those of asyncio, around its tasks too."""
    body = """
        with anyio.fail_after(30) as scope:
            print(await child("first"), round(scope.deadline - anyio.current_time(), -1))
        with anyio.move_on_after(60) as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(child, "it")
                group.start_soon(anyio.sleep, 0.5)
            print(round(scope.deadline - anyio.current_time(), -1))
        print(scope.cancelled_caught)
    """
    head = 'import durable_import\ndurable_import.install(modules=["anyio", "anyio.*"])\nimport anyio\nimport asyncio'
    assert killed_and_resumed(desk, body, head) == "60.0\nFalse"


@pytest.mark.slow
def test_several_outages(desk: Desk) -> None:
    """The step has all its time each time that it is made again, and what it really took counts within one life."""
    body = """
        async with asyncio.timeout(30) as timeout:
            print(await child("it"), left(timeout))
    """
    desk.write("beyond.py", BEYOND)
    path = desk.write("program.py", PROGRAM)
    path.write_text(path.read_text().replace("BODY\n", indent(dedent(body), " " * 8).strip() + "\n"))
    for number in range(3):
        assert desk.run("program.py", variables={"KILL": "it"}, later=number * OUTAGE).status == KILLED
    done = desk.run("program.py", later=3 * OUTAGE)
    assert (done.status, done.out) == (0, "it 30.0\n")

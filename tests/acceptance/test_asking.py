"""Questions to an instance whose process is killed again and again, and questions of one that is killed."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from durable_import import connect
from tests.harness.processes import KILLED, Desk

RUNNER = """
    import asyncio
    import os
    import signal
    import sys

    import durable_import

    durable_import.install()

    import flow
    from durable_import import DurableRuntime

    calls = 0

    def killing(kind, name):
        method = getattr(kind, name)

        async def then_killed(*arguments, **keywords):
            global calls
            calls += 1
            is_last, number = calls >= int(sys.argv[2]), int(sys.argv[2])
            if is_last and number % 2:
                os.kill(os.getpid(), signal.SIGKILL)
            result = await method(*arguments, **keywords)
            if is_last:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(kind, name, then_killed)

    async def main():
        async with DurableRuntime(sys.argv[1], lease_seconds=0.5, key=bytes(32), poll_interval=0.05) as runtime:
            for name in sys.argv[4:]:
                killing(type(runtime.instances), name)
            shop = await runtime.start(flow.count, instance_id="counter")
            await runtime.recover()
            await runtime.start(flow.ask_all, instance_id="asker") if sys.argv[3] == "asker" else None
            print(await (runtime.handle("asker") if sys.argv[3] == "asker" else shop).result())

    asyncio.run(main())
"""

FLOW = """
    # durable: on
    import asyncio

    from durable_import import current_runtime, on_ask, questions

    async def count():
        number = 0
        on_ask("read", lambda payload: (number, payload))
        async for request in questions("next"):
            if request.payload == "end":
                request.answer()
                return number
            number += 1
            await asyncio.sleep(0)
            request.answer(number)

    async def ask_all():
        handle = current_runtime().handle("counter")
        answers = [await handle.ask("next") for _ in range(25)]
        await handle.ask("next", "end")
        return answers
"""


def lives(desk: Desk, url: str, mode: str, *methods: str) -> tuple[int, str]:
    """Run the program until it ends; gives how often it was killed, and what it printed at the end."""
    for life in range(60):
        ended = desk.start_command([sys.executable, "runner.py", url, str(3 + life), mode, *methods]).end()
        if ended.status != KILLED:
            break
    assert ended.status == 0, ended
    return life, ended.out


@pytest.fixture
def programs(desk: Desk) -> Path:
    """The folder with the programs."""
    desk.write("runner.py", RUNNER)
    desk.write("flow.py", FLOW)
    return desk.folder


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["sqlite:///", "disk://"])
def test_each_question_is_answered_once(desk: Desk, programs: Path, scheme: str) -> None:
    """The process that answers is killed before and after it keeps answers, and forgets questions: none is counted twice."""
    url, answers, reads = f"{scheme}{programs}/state", list[object](), list[object]()

    def ask() -> None:
        with connect(url, key=bytes(32)) as client:
            handle = client.handle("counter")
            for number in range(25):
                answers.append(handle.ask("next", number, timeout=120))
                reads.append(handle.ask("read", number, timeout=120))
            handle.ask("next", "end", timeout=120)

    first = desk.start_command([sys.executable, "runner.py", url, "1000", "counter"])
    first.wait_until(lambda: is_there(url))
    asking = threading.Thread(target=ask)
    asking.start()
    first.stop()
    kills, out = lives(desk, url, "counter", "publish", "remove_events")
    asking.join(120)
    assert (kills > 3, out) == (True, "25\n")
    assert answers == [*range(1, 26)]
    assert reads == [(number + 1, number) for number in range(25)]


def is_there(url: str) -> bool:
    """Whether the instance waits for questions."""
    try:
        with connect(url, key=bytes(32)) as client:
            return client.handle("counter").info().status == "waiting"
    except Exception:  # there is no store yet, or nothing in it
        return False


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["sqlite:///", "disk://"])
def test_who_asks_and_is_killed_asks_once(desk: Desk, programs: Path, scheme: str) -> None:
    """Both instances live in one process, which is killed as questions and answers are sent and read."""
    kills, out = lives(desk, f"{scheme}{programs}/state", "asker", "publish", "load_events")
    assert (kills > 3, out) == (True, f"{[*range(1, 26)]}\n")

"""Ways in which other code makes, wraps or runs coroutines: they work, or are told with the program's line; nothing hangs."""

from __future__ import annotations

import re
import signal

import pytest

from tests.harness.processes import Desk

HEAD = """
import asyncio, wrapt
from unittest.mock import AsyncMock, MagicMock

@wrapt.decorator
async def traced(wrapped, instance, arguments, keywords):
    return await wrapped(*arguments, **keywords)

async def inner(number, seconds=0.01):
    await asyncio.sleep(seconds)
    return number

class Client:
    async def ask(self):
        await asyncio.sleep(0.01)
        return "asked"

    @traced
    async def ask_traced(self):
        return await self.ask()

@traced
async def traced_inner(number):
    return await inner(number)
"""
# The body of ``main``, and what is said of it.
WORKING = {
    "nest_asyncio: a coroutine in a turn": """
        import nest_asyncio
        nest_asyncio.apply()
        print(asyncio.get_event_loop().run_until_complete(inner(1)), await asyncio.gather(inner(2), inner(3)))
    """,
    "nest_asyncio: a task that has ended": """
        import nest_asyncio
        nest_asyncio.apply()
        task = asyncio.create_task(inner(1))
        await task
        print(asyncio.get_event_loop().run_until_complete(task), asyncio.run(inner(2)))
    """,
    "exec: used at once": """
        async def run(text):
            exec(text, names := {"asyncio": asyncio})
            made = names.pop("made")()
            del names
            return await made
        print(await run("async def made():\\n    return 5"))
    """,
    "exec: data": """
        exec("x = 1", names := {})
        await asyncio.to_thread(int)
        print(names["x"], eval("x + len((2, 3))", names))
    """,
    "run_coroutine_threadsafe: in a thread": """
        loop = asyncio.get_running_loop()
        async def answer():
            return 1
        print(await asyncio.to_thread(lambda: asyncio.run_coroutine_threadsafe(answer(), loop).result()))
    """,
    "wrapt: a decorator": """
        print(await traced_inner(1), await Client().ask_traced())
    """,
    "AsyncMock: a result that can be saved": """
        async def ask():
            return await AsyncMock(return_value=3)(1)
        print(await ask(), await ask())
    """,
}
REFUSED = {
    "nest_asyncio: a task that has not ended": (
        """
        import nest_asyncio
        nest_asyncio.apply()
        asyncio.get_event_loop().run_until_complete(asyncio.create_task(inner(1)))  # here
        """,
        "belongs to a durable instance, and cannot be run to its end",
    ),
}
HELD = {
    "exec: a task of it": (
        """
        exec("import asyncio\\nasync def made():\\n    await asyncio.sleep(0)\\n    await asyncio.sleep(0.5)", names := {})
        task = asyncio.create_task(names.pop("made")())
        del names
        await asyncio.sleep(0.3)  # here
        await task
        """,
        "function 'made' .* is not durable code",
    ),
    "exec: its names": (
        """
        exec("async def made(): pass", names := {})
        await asyncio.to_thread(int)  # here
        del names
        """,
        r"variable `names\['made'\]`",
    ),
    "run_coroutine_threadsafe: awaited in a thread": (
        """
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(lambda: asyncio.run_coroutine_threadsafe(inner(1, 0.5), loop).result())
        """,
        r"`\(what is called when task .* ends\)` .* it holds a concurrent\.futures",
    ),
    "run_coroutine_threadsafe: wrapped": (
        """
        pending = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(inner(1, 0.1), asyncio.get_running_loop()))
        await pending
        """,
        r"`what is awaited` .* it holds a concurrent\.futures",
    ),
    "wrapt: a proxy": (
        """
        client = wrapt.ObjectProxy(Client())
        await client.ask()  # here
        del client
        """,
        "variable `client` .*ObjectProxy",
    ),
    "AsyncMock: kept": (
        """
        ask = AsyncMock()
        await asyncio.to_thread(int)  # here
        del ask
        """,
        "variable `ask` .*a mock, whose class is its own",
    ),
    "AsyncMock: its default result": (
        """
        answer = await AsyncMock()(1)  # here
        del answer
        """,
        "result of the await.*a mock, whose class is its own",
    ),
    "MagicMock: kept": (
        """
        kept = [MagicMock()]
        await asyncio.to_thread(int)  # here
        del kept
        """,
        r"variable `kept\[0\]` .*a mock, whose class is its own",
    ),
}


def program(body: str) -> str:
    lines = body.strip("\n").splitlines()
    margin = len(lines[0]) - len(lines[0].lstrip())
    inner = "\n".join("    " + line[margin:] for line in lines)
    return f"# durable: on\n{HEAD}\nasync def main():\n{inner}\n\nasyncio.run(main())\n"


@pytest.mark.parametrize("way", WORKING)
def test_way_that_works(desk: Desk, way: str) -> None:
    """The program prints what it prints natively."""
    (desk.folder / "ways.py").write_text(program(WORKING[way]))
    native, durable = desk.native("ways.py"), desk.run("ways.py")
    assert native.status == 0, native
    assert (durable.status, durable.out, durable.err) == (0, native.out, "")


@pytest.mark.parametrize("way", REFUSED | HELD)
def test_way_that_is_told(desk: Desk, way: str) -> None:
    """It is said what cannot be kept, and in which line: while it is there nothing is saved, or the process ends."""
    body, reason = (REFUSED | HELD)[way]
    text = program(body)
    (desk.folder / "ways.py").write_text(text)
    ended = desk.run("ways.py")
    assert (ended.status, ended.out, ended.err) == (70 if way in REFUSED else 0, "", "")
    word = "error: " if way in REFUSED else "instance .* is held since checkpoint "
    assert re.search(rf"^durable_import: {word}.*{reason}", ended.said, re.M), ended.said
    lines = [str(number) for number, line in enumerate(text.splitlines(), 1) if "# here" in line] or [r"\d+"]
    assert re.search(rf"ways\.py:({'|'.join(lines)})\b", ended.said), ended.said


NESTED = """\
# durable: on
import asyncio, os, signal
import nest_asyncio
{at_import}
async def inner(number):
    await asyncio.sleep(0.01)
    return number

async def main():
    {at_run}
    future = asyncio.get_running_loop().create_future()
    mine = asyncio.Future()
    await asyncio.sleep(0)
    if not os.path.exists("killed"):
        open("killed", "x").close()
        os.kill(os.getpid(), signal.SIGKILL)
    future.set_result(2)
    mine.set_result(3)
    print(asyncio.get_event_loop().run_until_complete(inner(1)), await asyncio.gather(future, mine, inner(4)))

asyncio.run(main())
"""


@pytest.mark.parametrize(("at_import", "at_run"), [("nest_asyncio.apply()", ""), ("", "nest_asyncio.apply()")])
def test_nested_loops_after_a_kill(desk: Desk, at_import: str, at_run: str) -> None:
    """Futures are restored whichever class they had, and a loop still runs within the one that is running."""
    (desk.folder / "nested.py").write_text(NESTED.format(at_import=at_import, at_run=at_run or "pass"))
    assert desk.run("nested.py").status == -signal.SIGKILL
    resumed = desk.run("nested.py")
    assert (resumed.status, resumed.out, resumed.err) == (0, "1 [2, 3, 4]\n", ""), resumed

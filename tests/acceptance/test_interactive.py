"""At a prompt: instances of imported modules work; what is typed in is told to be in no file."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from tests.harness.crash import environment
from tests.harness.processes import PATIENCE, Desk

SHOP = """
    # durable: on
    import asyncio
    from durable_import import wait_for_event

    async def total(n):
        found = 0
        for i in range(n):
            await asyncio.sleep(0)
            found += i
        return found

    async def asks(thing):
        return thing, await wait_for_event("answer")
"""
BEGIN = """
import durable_import; durable_import.install()
from durable_import import *
import asyncio, shop
"""
AWAITED = f"""{BEGIN}
print("plain", await shop.total(3))
runtime = await DurableRuntime("sqlite:///prompt.db").__aenter__(); runtime.activate()
print("ambient", await shop.total(4))
print("named", await runtime.run(shop.total, 5, instance_id="five"))
handle = await runtime.start(shop.asks, "why?", instance_id="asks")
await runtime.publish_event("asks", "answer", 42)
print("asked", await handle.result())
both = asyncio.gather(shop.total(2), shop.total(3))
print("both", await both)
asyncio.run(None)
"""
TYPED = f"""{BEGIN}
# durable: on
async def mine(n): return await shop.total(n)

async def begin(function):
    async with DurableRuntime("sqlite:///prompt.db") as runtime: return await runtime.run(function, 4)

print("typed", asyncio.run(mine(3)))
print("imported", asyncio.run(begin(shop.total)))
asyncio.run(begin(mine))
make_durable(mine)
"""
IN_NO_FILE = r"mine.*\(<[\w-]+>(-\d+)?:1\).*It was typed in, at a prompt or in a notebook.*\. Put it into a module that begins"
NO_SOURCE = r"mine \(<[\w-]+>(-\d+)?:1\) cannot be made durable: it was typed in, at a prompt or in a notebook"


def converse(desk: Desk, lines: str, *options: str) -> tuple[str, str]:
    """What a Python prints that reads ``lines`` from a pipe, on stdout and stderr."""
    desk.write("shop.py", SHOP)
    command = [sys.executable, "-q", *options]
    ended = subprocess.run(
        command, cwd=desk.folder, env=environment(), input=lines, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    return ended.stdout, ended.stderr


def test_prompt_that_awaits(desk: Desk) -> None:
    """``python -m asyncio``: functions of a marked module are awaited there, plain, ambient, named."""
    out, err = converse(desk, AWAITED, "-m", "asyncio")
    for line in ("plain 3", "ambient 6", "named 10", "asked ('why?', 42)", "both [1, 3]"):
        assert line in out + err
    assert "asyncio.run() cannot be called from a running event loop" in err
    assert "durable_import.errors" not in err


def test_prompt(desk: Desk) -> None:
    """``python -i``: instances of a marked module's functions run; what is typed in is refused in a sentence, located."""
    out, err = converse(desk, TYPED, "-i")
    assert "typed 3" in out
    assert "imported 6" in out
    assert re.search(rf"NotDurableError: {IN_NO_FILE}", err), err
    assert re.search(rf"NoSourceCodeException: {NO_SOURCE}", err), err


@contextmanager
def terminal(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A Python at a terminal: since 3.13 it edits lines by itself."""
    ours, theirs = pty.openpty()
    variables = environment(TERM="xterm", PYTHONSTARTUP="", PYTHON_HISTORY=str(folder / "history"), COLUMNS="200")
    process = subprocess.Popen(
        [sys.executable, "-q"], cwd=folder, env=variables, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait(PATIENCE)
        os.close(ours)


def say(terminal: int, line: str, until: str) -> str:
    """Type a line; gives what is shown until some text is."""
    os.write(terminal, f"{line}\n".encode())
    shown, deadline = b"", time.monotonic() + PATIENCE
    while until.encode() not in shown:
        assert time.monotonic() < deadline, f"{until!r} was not shown in {shown!r}"
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 65536)
    return shown.decode(errors="replace")


def test_prompt_at_a_terminal(desk: Desk) -> None:
    """The same where the prompt is one for people."""
    desk.write("shop.py", SHOP)
    desk.write(
        "begin.py",
        dedent(BEGIN)
        + dedent("""
        async def begin(function):
            async with DurableRuntime("sqlite:///prompt.db") as runtime:
                return await runtime.run(function, 4)
    """),
    )
    with terminal(desk.folder) as (_, screen):
        say(screen, "from begin import *; print('be' + 'gun')", "begun")
        say(screen, "print('total', asyncio.run(begin(shop.total)))", "total 6")
        say(screen, "async def mine(n): return await shop.total(n)\n\nprint('def' + 'ined')", "defined")
        shown = say(screen, "asyncio.run(begin(mine))", "durable_import.install()")
    assert re.search(r"mine.*\(<[\w-]+>(-\d+)?:1\), which is not durable code", shown), shown


@pytest.mark.parametrize("call", ["shop.total(3)", "runtime.run(shop.total, 3)"])
def test_asyncio_run_inside_a_running_loop(desk: Desk, call: str) -> None:
    """It is the mistake that it natively is, in the same words and no others."""
    desk.write("shop.py", SHOP)
    desk.write(
        "app.py",
        f"{BEGIN}\n"
        + dedent(f"""
        async def main():
            async with DurableRuntime("memory:") as runtime:
                coroutine = {call}
                try:
                    asyncio.run(coroutine)
                except RuntimeError as error:
                    print(error)
                print(await coroutine)

        asyncio.run(main())
    """),
    )
    ended = desk.native("app.py")
    assert (ended.out, ended.err) == ("asyncio.run() cannot be called from a running event loop\n3\n", "")

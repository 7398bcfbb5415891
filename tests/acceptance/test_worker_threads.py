"""anyio's calls in threads, in programs that import anyio: each is a step, and nothing holds behind it."""

from __future__ import annotations

import pytest

from tests.harness.killing import killed_at
from tests.harness.processes import Desk

HEAD = """
    # durable: on
    import asyncio
    import contextvars
    import time

    import anyio
    from anyio import from_thread, to_thread
    from world import effect

    word = contextvars.ContextVar("word", default="none")

    def slowly(number):
        time.sleep(0.02)
        return number * 2
"""

PROGRAMS = {
    "one after the other, and side by side": """
        async def main():
            got = []
            for number in range(2):
                got.append(await to_thread.run_sync(slowly, number))
                await effect(f"got {number}")
            async def one(number):
                got.append(await to_thread.run_sync(slowly, number))
            async with anyio.create_task_group() as group:
                for number in range(10, 20):
                    group.start_soon(one, number)
            await effect("all")
            return sorted(got)
    """,
    "files and paths": """
        async def main():
            path = anyio.Path("note.txt")
            await path.write_text("hello")
            await effect("written")
            text = await path.read_text()
            await effect("read")
            return text, await path.exists()
    """,
    "what a thread asks of the program": """
        async def double(number):
            await anyio.sleep(0.01)
            return number * 2

        def in_thread(number):
            return from_thread.run(double, number), from_thread.run_sync(abs, -number), word.get()

        async def main():
            word.set("mine")
            first = await to_thread.run_sync(in_thread, 2)
            await effect("first")
            second = await to_thread.run_sync(in_thread, 3)
            await effect("second")
            return first, second
    """,
    "limiters": """
        async def main():
            limiter, most = anyio.CapacityLimiter(2), [0]

            async def one(number):
                await to_thread.run_sync(slowly, number, limiter=limiter)
                most[0] = max(most[0], limiter.borrowed_tokens)

            async with anyio.create_task_group() as group:
                for number in range(6):
                    group.start_soon(one, number)
            await effect("limited")
            return limiter.borrowed_tokens, most[0] <= 2, to_thread.current_default_thread_limiter().total_tokens
    """,
    "scopes that end a call, and one that it is shielded from": """
        def wait_for_cancellation():
            while True:
                time.sleep(0.01)
                from_thread.check_cancelled()

        async def main():
            with anyio.move_on_after(0.05) as given_up:
                await to_thread.run_sync(time.sleep, 0.2, abandon_on_cancel=True)
            await effect("given up")
            with anyio.move_on_after(0.01) as shielded:
                kept = await to_thread.run_sync(slowly, 4)
            await effect("shielded")
            with anyio.move_on_after(0.05) as told:
                await to_thread.run_sync(wait_for_cancellation)
            await effect("told")
            return given_up.cancelled_caught, kept, told.cancelled_caught
    """,
    "errors": """
        def fail(error):
            raise error

        async def main():
            found = []
            for error in (ValueError("one"), StopIteration("two"), KeyError("three")):
                try:
                    await to_thread.run_sync(fail, error)
                except Exception as caught:
                    await effect(f"caught {type(caught).__name__}")
                    found.append(repr(caught))
            return found
    """,
}

RUNS = {"asyncio": "asyncio.run(main())", "anyio": "anyio.run(main)"}


@pytest.mark.slow
@pytest.mark.parametrize("body", PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_calls_in_threads(desk: Desk, body: str, run: str) -> None:
    """They give what they give natively, and all that was done before is saved."""
    lines = [line.removeprefix("    ") for line in body.splitlines()]
    text = HEAD + "\n".join(lines) + f"\n    print({run})\n"
    for done in killed_at(desk, {"threads.py": text}, 1, (1, 1)):
        assert "from_thread.run(" in body or "is held" not in done.said, done  # who asks waits in a thread of this process

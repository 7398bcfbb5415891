"""Functions inside of others that have changed: `check` says of them what `run` does."""

from __future__ import annotations

import sys

import pytest

from tests.harness.processes import KILLED, Desk

INSIDE = """
    # durable: on
    import asyncio
    from world import effect

    async def main():
        def helper(n):
            return n

        async def step(n):
            await effect("saved")
            await effect("killed")
            return helper(n)

        print(await step(3))

    asyncio.run(main())
"""
RETURNED = """
    # durable: on
    import asyncio
    from world import effect

    def made(more):
        async def step(n):
            await effect("saved")
            await effect("killed")
            return n + more
        return step

    async def main():
        print(await made(1)(2))

    asyncio.run(main())
"""
TWICE = RETURNED.replace("    def made(more):", "    def made(more):\n        async def step(n):\n            return 0")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "edit", "verdict", "out"),
    [
        (INSIDE, ("return helper(n)", "return helper(n) + 10"), "moves", "13"),
        (INSIDE, ("return n\n", "return n * 7\n"), "moves", "21"),
        (RETURNED, ("n + more", "n + more + 100"), "moves", "103"),
        (TWICE, ("n + more", "n + more + 100"), "cannot", ""),
    ],
)
def test_the_same_is_said_and_done(desk: Desk, text: str, edit: tuple[str, str], verdict: str, out: str) -> None:
    """Whether there is one of that name is seen in the module as it was, whoever has the function around it."""
    desk.write("program.py", text)
    assert desk.run("program.py", kill_at=2).status == KILLED
    desk.write("program.py", text.replace(*edit))
    looked = desk.start_command([sys.executable, "-m", "durable_import", "check", "program.py"]).end()
    assert f"  {verdict}  " in looked.out, looked
    done = desk.run("program.py")
    assert (done.status, done.out.strip()) == (0 if out else 70, out), done

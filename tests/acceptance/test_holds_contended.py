"""Instances that wait for a lock which they share: they are saved while they wait, and nothing is said of that."""

from __future__ import annotations

import sys

import pytest

from tests.harness.processes import KILLED, Desk

LOCKS = """
    import asyncio

    class Gate:
        lock = asyncio.Lock()

    locks = {"lock": asyncio.Lock(), "condition": asyncio.Condition(), "attribute": Gate.lock}
    inside, most = 0, 0

    async def work():
        global inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.05)
        inside -= 1
"""
FLOWS = """
    # durable: on
    import asyncio
    import locks
    from world import effect

    async def flow(kind, number):
        await effect(f"begin {number}")
        async with locks.locks[kind]:
            await locks.work()
        await effect(f"end {number}")
        return number
"""
APPLICATION = """
    import asyncio, logging, os, signal, sys
    import durable_import
    durable_import.install()
    import flows, locks
    from durable_import import DurableRuntime

    logging.basicConfig(format="%(message)s", level="WARNING")

    async def main(kind, life):
        async with DurableRuntime("sqlite:///app.db") as runtime:
            handles = [await runtime.start(flows.flow, kind, number, instance_id=str(number)) for number in range(5)]
            while life == "first" and [await handle.status() for handle in handles].count("completed") < 2:
                await asyncio.sleep(0.01)
            if life == "first":
                os.kill(os.getpid(), signal.SIGKILL)
            print([await handle.result() for handle in handles], locks.most)

    asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("kind", ["lock", "condition", "attribute"])
def test_who_waits_is_saved(desk: Desk, kind: str) -> None:
    """Each instance is told to hold once, for its own block; who waits for the lock when all is killed does not begin again."""
    for name, text in (("locks.py", LOCKS), ("flows.py", FLOWS), ("app.py", APPLICATION)):
        desk.write(name, text)
    first = desk.start_command([sys.executable, "app.py", kind, "first"]).end()
    assert first.status == KILLED
    assert "exit method" not in first.err, first
    assert all("that is shared with other instances. Nothing is saved until" in line for line in first.err.splitlines()), first
    done = desk.start_command([sys.executable, "app.py", kind, "second"]).end()
    assert (done.status, done.out) == (0, "[0, 1, 2, 3, 4] 1\n"), done
    assert "exit method" not in done.err, done
    assert all(desk.effects.count(f"begin {number}") == 1 for number in range(5)), desk.effects

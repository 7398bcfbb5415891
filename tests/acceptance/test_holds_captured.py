"""Names of blocks that a comprehension captures: behind the block nothing reads them, and they hold nothing up."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.harness.killing import last_line, lives
from tests.harness.processes import Desk

pytestmark = pytest.mark.slow

PROGRAM = """
    # durable: on
    import asyncio, json
    import httpx
    from world import effect

    async def work(client, number):
        await effect(f"work {number}")
        return f"{number} {client.is_closed}"

    async def main():
        async with httpx.AsyncClient() as client:
            MAKING
        for number in range(3):
            await effect(f"after {number}")
        return found

    print(json.dumps(asyncio.run(main())))
"""
MAKING = {
    "a list": "found = await asyncio.gather(*[work(client, number) for number in range(2)])",
    "a dict of sets": "made = {a: {work(client, b) for b in [a]} for a in range(2)}; found = [await made[a].pop() for a in made]",
    "one that suspends": "found = [await work(client, number) for number in range(2)]",
}


@pytest.mark.parametrize("making", MAKING.values(), ids=list(MAKING))
def test_behind_the_block_all_is_saved(desk: Desk, making: str) -> None:
    """Killed in each of the steps behind it, only that one runs again."""
    done = lives(desk, {"prog.py": PROGRAM.replace("MAKING", making)}, 3, 5, 7)
    assert (done.status, last_line(done.out)) == (0, '["0 False", "1 False"]'), done
    assert Counter(desk.effects) == {"work 0": 1, "work 1": 1, "after 0": 2, "after 1": 2, "after 2": 2}
    assert "held" not in done.err

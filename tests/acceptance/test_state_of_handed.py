"""What code outside of a coroutine has handed to it, and looks at behind ``asyncio.run``, in runs that were killed."""

from __future__ import annotations

import pytest

from tests.harness.killing import killed_at
from tests.harness.processes import Desk

HEAD = """
    # durable: on
    import asyncio
    import functools
    from collections import deque
    from dataclasses import dataclass, field

    from plain import Basket
    from world import effect

    @dataclass
    class State:
        seen: list = field(default_factory=list)
        count: int = 0

    class App:
        def __init__(self, state):
            self.state, self.queue, self.result = state, asyncio.Queue(), None

        async def run(self, put=lambda number: None):
            for number in range(3):
                self.state.seen.append(number)
                self.state.count += number
                self.queue.put_nowait(number)
                put(number)
                await effect(f"step {number}")
            self.result = "done"
            return self
"""

MAINS = {
    "an object and what is in it": """
        def main():
            state = State()
            app = App(state)
            again = asyncio.run(app.run())
            return state, app.state is state, app.queue.qsize(), app.result, again is app
    """,
    "methods": """
        def main():
            seen, queue, basket, table = [], deque(), Basket(), {}
            def put_all(number, *puts):
                for put in puts:
                    put(number)
            app = App(State())
            asyncio.run(app.run(functools.partial(put_all)))
            asyncio.run(app.run(seen.append))
            asyncio.run(app.run(basket.put))
            asyncio.run(app.run(functools.partial(table.__setitem__, "last")))
            return seen, basket.items, table, app.state, app.queue.qsize()
    """,
    "captured variables": """
        def main():
            total, seen = 0, {}

            async def work(mine):
                nonlocal total
                for number in range(3):
                    total += number
                    seen[number] = mine
                    mine.add(number)
                    await effect(f"work {number}")

            mine = set()
            asyncio.run(work(mine))
            return total, sorted(seen), mine, seen[2] == mine
    """,
    "a run that fails": """
        def main():
            seen = []

            async def work():
                for number in range(3):
                    seen.append(number)
                    await effect(f"work {number}")
                raise ValueError("no more")

            try:
                asyncio.run(work())
            except ValueError as error:
                return seen, str(error)
    """,
    "something that cannot be saved, which nobody reads any more": """
        def main():
            seen, other = [], [__import__("subprocess").Popen("true")]

            async def work(given, seen):
                first = len(given)
                del given
                for number in range(3):
                    seen.append(number + first)
                    await effect(f"work {number}")

            asyncio.run(work(other, seen))
            return seen
    """,
}

PLAIN = """
    class Basket:
        def __init__(self):
            self.items = []

        def put(self, item):
            self.items = [*self.items, item]
"""


def _program(body: str) -> dict[str, str]:
    lines = [line.removeprefix("    ") for line in body.splitlines()]
    return {"app.py": HEAD + "\n".join(lines) + "\n    print(main())\n", "plain.py": PLAIN}


@pytest.mark.parametrize("body", MAINS.values(), ids=MAINS)
def test_what_was_handed(desk: Desk, body: str) -> None:
    """It is what the coroutine has made of it, as natively."""
    killed_at(desk, _program(body), 2, (1, 2, 3))


@pytest.mark.slow
def test_behind_a_run_that_has_ended(desk: Desk) -> None:
    """So it is when the process dies behind the end of a run, or in the next one."""
    text = """
        def main():
            state = State()
            app = App(state)
            asyncio.run(app.run())
            state.seen.append("between")

            async def more():
                await effect("more")
                state.count += 100
                await effect("most")

            asyncio.run(more())
            return state, app.state is state, app.result
    """
    killed_at(desk, _program(text), 4, 5, (4, 5), (2, 5))

"""Objects that a script has by name from modules that are not marked, or that only its own code outside of functions names."""

from __future__ import annotations

import pytest

from tests.harness.killing import killed_at
from tests.harness.processes import Desk

pytestmark = pytest.mark.slow

CONFIG = """
    class Settings:
        def __init__(self):
            self.seen = []
            self.last = None

        def note(self, name):
            self.seen.append(name)
            self.last = name
            return len(self.seen)

    class Slotted:
        __slots__ = ("count",)
        def __init__(self):
            self.count = 0

    class Guarded(Settings):
        def __init__(self):
            super().__init__()
            self.made_for = lambda: None

        def __getstate__(self):
            return {"seen": self.seen, "last": self.last}

        def __setstate__(self, state):
            self.__dict__.update(state)

    class Registry(dict):
        pass

    settings = Settings()
    untouched = Settings()
    guarded = Guarded()
    slotted = Slotted()
    registry = Registry()
    note = settings.note
    unsavable = Settings()
    unsavable.made_by = (number for number in range(3))

    def totals():
        return len(settings.seen), settings.last, len(guarded.seen), dict(registry), slotted.count, len(unsavable.seen)
"""

IMPORTS = {
    "by name": "from config import guarded, note, registry, settings, slotted, totals, unsavable, untouched",
    "all names": "from config import *",
    "where something is tried": """
        try:
            from config import guarded, note, registry, settings, slotted, totals, unsavable, untouched
        except ImportError:
            settings = None""",
}


@pytest.mark.parametrize("imports", IMPORTS.values(), ids=IMPORTS)
def test_they_stay_the_same_objects(desk: Desk, imports: str) -> None:
    """What the script changes in them, its modules see, as natively."""
    text = f"""
        # durable: on
        import asyncio
        import config
        {imports.strip()}
        from world import effect

        async def main():
            mine = settings
            for number in range(3):
                note(f"note {{number}}")
                guarded.note(number)
                slotted.count += 1
                registry[number] = mine
                await effect(number)
                assert mine is settings is config.settings is registry[number] is note.__self__
                assert guarded is config.guarded and registry is config.registry and slotted is config.slotted
                assert untouched is config.untouched and unsavable is config.unsavable and not untouched.seen
                assert callable(guarded.made_for)
            settled = totals()
            print(settled[:3], sorted(settled[3]), settled[4:], mine.seen)

        asyncio.run(main())
    """
    killed_at(desk, {"program.py": text, "config.py": CONFIG}, 2, (1, 3))


def test_by_another_name(desk: Desk) -> None:
    """A name that the script gives them leads to them as well; one that its functions rebind is its own."""
    text = """
        # durable: on
        import asyncio
        import config
        from config import settings as options, untouched as mine
        from world import effect

        async def main():
            global mine
            mine = config.Settings()
            for number in range(3):
                options.note(number)
                mine.note(-number)
                await effect(number)
                assert options is config.settings and mine is not config.untouched
            print(config.settings.seen, mine.seen, config.untouched.seen)

        asyncio.run(main())
    """
    killed_at(desk, {"program.py": text, "config.py": CONFIG}, 2, (1, 3))


def test_a_method_of_what_a_library_has(desk: Desk) -> None:
    """It stays that of the library's own object: functions of ``numpy.random`` are methods of its generator."""
    text = """
        # durable: on
        import asyncio
        import numpy
        from numpy.random import choice
        from world import effect

        async def main():
            numpy.random.seed(4)
            drawn = []
            for number in range(3):
                drawn.append(list(map(int, choice(range(9), 2))))
                await effect(number)
            print(drawn, numpy.random.random())

        asyncio.run(main())
    """
    killed_at(desk, {"program.py": text}, 2, (1, 3))


APP = """
    # durable: on
    import asyncio
    from collections import Counter, deque
    from dataclasses import dataclass, field
    from functools import partial

    from plain import Basket
    from world import effect

    @dataclass
    class State:
        seen: list = field(default_factory=list)
        count: int = 0

    def put(table, number):
        table[number] += 1

    class App:
        def __init__(self, name):
            self.name, self.done, self.lock = name, [], asyncio.Lock()

        async def run(self, state, *others):
            for number in range(3):
                async with self.lock:
                    self.done.append(number)
                state.seen.append(number)
                state.count += 1
                for other in others:
                    other(number)
                await effect(f"{self.name} {number}")
            return self
"""

HANDED = {
    "an object whose method is run": """
        app, state = App("app"), State()
        again = asyncio.run(app.run(state))
        print(app.done, state, again is app)
    """,
    "arguments": """
        app, state, queue, seen, table = App("app"), State(), deque(), set(), Counter()
        asyncio.run(app.run(state, queue.append, seen.add, partial(put, table)))
        print(app.done, state, list(queue), sorted(seen), table)
    """,
    "what is in a container": """
        inner = []
        groups = {"state": State(), "inner": inner}
        app = App("app")
        asyncio.run(app.run(groups["state"], groups["inner"].append))
        print(groups, inner is groups["inner"], app.done)
    """,
    "an object of a class that is not marked": """
        basket, app = Basket(), App("app")
        asyncio.run(app.run(State(), basket.put))
        print(basket.items, app.done)
    """,
    "several runs": """
        app, state = App("app"), State()
        asyncio.run(app.run(state))
        app.name = "again"
        asyncio.run(app.run(state))
        print(app.done, state)
    """,
}

PLAIN = """
    class Basket:
        def __init__(self):
            self.items = []

        def put(self, item):
            self.items = [*self.items, item]
"""


@pytest.mark.parametrize("body", HANDED.values(), ids=HANDED)
def test_objects_that_only_code_outside_of_functions_names(desk: Desk, body: str) -> None:
    """What a script gives to the coroutine that it runs is, behind that, what the coroutine has made of it."""
    lines = [line.removeprefix("    ") for line in body.splitlines()]
    killed_at(desk, {"app.py": APP + "\n".join(lines), "plain.py": PLAIN}, 2, (1, 2, 3))

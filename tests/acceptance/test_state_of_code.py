"""Data that a program's functions and classes have, and no name of a module: captured, in default values, in inner classes."""

from __future__ import annotations

import pytest

from tests.harness.killing import killed_at
from tests.harness.processes import Desk

pytestmark = pytest.mark.slow

DECORATORS = """
    # durable: on
    import functools
    from world import effect

    def counted(function):
        calls = 0
        @functools.wraps(function)
        async def call(*arguments):
            nonlocal calls
            calls += 1
            return calls, await function(*arguments)
        return call

    def noted(function):
        @functools.wraps(function)
        async def call(*arguments):
            call.notes.append(arguments[-1])
            return await function(*arguments)
        call.notes = []
        return call

    def plain(function):
        @functools.wraps(function)
        async def call(*arguments):
            return await function(*arguments)
        return call

    def number():
        last = 0
        def following():
            nonlocal last
            last += 1
            return last
        return following

    def all_plain(cls):
        for name, value in list(vars(cls).items()):
            if name.startswith("do_"):
                setattr(cls, name, plain(value))
        return cls
"""

PROGRAMS = {
    "a counter behind a static method": """
        class Service:
            @staticmethod
            @counted
            async def do(name):
                return await effect(name)

        async def step(name):
            return await Service.do(name)
    """,
    "a counter behind a class method": """
        class Service:
            @classmethod
            @counted
            async def do(cls, name):
                return cls.__name__, await effect(name)

        async def step(name):
            return await Service().do(name)
    """,
    "what a property's function has captured": """
        def numbered():
            following = number()
            return property(lambda self: following())

        class Service:
            number = numbered()

        async def step(name):
            return Service().number, await effect(name)
    """,
    "a function that is a default value": """
        async def do(name, following=number(), *, other=number()):
            return following(), other(), await effect(name)

        class Service:
            @staticmethod
            async def do(name, following=number()):
                return following(), await effect(name)

        async def step(name):
            return await do(f"{name} 1"), await Service.do(f"{name} 2")
    """,
    "attributes and lists of a class in a class": """
        class Outer:
            class Inner:
                count = 0
                seen = []

                class Innermost:
                    last = None

                @counted
                async def do(self, name, shared=[]):
                    Outer.Inner.count += 1
                    self.seen.append(name)
                    shared.append(len(shared))
                    Outer.Inner.Innermost.last = name
                    return Outer.Inner.count, list(self.seen), list(shared), await effect(name)

        async def step(name):
            return await Outer.Inner().do(name), Outer.Inner.Innermost.last
    """,
    "attributes of what decorators have wrapped": """
        @plain
        @noted
        async def do(name):
            return await effect(name)

        @all_plain
        class Service:
            @noted
            async def do_all(self, name):
                return await effect(name)

        async def step(name):
            await do(f"{name} 1")
            await Service().do_all(f"{name} 2")
            return do.__wrapped__.notes, Service.do_all.__wrapped__.notes
    """,
}

MAIN = """
    async def main():
        print([await step(name) for name in ("one", "two", "three")])
"""


def _program(body: str, *, imported: bool) -> dict[str, str]:
    head = "# durable: on\nimport asyncio\nfrom decorators import *\n"
    text = head + _dedented(body) + _dedented(MAIN)
    files = {"program.py": text + "\nasyncio.run(main())\n", "decorators.py": DECORATORS}
    if imported:
        files["program.py"] = "# durable: on\nimport asyncio\nfrom steps import main\n\nasyncio.run(main())\n"
        files["steps.py"] = text
    return files


def _dedented(text: str) -> str:
    lines = text.strip("\n").splitlines()
    indent = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[indent:] for line in lines) + "\n\n"


@pytest.mark.parametrize("body", PROGRAMS.values(), ids=PROGRAMS)
def test_data_of_code(desk: Desk, body: str) -> None:
    """What functions and classes of the script hold is as it was."""
    killed_at(desk, _program(body, imported=False), 2, (1, 3))


@pytest.mark.parametrize("body", PROGRAMS.values(), ids=PROGRAMS)
def test_data_of_code_in_a_marked_module(desk: Desk, body: str) -> None:
    """So it is of a marked module that the script imports."""
    killed_at(desk, _program(body, imported=True), (2, 3))

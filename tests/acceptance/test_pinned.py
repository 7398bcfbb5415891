"""A frame whose code has changed goes on in the code that it began with, and so does what that calls or passes on."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent, indent

import pytest

from tests.harness.processes import KILLED, Desk


@dataclass(frozen=True)
class Edit:
    """A script that is killed in ``before``, at its effect "here", and changed; ``gives``: what it prints, and why that is so."""

    name: str
    then: str  # the definitions of the script
    today: str
    before: str  # of ``main``: what runs until it is killed there; the rest comes behind that
    rest: str
    gives: str
    why: str

    def text(self, definitions: str, *, is_old: bool) -> str:
        """The script."""
        head = "# durable: on\nimport asyncio\nimport functools\nfrom world import effect\n"
        body = (
            f'{dedent(self.before)}\nawait asyncio.sleep(0)\nawait effect("here")\n{dedent(self.rest)}'
            if is_old
            else 'print("today")\nawait effect("here")'
        )
        return f"{head}{dedent(definitions)}\nasync def main():\n{indent(body, '    ')}\n\nasyncio.run(main())\n"


EDITS = [
    Edit(
        "a function that it calls",
        """
        def price(n):
            return n
        """,
        """
        def price(n):
            return n * 100
        """,
        "",
        "print(price(7))",
        "7",
        "called by name, it is that of then",
    ),
    Edit(
        "a function whose parameters changed",
        """
        def price(n, tax=1):
            return n + tax
        """,
        """
        def price(n, country, /, *, tax):
            raise E
        """,
        "",
        "print(price(7), price(7, tax=3))",
        "8 10",
        "so are its parameters and defaults",
    ),
    Edit(
        "a function that is gone",
        """
        def price(n):
            return n
        """,
        "",
        "",
        "print(price(7))",
        "7",
        "it comes from the old text",
    ),
    Edit(
        "functions that call each other, gone and changed",
        """
        def a(n):
            return b(n) + 1
        def b(n):
            return c(n) * 2
        def c(n):
            return n
        """,
        """
        def b(n):
            return 0
        c = None
        """,
        "",
        "print(a(5))",
        "11",
        "what pinned code calls is pinned, so what that calls is too",
    ),
    Edit(
        "an unchanged helper of a changed function",
        """
        def c(n):
            return n
        def b(n):
            return c(n)
        """,
        """
        def c(n):
            return -n
        def b(n):
            return c(n)
        """,
        "",
        "print(b(5))",
        "5",
        "called by pinned code it is of its version, and calls that",
    ),
    Edit(
        "a coroutine function",
        """
        async def step(n):
            await effect(f'old {n}')
            return n
        """,
        """
        async def step(n, m):
            await effect('new')
        """,
        "",
        "print(await step(1) + await step(2))",
        "3",
        "awaits go on in it as well",
    ),
    Edit(
        "tasks",
        """
        async def step(n):
            await effect(f'old {n}')
            return n
        """,
        """
        async def step(n):
            return -n
        """,
        "",
        """
        print(await asyncio.gather(*[step(n) for n in range(3)]), await asyncio.create_task(step(n=9)))
        """,
        "[0, 1, 2] 9",
        "coroutines are made by calls of pinned code",
    ),
    Edit(
        "a method",
        """
        class Shop:
            def price(self, n):
                return n
            def of(self, n):
                return self.price(n)
        """,
        """
        class Shop:
            def price(self, n):
                return -n
            def of(self, n):
                return self.price(n) - 1
        """,
        "shop = Shop()",
        "print(shop.price(1), shop.of(2), Shop.price(shop, 3))",
        "1 2 3",
        "class by class, the old text's",
    ),
    Edit(
        "a method that was renamed",
        """
        class Shop:
            def price(self, n):
                return n
        """,
        """
        class Shop:
            def cost(self, n):
                return -n
        """,
        "shop = Shop()",
        "print(shop.price(1))",
        "1",
        "today's class lacks it, the old text has it",
    ),
    Edit(
        "a method that moved to a base class",
        """
        class Base:
            pass
        class Shop(Base):
            def price(self):
                return 'old'
        """,
        """
        class Base:
            def price(self):
                return 'new'
        class Shop(Base):
            pass
        """,
        "shop = Shop()",
        "print(shop.price())",
        "old",
        "the old text defines it in the class itself",
    ),
    Edit(
        "a property, a class method, a static method",
        """
        class Shop:
            rate = 2
            @property
            def p(self):
                return self.rate
            @classmethod
            def c(cls, n):
                return cls.rate * n
            @staticmethod
            def s(n):
                return n
        """,
        """
        class Shop:
            rate = 5
            @property
            def p(self):
                return 'new'
            @classmethod
            def c(cls, n):
                return 'new'
            @staticmethod
            def s(n):
                return 'new'
        """,
        "shop = Shop()",
        "print(shop.p, shop.c(3), Shop.c(4), shop.s(1), Shop.s(2))",
        "2 6 8 1 2",
        "functions of then, data of the state",
    ),
    Edit(
        "super()",
        """
        class Base:
            def hi(self):
                return 'old base'
        class Shop(Base):
            def hi(self):
                return 'old ' + super().hi()
        """,
        """
        class Base:
            def hi(self):
                return 'new base'
        class Shop(Base):
            def hi(self):
                return 'new ' + super().hi()
        """,
        "shop = Shop()",
        "print(shop.hi())",
        "old old base",
        "the class is today's, its methods are those of then",
    ),
    Edit(
        "what Python calls by itself",
        """
        class Shop:
            def __init__(self):
                self.n = 'old'
            def __str__(self):
                return 'old str'
        """,
        """
        class Shop:
            def __init__(self):
                self.n = 'new'
            def __str__(self):
                return 'new str'
        """,
        "shop = Shop()",
        "print(shop, shop.n, Shop().n)",
        "new str old new",
        "classes are today's; data of the state stay",
    ),
    Edit(
        "functions in a variable, a container, a partial",
        """
        def f(n):
            return n
        class C:
            def m(self, n):
                return n
        """,
        """
        def f(n):
            return -n
        class C:
            def m(self, n):
                return -n
        """,
        "g, table, p, m = f, {'f': f}, functools.partial(f, 3), C().m",
        "print(g(1), table['f'](2), p(), m(4), list(map(f, [5, 6])))",
        "1 2 3 4 [5, 6]",
        "when pinned code calls them, or passes them on",
    ),
    Edit(
        "comparisons",
        """
        def f():
            return 1
        """,
        """
        def f():
            return 2
        """,
        "g = f",
        "print(g is f, g == f, f in [f], [f].index(g), {f: 1}.get(g))",
        "True True True 0 1",
        "they see the objects of today",
    ),
    Edit(
        "a decorated function",
        """
        def twice(f):
            @functools.wraps(f)
            def wrapper(n):
                return f(n) * 2
            return wrapper
        @twice
        def price(n):
            return n
        """,
        """
        def twice(f):
            @functools.wraps(f)
            def wrapper(n):
                return f(n) * 20
            return wrapper
        @twice
        def price(n):
            return -n
        """,
        "",
        "print(price(1))",
        "20",
        "the wrapper is today's, around the function of then",
    ),
    Edit(
        "a decorated method",
        """
        def twice(f):
            def wrapper(self, n):
                return f(self, n) * 2
            return wrapper
        class Shop:
            @twice
            def price(self, n):
                return n
        """,
        """
        def twice(f):
            def wrapper(self, n):
                return f(self, n) * 2
            return wrapper
        class Shop:
            @twice
            def price(self, n):
                return -n
        """,
        "shop = Shop()",
        "print(shop.price(1), Shop.price(shop, 2))",
        "2 4",
        "the same, without wraps",
    ),
    Edit(
        "other wrappers",
        """
        @functools.lru_cache
        def price(n):
            return n
        """,
        """
        @functools.lru_cache
        def price(n):
            return -n
        """,
        "",
        "print(price(1))",
        "-1",
        "objects that are no functions are today's",
    ),
    Edit(
        "nested functions and closures",
        """
        def add(n):
            return n
        """,
        """
        def add(n):
            return -n
        """,
        """
        total = 10
        def inner(n):
            nonlocal total
            total += add(n)
            return total
        """,
        """
        inner(1)
        print(inner(2), (lambda: add(3))(), [add(n) for n in range(3)])
        """,
        "13 3 [0, 1, 2]",
        "they take the policy of the function around them",
    ),
    Edit(
        "generators in the middle",
        """
        def numbers():
            yield 1
            yield step(2)
            yield 3
        def step(n):
            return n
        """,
        """
        def numbers():
            yield 'new'
        def step(n):
            return -n
        """,
        """
        it = numbers()
        next(it)
        """,
        "print(list(it))",
        "[2, 3]",
        "a generator is a frame like any other",
    ),
    Edit(
        "asynchronous generators in the middle",
        """
        async def numbers():
            yield 1
            await effect('in it')
            yield step(2)
        def step(n):
            return n
        """,
        """
        async def numbers():
            yield 'new'
        def step(n):
            return -n
        """,
        """
        it = numbers()
        await anext(it)
        """,
        "print([n async for n in it])",
        "[2]",
        "the same",
    ),
    Edit(
        "recursion",
        """
        async def down(n):
            if n == 0:
                return 'old'
            await effect(f'at {n}')
            return await down(n - 1)
        """,
        """
        async def down(n):
            return 'new'
        """,
        "",
        "print(await down(3))",
        "old",
        "each call is pinned",
    ),
    Edit(
        "a class that is gone",
        """
        class Point:
            kind = 'old'
            def __init__(self, x):
                self.x = x
            def twice(self):
                return self.x * 2
        """,
        "",
        "",
        """
        p = Point(4)
        print(p.twice(), Point.kind, type(p) is Point)
        """,
        "8 old True",
        "it is made of its old text, once",
    ),
    Edit(
        "an import that is gone",
        """
        import json
        from os import path as p
        """,
        "",
        "",
        "print(json.dumps([1]), p.basename('a/b'))",
        "[1] b",
        "it is done again",
    ),
    Edit(
        "a literal that is gone",
        """
        LIMIT = 5
        RATES: tuple = (1, 2)
        """,
        "",
        "",
        "print(LIMIT, RATES)",
        "5 (1, 2)",
        "literals come from the old text",
    ),
    Edit(
        "module-level data",
        """
        LIMIT = 5
        DONE = []
        def note(n):
            global LIMIT
            LIMIT += n
            DONE.append(n)
        """,
        """
        LIMIT = 7
        DONE = []
        def note(n):
            DONE.append(-n)
        """,
        "note(1)",
        """
        note(2)
        print(LIMIT, DONE)
        """,
        "8 [1, 2]",
        "there is one module: its data are those of the state, or today's",
    ),
    Edit(
        "defaults that are objects",
        """
        def add(n, to=[]):
            to.append(n)
            return to
        """,
        """
        def add(n, to=[]):
            to.append(-n)
            return to
        """,
        "",
        """
        add(1)
        print(add(2))
        """,
        "[1, 2]",
        "an unchanged default is the very object of today",
    ),
    Edit(
        "attributes of functions",
        """
        def count():
            count.calls = getattr(count, 'calls', 0) + 1
            return count.calls
        """,
        """
        def count():
            return 'new'
        """,
        "",
        """
        count()
        print(count(), count.calls)
        """,
        "2 2",
        "they are shared with today's function",
    ),
    Edit(
        "private names",
        """
        class Shop:
            def __price(self):
                return 'old'
            def of(self):
                return self.__price()
        """,
        """
        class Shop:
            def __price(self):
                return 'new'
            def of(self):
                return 'new'
        """,
        "shop = Shop()",
        "print(shop.of())",
        "old",
        "names are mangled as in the class",
    ),
    Edit(
        "a with block and an await in it",
        """
        class Room:
            async def __aenter__(self):
                return self
            async def __aexit__(self, *_):
                print('left')
            def say(self):
                return 'old'
        """,
        """
        class Room:
            async def __aenter__(self):
                return self
            async def __aexit__(self, *_):
                print('left today')
            def say(self):
                return 'new'
        """,
        "",
        """
        async with Room() as room:
            await effect('inside')
            print(room.say())
        """,
        "old\nleft today",
        "Python leaves the block by itself",
    ),
    Edit(
        "eval, super, locals and builtins",
        """
        def f(n):
            return n
        """,
        """
        def f(n):
            return -n
        """,
        "n = 3",
        "print(eval('n + 1'), sorted(locals())[:1], len([1]), max(1, 2), f(n))",
        "4 ['n'] 1 2 3",
        "builtins stay what they are",
    ),
]


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name.replace(" ", "-").replace("()", ""))
def test_it_goes_on_in_the_code_of_then(edit: Edit, desk: Desk) -> None:
    """Killed in the old text, it ends in the old text, as plain reasoning says; a new run is one of the new text."""
    desk.write("script.py", edit.text(edit.then, is_old=True))
    assert desk.run("script.py", kill_at=1).status == KILLED
    desk.write("script.py", edit.text(edit.today, is_old=False))
    ended = desk.run("--old-code", "script.py")
    assert (ended.status, ended.out) == (0, edit.gives + "\n"), (edit.why, ended)
    assert "in the code of 'main' that it began with" in ended.said
    assert desk.run("script.py").out == "today\n"


ROWS = """
    # durable: on
    import asyncio
    from world import effect

    def name(row):
        return f"old {row}"

    async def charge(row):
        await effect(name(row))

    async def main():
        for row in range(6):
            await charge(row)
        print("old")

    asyncio.run(main())
"""
NEW_ROWS = """
    # durable: on
    import asyncio
    from world import effect

    async def charge(row, currency):
        await effect(f"new {row}")

    async def main():
        await charge(0, "EUR")
        print("new")

    asyncio.run(main())
"""


def test_pinned_stays_pinned(desk: Desk) -> None:
    """It is killed again in the old code, and goes on there without being asked to, also after another change."""
    desk.write("rows.py", ROWS)
    assert desk.run("rows.py", kill_at=2).status == KILLED
    desk.write("rows.py", NEW_ROWS)
    assert desk.run("rows.py").status == 70
    assert desk.run("--old-code", "rows.py", kill_at=4).status == KILLED
    desk.write("rows.py", NEW_ROWS.replace('"new"', '"newest"'))
    assert desk.run("rows.py", kill_at=6).status == KILLED
    ended = desk.run("rows.py")
    assert (ended.status, ended.out) == (0, "old\n"), ended
    assert sorted(set(desk.effects)) == [f"old {row}" for row in range(6)]


UNCHANGED = """
    # durable: on
    import asyncio
    from world import effect
    {definition}

    async def main():
        await effect("here")
        print(price(1))

    asyncio.run(main())
"""


def test_a_frame_whose_own_function_did_not_change_calls_the_code_of_today(desk: Desk) -> None:
    """The function that it calls next has changed: it is today's."""
    desk.write("script.py", UNCHANGED.format(definition="def price(n): return n"))
    assert desk.run("script.py", kill_at=1).status == KILLED
    desk.write("script.py", UNCHANGED.format(definition="def price(n): return n * 100"))
    ended = desk.run("--old-code", "script.py")
    assert (ended.status, ended.out) == (0, "100\n"), ended


def test_a_function_can_be_of_today_always(desk: Desk) -> None:
    """Pinned code calls what is decorated by `on_change("latest")` as it is today."""
    decorated = "import durable_import\n@durable_import.on_change('latest')\ndef price(n):\n    return {}"
    edit = Edit("", decorated.format("n"), decorated.format("n * 100"), "", "print(price(1))", "100", "")
    desk.write("script.py", edit.text(edit.then, is_old=True))
    assert desk.run("script.py", kill_at=1).status == KILLED
    desk.write("script.py", edit.text(edit.today, is_old=False))
    ended = desk.run("--old-code", "script.py")
    assert (ended.status, ended.out) == (0, "100\n"), ended


DATA = """
    # durable: on
    import asyncio
    from collections import defaultdict
    from world import effect
    NAMES = defaultdict(list)

    def note(name):
        NAMES[len(name)].append(name)

    async def main():
        note(await effect("a", "a"))
        note(await effect("bb", "bb"))
        note(await effect("cc", "cc"))
        await effect("end")
        print(dict(NAMES))

    asyncio.run(main())
"""
WITHOUT_DATA = """
    # durable: on
    import asyncio
    from world import effect

    def note(name):
        raise AssertionError(name)

    async def main():
        note(await effect("a", "a"))

    asyncio.run(main())
"""


@pytest.mark.slow
def test_data_that_only_pinned_code_uses(desk: Desk) -> None:
    """They are those of the state in each life; what was about to be called is the function of then."""
    desk.write("script.py", DATA)
    assert desk.run("script.py", kill_at=2).status == KILLED
    desk.write("script.py", WITHOUT_DATA)
    assert desk.run("--old-code", "script.py", kill_at=4).status == KILLED
    ended = desk.run("script.py")
    assert (ended.status, ended.out) == (0, "{1: ['a'], 2: ['bb', 'cc']}\n"), ended

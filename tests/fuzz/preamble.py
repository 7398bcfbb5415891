"""The definitions that random programs lean on; a program gets those whose names it mentions.

What they observe of exceptions is the same on all Python versions: an unbound name gives UnboundLocalError or NameError
depending on whether a comprehension is inlined (3.12), and groups split by `except*` keep `__suppress_context__` or
not.
"""

from __future__ import annotations

import re

TRACE = '''
class Trace:
    """What a run observed, the generators and coroutines it opened, and how many more steps it may take."""

    def __init__(self, fuel):
        self.items = []
        self.opened = []
        self.fuel = fuel
        self.closing = False

    def note(self, *what):
        self.items.append(what)

    def burn(self):
        self.fuel -= 1
        return self.fuel > 0

    def hold(self, thing):
        self.opened.append(thing)
        return thing

    def close(self, generator):
        self.closing = True
        try:
            generator.close()
        finally:
            self.closing = False

    async def aclose(self, generator):
        self.closing = True
        try:
            await generator.aclose()
        finally:
            self.closing = False

    async def shut(self):
        while self.opened:
            thing = self.opened.pop()
            for _ in range(50):
                try:
                    if hasattr(thing, 'aclose'):
                        await self.aclose(thing)
                    else:
                        self.close(thing)
                    break
                except Exception as e:
                    self.note('shut', *tell(e))
'''

TELL = """
def named(kind):
    if kind is None:
        return None
    return 'NameError' if issubclass(kind, NameError) else kind.__name__


def tell(e):
    links = [named(type(e.__context__)), named(type(e.__cause__))]
    if isinstance(e, BaseExceptionGroup):
        return (named(type(e)), [tell(inner) for inner in e.exceptions], *links)
    detail = e.args if all(type(argument) is int for argument in e.args) else None
    return (named(type(e)), detail, *links, e.__suppress_context__)
"""

PIECES = {
    "Boom": """
class Boom(Exception):
    pass
""",
    "Box": """
class Box:
    __match_args__ = ('value',)

    def __init__(self, value):
        self.value = value

    def __repr__(self):
        return f'Box({self.value!r})'
""",
    "Base": """
class Base:
    limit = 3

    def __init_subclass__(cls, level=0):
        cls.level = level

    def __init__(self, value):
        self.value = value

    async def step(self, amount):
        self.value += amount
        return await effect('base', self.value)
""",
    "Ticks": """
class Ticks:
    def __init__(self, name, stop):
        self.name = name
        self.at = 0
        self.stop = stop

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self.at >= self.stop:
            raise StopAsyncIteration
        self.at += 1
        return await effect(self.name, self.at)
""",
    "Later": """
class Later:
    def __init__(self, name, value):
        self.name = name
        self.value = value

    def __await__(self):
        return (yield from effect(self.name, self.value).__await__())
""",
    "Manager": """
class Manager:
    def __init__(self, t, name, swallow=False, fault=None, early=None):
        self.t = t
        self.name = name
        self.swallow = swallow
        self.fault = fault
        self.early = early

    def __enter__(self):
        self.t.note('enter', self.name)
        if self.early is not None:
            raise self.early
        return len(self.name)

    def __exit__(self, kind, exc, tb):
        self.t.note('exit', self.name, named(kind), kind and tell(exc))
        if self.fault is not None:
            raise self.fault
        return self.swallow and isinstance(exc, Exception)
""",
    "AsyncManager": """
class AsyncManager:
    def __init__(self, t, name, swallow=False, fault=None, early=None):
        self.t = t
        self.name = name
        self.swallow = swallow
        self.fault = fault
        self.early = early

    async def __aenter__(self):
        self.t.note('enter', self.name)
        value = await effect(self.name + '-enter', len(self.name))
        if self.early is not None:
            raise self.early
        return value

    async def __aexit__(self, kind, exc, tb):
        self.t.note('exit', self.name, named(kind), kind and tell(exc))
        await effect(self.name + '-exit')
        if self.fault is not None:
            raise self.fault
        return self.swallow and isinstance(exc, Exception)
""",
    "total": """
def total(*positional, **named):
    return sum(positional) + 3 * sum(named.values())
""",
    "marked": """
def marked(mark):
    def decorate(function):
        function.mark = mark
        return function
    return decorate
""",
    "plus_one": """
def plus_one(function):
    async def inner(*args, **kwargs):
        return (await function(*args, **kwargs)) + 1
    return inner
""",
}

MODULES = ("sys", "itertools")


def mentions(name: str, text: str) -> bool:
    return re.search(rf"\b{name}\b", text) is not None


def assemble(body: str, title: str) -> str:
    """The complete program: `body` with the header, the imports and the definitions that it mentions."""
    pieces = [PIECES[name] for name in PIECES if mentions(name, body)]
    definitions = "\n".join([TRACE, TELL, *pieces])
    world = ", ".join(name for name in ("effect", "fail") if mentions(name, body + definitions)) or "effect"
    modules = "".join(f"import {name}\n" for name in MODULES if mentions(name, body))
    header = f'# durable: on\n"""{title}"""\nimport asyncio\n{modules}\nfrom world import {world}\n\n'
    return f"{header}{definitions}\n\n{body}\n\nif __name__ == '__main__':\n    print(repr(asyncio.run(main())))\n"

# durable: on
"""partial, partialmethod, cached_property, total_ordering, singledispatch, reduce and wraps survive."""
import asyncio
import functools
import operator

from world import effect


def power(base, exponent, *, plus=0):
    return base**exponent + plus


@functools.singledispatch
def show(x):
    return f"object {x}"


@show.register
def _(x: int):
    return f"int {x}"


@show.register(list)
def _(x):
    return f"list of {len(x)}"


@functools.total_ordering
class Version:
    def __init__(self, n):
        self.n = n

    def __eq__(self, other):
        return self.n == other.n

    def __lt__(self, other):
        return self.n < other.n


class Tool:
    def __init__(self):
        self.computed = 0

    def scaled(self, by, x):
        return by * x

    twice = functools.partialmethod(scaled, 2)

    @functools.cached_property
    def slow(self):
        self.computed += 1
        return [self.computed]

    async def fetch(self, name, value):
        return await effect(name, value)


def traced(calls):
    def decorate(fn):
        @functools.wraps(fn)
        async def wrapper(*args, **kwargs):
            calls.append((fn.__name__, args[1:]))
            return await fn(*args, **kwargs)

        return wrapper

    return decorate


async def main():
    calls = []
    tool = Tool()
    square = functools.partial(power, exponent=2, plus=1)
    nested = functools.partial(functools.partial(power, 2), plus=10)
    fetch = functools.partial(tool.fetch, "partial")
    traced_fetch = traced(calls)(Tool.fetch)
    cached = tool.slow
    await effect("made")
    out = [square(5), nested(3), await fetch(4), tool.twice(21), tool.slow is cached, tool.computed]
    out.append(await traced_fetch(tool, "traced", 8))
    twice = tool.twice
    await effect("held")
    key = functools.cmp_to_key(lambda a, b: b - a)
    out += [show(1), show([1, 2]), show("s"), Version(1) <= Version(2), twice(3), sorted([1, 3, 2], key=key)]
    total = functools.reduce(operator.add, [await effect(f"term {n}", n) for n in range(3)], 100)
    return out, calls, traced_fetch.__name__, square.func is power and fetch.func.__self__ is tool, total


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

# durable: on
"""Sync callbacks, key functions, reduce and operators called with closures over state changed by awaits."""
import asyncio
import functools
import itertools
import operator

from world import effect


async def main():
    weights = {"a": 3, "b": 1, "c": 2}
    order = lambda k: weights[k]
    out = [sorted(weights, key=order)]
    weights["a"] = await effect("change", 0)
    out.append((sorted(weights, key=order), max(weights, key=order), [*map(order, "abc")]))
    add = functools.partial(operator.add, await effect("partial", 10))
    scale = functools.reduce(lambda f, g: lambda x: g(f(x)), [add, lambda x: x * 2, str])
    await effect("composed")
    out.append(scale(1))
    await effect("before groups")
    groups = itertools.groupby(sorted(["apple", "avocado", "bean", "cherry", "corn"]), key=lambda s: s[0])
    out.append([(k, list(g)) for k, g in groups])
    calls = []

    @functools.lru_cache(maxsize=None)
    def cached(n):
        calls.append(n)
        return n if n < 2 else cached(n - 1) + cached(n - 2)

    out.append((cached(10), len(calls)))
    del cached
    table = {name: (lambda *a, _n=name, **k: (_n, a, k)) for name in ("x", "y")}
    counter = itertools.count(await effect("start", 5), 3)
    cycle = itertools.cycle("ab")
    out.append((next(counter), next(cycle)))
    await effect("held iterators")
    out.append((next(counter), next(cycle), next(cycle), table["x"](1, k=2), table["y"]()))

    def apply(f, *args):
        return f(*args)

    out.append([apply(lambda a, /, b=weights, *, c=add: (a, b is weights, c(a)), n) for n in await effect("list", [1, 2])])

    @functools.singledispatch
    def kind(x):
        return "object"

    @kind.register
    def _(x: int):
        return "int", x

    out.append((kind("s"), kind(3)))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

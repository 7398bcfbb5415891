# durable: on
"""Objects whose protocol methods are generators, partials, lambdas and callables used by with, for and await."""
import asyncio
import functools

from world import effect


class Numbers:
    __slots__ = ("n", "__dict__")

    def __init__(self, n):
        self.n = n

    def __iter__(self):
        for k in range(self.n):
            yield k
            self.last = k

    async def __aiter__(self):
        for k in self:
            yield await effect(f"a{k}", k)

    def __reversed__(self):
        yield from range(self.n - 1, -1, -1)

    def __contains__(self, k):
        return k in range(self.n)

    __len__ = lambda self: self.n

    def __getattr__(self, name):
        if name == "last":
            return None
        raise AttributeError(name)

    __enter__ = functools.partialmethod(lambda self, extra: (self, extra), "extra")

    def __exit__(self, *info):
        return info[0] is StopIteration


async def main():
    numbers, out = Numbers(3), []
    it, back = iter(numbers), reversed(numbers)
    out.append((next(it), next(back), numbers.last))
    await effect("iterating")
    out.append((next(it), next(back), numbers.last))
    a, *b = numbers
    out.append((a, b, [*numbers], {**dict.fromkeys(numbers)}, max(numbers), 2 in numbers, len(numbers)))
    async for k in numbers:
        if k == 1:
            out.append(list(it))
    with numbers as (same, extra):
        await effect("in with")
        out.append((same is numbers, extra))
        raise StopIteration("suppressed")
    total = sum(x * y for x, y in zip(numbers, reversed(numbers)))
    walking = map(str, numbers)
    next(walking)
    await effect("mapped")
    out.append((total, "".join(walking), numbers.last))
    try:
        numbers.nothing
    except AttributeError as error:
        out.append(str(error))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

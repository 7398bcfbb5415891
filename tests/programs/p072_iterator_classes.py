# durable: on
"""Iterator classes without __iter__, sequence iteration, reversed and in-place changes held across awaits."""
import asyncio

from world import effect


class OnlyNext:
    def __init__(self, n):
        self.n = n

    def __next__(self):
        if not self.n:
            raise StopIteration
        self.n -= 1
        return self.n


class Gives:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return OnlyNext(self.n)


class Indexed:
    def __getitem__(self, k):
        if k > 2:
            raise IndexError(k)
        return k * 11

    def __len__(self):
        return 3


class Raises:
    def __iter__(self):
        return self

    def __next__(self):
        raise LookupError("in next")


async def main():
    out = []
    for x in Gives(3):
        out.append(await effect(f"gives{x}", x))
    for x in Indexed():
        out.append(x)
        await effect(f"indexed{x}")
    held, back = iter(Indexed()), reversed(Indexed())
    next(held), next(back)
    await effect("held")
    out.append((list(held), list(back)))
    sentinel = iter([1, 2, 3, 4].pop, 2)
    out.append(next(sentinel))
    await effect("sentinel")
    out.append(list(sentinel))
    d = {"a": 1, "b": 2, "c": 3}
    keys, items = iter(d), iter(d.items())
    next(keys), next(items)
    await effect("dict iterators")
    d["a"] = 5
    out.append((next(keys), list(items)))
    try:
        for x in Raises():
            out.append("never")
    except LookupError as error:
        out.append(str(error))
    out.append([y for y in Gives(2) if await effect(f"comp{y}", True)])
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

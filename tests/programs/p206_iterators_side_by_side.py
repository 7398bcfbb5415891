# durable: on
"""Two dozen iterators of itertools and builtins are held over the same awaits, and each goes on where it was."""
import asyncio
import itertools as it
import operator

from world import effect


def chunks(items, size):
    rest = iter(items)
    while chunk := list(it.islice(rest, size)):
        yield chunk


def ruler(depth):
    if depth:
        yield from ruler(depth - 1)
        yield depth
        yield from ruler(depth - 1)


async def main():
    first, second = it.tee(range(9))
    held = [
        zip(it.count(1), it.cycle("ab"), map(str.upper, "xyzxyz")), it.chain.from_iterable([[1, 2], (3,), "45"]),
        it.accumulate([1, 2, 3, 4], operator.mul), it.pairwise("abcdef"), it.product("ab", repeat=2), ruler(3),
        it.permutations([1, 2, 3]), it.combinations(range(4), 2), enumerate("hello"), reversed([1, 2, 3, 4]),
        filter(None, [0, 1, 0, 2, 3, 4]), (x * y for x in range(3) for y in range(3) if x != y), first,
        iter({"a": 1, "b": 2, "c": 3, "d": 4}.items()), it.dropwhile(lambda x: x < 2, range(9)),
        it.takewhile(lambda x: x < 9, range(9)), it.starmap(pow, [(2, 3), (3, 2), (1, 1), (4, 2)]),
        it.zip_longest("ab", range(4)), it.compress("abcdefgh", it.cycle([1, 0])), iter(range(0, 40, 7)), iter("text"),
    ]  # fmt: skip
    out = []
    for chunk in chunks(range(8), 2):
        await effect(f"chunk {chunk}")
        out.append([chunk, *(next(each) for each in held)])
        await effect("between")
    return out, next(second)



if __name__ == "__main__":
    print(repr(asyncio.run(main())))

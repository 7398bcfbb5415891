# durable: on
"""chain, islice, zip_longest, accumulate, starmap, takewhile, dropwhile and compress are held between awaits."""
import asyncio
import itertools
import operator

from world import effect


async def main():
    its = {
        "chain": itertools.chain([1, 2], "ab", range(2)),
        "from_iterable": itertools.chain.from_iterable([[1], [2, 3], [], [4, 5, 6]]),
        "islice": itertools.islice(itertools.count(), 2, 30, 3),
        "zip_longest": itertools.zip_longest("abcd", [1, 2], fillvalue="-"),
        "accumulate": itertools.accumulate([1, 2, 3, 4, 5]),
        "accumulate mul": itertools.accumulate([1, 2, 3, 4], operator.mul, initial=10),
        "accumulate max": itertools.accumulate([3, 1, 4, 1, 5], lambda a, b: max(a, b)),
        "starmap": itertools.starmap(pow, [(2, 5), (3, 2), (10, 3), (7, 1)]),
        "takewhile": itertools.takewhile(lambda x: x < 5, iter([1, 4, 2, 4, 6, 1])),
        "dropwhile": itertools.dropwhile(lambda x: x < 3, [1, 2, 3, 1, 2, 5]),
        "filterfalse": itertools.filterfalse(lambda x: x % 2, range(10)),
        "compress": itertools.compress("abcdefg", [1, 0, 1, 1, 0, 1, 1]),
    }
    out = {name: [next(it)] for name, it in its.items()}
    for turn in range(3):
        await effect(f"turn {turn}")
        for name, it in its.items():
            out[name].append(next(it, None))
    await effect("rest")
    return out, {name: list(it) if name != "islice" else list(itertools.islice(it, 2)) for name, it in its.items()}


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

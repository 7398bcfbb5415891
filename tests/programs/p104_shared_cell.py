# durable: on
"""Closures and the frame that made them share one cell in both directions across awaits."""
import asyncio

from world import effect


def make_counter(start):
    count = start

    def bump(by=1):
        nonlocal count
        count += by
        return count

    def read():
        return count

    async def bump_later(name):
        nonlocal count
        before = count
        count = before + await effect(name, 10)
        return count

    return bump, read, bump_later


async def main():
    total = 0

    def add(n):
        nonlocal total
        total += n

    bump, read, later = make_counter(100)
    await effect("made")
    add(1)
    total += await effect("direct", 2)
    add(4)
    bump()
    results = [await later("first"), read(), bump(5)]
    await effect("middle")
    results.append(await later("second"))
    add(read())
    return total, results, read(), add.__closure__[0].cell_contents == total


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

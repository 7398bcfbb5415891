# durable: on
"""Two variables, a dict entry and a tuple share one list, and mutation through one shows in the others after each await."""
import asyncio

from world import effect


async def main():
    first = []
    second = first
    box = {"again": first, "pair": (first, first)}
    first.append(await effect("a", 1))
    box["again"].append(await effect("b", 2))
    second += [await effect("c", 3)]
    seen = [first is second, box["again"] is first, box["pair"][0] is box["pair"][1]]
    copy = list(first)
    await effect("d")
    copy.append(99)
    box["pair"][1].insert(0, await effect("e", 0))
    return [first, second, copy, box, seen, copy is first, box["pair"][0] is first]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

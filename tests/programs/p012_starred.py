# durable: on
"""Starred displays, calls, subscripts and assignment targets mixed with awaits."""
import asyncio

from world import effect


class Grid:
    def __init__(self):
        self.asked = []

    def __getitem__(self, key):
        self.asked.append(key)
        return key

    def __setitem__(self, key, value):
        self.asked.append((key, value))


def show(*args, sep="-", **kwargs):
    return sep.join(map(str, args)) + str(kwargs)


async def main():
    grid = Grid()
    first, *middle, last = await effect("five", "abcde")
    head, (inner, *tail), *grid[0] = [1, await effect("nested", (2, 3, 4)), *await effect("more", [5, 6])]
    out = [first, middle, last, head, inner, tail]
    parts = (1, 2)
    out.append(grid[*parts, await effect("index", 3)])
    grid[await effect("slice", 1):7:2] = *parts, await effect("value", 0)
    out.append(show(*parts, await effect("mid", "m"), *"xy", sep=await effect("sep", "+"), **{"k": await effect("kw", 1)}))
    out.append({**{"a": 1, "b": 2}, "b": await effect("b", 3), **await effect("map", {"c": 4, "a": 5})})
    *empty, only = await effect("one", [9])
    out.append([each for each in (*parts, await effect("tail", 0))])
    for each in *parts, 3:
        pass
    for a, *b in [(1, 2, 3), await effect("pair", (4,))]:
        out.append((a, b))
    try:
        x, y, *z = await effect("short", [1])
    except ValueError as error:
        out.append(str(error))
    return *out, empty, only, each, grid.asked


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

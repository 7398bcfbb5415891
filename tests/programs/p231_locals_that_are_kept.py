# durable: on
"""The dict that `locals()` gave is the program's: what it holds is what it held then, whatever happens in between."""
import asyncio

from world import effect


async def keep(a):
    b = a + 1
    kept = dict(locals()), locals()
    await effect("kept")
    c = await effect("later", 3)
    return [sorted(each) for each in kept if each.pop("kept", None) is None], b, c


async def keep_in_generator(items):
    for item in items:
        kept = vars()
        yield await effect(f"item {item}", sorted(set(kept) - {"kept"}))


async def change(a):
    names = locals()
    names["a"] = await effect("changed", 5)
    return a, names["a"]


async def main():
    return await keep(1), [found async for found in keep_in_generator("ab")], await change(1)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

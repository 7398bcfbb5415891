# durable: on
"""locals(), dir(), vars() and eval() show the program's own names and nothing else, before and after awaits."""
import asyncio

from world import effect, fail


class Plain:
    async def method(self, a, *args, **kwargs):
        await effect("method")
        return sorted(locals()), sorted(vars())


async def outer(x):
    y = x + await effect("outer", 1)

    async def inner(z):
        z += y
        await effect("inner")
        return sorted(locals().items())

    names = sorted(locals())
    result = await inner(5)
    return names, result, dir()


async def main():
    first = 1
    for k in range(2):
        await effect(f"loop{k}")
    try:
        await fail("caught", ValueError())
    except ValueError as error:
        in_handler = sorted(locals())
    async with Manager() as m, Manager():
        in_with = sorted(locals())
        text = f"{await effect('f', 1)}" + str(first + await effect("g", 2))
    out = [in_handler, in_with, await Plain().method(1, 2, k=3), await outer(10)]
    out.append(sorted(locals()))
    out.append(eval("first + 1"))
    snapshot = locals()
    out.append([snapshot["first"], snapshot["text"]])
    await effect("after")
    out.append(snapshot["first"])
    scope = {"here": 1}
    exec("result = [n * 2 for n in range(3)]", scope)
    out.append(scope["result"])
    return out


class Manager:
    async def __aenter__(self):
        return sorted(locals())

    async def __aexit__(self, *info):
        return None


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

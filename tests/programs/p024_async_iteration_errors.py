# durable: on
"""Bad asynchronous iterators raise the same errors; __anext__ may be any awaitable."""
import asyncio

from world import effect


class NoAnext:
    def __aiter__(self):
        return 5


class BadAnext:
    def __aiter__(self):
        return self

    def __anext__(self):
        return "not awaitable"


class Separate:
    class Cursor:
        def __init__(self):
            self.k = 0

        def __anext__(self):
            return self.step()

        async def step(self):
            self.k += 1
            if self.k == 3:
                raise ValueError("cursor broke")
            return await effect(f"step{self.k}", self.k)

    def __aiter__(self):
        return self.Cursor()


async def main():
    out = []
    for bad in [NoAnext(), BadAnext(), [1], None]:
        try:
            async for x in bad:
                out.append("never")
        except TypeError as error:
            out.append((str(error), type(error.__cause__).__name__))
    await effect("after errors")
    try:
        async for x in Separate():
            out.append(x)
    except ValueError as error:
        out.append(str(error))
    try:
        out.append([x async for x in Separate() if await effect(f"cond{x}", True)])
    except ValueError as error:
        out.append(repr(error))
    try:
        for x in 5:
            pass
    except TypeError as error:
        out.append(str(error))
    try:
        await effect("two", 2) + await effect("text", "t")
    except TypeError as error:
        out.append(str(error))
    try:
        await 3
    except TypeError as error:
        out.append(str(error).replace("'int' object can't be awaited", "object int can't be used in 'await' expression"))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

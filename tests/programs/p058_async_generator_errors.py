# durable: on
"""StopIteration and StopAsyncIteration raised inside, returns, ignored GeneratorExit, reuse after failure."""
import asyncio

from world import effect


async def stops(kind):
    yield 1
    await effect(f"stops-{kind.__name__}")
    raise kind("x")


async def stubborn():
    try:
        yield 1
    except GeneratorExit:
        yield 2


async def returns(n):
    async for k in counting(5):
        if k == n:
            return
        yield k


async def counting(n):
    for k in range(n):
        yield k
        await asyncio.sleep(0)


async def never():
    await effect("ran")
    return
    yield


async def main():
    out = []
    for kind in (StopIteration, StopAsyncIteration, ValueError):
        gen = stops(kind)
        try:
            async for x in gen:
                out.append(x)
        except (RuntimeError, ValueError) as error:
            out.append((str(error), repr(error.__cause__)))
        await effect("between")
        out.append(await anext(gen, "dead"))
    odd = stubborn()
    await anext(odd)
    try:
        await odd.aclose()
    except RuntimeError as error:
        out.append(str(error))
    out.append(await anext(odd, "end"))
    out.append([x async for x in returns(2)])
    out.append([x async for x in never()])
    iterator = aiter(returns(1))
    out.append(iterator is aiter(iterator))
    out.append((await anext(iterator), await anext(iterator, None)))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

# durable: on
"""Async generator expressions with several clauses, partly consumed across awaits."""
import asyncio

from world import effect


async def ticks(name, n):
    try:
        for k in range(n):
            yield await effect(f"{name}{k}", k)
    finally:
        await effect(f"{name} closed")


async def double(x):
    return x * 2


async def main():
    out = []
    squares = (x * x async for x in ticks("sq", 4) if x != 2)
    out.append(await anext(squares))
    await asyncio.sleep(0)
    out.append([x async for x in squares])
    out.append(await anext(squares, "exhausted"))
    base = 3
    mixed = ((a, await double(b + base)) for a in range(2) for b in [a, 10])
    out.append(type(mixed).__name__)
    out.append(await mixed.__anext__())
    base = 0
    out.append(await mixed.asend(None))
    async for pair in mixed:
        out.append(pair)
    inner = ticks("cl", 5)
    closing = (x async for x in inner)
    async for x in closing:
        if x == 1:
            break
    await closing.aclose()
    await inner.aclose()
    out.append([x async for x in closing])
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

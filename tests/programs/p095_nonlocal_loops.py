# durable: on
"""Loops, comprehensions and handlers over nonlocal variables changed from several coroutines."""
import asyncio

from world import effect, fail


async def main():
    i, items, error = 0, [], None
    trace = []

    async def step(n):
        nonlocal i, items
        i += n
        items = items + [i]
        return await effect(f"step{i}", i)

    def reset():
        nonlocal i, error
        i = -1
        error = "cleared"

    while i < 3:
        trace.append((i, await step(1), i))
        if i == 2:
            reset()
            break
    for i in range(3):
        await step(10)
        trace.append(i)
    trace.append([i * await step(1) for _ in range(2)])
    trace.append([i async for i in walk(2)])
    trace.append(i)
    try:
        await fail("boom", ValueError(i))
    except ValueError as error:
        peek = lambda: repr(error)
        await effect("in handler")
        trace.append(peek())
        reset()
        trace.append(peek())
    try:
        trace.append(error)
    except UnboundLocalError:
        trace.append("error is unbound")

    async def outer():
        nonlocal i

        async def inner():
            nonlocal i
            i, before = await effect("inner", "new"), i
            return before

        before = i
        return before, await inner(), i, (i := "walrus"), i

    trace.append(await outer())
    (i, *items), trace2 = [await effect("unpack", "u"), i, *items[:1]], i
    return trace, i, items, trace2


async def walk(n):
    for i in range(n):
        yield i
        i = "ignored"
    await effect("walked")


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

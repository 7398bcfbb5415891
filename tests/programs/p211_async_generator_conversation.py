# durable: on
"""Asynchronous generators are sent to, thrown into, closed early and chained in comprehensions."""
import asyncio

from world import effect

closed = []


async def source(count):
    try:
        for number in range(count):
            command = yield await effect(f"item {number} of {count}", number)
            if command:
                await effect(command)
    finally:
        await effect(f"close {count}")
        closed.append(count)


async def average():
    total = count = 0
    value = None
    while True:
        try:
            number = yield value
        except ZeroDivisionError:
            total = count = 0
            value = await effect("reset", "reset")
            continue
        total += number
        count += 1
        value = await effect("average", total / count)


async def main():
    mean = average()
    await mean.asend(None)
    out = [await mean.asend(4), await mean.asend(8), await mean.athrow(ZeroDivisionError), await mean.asend(3)]
    await mean.aclose()
    numbers = source(5)
    async for number in numbers:
        if number == 2:
            break
        out.append(await numbers.asend(f"skip {number}"))
    await numbers.aclose()
    table = {size: [await effect("cell", x) async for x in source(size)] for size in range(3)}
    doubled = (2 * x async for x in source(2))
    return out, table, [x async for x in doubled], closed



if __name__ == "__main__":
    print(repr(asyncio.run(main())))

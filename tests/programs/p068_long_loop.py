# durable: on
"""Long loops of awaits, with state that grows, in for, while, async for and comprehension form."""
import asyncio

from world import effect


async def stream(n):
    k = 0
    while k < n:
        await asyncio.sleep(0)
        yield k
        k += 1


async def main():
    total, seen = 0, []
    for k in range(200):
        await asyncio.sleep(0)
        total += k
        if k % 67 == 0:
            seen.append(await effect(f"mark{k}", total))
    n = 0
    while n < 60:
        n += 1
        if n % 7:
            continue
        await asyncio.sleep(0)
        if n == 49:
            await effect("at 49")
    squares = {k: k * k async for k in stream(40) if k % 3 == 0}
    even = sum([k async for k in stream(50) if not k % 2])
    data = list(range(30))
    while data:
        popped = data.pop(await asyncio.sleep(0, len(data) // 2))
        if popped == 0:
            seen.append(await effect("popped zero", len(data)))
    a, b = 0, 1
    async for _ in stream(90):
        a, b = b, a + b
    await effect("end")
    return total, seen, n, len(squares), squares[39], even, a


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

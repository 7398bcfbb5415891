# durable: on
"""Async comprehensions in class bodies' methods, defaults, nested functions, conditions and generators."""
import asyncio

from world import effect


async def gen(n):
    for k in range(n):
        yield k
    await effect(f"gen{n}")


class Source:
    factor = 3

    async def scaled(self, n):
        return [k * self.factor async for k in gen(n) if (lambda: k % 2)()]

    async def table(self):
        return {k: [self.factor for _ in range(k)] async for k in gen(2)}


async def main():
    s = Source()
    out = [await s.scaled(4), await s.table()]
    if await anext(aiter([x async for x in gen(1)] and gen(1))) == 0:
        out.append("condition")
    pairs = [(a, b) async for a in gen(2) for b in [x async for x in gen(a)] + ["end"] if b != 5]
    out.append(pairs)

    async def nested(x=[y async for y in gen(2)]):
        return [x, [lambda: z async for z in gen(2)][0]()]

    out.append(await nested())
    k = "kept"
    out.append({k async for k in gen(2)} == {0, 1} and k)
    got = [[(k, j, i) async for j in gen(1)] for i, k in enumerate("a")]
    out.append((got, k))
    lazy = ([a, b] async for a in gen(2) async for b in gen(a + 1))
    out.append(await anext(lazy))
    await effect("held lazily")
    out.append([x async for x in lazy])
    try:
        [1 // (1 - x) async for x in gen(3)]
    except ZeroDivisionError:
        out.append((await effect("divided"), "x" in locals()))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

# durable: on
"""List, set, dict and nested comprehensions with awaits in element, iterable and conditions."""
import asyncio

from world import effect


async def agen(tag, n):
    for k in range(n):
        yield k
    await effect(f"end-{tag}")


async def main():
    x = "outer"
    out = [[await effect(f"e{x}", x * x) for x in range(3)]]
    out.append(x)
    out.append(sorted({x % 2 for x in await effect("iter", range(5)) if x != 3}))
    out.append({k: v async for k, v in pairs("ab")})
    out.append([(a, b) for a in range(2) async for b in agen(f"in{a}", a + 1) if a != b or await effect(f"cond{a}", True)])
    out.append([[y async for y in agen(f"nest{x}", x)] for x in (1, 2)])
    out.append([[z + w for z in row] for w, row in enumerate(await effect("rows", [[1, 2], [3]]))])
    out.append({(await effect("key", "k")) + str(i): [await effect(f"v{i}", i)] for i in range(1)})
    out.append([i for i in [] if await effect("never")])
    out.append([*[q async for q in agen("star", 2)], *{r for r in [7]}])
    return out, x


async def pairs(letters):
    for index, letter in enumerate(letters):
        yield letter, await effect(f"pair-{letter}", index)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

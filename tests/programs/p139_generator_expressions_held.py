# durable: on
"""Half-consumed generator expressions with closures and conditions go on after awaits."""
import asyncio

from world import effect


async def main():
    factor = 3
    numbers = [1, 2, 3, 4, 5, 6, 7, 8]
    evens = (n * factor for n in numbers if n % 2 == 0)
    nested = ((a, b) for a in "xyz" for b in range(3) if (a, b) != ("y", 1))
    chained = (pair[0] + str(pair[1]) for pair in nested)
    out = [next(evens), next(chained)]
    await effect("one")
    factor = 100
    out += [next(evens), next(chained), next(nested)]
    await effect("two")
    numbers.append(10)
    out.append(list(evens))
    waiting = (n + factor for n in numbers)
    await effect("three")
    out.append(next(waiting))
    waiting.close()
    out.append(list(waiting))
    later = [c async for c in (c.upper() async for c in spell("abc"))]
    return out, list(chained), later


async def spell(word):
    for c in word:
        yield await effect(f"spell {c}", c)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

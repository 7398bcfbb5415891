# durable: on
"""Set and frozenset iterators are held in the middle, and what remains is neither lost nor seen twice."""
import asyncio

from world import effect


async def main():
    numbers = {3, 1, 2, 5, 8, 13}
    letters = frozenset("abcde")
    a, b = iter(numbers), iter(letters)
    seen_a, seen_b = [next(a)], [next(b), next(b)]
    await effect("one")
    seen_a.append(next(a))
    await effect("two")
    seen_b.append(next(b))
    third = []
    for n in numbers:
        third.append(n)
        if len(third) % 3 == 0:
            await effect(f"loop {len(third)}")
    seen_a.extend(a)
    await effect("three")
    seen_b.extend(b)
    return [sorted(seen_a), sorted(seen_b), sorted(third), next(a, "end"), len(numbers)]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

# durable: on
"""Module-level dict, list, set and deque mutated by functions keep their contents and stay shared with locals."""
import asyncio
import collections

from world import effect


CACHE = {}
EVENTS = []
SEEN = set()
RECENT = collections.deque(maxlen=3)
COUNTS = collections.Counter()
CONST = [1, 2, 3]


def record(kind, value):
    EVENTS.append((kind, value))
    SEEN.add(kind)
    RECENT.append(value)
    COUNTS[kind] += 1


async def cached(key):
    if key not in CACHE:
        CACHE[key] = await effect(f"load {key}", {"key": key, "const": CONST})
    record("hit", key)
    return CACHE[key]


async def main():
    events = EVENTS
    first = await cached("a")
    await cached("b")
    again = await cached("a")
    record("miss", 4)
    await effect("middle")
    await cached("c")
    await cached("b")
    return [
        first is again is CACHE["a"],
        events is EVENTS,
        first["const"] is CONST,
        EVENTS,
        sorted(SEEN),
        list(RECENT),
        RECENT.maxlen,
        dict(COUNTS),
        list(CACHE),
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

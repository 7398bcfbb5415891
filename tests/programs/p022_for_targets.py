# durable: on
"""Loop targets that are attributes, subscripts and stars, and loop variables shared with closures."""
import asyncio

from world import effect


class Slot:
    value = None


async def rows(n):
    for k in range(n):
        yield [k, *range(k)], await effect(f"row{k}", chr(97 + k))


async def main():
    slot, table, seen = Slot(), {}, []
    for slot.value in range(2):
        seen.append(slot.value)
        await effect(f"attr{slot.value}")
    for table[await effect("key", "t")], (slot.value, *table["rest"]) in [(1, "abc"), (2, "d")]:
        seen.append((dict(table), slot.value))
    async for [slot.first, *slot.more], table["letter"] in rows(3):
        seen.append((slot.first, slot.more, table["letter"]))
    calls = []
    for i in range(3):
        calls.append(lambda: i)
        await effect(f"lambda{i}")
        seen.append([c() for c in calls])
    del i
    await effect("deleted")
    try:
        calls[0]()
    except NameError as error:
        seen.append(error.name)
    i = "again"
    return seen, [c() for c in calls], sorted(vars(slot))


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

# durable: on
# requires: 3.15
"""Sentinels: of the module by their name, of a function with their identity, those of data classes."""
import asyncio
import dataclasses

from world import effect

MISSING = sentinel("MISSING")


def look(values, key, default=MISSING):
    return values.get(key, default)


async def main():
    end = sentinel("end", repr="<the end>")
    other = sentinel("end")

    def take(items, stop=end):
        return [item for item in items if item is not stop]

    items = [1, end, 2, other]
    fields = dataclasses.field()
    await effect("made")
    found = look({}, "a", await effect("default", MISSING))
    await effect("looked")
    return [
        found is MISSING,
        look({}, "b") is MISSING,
        items[1] is end,
        items[3] is other,
        end is not other,
        take(items),
        end,
        (end.__name__, end.__module__ == __name__, other),
        fields.default is dataclasses.MISSING,
        end | int,
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

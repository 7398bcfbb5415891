# durable: on
"""None, Ellipsis, NotImplemented, True, empty tuple and the types themselves are still the same objects."""
import asyncio
import types

from world import effect


async def main():
    values = [None, ..., NotImplemented, True, False, (), "", b"", int, type(None), types.FunctionType, type, object, len]
    names = {"none": None, "dots": Ellipsis, "not": NotImplemented}
    await effect("one")
    kept = [a is b for a, b in zip(values, [None, ..., NotImplemented, True, False])]
    await effect("two")
    rest = [values[8] is int, values[9] is type(None), values[10] is type(lambda: 0), values[11] is type, values[13] is len]
    default = names["none"]
    dots = await effect("three", names["dots"])
    return kept, rest, default is None, dots is ..., names["not"] is NotImplemented, values[12] is object, values[5]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

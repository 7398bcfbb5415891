# durable: on
"""range and slice objects, frozensets and live dict views keep kind and content."""
import asyncio

from world import effect


async def main():
    steps = range(10, -10, -3)
    cut = slice(None, None, 2)
    nested = frozenset([frozenset([1]), frozenset()])
    data = {"a": 1}
    keys, values, items = data.keys(), data.values(), data.items()
    await effect("made")
    data["b"] = await effect("b", 2)
    await effect("grown")
    return [
        steps,
        list(steps[1:3]),
        "abcdef"[cut],
        cut.indices(5),
        frozenset([1]) in nested and len(nested),
        list(keys),
        list(values),
        ("b", 2) in items,
        keys.mapping["b"],
        keys & {"b", "z"},
        len(values),
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

"""Unpacking in comprehensions and generator expressions, with awaits in them and between their items."""

# durable: on
# requires: 3.15
import asyncio

from world import effect


async def numbers(name, *values):
    for value in values:
        yield await effect(name, value)


class Mapping:
    def __init__(self, **items):
        self.items = items

    def keys(self):
        return list(self.items)

    def __getitem__(self, key):
        return self.items[key]


async def message(awaitable):
    try:
        return repr(await awaitable)
    except TypeError as error:
        return str(error)


async def wrong(kind):
    match kind:
        case "list":
            return [*await effect(kind, number) for number in [5]]
        case "set":
            return {*await effect(kind, number) for number in [5]}
        case "dict":
            return {**await effect(kind, pairs) for pairs in [[("a", 1)]]}
    return [item async for item in (*await effect(kind, number) for number in [5])]


async def main():
    lists, dicts = [[1, 2], [3], [], [2, 1]], [{"a": 1}, {"b": 2}, {"a": 3}]
    results = [
        [*await effect("list", item) for item in lists],
        [*item async for item in numbers("async list", *lists)],
        {*await effect("set", item) for item in lists if item},
        {**await effect("dict", item) for item in dicts},
        {**Mapping(**item) async for item in numbers("async dict", *dicts)},
        [*[inner, await effect("nested", inner)] for item in lists for inner in item if inner > 1],
        [last := [*(first := item)] for item in lists if item],
    ]
    results.append((last, [*{first := await effect("walrus", number)} for number in range(2)], first))
    plain = (*item for item in lists)
    of_iterators = (*iter(item) for item in map(tuple, lists))
    asynchronous = (*item async for item in numbers("held", *lists))
    awaiting = (*await effect("awaiting", item) for item in lists)
    for _ in range(3):
        results.append((next(plain), next(of_iterators), await anext(asynchronous), await anext(awaiting)))
        await effect("between", None)
    results.append((list(plain), list(of_iterators), [i async for i in asynchronous], [i async for i in awaiting]))
    sent = (*(x for x in item) for item in lists)
    results.append((next(sent), sent.send("dropped"), await effect("sent", None), next(sent)))
    try:
        sent.throw(KeyError("thrown"))
    except KeyError as error:
        results.append((repr(error), list(sent)))


    class Table:
        rows = [[1], [2, 3]]
        flat = [*row for row in rows]
        index = {**{item: str(item)} for item in flat}

    results.append((Table.flat, await effect("class", None), Table.index))
    return results, [await message(wrong(kind)) for kind in ("list", "set", "dict", "generator")]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

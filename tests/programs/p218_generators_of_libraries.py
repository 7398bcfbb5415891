# durable: on
"""Generators of modules that are not marked, in the middle: mixins of abstract classes, functions of the standard library."""
import ast
import asyncio
import collections
import collections.abc
import difflib
import heapq
import ipaddress

from world import effect


class Deck(collections.abc.Sequence):
    def __init__(self, *cards):
        self.cards = cards

    def __getitem__(self, index):
        return self.cards[index]

    def __len__(self):
        return len(self.cards)


class Table(collections.abc.Mapping):
    def __init__(self, **rows):
        self.rows = rows

    def __getitem__(self, key):
        return self.rows[key]

    def __iter__(self):
        return iter(self.rows)

    def __len__(self):
        return len(self.rows)


async def collect(name, items):
    out = []
    for item in items:
        out.append((await effect(f"{name} {len(out)}", item)))
    return out


async def main():
    deck, table = Deck(3, 1, 2), Table(a=1, b=2)
    out = [await collect("deck", deck), [card async for card in shown(reversed(deck))]]
    for view in (table.keys(), table.items(), table.values()):
        out.append(await collect("view", view))
    merged = heapq.merge([1, 4], [2], [3])
    pair = next(merged), await effect("between", merged)
    out.append((pair[0], pair[1] is merged, await collect("merged", merged)))
    out.append(await collect("diff", difflib.unified_diff(list("abc"), list("abd"), lineterm="")))
    out.append([str(host) for host in await collect("hosts", ipaddress.ip_network("10.0.0.0/30").hosts())])
    out.append([type(node).__name__ for node in await collect("nodes", ast.walk(ast.parse("x = 1")))])
    out.append(await collect("elements", collections.Counter("aab").elements()))
    held = {"zip": zip(deck, iter(table)), "deck": iter(deck)}
    first = next(held["zip"]), next(held["deck"])
    await effect("held")
    return out, first, list(held["zip"]), list(held["deck"])


async def shown(cards):
    for card in cards:
        yield await effect(f"card {card}", card * 10)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

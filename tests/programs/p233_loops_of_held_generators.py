# durable: on
"""Generators held in the middle of loops over containers of every kind, some of which are changed meanwhile."""
import ast
import asyncio
import textwrap

from world import effect


class Counted:
    def __init__(self, items):
        self.items, self.asked = items, 0

    def __iter__(self):
        self.asked += 1
        return iter(self.items)


class Chatty(list):
    def __iter__(self):
        return reversed(list(super().__iter__()))


def passed_on(rows):
    for row in rows:
        yield from row


async def main():
    growing, cut, counted = [1, 2], [1, 2, 3, 4, 5], Counted([7, 8, 9])
    held = {
        "not begun": (x * 2 for x in [10, 20, 30]),
        "not begun, asked": (x for x in counted),
        "list": (x * 2 for x in growing),
        "cut": (x for x in cut),
        "tuple in list": (x + y for x in [1, 2, 3] for y in (10, 20)),
        "text in bytes": (f"{x}{y}" for x in b"ab" for y in "cdé"),
        "range, dict, set": ((x, y, z) for x in range(2) for y in {"k": 1, "l": 2} for z in {3}),
        "subclass": (x for x in Chatty([1, 2, 3])),
        "nested": ([y for y in x] for x in ([1], [2, 3], [4])),
        "delegating": passed_on([[1, 2], (3, 4), "ab"]),
        "of a library": ast.walk(ast.parse("a + b")),
        "enumerated": (pair for pair in enumerate([5, 6, 7])),
    }
    begun = [name for name in held if not name.startswith("not begun")]
    out = {name: [next(held[name])] for name in begun}
    for _ in range(3):
        next(held["cut"])
    del cut[1:]
    for number in range(4):
        await effect(f"round {number}", number)
        for name, generator in held.items():
            out.setdefault(name, []).append(next(generator, "ended"))
        growing.append(number)
        if number == 1:
            cut.extend([90, 91, 92, 93, 94])
    out["of a library"] = [type(node).__name__ for node in out["of a library"]]
    return out, counted.asked, textwrap.shorten("the end of it", 9)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

# durable: on
"""match over every kind of pattern with awaits in subjects, guards and bodies."""
import asyncio
from dataclasses import dataclass

from world import effect


@dataclass
class Point:
    x: int
    y: int


class Keys:
    RED = "red"
    LIMIT = 10


async def describe(subject):
    match await effect("subject", subject):
        case None | True | False as const:
            return "const", const
        case -1 | 3.5 | 2 + 3j:
            return "number"
        case Keys.RED | Keys.LIMIT:
            return "value", subject
        case str(text) if await effect("guard-str", len(text) > 3):
            return "long", text
        case str():
            return "short"
        case [] | ():
            return "empty"
        case [1, (Point(x=px) | {"x": px}), *rest] if rest:
            return "list", px, rest
        case [first, *_, last] if await effect("guard-seq", first == last):
            return "ring", first
        case {"kind": "box", "at": Point(a, b), **others}:
            return "box", a, b, others
        case {"kind": kind}:
            return "kind", await effect("kind", kind)
        case Point(0, y=0) | Point(0, 1):
            return "origin"
        case Point(x, y) if x == y and await effect("guard-diag", True):
            return "diagonal", x
        case int() | float() as n if n > 100:
            return "big", n
        case _:
            return "other", await effect("other", type(subject).__name__)


async def main():
    subjects = ["red", "abcd", Point(2, 2), {"kind": "box", "at": Point(1, 2), "k": 3}, [1, {"x": 4}, 5]]
    out = [await describe(s) for s in subjects]
    for plain in [None, 3.5, "ab"]:
        out.append(await describe(plain))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

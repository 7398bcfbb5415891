# durable: on
"""Module-level data is reached through aliases, imports of the own names, attributes, parameters and nested structures."""
import asyncio
import collections

from world import effect


class Config:
    def __init__(self):
        self.flags = {"a": False}
        self.paths = []


CONFIG = Config()
TREE = {"leaf": {"list": []}}
INDEX = {"tree": TREE, "config": CONFIG}
STACK = [[]]
TOTALS = collections.defaultdict(int)
NAMES = ("CONFIG", "TREE")
limit = current = 3


def touch(target, key):
    target[key] = True


def leaf():
    return TREE["leaf"]["list"]


async def grow(where, n):
    where.append(await effect(f"grow {n}", n))
    STACK[-1].append(n)
    STACK.append(where)
    TOTALS[n % 2] += n


async def main():
    global current
    flags = CONFIG.flags
    touch(flags, "a")
    await effect("touched")
    append = leaf().append
    append("x")
    await grow(leaf(), 1)
    CONFIG.paths += ["p"]
    INDEX["config"].extra = INDEX
    current -= await effect("one less", 1)
    await grow(STACK[0], 2)
    globals()["added"] = await effect("added", "by name")
    await effect("end")
    return [
        (CONFIG.flags, CONFIG.paths, CONFIG.extra is INDEX, flags is CONFIG.flags),
        (TREE, INDEX["tree"] is TREE, STACK[1] is leaf(), STACK[2] is STACK[0]),
        (STACK[0], dict(TOTALS), limit, current, added),  # noqa: F821
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

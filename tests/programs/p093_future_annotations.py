# durable: on
"""A module with postponed annotations whose classes and coroutines keep them as text."""
from __future__ import annotations
import asyncio

from world import effect


import dataclasses


@dataclasses.dataclass
class Tree:
    value: int
    children: list[Tree] = dataclasses.field(default_factory=list)

    async def walk(self, depth: Undefined = 0) -> AlsoUndefined:
        yield depth, await effect(f"visit{self.value}", self.value)
        for child in self.children:
            async for item in child.walk(depth + 1):
                yield item

    def __iter__(self) -> Iterator[int]:
        yield self.value
        for child in self.children:
            yield from child


async def main():
    tree = Tree(1, [Tree(2, [Tree(3)]), Tree(4)])
    local: Nowhere[tree.value] = await effect("local", "bound")
    unbound: Elsewhere

    async def inner(x: Missing = local) -> Gone:
        return x, await effect("inner", list(inner.__annotations__.items()))

    values = iter(tree)
    out = [next(values), await inner()]
    out.append([pair async for pair in tree.walk()])
    out.append(list(values))
    out.append((Tree.walk.__annotations__, [f.type for f in dataclasses.fields(Tree)], tree == Tree(1, tree.children)))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

# durable: on
"""Classes defined inside async functions: instances, properties, closures, inheritance held across awaits."""
import asyncio
import functools

from world import effect


async def make(limit):
    created = 0

    class Node:
        kind = "node"
        items = [k * 2 for k in range(limit)]
        if limit > 2:
            extra = "big"

        def __init__(self, value, next=None):
            nonlocal created
            created += 1
            self.value, self.next = value, next

        def __iter__(self):
            node = self
            while node:
                yield node.value
                node = node.next

        @property
        def doubled(self):
            return self.value * 2

        @doubled.setter
        def doubled(self, value):
            self.value = value // 2

        @functools.cached_property
        def expensive(self):
            nonlocal created
            created += 100
            return [self.value]

        @staticmethod
        def static(x):
            return x, limit

        @classmethod
        async def build(cls, *values):
            head = None
            for v in reversed(values):
                head = cls(await effect(f"build{v}", v), head)
            return head

        def __repr__(self):
            return f"{type(self).__name__}({self.value})"

    class Child(Node):
        kind = "child"

        def __eq__(self, other):
            return self.value == other.value

        __hash__ = None

    await effect("classes made")
    return Node, Child, lambda: created


async def main():
    Node, Child, created = await make(3)
    chain = await Child.build(1, 2, 3)
    chain.next.doubled = 50
    cached = chain.expensive
    await effect("between")
    out = [list(chain), chain, created(), chain.expensive is cached, Node.items, Node.extra, Node.static(1)]
    walker = iter(chain)
    next(walker)
    await effect("walking")
    out.append(list(walker))
    out.append((isinstance(chain, Node), Child.__mro__[1] is Node, chain == Child(1), Child.kind, chain.__class__ is Child))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

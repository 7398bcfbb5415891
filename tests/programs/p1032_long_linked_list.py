# durable: on
"""A linked list of thousands of nodes and a deeply nested list are held across awaits."""
import asyncio

from world import effect


class Node:
    __slots__ = ("value", "next")

    def __init__(self, value, next):
        self.value = value
        self.next = next


async def main():
    head = None
    for n in range(3000):
        head = Node(n, head)
    nested = []
    for n in range(3000):
        nested = [n, nested]
    await effect("made")
    node, total = head, 0
    while node is not None:
        total += node.value
        if node.value % 1000 == 0:
            await effect(f"at {node.value}")
        node = node.next
    depth = 0
    while nested:
        depth += 1
        nested = nested[1]
    return total, depth, head.value


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

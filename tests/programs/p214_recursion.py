# durable: on
"""Recursive coroutines and generators: quicksort, Hanoi, queens, and a tree with links to its parents."""
import asyncio

from world import effect


async def quicksort(items):
    if len(items) <= 1:
        return items
    pivot, *rest = items
    await effect(f"pivot {pivot}")
    return [*await quicksort([x for x in rest if x < pivot]), pivot, *await quicksort([x for x in rest if x >= pivot])]


async def hanoi(height, source, spare, target, moves):
    if height:
        await hanoi(height - 1, source, target, spare, moves)
        moves.append(await effect(f"move {height}", (height, source, target)))
        await hanoi(height - 1, spare, source, target, moves)
    return moves


async def queens(size, columns=()):
    if len(columns) == size:
        yield columns
        return
    row = len(columns)
    for column in range(size):
        if all(column != c and abs(column - c) != row - r for r, c in enumerate(columns)):
            if row == 1:
                await effect(f"queens {columns} {column}")
            async for solution in queens(size, (*columns, column)):
                yield solution


class Node:
    def __init__(self, value, parent=None):
        self.value, self.parent, self.children = value, parent, []

    def add(self, value):
        self.children.append(Node(value, self))
        return self.children[-1]

    async def walk(self, depth=0):
        yield depth, self
        await effect(f"node {self.value}")
        for child in self.children:
            async for each in child.walk(depth + 1):
                yield each


async def main():
    root = Node(1)
    root.add(2).add(3)
    path = [(depth, node.value, node.parent and node.parent.value) async for depth, node in root.walk()]
    return await quicksort([3, 1, 2]), await hanoi(2, "a", "b", "c", []), [s async for s in queens(4)], path



if __name__ == "__main__":
    print(repr(asyncio.run(main())))

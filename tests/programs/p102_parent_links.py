# durable: on
"""A tree with parent links is edited between awaits and keeps its cycles."""
import asyncio

from world import effect


class Node:
    def __init__(self, name, parent=None):
        self.name = name
        self.parent = parent
        self.children = []
        if parent is not None:
            parent.children.append(self)

    def path(self):
        return (self.parent.path() + "/" if self.parent else "") + self.name

    def move(self, target):
        self.parent.children.remove(self)
        self.parent = target
        target.children.append(self)


async def main():
    root = Node("root")
    left = Node("left", root)
    await effect("left")
    right = Node(await effect("right", "right"), root)
    leaf = Node("leaf", left)
    paths = [leaf.path()]
    await effect("leaf made")
    leaf.move(right)
    await effect("leaf moved")
    paths.append(leaf.path())
    links = [leaf.parent is right, right.children[0] is leaf, left.children == [], root.children[1] is right]
    await effect("checked")
    leaf.parent.parent.name = "top"
    return paths, links, leaf.path(), root is left.parent is right.parent


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

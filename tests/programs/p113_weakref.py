# durable: on
"""Weak references to objects that stay alive still lead to the same objects."""
import asyncio
import weakref

from world import effect


class Thing:
    def __init__(self, name):
        self.name = name


class Child:
    def __init__(self, parent):
        self._parent = weakref.ref(parent)

    @property
    def parent(self):
        return self._parent()


async def main():
    thing = Thing("kept")
    ref = weakref.ref(thing)
    child = Child(thing)
    await effect("made")
    first = ref() is thing and child.parent is thing
    thing.name = await effect("rename", "renamed")
    second = ref().name
    await effect("more")
    child.parent.extra = 5
    return first, second, thing.extra, child.parent is thing


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

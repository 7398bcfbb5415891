# durable: on
"""Classes with __del__ are saved without making and dropping instances of them."""
import asyncio

from world import effect

gone = []


class Resource:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        gone.append(self.name)


class Hashed(Resource):
    def __init_subclass__(cls):
        raise TypeError("final")

    def __eq__(self, other):
        return self.name == other.name

    def __hash__(self):
        return hash(self.name)


class Slotted(Resource):
    __slots__ = ("size",)


async def main():
    plain, index = Resource("plain"), {Hashed("key"): 1}
    slotted = Slotted("slotted")
    slotted.size = 3
    await effect("made")
    await effect("still there")
    names = plain.name, [key.name for key in index], slotted.size
    return names, "key" in gone and index



if __name__ == "__main__":
    print(repr(asyncio.run(main())))

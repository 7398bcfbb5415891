# durable: on
"""Enums, metaclasses, dataclasses, named tuples and slots of this file live across awaits with identity."""
import asyncio
import dataclasses
import enum
import typing

from world import effect


class Color(enum.Enum):
    RED = 1
    GREEN = 2
    ALIAS = 1

    async def paint(self):
        return await effect(f"paint-{self.name}", self.value)


class Flags(enum.Flag):
    A = enum.auto()
    B = enum.auto()


class Point(typing.NamedTuple):
    x: int
    y: int = 0

    async def shifted(self, by):
        return self._replace(x=self.x + await effect("shift", by))


@dataclasses.dataclass(order=True)
class Item:
    rank: int
    tags: list = dataclasses.field(default_factory=list, compare=False)
    parent: "Item | None" = dataclasses.field(default=None, compare=False, repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    name: str
    color: Color


class Registry(type):
    known = {}

    def __new__(mcls, name, bases, namespace):
        cls = super().__new__(mcls, name, bases, namespace)
        mcls.known[name] = cls
        return cls

    def __getitem__(cls, key):
        return cls.__name__, key


class Plugin(metaclass=Registry):
    pass


async def main():
    red, both, point = Color.RED, Flags.A | Flags.B, Point(1)
    parent = Item(1)
    items = [Item(3, parent=parent), Item(2, ["t"], parent), parent]
    frozen = {Frozen("f", red): "kept"}
    plugin = Plugin
    await effect("held")
    out = [red is Color.ALIAS, await red.paint(), both == Flags.A | Flags.B, Flags.B in both]
    point = await point.shifted(5)
    out.append((point, sorted(items), items[0].parent is items[1].parent is parent))
    out.append(frozen[Frozen("f", Color(1))])
    try:
        next(iter(frozen)).name = await effect("frozen", "x")
    except dataclasses.FrozenInstanceError as error:
        out.append(str(error))
    out.append((plugin["k"], Registry.known["Plugin"] is plugin, dataclasses.asdict(items[1])["tags"]))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

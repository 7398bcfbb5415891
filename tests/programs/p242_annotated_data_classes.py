# durable: on
"""Local data classes, named tuples, typed dicts, protocols and enums whose annotations name variables of the function around."""
import asyncio
import dataclasses
import enum
import typing

from world import effect


async def main():
    Amount = int
    Names = list[str]

    @dataclasses.dataclass
    class Base:
        first: Amount
        names: Names = dataclasses.field(default_factory=list, repr=False)
        unit: typing.ClassVar[Amount] = 7

        def total(self, more: Amount = 1) -> Amount:
            return self.first + more + self.unit

    await effect("base", Base(1).total())

    @dataclasses.dataclass(slots=True, frozen=True, order=True)
    class Slotted:
        x: Amount
        _: dataclasses.KW_ONLY
        y: "Amount" = 2

        def moved(self, by: Amount) -> "Slotted":
            return dataclasses.replace(self, x=self.x + by)

    @dataclasses.dataclass(kw_only=True)
    class Derived(Base):
        first: float
        start: dataclasses.InitVar[Amount] = 3

        def __post_init__(self, start: Amount) -> None:
            self.begun = start

    class Pair(typing.NamedTuple):
        left: Amount
        right: Names = []

        def swapped(self) -> "Pair":
            return self.right, self.left

    class Movie(typing.TypedDict, total=False):
        name: typing.Required[str]
        year: Amount

    class Sequel(Movie):
        of: Movie

    @typing.runtime_checkable
    class Sized(typing.Protocol):
        size: Amount

        def grow(self, by: Amount) -> None: ...

    class Thing:
        size: Amount = 1

        def grow(self, by: Amount) -> None:
            self.size += by

    class Colour(enum.Enum):
        label: Amount
        RED = 1
        BLUE = 2

        def next(self) -> "Colour":
            return Colour(3 - self.value)

    values = [Base(1, ["a"]), Slotted(1), Derived(first=1.5), Pair(1), Movie(name="m", year=1), Thing(), Colour.RED]
    await effect("made")
    values.append(values[1].moved(by=await effect("by", 4)))
    await effect("moved")
    values[5].grow(2)
    return [
        repr(values[0]).rpartition(".")[2],
        values[0].total(),
        [(f.name, f.type, f.kw_only) for cls in (Base, Derived) for f in dataclasses.fields(cls)],
        [(f.name, f.type, f.kw_only) for f in dataclasses.fields(Slotted)],
        [typing.get_type_hints(cls) for cls in (Base, Derived, Pair, Movie, Thing, Colour)],
        typing.get_type_hints(Sequel)["of"] is Movie,
        values[1] < values[7],
        hash(values[1]) == hash(Slotted(1)),
        hasattr(values[1], "__dict__"),
        (values[2].first, values[2].names, values[2].begun, values[2].total()),
        Pair.__annotations__,
        Pair.__new__.__annotations__["left"],
        list(Base.__init__.__annotations__.items())[:2],
        values[3],
        values[3].swapped(),
        Movie.__required_keys__ == {"name"},
        sorted(Sequel.__annotations__),
        values[4],
        isinstance(values[5], Sized),
        isinstance(1, Sized),
        values[5].size,
        [value.next().name for value in Colour],
        list(Colour.next.__annotations__),
        Base.total.__annotations__,
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

# durable: on
"""A dataclass's state is a bound method of its own; ticks are frozen, ordered and generic."""
import asyncio
import enum
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cached_property, total_ordering
from typing import ClassVar, Generic, TypeVar

from world import effect

T = TypeVar("T")


class Light(enum.IntFlag):
    RED = 1
    AMBER = 2
    GREEN = 4


@total_ordering
@dataclass(frozen=True)
class Tick:
    number: int
    _: KW_ONLY
    light: Light = Light.RED

    def __lt__(self, other):
        return self.number < other.number


@dataclass
class Machine(Generic[T]):
    history: list[Tick] = field(default_factory=list)
    state: object = None
    made: ClassVar[int] = 0

    def __post_init__(self):
        type(self).made += 1
        self.state = self.red

    @cached_property
    def limit(self):
        return 5

    async def red(self):
        return await effect("red", Light.RED), self.amber

    async def amber(self):
        return await effect("amber", Light.RED | Light.AMBER), self.green

    async def green(self):
        return await effect("green", Light.GREEN), self.red if len(self.history) < self.limit else None

    async def run(self):
        while self.state:
            light, following = await self.state()
            self.history.append(Tick(len(self.history), light=light))
            self.state = following
        return max(self.history)


async def main():
    machine = Machine[int]()
    last = await machine.run()
    is_known = replace(last, number=0) in machine.history
    return last, is_known, Machine.made, len(machine.history), machine.__orig_class__ == Machine[int]



if __name__ == "__main__":
    print(repr(asyncio.run(main())))

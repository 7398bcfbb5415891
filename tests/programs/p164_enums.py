# durable: on
"""Enum, IntEnum, StrEnum, Flag and local enums keep identity, methods and combinations."""
import asyncio
import enum

from world import effect


class State(enum.Enum):
    NEW = enum.auto()
    OPEN = enum.auto()
    DONE = enum.auto()

    def next(self):
        return {State.NEW: State.OPEN, State.OPEN: State.DONE}.get(self, self)


class Rights(enum.Flag):
    READ = 1
    WRITE = 2
    RUN = 4


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 10


class Name(enum.StrEnum):
    A = "aa"
    B = "bb"


async def main():
    class Local(enum.Enum):
        X = (1, "x")
        Y = (2, "y")

        def __init__(self, n, text):
            self.n = n
            self.text = text

    state, rights, level, name, local = State.NEW, Rights.READ | Rights.RUN, Level.HIGH, Name.B, Local.Y
    index = {state: 1, local: 2, rights: 3}
    await effect("made")
    seen = [state]
    while state is not State.DONE:
        state = state.next()
        seen.append(await effect(f"to {state.name}", state))
    rights |= await effect("write", Rights.WRITE)
    await effect("held")
    checks = [local is Local.Y, local is Local(local.value), name is Name("bb"), level + 1, Rights.RUN in rights]
    checks += [index[State.NEW], index[Local.Y], index[Rights.READ | Rights.RUN], list(Local) == [Local.X, local]]
    return [s.name for s in seen], checks, rights.value, f"{name}", local.text, seen[-1] is State.DONE


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

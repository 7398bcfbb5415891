# durable: on
"""Exceptions with slots, properties, keyword-only constructors and a local class survive."""
import asyncio

from world import effect, fail


class Slotted(Exception):
    __slots__ = ("code", "where")

    def __init__(self, code, where):
        Exception.__init__(self)
        self.code = code
        self.where = where


class Base(Exception):
    default = "base"

    def __init__(self, *, message=None, retry=False):
        super().__init__(message or self.default)
        self.retry = retry

    @property
    def status(self):
        return 503 if self.retry else 400


class Child(Base):
    default = "child"


async def main():
    class Local(Base):
        default = "local"

        def __init__(self, parent):
            super().__init__(retry=True)
            self.parent = parent

    kept = [Slotted(1, "here"), Child(message="m"), Child(retry=True)]
    await effect("made")
    kept.append(Local(kept[1]))
    await effect("local")
    out = []
    for error in kept:
        try:
            await fail("raise", error)
        except Slotted as caught:
            out.append((caught.args, caught.code, caught.where))
        except Base as caught:
            out.append((caught.args, caught.status, type(caught).__name__, caught is error))
    return out, kept[3].parent is kept[1], isinstance(kept[3], Local)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

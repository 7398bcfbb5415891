# durable: on
"""Exceptions that go through generators that await show the program's own frames, and keep their contexts and causes."""
import asyncio
import traceback
import types

from world import effect, fail


class Call:
    def __init__(self, how, name):
        self.how = how
        self.name = name

    def __await__(self):
        try:
            yield from effect(f"{self.name} begins").__await__()
            return (yield from self.inner())
        except LookupError as error:
            yield
            raise ValueError(self.name, (yield from effect(f"{self.name} handles").__await__())) from error

    def inner(self):
        yield
        return (yield from (self.foreign() if self.how == "foreign" else self.own()).__await__())

    async def foreign(self):
        return await fail(f"{self.name} fails", KeyError(self.name))

    async def own(self):
        await effect(f"{self.name} goes on")
        await turn(self.name)


@types.coroutine
def turn(name):
    yield
    raise IndexError(name)


def shown(error):
    """The functions and lines of the program in the tracebacks of an exception and of what it came from."""
    chain = []
    while error is not None:
        frames = traceback.extract_tb(error.__traceback__)
        chain.append((repr(error), [(f.name, f.lineno) for f in frames if f.name != "fail"]))
        error = error.__cause__ or error.__context__
    return chain


async def main():
    out = []
    for how in ("foreign", "own"):
        try:
            await Call(how, how)
        except ValueError as error:
            out.append(shown(error))
            out.append(await effect(f"after {how}", how))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

# durable: on
"""Errors raised from __aenter__ and __aexit__, chained; awaitables of every kind in the protocol."""
import asyncio

from world import effect, fail


class Failing:
    def __init__(self, where):
        self.where = where

    async def __aenter__(self):
        if self.where == "enter":
            await fail("enter fails", ValueError("enter"))
        return self.where

    async def __aexit__(self, *info):
        if self.where == "exit":
            await fail("exit fails", LookupError("exit"))
        if self.where == "bare" and info[0]:
            await effect("bare")
            raise
        return 0 if self.where == "falsy" else [1] if self.where == "truthy" else None


class Awaitable:
    def __aenter__(self):
        return effect("direct enter", "entered")

    def __aexit__(self, *info):
        return effect("direct exit", info[0] is KeyError)


class Wrong:
    async def __aenter__(self):
        return 1

    def __aexit__(self, *info):
        return 5


async def main():
    out = []
    for where in ("enter", "exit", "bare", "falsy", "truthy"):
        try:
            async with Failing(where) as name:
                await effect(f"body-{name}")
                raise KeyError(name)
            out.append(f"suppressed {name}")
        except Exception as error:
            out.append((repr(error), repr(error.__context__)))
    async with Awaitable() as entered:
        raise KeyError(entered)
    out.append(entered)
    for error in (None, ValueError("lost")):
        try:
            async with Wrong():
                if error:
                    raise error
        except TypeError as wrong:
            out.append((str(wrong), repr(wrong.__context__)))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

# durable: on
"""A bare raise after an await in a handler raises the handled exception, in helpers too."""
import asyncio
import sys

from world import effect, fail


def reraise():
    raise


async def helper(name):
    await effect(name)
    raise


async def handler(kind):
    try:
        try:
            await fail(f"start-{kind}", ValueError(kind))
        except ValueError as error:
            kept = error
            await effect(f"waiting-{kind}")
            if kind == "direct":
                raise
            if kind == "sync":
                reraise()
            if kind == "async":
                await helper("in helper")
            if kind == "nested":
                try:
                    raise KeyError("other")
                except KeyError:
                    await effect("nested wait")
                await effect("after nested")
                raise
    except ValueError as error:
        return error is kept, error.__context__, sys.exception() is error if hasattr(sys, "exception") else True


async def main():
    out = []
    for kind in ("direct", "sync", "async", "nested"):
        out.append(await handler(kind))
    try:
        await helper("no exception")
    except RuntimeError as error:
        out.append(str(error))
    out.append(sys.exc_info())
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

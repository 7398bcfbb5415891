# durable: on
"""Bare raise, sys.exception and sys.exc_info see the right exception after awaits in nested handlers."""
import asyncio
import sys

from world import effect, fail


async def main():
    out = []

    async def note(where):
        out.append((where, type(sys.exception()).__name__, str(sys.exc_info()[1])))
        await effect(where)
        out.append((where, type(sys.exception()).__name__))

    await note("outside")
    try:
        try:
            await fail("a", ValueError("A"))
        except ValueError:
            await note("in A")
            try:
                await fail("b", KeyError("B"))
            except KeyError:
                await note("in B")
            await note("back in A")
            raise
        finally:
            await note("finally")
    except ValueError as error:
        await note("last")
        out.append((str(error), error.__context__))
    await note("done")
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

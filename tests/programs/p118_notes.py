# durable: on
"""Notes added to an exception before and after awaits stay in order."""
import asyncio

from world import effect


async def step(n):
    try:
        await effect(f"step {n}")
        if n == 2:
            raise LookupError(n)
        await step(n + 1)
    except LookupError as error:
        error.add_note(f"at level {n}")
        await effect(f"noted {n}")
        raise


async def main():
    try:
        await step(0)
    except LookupError as error:
        error.add_note(await effect("last", "top"))
        await effect("held")
        return error.__notes__, error.args, repr(error)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))

# durable: on
"""Loops left and continued through `finally` blocks that await and that replace results and exceptions."""
import asyncio

from world import effect, fail

seen = []


async def loop():
    for number in range(4):
        try:
            await effect(f"try {number}")
            if number == 1:
                continue
            if number == 3:
                return "try"
        finally:
            await effect(f"finally {number}")
            seen.append(number)
            if number == 3:
                return "finally"  # noqa: B012
    return "never"


async def replaced():
    try:
        try:
            await fail("first", KeyError("first"))
        finally:
            await fail("second", ValueError("second"))
    except ValueError as error:
        await effect("caught")
        try:
            raise
        except ValueError as again:
            await effect("again")
            return again is error, repr(error.__context__)


async def swallowed():
    while True:
        try:
            await fail("dropped", OSError("dropped"))
        finally:
            await effect("break")
            break  # noqa: B012
    return "went on"


async def main():
    return await loop(), await replaced(), await swallowed(), seen



if __name__ == "__main__":
    print(repr(asyncio.run(main())))
